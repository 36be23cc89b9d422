//! Providers that answer as no provider should, and a refresher that has to live with them.

#![expect(
    clippy::print_stdout,
    reason = "how many answers, and how much memory: figures that are asked for"
)]

use std::{collections::BTreeMap, path::Path, time::Duration};

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use latchkey_core::{flow::refresh::CALL, model::id::InstanceKey};
use latchkey_tests::{
    fleet::Fleet,
    hostile::{Expected, MARK, Provider, Row, SENT, Script, WELL, bulky, table, well},
    refresher::{PATIENT, Refresher, Settings},
    world::World,
};
use serde_json::Value;
use tokio::time::Instant;

/// How long a call may take here.
const LIMIT: Duration = Duration::from_secs(8);
/// How long it may take to keep what became of it, on a machine that is busy.
const COMMIT: Duration = Duration::from_secs(5);
/// What a process that refreshes may hold at most, if 8 of its 64 MiB are the program.
const MOST_KIB: u64 = (64 - 8) << 10;
/// What a provider can send at most before it is cut off: the limit of a body, and what lies in buffers.
const MOST_SENT: u64 = 16 << 20;
/// How many instances are worked at once: few enough for an unoptimised build that shares its cores.
const AT_ONCE: usize = 16;
/// As many as a worker has under way if nothing else is said.
const ALL: usize = 64;
/// Longer than anything is left alone for.
const LATER: i64 = 3600 + 60;

/// A provider with the one instance that is its own.
struct Case {
    row: Row,
    provider: Provider,
    key: InstanceKey,
}

impl Case {
    async fn of(first: &Fleet<'_>, row: Row) -> Self {
        let provider = Provider::start(row.script.clone()).await;
        let url = match row.patient {
            true => provider.token_url.replace("/token", PATIENT),
            false => provider.token_url.clone(),
        };
        let fleet = first.beside(&row.name, &url, row.rotation.clone()).await;
        let key = fleet.overdue(60).await;
        Self { row, provider, key }
    }

    /// What is wrong with it once its provider is well again.
    async fn ills(&self, world: &World) -> Vec<String> {
        let id = self.key.id.to_string();
        let requests = self.provider.requests();
        let vended = world.api.vend(&id).await;
        let token = &vended.body["access_token"];
        let health = world.api.health(&id).await;
        let is_well = health["status"] == "active" && health["failure"].is_null();
        let was_asked_once = match self.row.expected {
            Expected::Refreshed => requests <= 2,
            Expected::Failed(_) => requests >= 2 && *token == WELL,
        };
        match is_well && was_asked_once && token.is_string() {
            true => Vec::new(),
            false => vec![format!(
                "{}: {requests} requests; {health}; {}",
                self.row.name, vended.body["type"]
            )],
        }
    }

    /// What is wrong with what became of its refresh.
    async fn faults(&self, world: &World, ticks: usize) -> Vec<String> {
        let health = world.api.health(&self.key.id.to_string()).await;
        let mut faults = Vec::new();
        let mut claim = |holds: bool, fault: String| {
            if !holds {
                faults.push(format!("{}: {fault}", self.row.name));
            }
        };
        let (code, status) = (&health["failure"]["code"], &health["status"]);
        match self.row.expected {
            Expected::Refreshed => claim(
                code.is_null() && status == "active",
                format!("not refreshed: {health}"),
            ),
            Expected::Failed(expected) => {
                claim(code == expected, format!("not {expected}: {health}"));
                let is_suspect = expected == "grant_refused";
                claim(
                    status == if is_suspect { "suspect" } else { "active" },
                    format!("{status}"),
                );
                claim(
                    health["next"]["at"].is_string(),
                    format!("nobody tries again: {health}"),
                );
            }
        }
        let instance = world.instance(&self.key.id.to_string()).await;
        if let (Some(failure), Some(sent)) = (instance.last_failure, instance.last_send) {
            let took = failure.at.duration_since(sent);
            let most = if self.row.patient { CALL } else { LIMIT } + COMMIT;
            claim(
                took <= SignedDuration::try_from(most).unwrap(),
                format!("it took {took:#}"),
            );
        }
        let requests = self.provider.requests();
        // One for each refresh, of which there is one, unless the store of a busy machine left a sweep
        // unfinished: it may not have taken what became of one, either.
        let failures = health["failures"].as_u64().unwrap_or_default().max(1);
        let refreshes = usize::try_from(failures).unwrap_or(usize::MAX);
        claim(
            (refreshes..refreshes + ticks).contains(&requests),
            format!("{requests} requests, {failures} refreshes"),
        );
        let sent = self.provider.written();
        claim(
            sent <= MOST_SENT,
            format!("{sent} bytes were taken from it"),
        );
        let text = health.to_string();
        claim(
            !SENT.iter().any(|secret| text.contains(secret)),
            format!("a secret is shown: {text}"),
        );
        faults
    }
}

