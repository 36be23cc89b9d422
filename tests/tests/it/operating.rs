//! Operators: what they ask at three in the morning, answered from the store.

use latchkey_core::{
    model::{
        failure::{Failure, FailureCode},
        id::InstanceKey,
        instance::Instance,
    },
    port::{Clock as _, Condemn, Due, Fail, Leases as _, NewLease},
};
use latchkey_tests::{
    fleet::{Fleet, Hosts},
    process,
    world::World,
};
use serde_json::Value;

async fn ask(world: &World, question: &[&str]) -> (i32, String) {
    let store = world.server.store_url.as_str();
    let all = [&["instances"], question, &["--store", store]].concat();
    let (code, output, errors) = process::status(&all).await;
    assert_eq!(errors, "", "{question:?}");
    (code, output)
}

async fn json(world: &World, question: &[&str]) -> Value {
    let question = [question, &["--format", "json"]].concat();
    serde_json::from_str(&ask(world, &question).await.1).unwrap()
}

/// Lets a refresh of it fail, as at some provider.
async fn fail(world: &World, instance: &Instance, in_doubt: bool, suspect: bool) {
    let now = world.clock.now();
    let lease = NewLease {
        key: &instance.key,
        epoch: instance.epoch,
        base: 1,
        nonce: "nonce",
        now,
        lapsed_before: now,
        until: now + jiff::SignedDuration::from_secs(30),
    };
    let store = world.store();
    store.instances.lease(lease).await.unwrap();
    let failure = Failure {
        at: now,
        code: match suspect {
            true => FailureCode::GrantRefused,
            false => FailureCode::AnswerLost,
        },
        words: suspect.then(|| "invalid_grant: gone".to_owned()),
    };
    let not_before = now + jiff::SignedDuration::from_mins(15);
    let fail = Fail {
        key: &instance.key,
        nonce: "nonce",
        failure: &failure,
        not_before,
        in_doubt,
        last_send: None,
        suspect: suspect.then_some((instance.incarnation, 1)),
        due: Due::of(&instance.key, not_before),
    };
    store.instances.fail(fail).await.unwrap();
}

#[tokio::test]
async fn what_is_due_is_counted_by_shard_and_auth_method() {
    let world = World::start().await;
    let (code, output) = ask(&world, &["due"]).await;
    assert_eq!((code, output.trim()), (0, "Nothing is due."));
    let fleet = Fleet::at(&world, "shop.example").await;
    for _ in 0..5 {
        fleet.overdue(7300).await;
    }
    let (_, output) = ask(&world, &["due"]).await;
    assert!(
        output.starts_with("5 instances are due, the oldest since "),
        "{output}"
    );
    assert!(output.contains("(2 h ago)"), "{output}");
    assert!(output.contains("5  shop.example (mth_"), "{output}");
    assert!(output.contains("at shop.example\n"), "{output}");
    let answer = json(&world, &["due"]).await;
    let shards = answer["shards"].as_array().unwrap();
    let sum: u64 = shards
        .iter()
        .map(|shard| shard["due"].as_u64().unwrap())
        .sum();
    assert_eq!((shards.len(), sum), (16, 5));
}

