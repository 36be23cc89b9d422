//! Wires the `refresher` function and answers the schedule's events.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use latchkey_aws::Environment;
use latchkey_core::flow::refresh::Breakers;
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_refresher::{Ports, tick};
use serde::de::IgnoredAny;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let Environment {
        store,
        vault,
        events,
        clock,
        entropy,
        deployment,
        mode,
        log,
    } = Environment::read()?;
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
        events,
        clock,
        entropy,
        deployment,
    };
    // Whatever the event says: the clock alone decides what is due.
    run(service_fn(async |event: LambdaEvent<IgnoredAny>| {
        let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
        let deadline = Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX);
        tick(&ports, Some(deadline)).await.map_err(Error::from)
    }))
    .await
}