async fn cases(world: &World, rows: impl IntoIterator<Item = Row>) -> Vec<Case> {
    let first = Fleet::at(world, "fleet.example").await;
    stream::iter(rows)
        .map(|row| Case::of(&first, row))
        .buffer_unordered(4)
        .collect()
        .await
}

/// A refresher over a Latchkey's store.
fn refresher(world: &World, in_flight: usize) -> Refresher {
    let directory = world.server.directory();
    let settings = Settings {
        store: world.server.store_url.clone(),
        keyring: directory.join("keyring.json"),
        base_url: world.server.url.clone(),
        in_flight,
        limit: LIMIT,
        log: "info,latchkey_core=trace,latchkey_egress=trace,latchkey_aws=trace".to_owned(),
    };
    let binary = Path::new(env!("CARGO_BIN_EXE_latchkey-refresher-alone"));
    Refresher::start(binary, &settings, &directory.join("refresher.log"))
}

/// A refresher that has swept, what its last tick reported, and how long and how many ticks it took.
type Swept = (Refresher, Value, Duration, usize);

/// Sweeps until the store has answered everything, while this process goes on answering.
async fn sweep(refresher: Refresher, ahead: i64) -> Swept {
    let began = Instant::now();
    let sweeping = tokio::task::spawn_blocking(move || {
        let (mut refresher, mut ticks) = (refresher, 0);
        loop {
            ticks += 1;
            let report = refresher.sweep(ahead);
            // The next tick is the retry.
            if report["errors"] == 0 && report["unread_shards"] == 0 {
                return (refresher, report, ticks);
            }
        }
    });
    let (refresher, report, ticks) = sweeping.await.unwrap();
    (refresher, report, began.elapsed(), ticks)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_provider_answers_it_is_classed_once_and_in_bounds_and_nobody_is_condemned() {
    let world = World::start().await;
    let cases = cases(&world, table()).await;
    assert!(cases.len() >= 500, "{}", cases.len());
    let refresher = refresher(&world, AT_ONCE);
    let (refresher, report, took, ticks) = sweep(refresher, 0).await;
    let (count, peak) = (cases.len(), refresher.peak());
    let seconds = took.as_secs_f64();
    println!("{count} hostile answers in {seconds:.1} s, {AT_ONCE} at once; {peak}");
    println!("{report}\n{:?}", classes(&cases));
    let mut faults = Vec::new();
    for case in &cases {
        faults.extend(case.faults(&world, ticks).await);
    }
    faults.extend(leaks(&world));
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(peak.held_kib() <= MOST_KIB, "{peak}");

    // All are well again: the next sweep heals whoever was not refreshed.
    for case in &cases {
        case.provider.set(well());
    }
    world.clock.advance(LATER);
    let (_, report, ..) = sweep(refresher, LATER).await;
    println!("healed: {report}");
    let mut faults = Vec::new();
    for case in &cases {
        faults.extend(case.ills(&world).await);
    }
    faults.extend(leaks(&world));
    assert!(
        faults.is_empty(),
        "{} are not well:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// How many answers there are of each sort.
fn classes(cases: &[Case]) -> BTreeMap<String, usize> {
    let mut classes = BTreeMap::new();
    for case in cases {
        let class = format!("{:?}", case.row.expected);
        *classes.entry(class).or_default() += 1;
    }
    classes
}

/// What the refresher's log has and should not have.
fn leaks(world: &World) -> Vec<String> {
    let log = world.server.directory().join("refresher.log");
    let log = std::fs::read_to_string(log).unwrap();
    let hidden = SENT.iter().chain(&[MARK, "panicked"]);
    let found = hidden.filter(|word| log.contains(**word));
    found.map(|word| format!("{word} is in the log")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_every_call_is_given_as_much_as_it_takes_stays_in_bounds() {
    let world = World::start().await;
    let rows = (0..ALL).map(|number| Row {
        name: format!("bulky {number}"),
        script: Script::new(),
        expected: Expected::Failed("answer_lost"),
        rotation: "none".into(),
        patient: false,
    });
    let cases = cases(&world, rows).await;
    let mut refresher = refresher(&world, ALL);
    for (turn, (name, script)) in bulky().into_iter().enumerate() {
        let before = cases.iter().map(|case| case.provider.requests());
        let before: Vec<_> = before.collect();
        for case in &cases {
            case.provider.set(script.clone());
        }
        let ahead = 2 * LATER * i64::try_from(turn).unwrap();
        let (swept, report, ..) = sweep(refresher, ahead).await;
        let asked = cases.iter().zip(before);
        let asked = asked.filter(|(case, before)| case.provider.requests() > *before);
        // All, unless the store of a busy machine did not answer some.
        assert!(asked.count() >= ALL * 3 / 4, "{name}: {report}");
        // Well in between, so that no breaker opens.
        for case in &cases {
            case.provider.set(well());
        }
        (refresher, ..) = sweep(swept, ahead + LATER).await;
        let peak = refresher.peak();
        println!("{ALL} calls at once, each with {name}: {peak}");
        assert!(peak.held_kib() <= MOST_KIB, "{name}: {peak}");
    }
}
