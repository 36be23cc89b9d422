//! The `callback` function: where providers send people back to, and where platforms complete what
//! they began themselves.

mod answer;
mod authenticate;
mod authorisations;
mod result_page;

use std::sync::Arc;

use latchkey_core::{
    flow::{Deployment, announce::Announce, complete::Complete},
    port::{
        Authorisations, BeginAuthorisations, Clock, Consents, Egress, Entropy, Events, Methods,
        Outbox, Vault,
    },
};

/// What the function reaches.
#[derive(Clone)]
pub struct Ports {
    /// Authorisations.
    pub authorisations: Arc<dyn Authorisations>,
    /// Remembering answers that nobody asked for.
    pub begin_authorisations: Arc<dyn BeginAuthorisations>,
    /// Instances.
    pub instances: Arc<dyn Consents>,
    /// Auth methods.
    pub methods: Arc<dyn Methods>,
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// The way out.
    pub egress: Arc<dyn Egress>,
    /// Events that are not published yet.
    pub outbox: Arc<dyn Outbox>,
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

impl Ports {
    fn announce(&self) -> Announce<'_> {
        Announce {
            outbox: &*self.outbox,
            events: &*self.events,
            clock: &*self.clock,
        }
    }

    fn complete(&self) -> Complete<'_> {
        Complete {
            authorisations: &*self.authorisations,
            instances: &*self.instances,
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

latchkey_web::routes! {
    Ports:
    authenticate::authenticate, authenticate::authenticate_by_form;
    authorisations::complete;
    answer::answer;
}