#[tokio::test]
async fn what_is_stuck_is_told_with_who_has_to_act() {
    let world = World::start().await;
    let (_, output) = ask(&world, &["stuck"]).await;
    assert_eq!(output.trim(), "No instance is in trouble.");
    let fleet = Fleet::at(&world, "shop.example").await;
    // It is late, and not by enough to be told.
    fleet.overdue(-1000).await;
    let (late, doubt, suspect) = (
        fleet.overdue(7200).await,
        fleet.overdue(7200).await,
        fleet.overdue(7200).await,
    );
    fail(&world, &fleet.find(&doubt).await, true, false).await;
    fail(&world, &fleet.find(&suspect).await, false, true).await;
    let (code, output) = ask(&world, &["stuck"]).await;
    assert_eq!(code, 0);
    assert!(
        output.contains("at shop.example: 3 in trouble\n"),
        "{output}"
    );
    for (key, said) in [
        (&late, "due since "),
        (&late, "The operator has to act"),
        (&doubt, "1 requests sent whose answers were never seen"),
        (&suspect, "refused by the provider at "),
        (&suspect, "Nobody has to act."),
    ] {
        let line = output.lines().find(|line| line.contains(key.id.as_str()));
        assert!(
            line.is_some_and(|line| line.contains(said)),
            "{said}: {output}"
        );
    }
    let answer = json(&world, &["stuck", "--most", "1"]).await;
    assert_eq!(answer["stuck"], 3);
    assert_eq!(
        answer["auth_methods"][0]["instances"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn one_that_waits_is_hastened_and_what_is_useless_is_refused() {
    let hosts = Hosts::with_hanging("");
    let world = World::start_over(hosts).await;
    let fleet = Fleet::at(&world, "shop.example").await;
    let retry = async |key: &InstanceKey, more: &[&str]| {
        ask(&world, &[&["retry", key.id.as_str()], more].concat()).await
    };
    let waiting = fleet.overdue(60).await;
    fail(&world, &fleet.find(&waiting).await, false, false).await;
    assert_eq!(world.sweep().await.due, 0, "it waits");
    let (code, output) = retry(&waiting, &[]).await;
    assert_eq!(code, 0, "{output}");
    // The index has whole seconds.
    world.clock.advance(2);
    let report = world.sweep().await;
    assert_eq!((report.due, report.refreshed), (1, 1), "{report:?}");
    let (code, output) = retry(&waiting, &[]).await;
    assert!(
        code == 1 && output.contains("It need not be refreshed before "),
        "{output}"
    );

    let suspect = fleet.overdue(60).await;
    fail(&world, &fleet.find(&suspect).await, false, true).await;
    let (code, output) = retry(&suspect, &[]).await;
    assert!(
        code == 1 && output.contains("A second refusal ends the connection"),
        "{output}"
    );
    let (code, output) = retry(&suspect, &["--suspect"]).await;
    assert_eq!(code, 0, "{output}");

    let over = fleet.overdue(60).await;
    let cause = Failure {
        at: world.clock.now(),
        code: FailureCode::GrantRefused,
        words: Some("invalid_grant: gone".to_owned()),
    };
    let condemn = Condemn {
        key: &over,
        incarnation: fleet.find(&over).await.incarnation,
        base: 1,
        held: None,
        cause: &cause,
        events: &[],
    };
    assert!(world.store().instances.condemn(condemn).await.unwrap());
    let (code, output) = retry(&over, &[]).await;
    assert!(
        code == 1 && output.contains("Asking again is useless"),
        "{output}"
    );
    assert!(output.contains("invalid_grant: gone"), "{output}");
}

#[tokio::test]
async fn an_instance_is_explained_in_sentences_without_a_secret() {
    let world = World::start().await;
    let fleet = Fleet::at(&world, "shop.example").await;
    let key = fleet.overdue(7200).await;
    fail(&world, &fleet.find(&key).await, true, false).await;
    let (code, output) = ask(&world, &["explain", key.id.as_str(), "--tenant", "local"]).await;
    assert_eq!(code, 0);
    for said in [
        "shop.example (mth_",
        "It is active, by consent number 1;",
        "its access token ended at ",
        "Requests that were sent and whose answers were never seen: 1, the last at ",
        "Whether a refresh token works twice here is not known",
        "Failures since the last success: 1. The last: the request was sent, but the provider's answer was lost",
        "It is refreshed at ",
        "it is the provider's to get well",
    ] {
        assert!(output.contains(said), "{said}: {output}");
    }
    let answer = json(&world, &["explain", key.id.as_str()]).await;
    assert_eq!(answer["instance"]["health"]["status"], "active");
    for secret in ["first-access-token", "first-refresh-token", "nonce"] {
        assert!(!answer.to_string().contains(secret), "{secret}");
    }
    let unknown = [
        "instances",
        "explain",
        "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e",
    ];
    let store = world.server.store_url.as_str();
    let (code, _, errors) = process::status(&[&unknown[..], &["--store", store]].concat()).await;
    assert!(code == 2 && errors.contains("has no instance"), "{errors}");
    let (code, _, errors) = process::status(&["instances", "due"]).await;
    assert!(
        code == 2 && errors.contains("AWS_REGION is not set"),
        "{errors}"
    );
}
