//! Wires the `authorise` function and answers Lambda's events.

use latchkey_authorise::{Ports, router};
use latchkey_aws::Environment;
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
    let authentication = latchkey_web::lambda::authentication(mode, store.api_keys, clock.clone());
    let requests = latchkey_web::log::Requests {
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let ports = Ports {
        instances: store.instances,
        methods: store.methods,
        sessions: store.sessions,
        authorisations: store.authorisations,
        settings: store.settings,
        seal: vault,
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
