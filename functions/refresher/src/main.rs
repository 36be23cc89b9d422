//! Wires the `refresher` function and answers the events of the schedule and of the queue.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use latchkey_aws::Environment;
use latchkey_core::flow::refresh::{Breakers, Slots};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_refresher::{Invocation, Ports, Settings, invoke};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
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
    let settings = Settings::from_lookup(&latchkey_aws::variable)?;
    latchkey_aws::log::init(&log, std::io::stdout);
    let ports = Ports {
        due: store.instances.clone(),
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
        settings,
        slots: Arc::new(Slots::of(settings.in_flight)),
    };
    run(service_fn(async |event: LambdaEvent<Value>| {
        let LambdaEvent { payload, context } = event;
        let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let invocation = Invocation {
            request_id: &context.request_id,
            trace: context.xray_trace_id.as_deref(),
            deadline: Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX),
        };
        let answer = invoke(&ports, payload, invocation).await;
        answer.map_err(Error::from)
    }))
    .await
}
