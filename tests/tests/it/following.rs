//! Steps around a refresh: those before it have their share of its time, and those after it come when its
//! tokens are committed.

use std::time::Duration;

use latchkey_core::{
    flow::refresh::{Refreshed, Within},
    model::{id::InstanceKey, instance::State},
    port::{Clock as _, InDoubt, SendError, WireAnswer},
};
use latchkey_tests::{
    fleet::{Fleet, granted},
    worker::{Script, Worker, answer},
    world::World,
};
use serde_json::{Value, json};

async fn overdue(world: &World, refresh: Value) -> InstanceKey {
    Fleet::refreshing(world, "shop.example", refresh)
        .await
        .overdue(60)
        .await
}

async fn refresh(worker: &Worker, key: &InstanceKey, provider: &Script<'_>) -> Refreshed {
    let instance = worker.find(key).await;
    let refresh = worker.refresh(provider);
    let within = Within::default();
    Box::pin(refresh.refresh_in(&instance, within))
        .await
        .unwrap()
}

fn session() -> WireAnswer {
    let body = json!({ "session": "session-token", "token_type": "bearer", "expires_in": 3600 });
    answer(200, &body)
}

fn followed() -> Value {
    json!({
        "rotation": "single_use",
        "after": [{
            "id": "swap",
            "url": "https://shop.example/swap",
            "query": { "token": "{{token.access_token}}" },
            "response": { "access_token": "session" },
        }],
    })
}

async fn refresh_token(worker: &Worker, key: &InstanceKey) -> String {
    let instance = worker.find(key).await;
    let grant = instance.grant().unwrap();
    let place = latchkey_core::model::instance::Instance::tokens_place(key, grant.epoch);
    let opened = worker.vault.open(&place, &grant.tokens).await.unwrap();
    let tokens = latchkey_core::model::grant::Tokens::from_plaintext(&opened).unwrap();
    tokens.main.refresh_token.unwrap().expose().clone()
}

