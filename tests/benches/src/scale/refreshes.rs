//! Whole refreshes: read, leased, asked, sealed, committed. How much CPU time one costs.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use latchkey_core::flow::sweep::IN_FLIGHT;
use latchkey_tests::world::World;

use crate::{hosts::Hosts, refresher};

/// How many are refreshed in a turn.
pub(crate) const INSTANCES: usize = 10_000;
/// Longer than a token lives, in seconds.
const TURN: i64 = 2 * 3600;
/// The first turn warms up, and the best of the others counts.
const TURNS: i64 = 4;

/// Runs it, as many at once as the product has under way, and says how it went: the CPU time of the best
/// turn.
pub(crate) async fn run(instances: usize) -> Duration {
    let world = World::start().await;
    let hosts = Hosts::connected(&world, instances, Duration::ZERO).await;
    let mut refresher = refresher(&world, IN_FLIGHT);
    let mut best = Duration::MAX;
    for turn in 0..TURNS {
        let (asked, spent) = (hosts.asked(), refresher.cpu());
        let swept = tokio::task::spawn_blocking(move || {
            let report = refresher.sweep(turn * TURN);
            (refresher, report)
        });
        let report;
        (refresher, report) = swept.await.expect("it sweeps");
        world.clock.advance(TURN);
        let cpu = refresher.cpu() - spent;
        if turn > 0 {
            best = best.min(cpu);
        }
        let refreshed = report["refreshed"].as_u64().expect("a number");
        let refreshed = u32::try_from(refreshed).expect("a number").max(1);
        writeln!(
            io::stdout(),
            "{refreshed} whole refreshes ({} requests): {cpu:.2?} of CPU, {} µs each, {:.0} a core-second; {}",
            hosts.asked() - asked,
            (cpu / refreshed).as_micros(),
            f64::from(refreshed) / cpu.as_secs_f64(),
            refresher.peak(),
        )
        .expect("somebody reads it");
    }
    best
}
