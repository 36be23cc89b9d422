//! Wires the `callback` function and answers Lambda's events.

use std::sync::Arc;

use latchkey_aws::Environment;
use latchkey_callback::{Ports, router};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_web::lambda::{layered, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let Environment {
        store,
        vault,
        events,
        clock,
        entropy,
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
        authorisations: store.authorisations.clone(),
        begin_authorisations: store.authorisations,
        instances: store.instances,
        methods: store.methods,
        vault,
        egress: Arc::new(ReqwestEgress::new(EgressSettings::of(mode))?),
        outbox: store.outbox,
        events: events.connect(),
        clock,
        entropy,
        deployment,
    };
    serve(layered(
        router().with_state(ports),
        authentication,
        requests,
    ))
    .await
}