#[tokio::test]
async fn the_tokens_are_committed_before_a_step_is_made() {
    let world = World::start().await;
    let key = overdue(&world, followed()).await;
    let worker = Worker::of(&world);
    let provider = Script::new(&worker, &key, [Ok(granted()), Ok(session())]);
    let refreshed = refresh(&worker, &key, &provider).await;
    let Refreshed::Renewed(grant, tokens) = refreshed else {
        panic!("{refreshed:?}");
    };
    assert_eq!(tokens.main.access_token.expose(), "session-token");

    let asked = provider.asked();
    let [token, swap] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((&*token.path, &*swap.path), ("token", "swap"));
    let between = &swap.instance;
    assert_eq!(between.grant().unwrap().epoch, 2);
    // Nobody else begins meanwhile, and nothing is in doubt.
    assert_eq!((between.epoch, between.attempts), (3, 0));
    let nonces = (&token.instance.lease, &between.lease);
    let (Some(first), Some(second)) = nonces else {
        panic!("{nonces:?}");
    };
    assert_ne!(first.nonce, second.nonce);

    let now = worker.find(&key).await;
    assert_eq!(now.state, State::Active(*grant));
    assert_eq!((now.epoch, now.grant().unwrap().epoch), (3, 3));
    assert_eq!((&now.lease, now.failures), (&None, 0));
    assert_eq!(refresh_token(&worker, &key).await, "next-refresh-token");
    let vended = world.api.access_token(key.id.as_str()).await;
    assert_eq!(vended, "session-token");
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_tokens_committed_and_is_tried_again_more_slowly() {
    let world = World::start().await;
    let key = overdue(&world, followed()).await;
    let worker = Worker::of(&world);
    for failures in 1..=3 {
        let provider = Script::new(&worker, &key, [Ok(granted()), Ok(answer(500, &json!({})))]);
        let refreshed = refresh(&worker, &key, &provider).await;
        assert!(
            matches!(refreshed, Refreshed::Failed { .. }),
            "{refreshed:?}"
        );
        let now = worker.find(&key).await;
        assert!(matches!(now.state, State::Active(_)));
        assert_eq!((&now.lease, now.attempts), (&None, 0));
        assert_eq!(now.failures, failures);
        assert!(now.not_before.is_some_and(|at| at > worker.clock.now()));
        assert_eq!(refresh_token(&worker, &key).await, "next-refresh-token");
        assert_eq!(now.next_refresh_at(), now.not_before);
        worker.clock.jump(Duration::from_secs(3600));
    }
    let provider = Script::new(&worker, &key, [Ok(granted()), Ok(session())]);
    let refreshed = refresh(&worker, &key, &provider).await;
    assert!(matches!(refreshed, Refreshed::Renewed(..)));
    assert_eq!(worker.find(&key).await.failures, 0);
}

#[tokio::test]
async fn a_worker_that_dies_over_a_step_leaves_what_the_refresh_brought() {
    let world = World::start().await;
    let key = overdue(&world, followed()).await;
    let worker = Worker::of(&world);
    let provider = Script::new(&worker, &key, [Ok(granted())]);
    tokio::select! {
        refreshed = refresh(&worker, &key, &provider) => panic!("{refreshed:?}"),
        () = provider.hangs() => {}
    }
    let left = worker.find(&key).await;
    assert_eq!((left.grant().unwrap().epoch, left.attempts), (2, 0));
    assert_eq!(refresh_token(&worker, &key).await, "next-refresh-token");
    // When the lease has lapsed it is due, and refreshed anew.
    worker.clock.jump(Duration::from_secs(33));
    let provider = Script::new(&worker, &key, [Ok(granted()), Ok(session())]);
    let refreshed = refresh(&worker, &key, &provider).await;
    assert!(matches!(refreshed, Refreshed::Renewed(..)), "{refreshed:?}");
}

#[tokio::test]
async fn what_a_step_brings_too_late_is_no_spare() {
    let world = World::start().await;
    let key = overdue(&world, followed()).await;
    let worker = Worker::of(&world);
    let slow = Script::new(&worker, &key, [Ok(granted())]);
    let (late, newest) = tokio::join!(refresh(&worker, &key, &slow), async {
        slow.hangs().await;
        worker.clock.jump(Duration::from_secs(60));
        let other = Script::new(&worker, &key, [Ok(granted()), Ok(session())]);
        let refreshed = refresh(&worker, &key, &other).await;
        slow.goes_on(Ok(session()));
        refreshed
    });
    assert!(matches!(late, Refreshed::Moved), "{late:?}");
    let Refreshed::Renewed(newest, _) = newest else {
        panic!("{newest:?}");
    };
    let now = worker.find(&key).await;
    assert_eq!(now.state, State::Active(*newest));
    // Its refresh token is the one that the newer refresh has used.
    assert_eq!((now.spares.len(), now.attempts, now.lease), (0, 0, None));
}

#[tokio::test]
async fn steps_before_a_refresh_take_their_share_of_its_time_and_no_more() {
    let world = World::start().await;
    let key = overdue(
        &world,
        json!({
            "before": [
                { "id": "one", "url": "https://shop.example/one" },
                { "id": "two", "url": "https://shop.example/two" },
            ],
        }),
    )
    .await;
    let worker = Worker::of(&world);
    let step = || Ok(answer(200, &json!({})));
    let seconds = Duration::from_secs;
    let slow = [
        (seconds(6), step()),
        (seconds(3), step()),
        (seconds(0), Ok(granted())),
    ];
    let provider = Script::slow(&worker, &key, slow);
    assert!(matches!(
        refresh(&worker, &key, &provider).await,
        Refreshed::Renewed(..)
    ));
    let limits: Vec<_> = provider
        .asked()
        .iter()
        .map(|asked| asked.limit.as_secs_f64().ceil())
        .collect();
    // All of them together stay within the hard limit.
    assert_eq!(limits, [10.0, 4.0, 11.0]);

    // Where they took all that they may, the refresh token stays here.
    let key = overdue(
        &world,
        json!({ "before": [{ "id": "one", "url": "https://shop.example/one" }] }),
    )
    .await;
    let lost = Err(SendError::InDoubt(InDoubt::TimedOut));
    let provider = Script::slow(&worker, &key, [(seconds(10), lost)]);
    let refreshed = refresh(&worker, &key, &provider).await;
    assert!(
        matches!(refreshed, Refreshed::Failed { .. }),
        "{refreshed:?}"
    );
    let asked = provider.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(worker.find(&key).await.attempts, 0, "nothing is in doubt");
}
