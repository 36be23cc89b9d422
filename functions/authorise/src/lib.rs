//! The `authorise` function: instances, connect sessions, the connect page that asks a person for
//! what only they know, and authorisations.

mod authorisations;
mod conditions;
mod connect_page;
mod connect_sessions;
mod instances;

use std::sync::Arc;

use latchkey_core::{
    flow::{Deployment, authorise::Authorise},
    port::{BeginAuthorisations, Clock, Entropy, Instances, Methods, ReadSettings, Seal, Sessions},
};

/// What the function reaches.
#[derive(Clone)]
pub struct Ports {
    /// Instances.
    pub instances: Arc<dyn Instances>,
    /// Auth methods.
    pub methods: Arc<dyn Methods>,
    /// Connect sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Authorisations.
    pub authorisations: Arc<dyn BeginAuthorisations>,
    /// Settings.
    pub settings: Arc<dyn ReadSettings>,
    /// The vault's slot.
    pub seal: Arc<dyn Seal>,
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
    /// The flow over these ports.
    #[must_use]
    pub fn authorise(&self) -> Authorise<'_> {
        Authorise {
            instances: &*self.instances,
            methods: &*self.methods,
            sessions: &*self.sessions,
            authorisations: &*self.authorisations,
            settings: &*self.settings,
            seal: &*self.seal,
            clock: &*self.clock,
            entropy: &*self.entropy,
            deployment: &self.deployment,
        }
    }
}

latchkey_web::routes! {
    Ports:
    instances::list, instances::create;
    authorisations::begin;
    connect_sessions::open;
    connect_page::show, connect_page::submit;
}
