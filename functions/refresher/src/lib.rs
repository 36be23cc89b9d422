//! The `refresher` function: at each tick of the schedule it works everything that is due, or hands it
//! to a queue, whose messages it sees to as well.

mod event;
mod settings;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use latchkey_core::{
    flow::{
        Deployment,
        announce::{Announce, Told},
        delete::Delete,
        refresh::{Breakers, Refresh, Slots},
        sweep::{Report, Sweep},
    },
    port::{
        Clock, Counted, Deletions, DueInstances, Egress, Entropy, Events, Healths, Leases, Methods,
        Metrics, Outbox, Queue, StoreError, Vault,
    },
};
use tracing::{debug, info, warn};

pub use self::{
    event::{EventError, Invocation, handle, invoke},
    settings::{Settings, SettingsError},
};

/// What the function reaches.
#[derive(Clone)]
pub struct Ports {
    /// The index of due instances.
    pub due: Arc<dyn DueInstances>,
    /// Instances, to be refreshed.
    pub leases: Arc<dyn Leases>,
    /// Instances, whose deletion is seen through.
    pub deletions: Arc<dyn Deletions>,
    /// Auth methods.
    pub methods: Arc<dyn Methods>,
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// The way out.
    pub egress: Arc<dyn Egress>,
    /// Events that are not published yet.
    pub outbox: Arc<dyn Outbox>,
    /// The breakers of token hosts, as this process knows them.
    pub breakers: Arc<Breakers>,
    /// The health of auth methods.
    pub healths: Arc<dyn Healths>,
    /// Where events go.
    pub events: Arc<dyn Events>,
    /// What operators watch.
    pub metrics: Arc<dyn Metrics>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The queue, if there is one.
    pub queue: Option<Arc<dyn Queue>>,
    /// Where we run.
    pub deployment: Deployment,
    /// How it works.
    pub settings: Settings,
    /// The slots of its calls.
    pub slots: Arc<Slots>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// Hands what is due to the queue, or works it if there is none or the settings say so; begins nothing
/// that could not end before `deadline`. Its report is its log line.
///
/// # Errors
/// [`StoreError`] if the index can't be read; the next tick is the retry.
pub async fn tick(ports: &Ports, deadline: Option<Timestamp>) -> Result<Report, StoreError> {
    let (Some(queue), Some(rounds)) = (&ports.queue, ports.settings.rounds) else {
        return sweep(ports, deadline).await;
    };
    let sweep = ports.sweep();
    let handing_out = sweep.hand_out(&**queue, rounds, deadline);
    with_events(ports, handing_out, deadline).await
}

/// Works what is due, whether there is a queue or not.
///
/// # Errors
/// [`StoreError`] if the index can't be read.
pub async fn sweep(ports: &Ports, deadline: Option<Timestamp>) -> Result<Report, StoreError> {
    let sweep = ports.sweep();
    with_events(ports, sweep.sweep(deadline), deadline).await
}

/// Publishes what others have left meanwhile.
async fn with_events(
    ports: &Ports,
    working: impl Future<Output = Result<Report, StoreError>>,
    deadline: Option<Timestamp>,
) -> Result<Report, StoreError> {
    let announce = ports.announce();
    let (report, told) = tokio::join!(working, announce.catch_up(deadline));
    match told {
        Ok(told) if told == Told::default() => {}
        Ok(Told { published, left }) => info!(published, left, "events left by others"),
        Err(error) => warn!(%error, "events left by others"),
    }
    let report = report?;
    if let Some(seconds) = report.oldest_due_seconds {
        let age = Duration::from_secs(seconds);
        ports.metrics.count(Counted::OldestDue(age));
    }
    for _ in 0..report.unread_shards {
        ports.metrics.count(Counted::UnreadShard);
    }
    log(report);
    Ok(report)
}

fn log(report: Report) {
    let Report {
        due,
        handed_out,
        refreshed,
        failed,
        reconnect_required,
        warned,
        deleted,
        adopted,
        left,
        postponed,
        errors,
        oldest_due_seconds,
        unread_shards,
        unfinished,
    } = report;
    let nothing = Report {
        oldest_due_seconds,
        ..Report::default()
    };
    if report == nothing {
        debug!("nothing due");
        return;
    }
    info!(
        due,
        handed_out,
        refreshed,
        failed,
        reconnect_required,
        warned,
        deleted,
        adopted,
        left,
        postponed,
        errors,
        oldest_due_seconds,
        unread_shards,
        unfinished,
        "sweep"
    );
}

impl Ports {
    /// The sweep over these ports.
    #[must_use]
    pub fn sweep(&self) -> Sweep<'_> {
        Sweep {
            due: &*self.due,
            refresh: self.refresh(),
            delete: self.delete(),
            in_flight: self.settings.in_flight,
        }
    }

    fn announce(&self) -> Announce<'_> {
        Announce {
            outbox: &*self.outbox,
            events: &*self.events,
            clock: &*self.clock,
        }
    }

    fn refresh(&self) -> Refresh<'_> {
        Refresh {
            instances: &*self.leases,
            methods: &*self.methods,
            vault: &*self.vault,
            egress: &*self.egress,
            breakers: &self.breakers,
            healths: &*self.healths,
            announce: self.announce(),
            metrics: &*self.metrics,
            clock: &*self.clock,
            entropy: &*self.entropy,
            queue: self.queue.as_deref(),
            deployment: &self.deployment,
            slots: Some(&self.slots),
        }
    }

    fn delete(&self) -> Delete<'_> {
        Delete {
            instances: &*self.deletions,
            methods: &*self.methods,
            vault: &*self.vault,
            egress: &*self.egress,
            announce: self.announce(),
            clock: &*self.clock,
            entropy: &*self.entropy,
            deployment: &self.deployment,
        }
    }
}
