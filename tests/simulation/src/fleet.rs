//! A fleet: many instances at sites, refreshed by the sweep over virtual time.

use std::sync::Arc;

use jiff::SignedDuration;
use latchkey_core::{
    model::{
        definition::RefreshPolicy,
        id::{InstanceKey, MethodKey},
        instance::Instance,
    },
    port::{Clock as _, Egress},
};
use serde_json::json;

use crate::{
    chance::Chance,
    line::{Direct, Line},
    provider::Policy,
    runtime::{Current, Executor, Plan},
    sites::{Condition, Sites},
    timeline::Timeline,
    world::{Life, Process, START, World},
};

/// A minute, in milliseconds: the time between two ticks.
pub const MINUTE: i64 = 60_000;

/// A fleet, and what it reaches.
#[derive(Debug)]
pub struct Fleet {
    /// The parts.
    pub world: World,
    /// The providers.
    pub sites: Arc<Sites>,
    /// The line, which counts calls.
    pub line: Arc<Direct>,
    /// The worker, which stays warm between ticks.
    pub worker: Process,
}

/// How an instance's tokens are.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What its provider does with a used refresh token.
    pub rotation: Policy,
    /// When it is refreshed without anybody asking.
    pub policy: RefreshPolicy,
    /// How many seconds an access token lives.
    pub lifetime: i64,
}

impl Fleet {
    /// A fleet without instances.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let chance = Arc::new(Chance::of(seed));
        let timeline = Timeline::from(START, Arc::clone(&chance));
        let sites = Sites::new(&timeline);
        let line = Arc::new(Direct::default());
        let through: Arc<dyn Line> = Arc::clone(&line) as _;
        let egress: Arc<dyn Egress> = Arc::clone(&sites) as _;
        let current = Current::default();
        let world = World::new(&timeline, &chance, &current, &through, (egress, false));
        Self {
            worker: world.process(),
            world,
            sites,
            line,
        }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.world.timeline.millis()
    }

    /// A site, and the auth method of its instances.
    pub fn site(&self, host: &str, condition: Condition, kind: Kind) -> MethodKey {
        self.sites.add(host, condition, kind.lifetime);
        let policy = match kind.policy {
            RefreshPolicy::EagerWhileUsed => "eager_while_used",
            RefreshPolicy::KeepAlive => "keep_alive",
            RefreshPolicy::AlwaysEager => "always_eager",
        };
        let refresh = json!({ "rotation": kind.rotation.rotation(), "policy": policy });
        self.world.method(host, &refresh)
    }

    /// An instance that is connected now; its name, and the number of its account.
    pub fn connect(&self, method: &MethodKey, kind: Kind) -> (InstanceKey, usize) {
        let token = self.sites.consent(kind.rotation);
        let key = self.world.name();
        let now = self.world.timeline.now();
        let life = Life {
            from: now,
            span: SignedDuration::from_secs(kind.lifetime),
            policy: kind.policy,
            use_by: Some(
                now + SignedDuration::from_hours(30 * 24)
                    .max(SignedDuration::from_secs(kind.lifetime)),
            ),
        };
        self.world.connected(&key, method, token, life);
        (key, token.account)
    }

    /// An executor for what the fleet does.
    #[must_use]
    pub fn executor(&self) -> Executor<'_> {
        let World {
            timeline,
            chance,
            current,
            ..
        } = &self.world;
        Executor::new(timeline, chance, current).for_many()
    }

    /// Ticks every minute until a time, and calls `each` before every tick. A tick at which nothing is due
    /// and no event is pending is left out: it would change nothing.
    pub fn run<'f>(
        &'f self,
        executor: &mut Executor<'f>,
        until: i64,
        mut each: impl FnMut(&mut Executor<'f>, i64),
    ) {
        let mut now = self.now();
        while now < until {
            each(executor, now);
            let store = &self.world.store;
            let is_due = store
                .first_due()
                .is_some_and(|due| due.as_millisecond() <= now);
            if is_due || store.pending_events() > 0 {
                executor.spawn(Plan::default(), self.world.tick(&self.worker));
            }
            now += MINUTE;
            executor.run_until(now);
        }
    }

    /// The instance as it is.
    #[must_use]
    pub fn look(&self, key: &InstanceKey) -> Option<Instance> {
        self.world.store.look(key)
    }
}
