//! The `credentials` function: hands out credentials that work, hears that one was rejected, shows how
//! an instance is, and deletes it.

mod credential;
mod instances;
mod rejected;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use lambda_http::RequestExt as _;
use latchkey_core::{
    flow::{
        Deployment,
        announce::Announce,
        delete::Delete,
        refresh::{Breakers, Refresh},
    },
    port::{
        Clock, Deletions, Egress, Entropy, Events, Healths, Leases, Methods, Metrics, Outbox,
        Queue, Vault,
    },
};

/// What the function reaches.
#[derive(Clone)]
pub struct Ports {
    /// Instances, to be refreshed.
    pub leases: Arc<dyn Leases>,
    /// Instances, to be deleted.
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
    /// The queue of the refresher's workers, if there is one.
    pub queue: Option<Arc<dyn Queue>>,
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

latchkey_web::routes! {
    Ports:
    instances::read, instances::delete;
    credential::vend;
    rejected::reject;
}

/// A layer's function: tells what was counted while a request was answered.
pub async fn telling(State(ports): State<Ports>, request: Request, next: Next) -> Response {
    let context = request.extensions().lambda_context_ref();
    let id = context.map(|context| context.request_id.clone());
    let response = next.run(request).await;
    let id = id.as_deref().unwrap_or_default();
    ports.metrics.tell(ports.clock.now(), id);
    response
}
