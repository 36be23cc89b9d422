//! Wires the `authorizer` function and answers API Gateway's questions.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use latchkey_authorizer::{Ports, Question, answer};
use latchkey_aws::Environment;
use tracing::Instrument as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let Environment {
        callers,
        clock,
        log,
        ..
    } = Environment::read()?;
    latchkey_aws::log::init(&log, std::io::stdout);
    let ports = Ports {
        keys: callers,
        clock,
    };
    run(service_fn(async |event: LambdaEvent<Question>| {
        let LambdaEvent { payload, context } = event;
        let trace = context.xray_trace_id.as_deref();
        let span = latchkey_aws::log::invocation(&context.request_id, trace);
        let answer = answer(&ports, &payload).instrument(span).await;
        answer.map_err(Error::from)
    }))
    .await
}
