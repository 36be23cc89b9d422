//! Wires the `auth-methods` function and answers Lambda's events.

use std::sync::Arc;

use latchkey_auth_methods::{Ports, router};
use latchkey_aws::Environment;
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_web::lambda::{layered, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let Environment {
        store,
        vault,
        clock,
        entropy,
        deployment,
        mode,
        log,
        ..
    } = Environment::read()?;
    latchkey_aws::log::init(&log, std::io::stdout);
    let authentication =
        latchkey_web::lambda::authentication(mode, store.api_keys.clone(), clock.clone());
    let requests = latchkey_web::log::Requests {
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let ports = Ports {
        connectors: store.connectors,
        methods: store.methods,
        settings: store.settings,
        api_keys: store.api_keys,
        vault,
        clock,
        entropy,
        egress: Arc::new(ReqwestEgress::new(EgressSettings::of(mode))?),
        deployment,
    };
    serve(layered(
        router().with_state(ports),
        authentication,
        requests,
    ))
    .await
}
