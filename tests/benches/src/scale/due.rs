//! Very many due at once: how near the sweep comes to what the providers let it do.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use latchkey_core::flow::sweep::IN_FLIGHT;
use latchkey_tests::world::World;
use serde_json::Value;
use tokio::time::Instant;

use crate::{hosts::Hosts, refresher};

/// How many are due.
pub(crate) const INSTANCES: usize = 100_000;
/// How long a provider takes for each.
const DELAY: Duration = Duration::from_millis(400);

/// Runs it, and says how it went.
pub(crate) async fn run(instances: usize) {
    let world = World::start().await;
    let hosts = Hosts::connected(&world, instances, DELAY).await;
    let mut refresher = refresher(&world, IN_FLIGHT);
    let began = Instant::now();
    let swept = tokio::task::spawn_blocking(move || {
        let report = refresher.sweep(0);
        (refresher, report)
    });
    let (refresher, report): (_, Value) = swept.await.expect("it sweeps");
    let took = began.elapsed();
    let (peak, cpu) = (refresher.peak(), refresher.cpu());
    let ideal = f64::from(u32::try_from(IN_FLIGHT).expect("a number")) / DELAY.as_secs_f64();
    let refreshed = report["refreshed"].as_u64().expect("a number");
    let rate = f64::from(u32::try_from(refreshed).expect("a number")) / took.as_secs_f64();
    writeln!(
        io::stdout(),
        "{instances} due at once, {} hosts that take {DELAY:?}, {IN_FLIGHT} in flight: \
         {refreshed} refreshed in {took:.1?} ({cpu:.1?} of CPU), {} requests; \
         {rate:.0} a second, {:.1} % of {IN_FLIGHT} ÷ {DELAY:?} = {ideal:.0}; {peak}\n{report}",
        Hosts::COUNT,
        hosts.asked(),
        rate / ideal * 100.0,
    )
    .expect("somebody reads it");
}
