//! What operators watch: the metrics and the log lines of the functions' own binaries.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use latchkey_core::{
    model::{breaker::Breaker, failure::FailureCode, host::Host},
    port::{Clock as _, Hosts as _, Turned},
};
use latchkey_cost::calls::{BATCH_LOG_BYTES, REQUEST_LOG_BYTES};
use latchkey_emulators::moto;
use latchkey_tests::{
    fleet::{Fleet, granted},
    lambda::{Function, Setting, event},
    proxy::{Mode, Proxy},
    world::World,
};
use serde_json::{Value, json};

const TRACE: &str = "1-5759e988-bd862e3fe1be46a994272793";

fn header() -> String {
    format!("Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1")
}

/// A provider that nobody is behind: it answers what it is told.
async fn provider(answer: Mode) -> Proxy {
    let provider = Proxy::before("http://127.0.0.1:9").await;
    provider.set(answer);
    provider
}

fn grants() -> Mode {
    let body = granted().body;
    Mode::json(200, &serde_json::from_slice(body.expose()).unwrap())
}

async fn fleet<'w>(first: &Fleet<'w>, name: &str, provider: &Proxy) -> Fleet<'w> {
    let token_url = format!("{}/token", provider.url);
    first.beside(name, &token_url, json!("none")).await
}

/// The metrics of each request that has some, as CloudWatch takes them out of a log.
fn metrics(lines: &[Value]) -> BTreeMap<&str, BTreeMap<&str, u64>> {
    let mut told = BTreeMap::new();
    for line in lines.iter().filter(|line| line["_aws"].is_object()) {
        let about = &line["_aws"];
        assert!(about["Timestamp"].as_i64().unwrap() > 1_700_000_000_000);
        let directives = about["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1);
        assert_eq!(directives[0]["Namespace"], "Latchkey");
        assert_eq!(directives[0]["Dimensions"], json!([["Stack"]]));
        assert_eq!(line["Stack"], "stack");
        let named = directives[0]["Metrics"].as_array().unwrap();
        let values = named
            .iter()
            .map(|metric| metric["Name"].as_str().unwrap())
            .map(|name| (name, line[name].as_u64().unwrap()));
        let id = line["request_id"].as_str().unwrap();
        let earlier = told.insert(id, values.collect());
        assert!(earlier.is_none(), "one line a request");
    }
    told
}

/// What comes to a log for an invocation besides: `START`, `END` and `REPORT` of Lambda, 26 bytes a line of CloudWatch, and a
/// request's id that is longer than here.
const ADDED: usize = 350 + 5 * 26 + 2 * 32;

/// What an invocation writes to the log is no more than the cost model has it, in bytes.
fn hold_to_cost_model<'l>(lines: impl Iterator<Item = &'l Value>, most: f64) {
    let bytes: usize = lines.map(|line| line.to_string().len()).sum();
    let bytes = f64::from(u32::try_from(bytes + ADDED).unwrap());
    assert!((most / 2.0..=most).contains(&bytes), "{bytes}");
}

