//! The binaries that are deployed, held to the budget (`cargo xtask bench` has what isn't repeatable).
//!
//! Instructions are counted by callgrind, which sees the same ones each time but for what random hashes do. It makes a function
//! some fifty times slower, and our clients of AWS wait for two seconds: this is a crate of its own so that it runs alone.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can not go on fails where it stands"
)]

use std::{collections::BTreeMap, path::Path};

use latchkey_budget::{INSTRUCTIONS, LARGEST_BINARY, LARGEST_PACKAGE, MOST_MEMORY_KIB};
use latchkey_emulators::tools;
use latchkey_tests::lambda::{
    FUNCTIONS, Function, Setting, Stage, Wrapper, event, is_success, released,
};
use serde_json::{Value, json};
use tokio::process::Command;

/// Over how many events the last is taken.
const WARM: u64 = 30;

#[tokio::test]
async fn packages_are_small() {
    for name in FUNCTIONS {
        let size = std::fs::metadata(released().join(name)).unwrap().len();
        assert!(size <= LARGEST_BINARY, "{name}: {size} bytes");
    }
    let directory = tempfile::TempDir::new().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../emulators/package.py");
    let packed = Command::new(tools("ministack").join("bin/python"))
        .arg(script)
        .arg(released())
        .arg(directory.path())
        .status();
    assert!(packed.await.unwrap().success());
    for name in FUNCTIONS {
        let path = directory.path().join(format!("{name}.zip"));
        let size = std::fs::metadata(path).unwrap().len();
        assert!(size <= LARGEST_PACKAGE, "{name}.zip: {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::print_stdout,
    reason = "what was counted, for whoever sets a limit anew"
)]
async fn instructions_are_few() {
    let stage = Stage::set().await;
    let fleet = stage.fleet().await;
    let mut over = Vec::new();
    for (name, limits) in INSTRUCTIONS {
        let mut totals = Vec::new();
        for events in [0, 1, 1 + WARM] {
            let file = stage.directory().join(format!("{name}-{events}"));
            let setting = Setting::ours(name, stage.environment("secrets-manager"));
            let function = Function::start(&setting.within(Wrapper::callgrind(&file))).await;
            for _ in 0..events {
                let event = stage.usual(&fleet, name).await;
                let answer = function.invoke(&event).await;
                assert!(is_success(&answer), "{name}: {answer}");
            }
            function.stop().await;
            totals.push(counted(&file));
        }
        let counts = [
            totals[0],
            totals[1] - totals[0],
            (totals[2] - totals[1]) / WARM,
        ];
        for (which, (count, limit)) in counts.iter().zip(limits).enumerate() {
            if *count > limit * 1000 {
                let which = ["init", "first", "warm"][which];
                over.push(format!("{name}, {which}: {count} of {limit} thousand"));
            }
        }
        println!("{name}: {counts:?}");
    }
    assert!(over.is_empty(), "{over:#?}");
}

/// How many instructions callgrind has counted.
fn counted(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.unwrap().trim().parse().unwrap()
}

/// Calls of AWS, counted.
type Calls = BTreeMap<String, usize>;

fn calls(counted: &[(&str, usize)]) -> Calls {
    let owned = counted.iter();
    owned
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

/// What each function asks of AWS for what it is asked most often, once it is warm.
///
/// To begin an authorisation somebody has to look whose it is, and which values it has: that cannot be remembered. A new grant
/// and its event are one transaction. A refresh token that has changed goes to the Secrets Manager, and a third write has the
/// item point at it.
fn expected(function: &str, vault: &str) -> Calls {
    let mut calls = match function {
        "authorise" => calls(&[("GetItem", 1), ("PutItem", 1)]),
        "callback" => calls(&[("UpdateItem", 1), ("TransactWriteItems", 1)]),
        "refresher" => calls(&[("GetItem", 1), ("UpdateItem", 2)]),
        _ => calls(&[("GetItem", 1)]),
    };
    if vault == "secrets-manager" && ["callback", "refresher"].contains(&function) {
        calls.insert("CreateSecret".to_owned(), 1);
        *calls.entry("UpdateItem".to_owned()).or_default() += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_asks_for_what_it_must_and_over_one_connection_to_each_host() {
    let stage = Stage::set().await;
    let fleet = stage.fleet().await;
    for vault in ["sealed", "secrets-manager"] {
        for name in FUNCTIONS {
            let function = Function::start(&Setting::ours(name, stage.environment(vault))).await;
            let before = (stage.connections(), stage.provider.connections());
            for round in 0..3 {
                let event = stage.usual(&fleet, name).await;
                let _ = stage.asked();
                let answer = function.invoke(&event).await;
                assert!(is_success(&answer), "{name}: {answer}");
                let asked = stage.asked();
                // At first it reads what it remembers: the auth method, the settings, the keyring.
                assert!(
                    round == 0 || asked == expected(name, vault),
                    "{name}: {asked:?}"
                );
            }
            let after = (stage.connections(), stage.provider.connections());
            let made = [
                after.0.0 - before.0.0,
                after.0.1 - before.0.1,
                after.1 - before.1,
            ];
            assert_eq!(made[0], 1, "{name}");
            assert!(made.iter().all(|count| *count <= 1), "{name}: {made:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_brings_no_new_refresh_token_writes_no_secret() {
    let stage = Stage::set().await;
    let fleet = stage.fleet().await;
    let environment = stage.environment("secrets-manager");
    let function = Function::start(&Setting::ours("credentials", environment)).await;
    let instance = fleet.overdue(60).await.id;
    let path = format!("/v1/instances/{instance}/credential");
    let vend = event::request("GET", &path, None);
    let _ = stage.asked();
    let vended = function.invoke(&vend).await;
    let first = stage.asked();
    let vended: Value = serde_json::from_str(vended["body"].as_str().unwrap()).unwrap();
    // The next credential has another access token.
    let rejected = json!({ "credential_id": vended["credential_id"] });
    let rejected = event::request("POST", &format!("{path}/rejected"), Some(&rejected));
    assert!(is_success(&function.invoke(&rejected).await));
    let _ = stage.asked();
    assert!(is_success(&function.invoke(&vend).await));
    // The first refresh has brought another refresh token than the fleet's; the second the same again.
    assert_eq!(first.get("CreateSecret"), Some(&1), "{first:?}");
    let expected = [("GetItem", 1), ("GetSecretValue", 1), ("UpdateItem", 2)];
    assert_eq!(stage.asked(), calls(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_with_nothing_due_asks_each_shard_once() {
    let stage = Stage::set().await;
    let function = Function::start(&Setting::ours("refresher", stage.environment("sealed"))).await;
    for _ in 0..2 {
        let _ = stage.asked();
        let report = function.invoke(&event::tick()).await;
        assert_eq!(report["due"], json!(0), "{report}");
        // Those of instances, and those of events that nobody has published.
        assert_eq!(stage.asked(), calls(&[("Query", 20)]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_and_no_source_of_entropy_of_the_system_is_opened() {
    let stage = Stage::set().await;
    let fleet = stage.fleet().await;
    // What the loader, the C library and the resolver read, and what the stage has put there.
    let fine = [
        "/etc/ld.so.",
        "/etc/hosts",
        "/etc/host.conf",
        "/etc/nsswitch.conf",
        "/etc/resolv.conf",
        "/etc/gai.conf",
        "/lib/",
        "/usr/lib/",
        "/proc/self/",
        "/sys/fs/cgroup/",
        stage.bundle(),
    ];
    for name in FUNCTIONS {
        let file = stage.directory().join(format!("{name}.strace"));
        let setting = Setting::ours(name, stage.environment("secrets-manager"));
        let function = Function::start(&setting.within(Wrapper::opened(&file))).await;
        let event = stage.usual(&fleet, name).await;
        assert!(is_success(&function.invoke(&event).await));
        function.stop().await;
        let text = std::fs::read_to_string(&file).unwrap();
        let opened = text.lines().filter_map(|line| line.split('"').nth(1));
        let mut others = opened.filter(|path| !fine.iter().any(|fine| path.starts_with(fine)));
        assert_eq!(others.next(), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_little_and_does_not_grow() {
    let stage = Stage::set().await;
    let fleet = stage.fleet().await;
    let function =
        Function::start(&Setting::ours("credentials", stage.environment("sealed"))).await;
    let event = stage.usual(&fleet, "credentials").await;
    let mut peaks = Vec::new();
    for count in 1..=10_000 {
        let answer = function.invoke(&event).await;
        assert!(is_success(&answer), "{answer}");
        if count == 1000 || count == 10_000 {
            peaks.push(function.peak().all_kib);
        }
    }
    assert!(peaks[0] <= MOST_MEMORY_KIB, "{peaks:?}");
    assert!(peaks[1] - peaks[0] <= 256, "{peaks:?}");
}
