//! What a refresher does at scale, on one core: `cargo bench -p latchkey-benches --bench scale`; or
//! one of `refreshes`, `beside`, `due` and `idle`, and with how many instances: `… -- due 10000`.
//!
//! The refresher is a process of its own, wired as the function is. The store, and the providers, are in
//! this one; it reaches them over loopback.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a benchmark that can't go on stops where it stands"
)]

mod beside;
mod due;
mod hosts;
mod idle;
mod in_memory;
mod refreshes;

use std::{env, path::Path, time::Duration};

use latchkey_tests::{
    refresher::{Refresher, Settings, work},
    world::World,
};
use url::Url;

/// The argument by which the refresher's process is told from this one.
const ALONE: &str = "refresher-alone";
/// The same for one that has its store in memory.
const IN_MEMORY: &str = "refresher-in-memory";
/// Longer than any provider here takes.
const LIMIT: Duration = Duration::from_secs(20);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [first, settings] = &arguments[..]
        && first == ALONE
    {
        return work(settings);
    }
    if let [first, provider, count] = &arguments[..]
        && first == IN_MEMORY
    {
        return in_memory::work(provider, count.parse().expect("a number"));
    }
    // What cargo itself adds is no name.
    let mut told = arguments.iter().filter(|text| !text.starts_with('-'));
    let (wanted, count) = (told.next(), told.next());
    let count = count.map(|text| text.parse().expect("a number of instances"));
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if is_wanted("refreshes") {
        runtime.block_on(refreshes::run(count.unwrap_or(refreshes::INSTANCES)));
    }
    if is_wanted("beside") {
        runtime.block_on(beside::run(count.unwrap_or(beside::REFRESHES)));
    }
    if is_wanted("due") {
        runtime.block_on(due::run(count.unwrap_or(due::INSTANCES)));
    }
    if is_wanted("idle") {
        runtime.block_on(idle::run(count.unwrap_or(idle::INSTANCES)));
    }
}

/// A refresher over a Latchkey's store, which works so many instances at once.
fn refresher(world: &World, in_flight: usize) -> Refresher {
    refresher_over(world, world.server.store_url.clone(), in_flight)
}

/// The same, over a way of its own to the store.
fn refresher_over(world: &World, store: Url, in_flight: usize) -> Refresher {
    let directory = world.server.directory();
    let settings = Settings {
        store,
        keyring: directory.join("keyring.json"),
        base_url: world.server.url.clone(),
        in_flight,
        limit: LIMIT,
        log: "warn".to_owned(),
    };
    let binary = env::current_exe().expect("this program");
    let log = directory.join("refresher.log");
    Refresher::start_with(Path::new(&binary), &[ALONE], &settings, &log)
}
