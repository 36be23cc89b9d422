//! The refresher with a store in memory: what is left of a refresh is its OAuth part, and what the
//! protocol asks of the process itself.

use std::{
    io::{BufRead as _, Write as _},
    sync::Arc,
};

use jiff::SignedDuration;
use latchkey_core::{model::definition::RefreshPolicy, port::Clock as _};
use latchkey_simulation::{
    chance::Chance,
    line::{Direct, Line},
    provider::Token,
    runtime::Current,
    timeline::Timeline,
    world::{Life, START, World},
};
use latchkey_tests::routed::RoutedEgress;
use serde_json::json;

use crate::hosts::Hosts;

/// How long a token lives, in seconds.
const LIFETIME: i64 = 3600;

/// Refreshes so many at each line of the standard input, and says how many were asked for.
pub(crate) fn work(provider: &str, instances: usize) {
    let (chance, line) = (Arc::new(Chance::of(1)), Arc::new(Direct::default()));
    let timeline = Timeline::from(START, Arc::clone(&chance));
    let egress = RoutedEgress::new();
    egress.lead_to(provider);
    let through: Arc<dyn Line> = line;
    let world = World::new(
        &timeline,
        &chance,
        &Current::default(),
        &through,
        (egress, false),
    );
    fill(&world, instances);
    let process = world.process();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    say("ready");
    for line in std::io::stdin().lock().lines() {
        line.expect("a line");
        let now = world.timeline.millis();
        world.timeline.skip_to(now + 2 * LIFETIME * 1000);
        let sweep = runtime.block_on(world.sweep(&process).sweep(None));
        say(&sweep.expect("the store answers").refreshed.to_string());
    }
}

fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").expect("somebody reads it");
}

fn fill(world: &World, instances: usize) {
    let methods: Vec<_> = (0..Hosts::COUNT)
        .map(|number| {
            let refresh = json!({ "rotation": "none", "policy": "always_eager" });
            world.method(&format!("host-{number}.example"), &refresh)
        })
        .collect();
    for (account, method) in (0..instances).zip(methods.iter().cycle()) {
        let token = Token { account, number: 0 };
        let life = Life {
            from: world.timeline.now(),
            span: SignedDuration::from_secs(LIFETIME),
            policy: RefreshPolicy::AlwaysEager,
            use_by: None,
        };
        world.connected(&world.name(), method, token, life);
    }
}
