//! The sweep: through the queue and without it.

use std::sync::Arc;

use jiff::SignedDuration;
use latchkey_core::port::Clock as _;
use latchkey_tests::{
    fleet::{Fleet, Hosts},
    shop::{ACCESS_TTL, Shop},
    world::World,
};
use serde_json::{Value, json};

/// A record of SQS as Lambda hands it over.
fn record(id: &str, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185"
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:latchkey",
        "awsRegion": "eu-west-1"
    })
}

fn attend(instance: &str) -> String {
    format!(r#"{{"v":1,"kind":"attend","instance":{{"tenant":"local","id":"{instance}"}}}}"#)
}

#[tokio::test]
async fn a_batch_of_the_queue_is_seen_to_and_only_what_failed_comes_again() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let first = shop.world.api.access_token(&instance).await;
    shop.advance(ACCESS_TTL * 86 / 100).await;
    let unknown = "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    let event = json!({ "Records": [
        record("059f36b4-87a3-44ab-83d2-661975830a7d", &attend(&instance)),
        record("2e1424d4-f796-459a-8184-9c92662be6da", "not a message"),
        record("5a3e2c1b-0000-4000-8000-000000000001", &attend(unknown)),
        // Delivered twice: a lease sees to it that the token is used once.
        record("5a3e2c1b-0000-4000-8000-000000000002", &attend(&instance)),
    ]});

    // With too little time left nothing is begun, and everything comes again.
    let soon = shop.world.clock.now() + SignedDuration::from_secs(20);
    let answer = shop.world.server.answer(event.clone(), Some(soon)).await;
    let answer = answer.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 4);
    assert_eq!(shop.proxy.count("refresh_token"), 0);

    let later = shop.world.clock.now() + SignedDuration::from_secs(60);
    let answer = shop.world.server.answer(event, Some(later)).await.unwrap();
    let failed = json!({
        "batchItemFailures": [{ "itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da" }]
    });
    assert_eq!(answer, failed);
    assert_eq!(shop.proxy.count("refresh_token"), 1);
    assert_ne!(shop.world.api.access_token(&instance).await, first);

    let broken = json!({ "Records": [{ "eventSource": "aws:sqs" }] });
    assert!(shop.world.server.answer(broken, None).await.is_err());
}

#[tokio::test]
async fn a_tick_of_the_schedule_answers_with_its_report() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let first = shop.world.api.access_token(&instance).await;
    shop.advance(ACCESS_TTL * 86 / 100).await;
    let event =
        json!({ "version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event" });
    let report = shop.world.server.answer(event.clone(), None).await.unwrap();
    assert_eq!(
        (&report["due"], &report["refreshed"]),
        (&json!(1), &json!(1))
    );
    assert_ne!(shop.world.api.access_token(&instance).await, first);
    let report = shop.world.server.answer(event, None).await.unwrap();
    assert_eq!(report["due"], 0);
}

#[tokio::test]
async fn a_provider_that_hangs_gets_its_share_of_the_calls_and_slows_no_other() {
    let hosts = Hosts::with_hanging("hanging.example");
    let world = World::start_working(Arc::<Hosts>::clone(&hosts), 8).await;
    let hanging = Fleet::at(&world, "hanging.example").await;
    let well = Fleet::at(&world, "well.example").await;
    // Those of the provider that hangs are due first.
    for _ in 0..10 {
        hanging.overdue(600).await;
    }
    for _ in 0..30 {
        well.overdue(60).await;
    }
    let watching = async {
        hosts.has_answered("well.example", 30).await;
        assert_eq!(hosts.held(), 2, "a quarter of the eight worked at once");
        hosts.let_go();
    };
    let (report, ()) = tokio::join!(world.sweep(), watching);
    assert_eq!((report.due, report.refreshed), (40, 40), "{report:?}");
    assert_eq!(world.sweep().await.due, 0);
}

#[tokio::test]
async fn a_sweep_stops_in_time_and_leaves_the_rest_due() {
    let hosts = Hosts::with_hanging("hanging.example");
    let world = World::start_working(Arc::<Hosts>::clone(&hosts), 8).await;
    let fleet = Fleet::at(&world, "hanging.example").await;
    for _ in 0..5 {
        fleet.overdue(60).await;
    }
    let deadline = world.clock.now() + SignedDuration::from_secs(60);
    let watching = async {
        hosts.has_been_asked(2).await;
        // What is under way ends; nothing else is begun.
        world.clock.advance(31);
        hosts.let_go();
    };
    let sweeping = world.server.answer(json!({}), Some(deadline));
    let (report, ()) = tokio::join!(sweeping, watching);
    let report = report.unwrap();
    assert_eq!(report["refreshed"], 2, "{report}");
    assert_eq!(report["unfinished"], true, "{report}");
    assert_eq!(world.sweep().await.refreshed, 3);
}
