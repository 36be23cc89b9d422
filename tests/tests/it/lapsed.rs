//! A lease whose holder was never heard of again: who comes next, and when.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    flow::{refresh::Refreshed, vend::VendError},
    model::id::InstanceKey,
    port::{Clock as _, Leases as _, NewLease},
};
use latchkey_tests::{
    fleet::{Fleet, granted},
    worker::{Script, Worker},
    world::World,
};
use serde_json::{Value, json};

/// An instance whose token has ended, and which somebody leases and leaves; when that was.
async fn left(world: &World, rotation: Value) -> (Worker, InstanceKey, Timestamp) {
    let fleet = Fleet::rotating(world, "shop.example", rotation).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::of(world);
    let instance = worker.find(&key).await;
    let now = worker.clock.now();
    let lease = NewLease {
        key: &key,
        epoch: instance.epoch,
        base: instance.grant().unwrap().epoch,
        nonce: "nobody's",
        now,
        lapsed_before: now,
        until: now + SignedDuration::from_secs(30),
    };
    worker.store.instances.lease(lease).await.unwrap();
    (worker, key, now)
}

/// Whether the provider is asked by those who come so many seconds after each other.
async fn asked(rotation: Value, after: &[u64]) -> Vec<bool> {
    let world = World::start().await;
    let (worker, key, _) = left(&world, rotation).await;
    let mut all = Vec::new();
    for seconds in after {
        worker.clock.jump(Duration::from_secs(*seconds));
        let provider = Script::new(&worker, &key, [Ok(granted())]);
        let instance = worker.find(&key).await;
        let refreshed = Box::pin(worker.refresh(&provider).refresh(&instance)).await;
        let refreshed = refreshed.unwrap();
        let was_asked = provider.asked().len() == 1;
        assert_eq!(matches!(refreshed, Refreshed::Renewed(..)), was_asked);
        all.push(was_asked);
    }
    all
}

#[tokio::test]
async fn where_a_used_token_may_work_no_more_whoever_comes_first_waits_once() {
    let grace = |seconds: u32| json!({ "grace": { "seconds": seconds } });
    for rotation in [json!("single_use"), json!("unknown"), grace(30)] {
        let told = asked(rotation.clone(), &[33, 9, 2]).await;
        assert_eq!(told, [false, false, true], "{rotation}");
    }
    for rotation in [json!("none"), json!("until_used"), grace(60)] {
        assert_eq!(asked(rotation.clone(), &[33]).await, [true], "{rotation}");
    }
}

#[tokio::test]
async fn a_caller_whose_token_has_ended_waits_with_them() {
    let world = World::start().await;
    let (worker, key, since) = left(&world, json!("single_use")).await;
    worker.clock.jump(Duration::from_secs(33));
    let provider = Script::new(&worker, &key, [Ok(granted())]);
    let vended = Box::pin(worker.refresh(&provider).vend(&key, None)).await;
    assert_eq!(vended.unwrap().access_token.expose(), "next-access-token");
    let waited = worker.clock.now().duration_since(since).as_secs();
    assert!((43..=45).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_caller_who_has_waited_for_long_begins_no_refresh() {
    for (came_after, is_asked) in [(5, false), (12, true)] {
        let world = World::start().await;
        let (worker, key, since) = left(&world, json!("none")).await;
        worker.clock.jump(Duration::from_secs(came_after));
        let provider = Script::new(&worker, &key, [Ok(granted())]);
        let vended = Box::pin(worker.refresh(&provider).vend(&key, None)).await;
        assert_eq!(provider.asked().len() == 1, is_asked, "{vended:?}");
        match vended {
            Ok(credential) => {
                assert!(is_asked);
                assert_eq!(credential.access_token.expose(), "next-access-token");
            }
            Err(VendError::Unavailable { retry_after, .. }) => {
                assert!(!is_asked && retry_after <= Duration::from_secs(1));
                let waited = worker.clock.now().duration_since(since).as_secs();
                assert!((29..=31).contains(&waited), "{waited}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
