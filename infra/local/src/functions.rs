//! The functions, wired in one process.

use std::sync::Arc;

use latchkey_aws::{SealedVault, Store};
use latchkey_core::{
    flow::{Deployment, Mode},
    port::{Clock, Entropy, Seal, Vault},
};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_refresher::Ports as Refresher;

use crate::start_error::StartError;

/// The functions with what they reach.
#[derive(Debug, Clone)]
pub(crate) struct Functions {
    pub(crate) auth_methods: latchkey_auth_methods::Ports,
    pub(crate) authorise: latchkey_authorise::Ports,
    pub(crate) callback: latchkey_callback::Ports,
    pub(crate) credentials: latchkey_credentials::Ports,
    pub(crate) refresher: Refresher,
}

/// Wires the functions as their `main`s do.
pub(crate) fn wire(
    store: &Store,
    vault: &Arc<SealedVault>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    deployment: Deployment,
) -> Result<Functions, StartError> {
    let egress = EgressSettings::of(Mode::Local);
    let egress =
        ReqwestEgress::new(egress).map_err(|error| StartError::Egress(error.to_string()))?;
    let egress = Arc::new(egress);
    let seal: Arc<dyn Seal> = Arc::<SealedVault>::clone(vault);
    let vault: Arc<dyn Vault> = Arc::<SealedVault>::clone(vault);
    let store = store.clone();
    Ok(Functions {
        auth_methods: latchkey_auth_methods::Ports {
            connectors: store.connectors,
            methods: store.methods.clone(),
            settings: store.settings.clone(),
            api_keys: store.api_keys,
            seal: Arc::clone(&seal),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
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
            authorisations: store.authorisations,
            instances: store.instances.clone(),
            methods: store.methods.clone(),
            vault: Arc::clone(&vault),
            egress: egress.clone(),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            deployment: deployment.clone(),
        },
        credentials: latchkey_credentials::Ports {
            leases: store.instances.clone(),
            deletions: store.instances.clone(),
            methods: store.methods.clone(),
            vault: Arc::clone(&vault),
            egress: egress.clone(),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            deployment: deployment.clone(),
        },
        refresher: Refresher {
            due: store.instances.clone(),
            leases: store.instances.clone(),
            deletions: store.instances,
            methods: store.methods,
            vault,
            egress,
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            deployment,
        },
    })
}