/// The lines that are no metrics.
fn events(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line["_aws"].is_null())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_tells_what_became_of_each_refresh_and_whose_matter_it_is() {
    let world = World::start().await;
    let first = Fleet::at(&world, "fleet.example").await;
    let well = provider(grants()).await;
    let refusing = provider(Mode::json(401, &json!({ "error": "invalid_client" }))).await;
    let revoked = provider(Mode::json(400, &json!({ "error": "invalid_grant" }))).await;
    let throttling = provider(Mode::json(429, &json!({}))).await;
    let store = Proxy::before(world.server.store_url.as_str().trim_end_matches('/')).await;
    let with = [
        ("LATCHKEY_IN_FLIGHT", "1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &*store.url),
    ];
    let refresher = Function::start(&Setting::local(&world, "refresher", &with)).await;
    let idle = refresher.invoke_as("idle", None, &json!({})).await;
    assert_eq!(idle["due"], 0, "{idle}");
    let mut due = Vec::new();
    for (name, provider, count) in [
        ("well", &well, 3),
        ("refusing", &refusing, 2),
        ("revoked", &revoked, 1),
        ("throttling", &throttling, 6),
    ] {
        let fleet = fleet(&first, name, provider).await;
        for number in 0..count {
            due.push(fleet.overdue(60 + number * 100).await.id.to_string());
        }
    }
    let report = refresher
        .invoke_as("tick-1", Some(&header()), &json!({}))
        .await;
    assert_eq!((&report["due"], &report["errors"]), (&json!(12), &json!(0)));
    // AWS joins its own part of the trace; a provider learns no id of ours.
    let traced = |proxy: &Proxy| {
        let seen = proxy.seen();
        let traces = seen
            .iter()
            .map(|seen| seen.headers.get("x-amzn-trace-id").cloned());
        traces.collect::<Vec<_>>()
    };
    assert!(traced(&store).contains(&Some(header())));
    assert!(traced(&well).iter().all(Option::is_none));

    let lines = refresher.log().await;
    let told = metrics(&lines);
    let age = told["tick-1"]["OldestDueAge"];
    assert!((555..620).contains(&age), "{age}");
    let expected = [
        ("Refreshed", 3),
        ("FailedUser", 1),
        ("FailedBuilder", 2),
        ("FailedProvider", 5),
        ("OldestDueAge", age),
        ("BreakersOpen", 1),
        ("BreakerOpenAge", told["tick-1"]["BreakerOpenAge"]),
        ("BreakersOpened", 1),
        ("MethodsFaulty", 1),
    ];
    assert_eq!(told["tick-1"], BTreeMap::from(expected));
    assert!(told["tick-1"]["BreakerOpenAge"] < 60);
    // That nothing is due is known, and said.
    assert_eq!(told["idle"], BTreeMap::from([("OldestDueAge", 0)]));

    let mut instances = Vec::new();
    for line in events(&lines) {
        assert_eq!(line["span"]["request_id"], "tick-1", "{line}");
        assert_eq!(line["span"]["trace_id"], TRACE, "{line}");
        if line["message"] == "refresh failed" {
            instances.push(line["instance"].as_str().unwrap());
        }
    }
    assert_eq!(instances.len(), 8);
    assert!(instances.iter().all(|id| due.iter().any(|due| due == id)));
    let sweeps = events(&lines).filter(|line| line["message"] == "sweep");
    assert_eq!(sweeps.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_answers_again_and_an_auth_method_that_is_not_believed_are_told() {
    let world = World::start().await;
    let first = Fleet::at(&world, "fleet.example").await;
    let (well, revoked) = (
        provider(grants()).await,
        provider(Mode::json(400, &json!({ "error": "invalid_grant" }))).await,
    );
    for (name, provider, count) in [("well", &well, 2), ("revoked", &revoked, 8)] {
        let fleet = fleet(&first, name, provider).await;
        for _ in 0..count {
            let _ = fleet.overdue(60).await;
        }
    }
    let (now, host) = (
        world.clock.now(),
        Host::of(&well.url.parse().unwrap()).unwrap(),
    );
    let open = Breaker {
        mark: "opened by others".to_owned(),
        opened_at: now - SignedDuration::from_secs(2000),
        probe_at: now,
        cause: FailureCode::Unreachable,
    };
    let hosts = world.store().hosts;
    let turned = hosts.turn(&host, None, &open).await;
    assert_eq!(turned.unwrap(), Turned::Done);

    let with = [("LATCHKEY_IN_FLIGHT", "1")];
    let refresher = Function::start(&Setting::local(&world, "refresher", &with)).await;
    let report = refresher.invoke_as("tick", None, &json!({})).await;
    assert_eq!(report["due"], 10, "{report}");
    let lines = refresher.log().await;
    let told = &metrics(&lines)["tick"];
    let age = told["BreakerOpenAge"];
    assert!((2000..2600).contains(&age), "{age}");
    let expected = [
        ("Refreshed", 2),
        // After these nobody is believed, and nobody is asked.
        ("FailedUser", 6),
        ("OldestDueAge", told["OldestDueAge"]),
        ("BreakersOpen", 1),
        ("BreakerOpenAge", age),
        ("BreakersClosed", 1),
        ("MethodsQuarantined", 1),
    ];
    assert_eq!(*told, BTreeMap::from(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_the_queue_and_a_credential_that_is_asked_for_tell_theirs() {
    let world = World::start().await;
    let first = Fleet::at(&world, "fleet.example").await;
    let well = provider(grants()).await;
    let fleet = fleet(&first, "well", &well).await;
    let (batched, vended) = (fleet.overdue(60).await, fleet.overdue(60).await);

    let refresher = Function::start(&Setting::local(&world, "refresher", &[])).await;
    let mut batch = event::batch(&[batched.id.to_string()]);
    batch["Records"][0]["attributes"] = json!({ "AWSTraceHeader": header() });
    let own = "Root=1-67891233-abcdef012345678912345678";
    let answer = refresher.invoke_as("batch", Some(own), &batch).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let lines = refresher.log().await;
    hold_to_cost_model(lines.iter(), BATCH_LOG_BYTES);
    // What was not looked at is not known.
    assert_eq!(
        metrics(&lines),
        BTreeMap::from([("batch", BTreeMap::from([("Refreshed", 1)]))])
    );
    for line in events(&lines) {
        let ids = (&line["span"]["trace_id"], &line["span"]["sent_in"]);
        let own = own.trim_start_matches("Root=");
        assert_eq!(ids, (&json!(own), &json!(TRACE)), "{line}");
    }

    let credentials = Function::start(&Setting::local(&world, "credentials", &[])).await;
    let path = format!("/v1/instances/{}/credential", vended.id);
    let vend = event::request("GET", &path, None);
    for id in ["stale", "fresh"] {
        let answer = credentials.invoke_as(id, Some(&header()), &vend).await;
        assert_eq!(answer["statusCode"], 200, "{answer}");
    }
    let lines = credentials.log().await;
    assert_eq!(
        metrics(&lines),
        BTreeMap::from([("stale", BTreeMap::from([("Refreshed", 1)]))])
    );
    for line in events(&lines) {
        assert_eq!(line["span"]["trace_id"], TRACE, "{line}");
    }
    let fresh = lines
        .iter()
        .filter(|line| line["span"]["request_id"] == "fresh");
    hold_to_cost_model(fresh, REQUEST_LOG_BYTES);
    let requests = events(&lines).filter(|line| line["message"] == "request");
    let ids: Vec<_> = requests.map(|line| &line["span"]["request_id"]).collect();
    assert_eq!(ids, ["stale", "fresh"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_hands_out_is_sent_in_its_trace() {
    let world = World::start().await;
    let fleet = Fleet::at(&world, "fleet.example").await;
    let taken = json!({ "Successful": [], "Failed": [] });
    let queue = provider(Mode::json(200, &taken)).await;
    let url = format!("{}/queue", queue.url);
    let with = [
        ("LATCHKEY_SWEEP", "queue"),
        ("LATCHKEY_QUEUE_URL", &*url),
        ("AWS_ENDPOINT_URL_SQS", &*queue.url),
    ];
    let refresher = Function::start(&Setting::local(&world, "refresher", &with)).await;
    let _ = fleet.overdue(10).await;
    let report = refresher
        .invoke_as("tick", Some(&header()), &json!({}))
        .await;
    assert_eq!(report["handed_out"], 1, "{report}");
    // SQS takes it over to each message of the request, as its attribute `AWSTraceHeader`.
    let sent = queue.seen();
    assert_eq!(sent[0].operation().as_deref(), Some("SendMessageBatch"));
    assert_eq!(sent[0].headers["x-amzn-trace-id"], header());
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_secrets_manager_are_counted_as_its_quota_counts_them() {
    let world = World::start().await;
    let first = Fleet::at(&world, "fleet.example").await;
    let well = provider(grants()).await;
    let fleet = fleet(&first, "well", &well).await;
    let secrets = Proxy::before(moto()).await;
    let with = [
        ("LATCHKEY_VAULT", "secrets-manager"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &*secrets.url),
    ];
    let refresher = Function::start(&Setting::local(&world, "refresher", &with)).await;
    let _ = fleet.overdue(60).await;
    let report = refresher.invoke_as("written", None, &json!({})).await;
    assert_eq!(report["refreshed"], 1, "{report}");

    // What is refused as one too many has been tried, and is tried again.
    let throttled = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
    secrets.set_for("CreateSecret", Mode::json(400, &throttled));
    let _ = fleet.overdue(60).await;
    let before = secrets.operations().len();
    let report = refresher.invoke_as("throttled", None, &json!({})).await;
    assert_eq!(report["refreshed"], 1, "the journal serves: {report}");
    let tried = secrets.operations().split_off(before);
    let tried = tried
        .iter()
        .filter(|operation| *operation == "CreateSecret");
    let tried = u64::try_from(tried.count()).unwrap();
    assert!(tried > 1, "the SDK tries again");

    let lines = refresher.log().await;
    let told = metrics(&lines);
    assert_eq!(told["written"]["VaultWrites"], 1);
    assert!(!told["written"].contains_key("VaultThrottles"));
    let counts = ["VaultWrites", "VaultThrottles"].map(|name| told["throttled"][name]);
    assert_eq!(counts, [tried, tried]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizers_lines_say_which_request_they_are_of() {
    let world = World::start().await;
    let authorizer = Function::start(&Setting::local(&world, "authorizer", &[])).await;
    let question = json!({ "headers": { "authorization": format!("Bearer {}", world.server.api_key.expose()) } });
    let answer = authorizer
        .invoke_as("asked", Some(&header()), &question)
        .await;
    assert_eq!(answer["isAuthorized"], true);
    let lines = authorizer.log().await;
    hold_to_cost_model(lines.iter(), REQUEST_LOG_BYTES);
    let of = |line: &Value| {
        (
            line["span"]["request_id"].clone(),
            line["span"]["trace_id"].clone(),
        )
    };
    let lines: Vec<_> = lines.iter().map(of).collect();
    assert_eq!(lines, [(json!("asked"), json!(TRACE))]);
}
