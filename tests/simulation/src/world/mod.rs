//! The parts of one schedule, wired together.

mod made;
mod reconnect;

use std::sync::Arc;

use futures_util::future;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    flow::{
        Deployment,
        announce::Announce,
        complete::Complete,
        delete::Delete,
        refresh::{Breakers, Refresh, Slots},
        sweep::{IN_FLIGHT, Sweep},
    },
    model::{
        id::{InstanceKey, TenantId},
        instance::Instance,
        refresh_tokens::RefreshTokens,
    },
    port::{Clock as _, Egress, Hosts, Uncounted},
};
use serde_json::{Value, json};

pub use self::{made::Life, reconnect::reconnect};
use crate::{
    chance::Chance,
    events::Reader,
    line::Line,
    queue::MemoryQueue,
    runtime::Current,
    store::MemoryStore,
    timeline::Timeline,
    vault::{MemorySecrets, PlainVault},
};

/// When every simulation begins, in milliseconds since 1970.
pub const START: i64 = 1_700_000_000_000;

/// How long an invocation of the refresher may take.
const INVOCATION: SignedDuration = SignedDuration::from_mins(15);

/// What all processes share.
pub struct World {
    /// Time.
    pub timeline: Arc<Timeline>,
    /// Chance.
    pub chance: Arc<Chance>,
    /// Who is being polled.
    pub current: Current,
    /// The store.
    pub store: MemoryStore,
    /// The vault.
    pub vault: PlainVault,
    /// The secrets manager, if refresh tokens belong there.
    pub secrets: Option<MemorySecrets>,
    /// The way out.
    pub egress: Arc<dyn Egress>,
    /// The queue, if there is one.
    pub queue: Option<MemoryQueue>,
    /// Where events go.
    pub reader: Reader,
    /// Where we run.
    pub deployment: Deployment,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// What a process knows by itself; it is gone with it.
#[derive(Debug)]
pub struct Process {
    breakers: Breakers,
    slots: Slots,
}

impl World {
    /// A world over a line, with a secrets manager or without; no queue yet.
    #[must_use]
    pub fn new(
        timeline: &Arc<Timeline>,
        chance: &Arc<Chance>,
        current: &Current,
        line: &Arc<dyn Line>,
        (egress, in_vault): (Arc<dyn Egress>, bool),
    ) -> Self {
        let secrets = in_vault.then(|| MemorySecrets::new(Arc::clone(line)));
        let base_url = json!("https://latchkey.example/");
        Self {
            timeline: Arc::clone(timeline),
            chance: Arc::clone(chance),
            current: current.clone(),
            store: MemoryStore::new(Arc::clone(line)),
            vault: PlainVault::new(Arc::clone(line), secrets.clone()),
            secrets,
            egress,
            queue: None,
            reader: Reader::new(Arc::clone(line)),
            deployment: Deployment::new(&read(base_url)),
        }
    }

    /// A process that has just begun.
    #[must_use]
    pub fn process(&self) -> Process {
        let hosts: Arc<dyn Hosts> = Arc::new(self.store.clone());
        Process {
            breakers: Breakers::new(hosts),
            slots: Slots::of(IN_FLIGHT),
        }
    }

    /// Telling others.
    #[must_use]
    pub fn announce(&self) -> Announce<'_> {
        Announce {
            outbox: &self.store,
            events: &self.reader,
            clock: &*self.timeline,
        }
    }

    /// Refreshing, in the name of a caller; a worker has slots.
    #[must_use]
    pub fn refresh<'a>(&'a self, process: &'a Process, is_worker: bool) -> Refresh<'a> {
        Refresh {
            instances: &self.store,
            methods: &self.store,
            vault: &self.vault,
            egress: &*self.egress,
            breakers: &process.breakers,
            healths: &self.store,
            announce: self.announce(),
            metrics: &Uncounted,
            clock: &*self.timeline,
            entropy: &*self.chance,
            queue: self.queue.as_ref().map(|queue| queue as _),
            deployment: &self.deployment,
            slots: is_worker.then_some(&process.slots),
        }
    }

    /// Deleting.
    #[must_use]
    pub fn delete(&self) -> Delete<'_> {
        Delete {
            instances: &self.store,
            methods: &self.store,
            vault: &self.vault,
            egress: &*self.egress,
            announce: self.announce(),
            clock: &*self.timeline,
            entropy: &*self.chance,
            deployment: &self.deployment,
        }
    }

    /// The callback.
    #[must_use]
    pub fn complete(&self) -> Complete<'_> {
        Complete {
            authorisations: &self.store,
            instances: &self.store,
            methods: &self.store,
            vault: &self.vault,
            egress: &*self.egress,
            announce: self.announce(),
            clock: &*self.timeline,
            entropy: &*self.chance,
            deployment: &self.deployment,
        }
    }

    /// The sweep, as the refresher makes it.
    #[must_use]
    pub fn sweep<'a>(&'a self, process: &'a Process) -> Sweep<'a> {
        Sweep {
            due: &self.store,
            refresh: self.refresh(process, true),
            delete: self.delete(),
            in_flight: IN_FLIGHT,
        }
    }

    /// When an invocation that begins now has to end.
    #[must_use]
    pub fn invocation_ends(&self) -> Timestamp {
        self.timeline.now() + INVOCATION
    }

    /// A tick of the schedule that works what is due itself, and publishes what others have left.
    pub async fn tick(&self, process: &Process) {
        let sweep = self.sweep(process);
        let announce = self.announce();
        let ends = Some(self.invocation_ends());
        // What it could not read or publish is the next tick's.
        drop(future::join(sweep.sweep(ends), announce.catch_up(ends)).await);
    }

    /// The instance as it is, and whether its refresh tokens can be read.
    #[must_use]
    pub fn look(&self, key: &InstanceKey) -> Option<(Instance, bool)> {
        let instance = self.store.look(key)?;
        let is_readable = instance
            .grant()
            .is_none_or(|grant| match &grant.refresh_tokens {
                RefreshTokens::Inside | RefreshTokens::Journal(_) => true,
                RefreshTokens::Version(version) => {
                    let name = Instance::secret_name(key);
                    let secrets = self.secrets.as_ref();
                    secrets.is_some_and(|secrets| secrets.look(&name, version).is_some())
                }
            });
        Some((instance, is_readable))
    }
}

/// The tenant of everything.
#[must_use]
pub fn tenant() -> TenantId {
    read("acme".into())
}

/// Reads what is written in here.
#[expect(clippy::expect_used, reason = "what is written in here can be read")]
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it can be read")
}
