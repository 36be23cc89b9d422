//! The `auth-methods` function: what builders and operators administer. Connectors and auth
//! methods, the tenant's settings, and API keys.

mod api_keys;
mod auth_methods;
mod connectors;
mod draft;
mod drafts;
mod health;
mod presets;
mod settings;

use std::sync::Arc;

pub use draft::Draft;
pub use drafts::PreviewBody;

use latchkey_core::{
    flow::{Deployment, define::Define},
    port::{Clock, Connectors, EditApiKeys, EditMethods, EditSettings, Egress, Entropy, Vault},
};

/// What the function reaches.
#[derive(Clone)]
pub struct Ports {
    /// Connectors.
    pub connectors: Arc<dyn Connectors>,
    /// Auth methods.
    pub methods: Arc<dyn EditMethods>,
    /// Settings.
    pub settings: Arc<dyn EditSettings>,
    /// API keys.
    pub api_keys: Arc<dyn EditApiKeys>,
    /// The vault. Of what is in it nothing but an auth method's own secrets is opened.
    pub vault: Arc<dyn Vault>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The way out, to the metadata of providers.
    pub egress: Arc<dyn Egress>,
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
    pub fn define(&self) -> Define<'_> {
        Define {
            connectors: &*self.connectors,
            methods: &*self.methods,
            vault: &*self.vault,
            clock: &*self.clock,
            entropy: &*self.entropy,
            egress: &*self.egress,
            deployment: &self.deployment,
        }
    }
}

latchkey_web::routes! {
    Ports:
    connectors::list, connectors::create;
    connectors::read, connectors::update, connectors::delete;
    auth_methods::list, auth_methods::create;
    auth_methods::read, auth_methods::update, auth_methods::delete;
    drafts::lint;
    drafts::preview;
    presets::list;
    presets::read;
    settings::read, settings::update;
    api_keys::list, api_keys::create;
    api_keys::revoke;
}
