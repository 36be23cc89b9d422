//! Wires the `credentials` function and answers Lambda's events.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use latchkey_aws::Environment;
use latchkey_core::flow::refresh::Breakers;
use latchkey_credentials::{Ports, router, telling};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_web::lambda::{layered, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let Environment {
        store,
        vault,
        events,
        metrics,
        clock,
        entropy,
        queue,
        deployment,
        mode,
        log,
        ..
    } = Environment::read()?;
    latchkey_aws::log::init(&log, std::io::stdout);
    let authentication = latchkey_web::lambda::authentication(mode, store.api_keys, clock.clone());
    let requests = latchkey_web::log::Requests {
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let ports = Ports {
        leases: store.instances.clone(),
        deletions: store.instances,
        methods: store.methods.clone(),
        healths: store.methods,
        vault,
        egress: Arc::new(ReqwestEgress::new(EgressSettings::of(mode))?),
        outbox: store.outbox,
        breakers: Arc::new(Breakers::new(store.hosts)),
        events: events.connect(),
        metrics,
        clock,
        entropy,
        queue: queue.connect(),
        deployment,
    };
    let router = router().with_state(ports.clone());
    let router = router.layer(from_fn_with_state(ports, telling));
    serve(layered(router, authentication, requests)).await
}
