//! The `refresher` function: at each tick of the schedule it works everything that is due.

use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::{
    flow::{
        Deployment,
        announce::{Announce, Told},
        delete::Delete,
        refresh::{Breakers, Refresh},
        sweep::{Report, Sweep},
    },
    port::{
        Clock, Deletions, DueInstances, Egress, Entropy, Events, Healths, Leases, Methods, Outbox,
        StoreError, Vault,
    },
};
use tracing::{debug, info, warn};

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
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where we run.
    pub deployment: Deployment,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// Works what is due; begins nothing that could not end before `deadline`. Its report is its log line.
///
/// # Errors
/// [`StoreError`] if the index can't be read; the next tick is the retry.
pub async fn tick(ports: &Ports, deadline: Option<Timestamp>) -> Result<Report, StoreError> {
    let sweep = Sweep {
        due: &*ports.due,
        refresh: ports.refresh(),
        delete: ports.delete(),
    };
    let announce = ports.announce();
    let (report, told) = tokio::join!(sweep.sweep(deadline), announce.catch_up(deadline));
    match told {
        Ok(told) if told == Told::default() => {}
        Ok(Told { published, left }) => info!(published, left, "events left by others"),
        Err(error) => warn!(%error, "events left by others"),
    }
    let report = report?;
    let Report {
        due,
        refreshed,
        failed,
        reconnect_required,
        warned,
        deleted,
        left,
        errors,
        unfinished,
    } = report;
    if report == Report::default() {
        debug!("nothing due");
        return Ok(report);
    }
    info!(
        due,
        refreshed, failed, reconnect_required, warned, deleted, left, errors, unfinished, "sweep"
    );
    Ok(report)
}

impl Ports {
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
            clock: &*self.clock,
            entropy: &*self.entropy,
            deployment: &self.deployment,
            slots: None,
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
