//! `latchkey vault`: keys that change, and refresh tokens that move to the other vault, while the functions work.

use std::sync::atomic::{AtomicBool, Ordering};

use latchkey_core::model::{id::InstanceKey, refresh_tokens::RefreshTokens};
use latchkey_tests::{
    fleet::{Fleet, REFRESH_TOKEN},
    lambda::{Function, Setting, Stage, event, is_success},
    process,
};
use serde_json::Value;

/// For how many seconds an access token is good that needs no refresh.
const FRESH: i64 = -3000;

/// Runs `latchkey vault` on a stage: its exit status, and all that it says.
async fn vault(stage: &Stage, what: &[&str]) -> (i32, String) {
    let arguments = arguments(stage, what);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (code, output, errors) = process::status(&arguments).await;
    (code, format!("{output}{errors}"))
}

fn arguments(stage: &Stage, what: &[&str]) -> Vec<String> {
    let what = what.iter().map(|text| (*text).to_owned());
    let mut all = vec!["vault".to_owned()];
    all.extend(what);
    all.extend(stage.vault_arguments());
    all
}

async fn function(stage: &Stage, name: &str, vault: &str) -> Function {
    Function::start(&Setting::ours(name, stage.environment(vault))).await
}

/// Has a function give out a credential that lives so many seconds: it.
async fn vend(function: &Function, instance: &InstanceKey, seconds: u32) -> Value {
    let path = format!(
        "/v1/instances/{}/credential?minimum_seconds={seconds}",
        instance.id
    );
    let answer = function.invoke(&event::request("GET", &path, None)).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

/// Has a function give out another credential than it does now. Whoever asks for as long a life as can be gets one
/// once a tenth of the life is over: here, of a second.
async fn renew(function: &Function, instance: &InstanceKey) {
    let first = vend(function, instance, 0).await;
    while vend(function, instance, 3600).await["credential_id"] == first["credential_id"] {}
}

/// A stage whose provider's access tokens live for a second.
async fn stage() -> Stage {
    let stage = Stage::set().await;
    stage.provider.live(1);
    stage
}

async fn refresh_tokens(fleet: &Fleet<'_>, instance: &InstanceKey) -> RefreshTokens {
    fleet
        .find(instance)
        .await
        .grant()
        .unwrap()
        .refresh_tokens
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_reaches_functions_that_run_and_the_old_one_can_go() {
    let stage = stage().await;
    let fleet = stage.fleet().await;
    let (old, due) = (fleet.overdue(FRESH).await, fleet.overdue(60).await);
    let credentials = function(&stage, "credentials", "sealed").await;
    let _ = vend(&credentials, &old, 0).await;

    let (code, said) = vault(&stage, &["rotate"]).await;
    assert_eq!(
        (code, said.trim()),
        (0, "k2 seals from now on; these still open: k1")
    );
    // One that starts now seals with the new key, which the other has never seen.
    let refresher = function(&stage, "refresher", "sealed").await;
    let batch = event::batch(&[due.id.to_string()]);
    assert!(is_success(&refresher.invoke(&batch).await));
    let renewed = vend(&credentials, &due, 0).await;
    assert_eq!(renewed["access_token"], "next-access-token");

    let (code, said) = vault(&stage, &["retire"]).await;
    assert!(code == 1 && said.contains("within two hours"), "{said}");
    // Both auth methods of the fleet and the instance that nobody has refreshed.
    let (code, said) = vault(&stage, &["reseal"]).await;
    assert_eq!((code, said.trim()), (0, "moved 3, in place 1, left 0"));
    let (code, said) = vault(&stage, &["retire", "--at-once"]).await;
    let expected = "moved 0, in place 4, left 0\nk2 is the only key now; gone: k1";
    assert_eq!((code, said.trim()), (0, expected));

    let credentials = function(&stage, "credentials", "sealed").await;
    for instance in [&old, &due] {
        renew(&credentials, instance).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_move_to_the_other_vault_and_back_while_functions_work() {
    let stage = stage().await;
    let fleet = stage.fleet().await;
    let mut instances = Vec::new();
    for _ in 0..12 {
        instances.push(fleet.overdue(FRESH).await);
    }
    let (busy, idle) = instances.split_first().unwrap();

    // The operator stops it halfway, and runs it again.
    let there = ["migrate", "--to", "secrets-manager"];
    let slowly = arguments(&stage, &[&there[..], &["--per-second", "5"]].concat());
    let slowly: Vec<_> = slowly.iter().map(String::as_str).collect();
    let mut halfway = process::spawn(&slowly);
    loop {
        let mut moved = 0;
        for instance in &instances {
            let is_moved = refresh_tokens(&fleet, instance).await != RefreshTokens::Inside;
            moved += u32::from(is_moved);
        }
        if moved >= 3 {
            break;
        }
        tokio::task::yield_now().await;
    }
    halfway.kill().await.unwrap();
    let credentials = function(&stage, "credentials", "secrets-manager").await;
    migrate(&stage, &there, &credentials, busy).await;
    for instance in &instances {
        let there = refresh_tokens(&fleet, instance).await;
        assert!(matches!(there, RefreshTokens::Version(_)), "{there:?}");
        assert!(stage.has_secret(instance).await);
    }
    renew(&credentials, &idle[0]).await;
    let sent = stage.provider.last();
    assert!(
        sent.contains(&format!("refresh_token={REFRESH_TOKEN}")),
        "{sent}"
    );

    // And back: first the functions read there and write here, then what they have not written is moved.
    let credentials = function(&stage, "credentials", "leaving-secrets-manager").await;
    renew(&credentials, &idle[1]).await;
    assert_eq!(
        refresh_tokens(&fleet, &idle[1]).await,
        RefreshTokens::Inside
    );
    migrate(&stage, &["migrate", "--to", "sealed"], &credentials, busy).await;
    for instance in &instances {
        assert_eq!(
            refresh_tokens(&fleet, instance).await,
            RefreshTokens::Inside
        );
        assert!(!stage.has_secret(instance).await);
    }
    let credentials = function(&stage, "credentials", "sealed").await;
    for instance in &instances {
        renew(&credentials, instance).await;
    }
    let sent = stage.provider.last();
    assert!(
        sent.contains(&format!("refresh_token={REFRESH_TOKEN}")),
        "{sent}"
    );
}

/// Runs a migration to its end, while one instance is refreshed all the time.
async fn migrate(stage: &Stage, what: &[&str], credentials: &Function, busy: &InstanceKey) {
    let what = [what, &["--per-second", "50"]].concat();
    let is_done = AtomicBool::new(false);
    let working = async {
        while !is_done.load(Ordering::SeqCst) {
            renew(credentials, busy).await;
        }
    };
    let migrating = async {
        let ended = vault(stage, &what).await;
        is_done.store(true, Ordering::SeqCst);
        ended
    };
    let ((code, said), ()) = tokio::join!(migrating, working);
    assert!(code == 0 && said.contains("left 0"), "{said}");
}
