//! A provider that is down for a day.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use latchkey_core::{model::definition::RefreshPolicy, port::Clock as _};

use super::ended;
use crate::{
    fleet::{Fleet, Kind, MINUTE},
    provider::Policy,
    runtime::Plan,
    sites::Condition,
};

const DOWN: &str = "down.example";
const HOUR: i64 = 60 * MINUTE;
const LIFETIME: i64 = 3600;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outage {
    /// How the provider was.
    pub condition: Condition,
    /// How many instances there were.
    pub instances: usize,
    /// How many of them needed a new consent in the end.
    pub ended: usize,
    /// Requests in the minutes in which it went down: until its breaker opened.
    pub at_first: u32,
    /// The most requests in any minute after that, by all processes.
    pub most: u32,
    /// Requests while it was down.
    pub in_all: u32,
    /// After how many lifetimes the last instance was refreshed again.
    pub recovered: f64,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            condition,
            instances,
            ended,
            at_first,
            most,
            in_all,
            recovered,
        } = self;
        write!(
            f,
            "24 h {condition:?}: {instances} instances, {ended} ended, {at_first} requests until the breaker opened, \
             then {most} a minute at most, {in_all} in all; all refreshed {recovered:.2} lifetimes after it"
        )
    }
}

/// A worker and two processes that vend, at a provider that is down for 24 hours.
#[must_use]
pub fn outage(instances: usize, condition: Condition) -> Outage {
    let fleet = Fleet::new(24);
    let kind = Kind {
        rotation: Policy::StrictFamily,
        policy: RefreshPolicy::AlwaysEager,
        lifetime: LIFETIME,
    };
    let method = fleet.site(DOWN, Condition::Well(200), kind);
    let keys: Vec<_> = (0..instances)
        .map(|_| fleet.connect(&method, kind).0)
        .collect();
    let callers = [fleet.world.process(), fleet.world.process()];
    let mut executor = fleet.executor();
    let from = fleet.now() + 6 * HOUR;
    fleet.run(&mut executor, from, |_, _| {});
    fleet.sites.set(DOWN, condition);
    let until = from + 24 * HOUR;
    let (world, keys) = (&fleet.world, &keys);
    fleet.run(&mut executor, until, |executor, _| {
        for caller in &callers {
            for _ in 0..5 {
                let key = keys.get(world.chance.below(keys.len())).cloned();
                let asking = async move {
                    if let Some(key) = key {
                        world
                            .timeline
                            .wait(world.chance.between(0, MINUTE - 1))
                            .await;
                        drop(Box::pin(world.refresh(caller, false).vend(&key, None)).await);
                    }
                };
                executor.spawn(Plan::default(), asking);
            }
        }
    });
    fleet.sites.set(DOWN, Condition::Well(200));
    let up = world.timeline.now();
    let mut recovered_at = None;
    fleet.run(&mut executor, until + 4 * HOUR, |_, now| {
        if recovered_at.is_none() && is_refreshed(&fleet, up) {
            recovered_at = Some(now);
        }
    });
    let asked = fleet.sites.asked(DOWN);
    let minute = |millis: i64| millis.div_euclid(MINUTE);
    let during = asked.range(minute(from)..minute(until));
    let counts: Vec<_> = during
        .map(|(at, count)| (*at - minute(from), *count))
        .collect();
    let (first, later): (Vec<_>, Vec<_>) = counts.iter().partition(|(at, _)| *at < FIRST);
    let recovered = recovered_at.map(|at| SignedDuration::from_millis(at - until));
    Outage {
        condition,
        instances,
        ended: ended(&fleet),
        at_first: first.iter().map(|(_, count)| count).sum(),
        most: later
            .iter()
            .map(|(_, count)| *count)
            .max()
            .unwrap_or_default(),
        in_all: counts.iter().map(|(_, count)| count).sum(),
        recovered: recovered.map_or(f64::INFINITY, |span| {
            span.as_secs_f64() / SignedDuration::from_secs(LIFETIME).as_secs_f64()
        }),
    }
}

/// In how many minutes the breaker has opened, at most.
const FIRST: i64 = 2;

fn is_refreshed(fleet: &Fleet, since: Timestamp) -> bool {
    let mut are_all = true;
    fleet.world.store.look_at_all(|instance| {
        let grant = instance.usable_grant();
        are_all &= grant.is_some_and(|grant| grant.received_at >= since);
    });
    are_all
}
