//! What the functions cost as Lambda runs them, beside functions in JavaScript and Python that write the same with the SDK of
//! AWS: `cargo xtask bench [ROUNDS]`.
//!
//! Each is a process of its own, has its events by the Runtime API, and reaches the store over TLS. Its CPU time is what the
//! kernel says, of all its threads. This program may be slow: nothing of it is counted.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that can't go on stops where it stands"
)]

use std::{
    env,
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use latchkey_emulators::tools;
use latchkey_tests::lambda::{FUNCTIONS, Function, Setting, Stage, is_success};

/// How often each is started; medians are printed.
const ROUNDS: usize = 11;
/// How many events each has when it is warm.
const EVENTS: u32 = 400;
/// How many of them the CPU time is not taken of.
const WARM_UP: u32 = 100;

/// What is measured.
struct Row {
    name: String,
    /// The function whose events it has.
    events: &'static str,
    setting: Setting,
    started: Vec<Duration>,
    cold: Vec<Duration>,
    warm: Duration,
    peak_kib: u64,
}

#[tokio::main]
async fn main() {
    let mut told = env::args().filter_map(|text| text.parse().ok());
    let rounds = told.next().unwrap_or(ROUNDS).max(1);
    let stage = Stage::set().await;
    let mut rows = rows(&stage);
    for round in 0..rounds {
        for row in &mut rows {
            measure(&stage, row, round == 0).await;
        }
    }
    print(&rows);
}

fn rows(stage: &Stage) -> Vec<Row> {
    let row = |name: &str, events, setting| Row {
        name: name.to_owned(),
        events,
        setting,
        started: Vec::new(),
        cold: Vec::new(),
        warm: Duration::ZERO,
        peak_kib: 0,
    };
    let environment = stage.environment("sealed");
    let mut rows: Vec<_> = FUNCTIONS
        .iter()
        .map(|name| row(name, name, Setting::ours(name, environment.clone())))
        .collect();
    let node = tools("lambda-node").join("function.cjs");
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("others/lambda-boto3/function.py");
    let mut others = environment;
    // Each trusts the stage's certificate in its own way.
    others.push(("NODE_EXTRA_CA_CERTS".to_owned(), stage.bundle().to_owned()));
    let commands = [
        ("Node.js, SDK v3", vec!["node".into(), node.into()]),
        (
            "Python, boto3",
            vec![
                tools("lambda-boto3").join("bin/python").into(),
                python.into(),
            ],
        ),
    ];
    for (name, command) in commands {
        let environment = others.clone();
        rows.push(row(
            name,
            "authorise",
            Setting {
                command,
                environment,
                logs: false,
            },
        ));
    }
    rows
}

/// Starts it, has it answer its first event, and if it is to be warm, many more.
async fn measure(stage: &Stage, row: &mut Row, warm: bool) {
    let fleet = stage.fleet().await;
    let event = stage.usual(&fleet, row.events).await;
    let function = Function::start(&row.setting).await;
    row.started.push(function.started());
    let answer = function.invoke(&event).await;
    assert!(is_success(&answer), "{}: {answer}", row.name);
    row.cold.push(function.cpu());
    if !warm {
        return;
    }
    let mut events = Vec::new();
    for _ in 0..EVENTS {
        events.push(stage.usual(&fleet, row.events).await);
    }
    // One after the other, with nothing in between that would take the processor's caches.
    let mut before = function.cpu();
    for (count, event) in (0..EVENTS).zip(&events) {
        if count == WARM_UP {
            before = function.cpu();
        }
        let answer = function.invoke(event).await;
        assert!(is_success(&answer), "{}: {answer}", row.name);
    }
    row.warm = (function.cpu() - before) / (EVENTS - WARM_UP);
    row.peak_kib = function.peak().all_kib;
}

fn print(rows: &[Row]) {
    let mut text = format!(
        "{:<16} {:>12} {:>22} {:>16} {:>10}\n",
        "", "start, wall", "start + first, CPU", "warm, CPU", "peak RSS"
    );
    for row in rows {
        text.push_str(&format!(
            "{:<16} {:>9.1} ms {:>19.2} ms {:>13.0} µs {:>6.1} MiB\n",
            row.name,
            milliseconds(median(&row.started)),
            milliseconds(median(&row.cold)),
            row.warm.as_secs_f64() * 1e6,
            f64::from(u32::try_from(row.peak_kib).expect("below 4 TiB")) / 1024.0,
        ));
    }
    let ours = rows.iter().find(|row| row.name == "authorise");
    let ours = milliseconds(median(&ours.expect("a row").cold));
    for other in rows
        .iter()
        .filter(|row| !FUNCTIONS.contains(&row.name.as_str()))
    {
        let times = milliseconds(median(&other.cold)) / ours;
        text.push_str(&format!(
            "authorise, start and first event: {times:.0} times less than {}\n",
            other.name
        ));
    }
    // Nobody is left to tell if this fails.
    io::stdout().write_all(text.as_bytes()).unwrap_or_default();
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
