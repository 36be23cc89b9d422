//! The functions, wired in one process.

use std::sync::Arc;

use latchkey_aws::{SealedVault, Store};
use latchkey_core::{
    flow::{
        Deployment,
        refresh::{Breakers, Slots},
    },
    port::{Clock, Egress, Entropy, Events, Queue, Seal, Uncounted, Vault},
};
use latchkey_refresher::{Ports as Refresher, Settings};

use crate::events::LocalEvents;

/// The functions with what they reach.
#[derive(Debug, Clone)]
pub(crate) struct Functions {
    pub(crate) auth_methods: latchkey_auth_methods::Ports,
    pub(crate) authorise: latchkey_authorise::Ports,
    pub(crate) callback: latchkey_callback::Ports,
    pub(crate) credentials: latchkey_credentials::Ports,
    pub(crate) refresher: Refresher,
    /// What is told of all this.
    pub(crate) events: Arc<LocalEvents>,
}

/// What the functions share.
pub(crate) struct Shared {
    pub(crate) vault: Arc<SealedVault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) deployment: Deployment,
}

/// Wires the functions as their `main`s do.
pub(crate) fn wire(store: &Store, shared: &Shared, settings: Settings) -> Functions {
    let Shared {
        vault,
        clock,
        entropy,
        egress,
        queue,
        deployment,
    } = shared;
    let seal: Arc<dyn Seal> = Arc::<SealedVault>::clone(vault);
    let vault: Arc<dyn Vault> = Arc::<SealedVault>::clone(vault);
    let told = Arc::new(LocalEvents::new());
    let events: Arc<dyn Events> = Arc::<LocalEvents>::clone(&told);
    let store = store.clone();
    let breakers = Arc::new(Breakers::new(store.hosts));
    Functions {
        events: told,
        auth_methods: latchkey_auth_methods::Ports {
            connectors: store.connectors,
            methods: store.methods.clone(),
            settings: store.settings.clone(),
            api_keys: store.api_keys,
            vault: Arc::clone(&vault),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            egress: Arc::clone(egress),
            deployment: deployment.clone(),
        },
        authorise: latchkey_authorise::Ports {
            instances: store.instances.clone(),
            methods: store.methods.clone(),
            sessions: store.sessions,
            authorisations: store.authorisations.clone(),
            settings: store.settings,
            seal,
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            deployment: deployment.clone(),
        },
        callback: latchkey_callback::Ports {
            authorisations: store.authorisations.clone(),
            begin_authorisations: store.authorisations,
            instances: store.instances.clone(),
            methods: store.methods.clone(),
            vault: Arc::clone(&vault),
            egress: Arc::clone(egress),
            outbox: store.outbox.clone(),
            events: Arc::clone(&events),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            deployment: deployment.clone(),
        },
        credentials: latchkey_credentials::Ports {
            leases: store.instances.clone(),
            deletions: store.instances.clone(),
            methods: store.methods.clone(),
            vault: Arc::clone(&vault),
            egress: Arc::clone(egress),
            outbox: store.outbox.clone(),
            breakers: Arc::clone(&breakers),
            healths: store.methods.clone(),
            events: Arc::clone(&events),
            // What would be a line for CloudWatch is nothing to read.
            metrics: Arc::new(Uncounted),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            queue: Some(Arc::clone(queue)),
            deployment: deployment.clone(),
        },
        refresher: Refresher {
            due: store.instances.clone(),
            leases: store.instances.clone(),
            deletions: store.instances,
            methods: store.methods.clone(),
            healths: store.methods,
            vault,
            egress: Arc::clone(egress),
            outbox: store.outbox,
            breakers,
            events: Arc::clone(&events),
            metrics: Arc::new(Uncounted),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            queue: Some(Arc::clone(queue)),
            deployment: deployment.clone(),
            settings,
            slots: Arc::new(Slots::of(settings.in_flight)),
        },
    }
}
