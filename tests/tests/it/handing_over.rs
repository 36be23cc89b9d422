//! The queue as the last resort: an answer that the store does not take, and reminders that come in time.

use std::time::Duration;

use async_trait::async_trait;
use latchkey_core::{
    flow::refresh::Refreshed,
    model::instance::Instance,
    port::{Clock as _, Egress, InDoubt, SendError, WireAnswer, WireRequest},
};
use latchkey_tests::{
    fleet::{Fleet, granted},
    worker::{Script, Worker, answer},
    world::World,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

/// The way to the store, which can be cut.
struct Line {
    url: Url,
    is_up: watch::Sender<bool>,
}

impl Line {
    async fn to(store: &Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = store.socket_addrs(|| None).unwrap()[0];
        let (is_up, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut state = state.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else {
                        return;
                    };
                    tokio::select! {
                        biased;
                        _ = state.wait_for(|is_up| !is_up) => {}
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        Self {
            url: url.parse().unwrap(),
            is_up,
        }
    }
}

/// A provider: what happens to the answer.
struct Provider {
    /// The store is gone when it comes.
    cuts: Option<watch::Sender<bool>>,
    is_lost: bool,
}

impl Provider {
    /// One that answers, and the store is gone by then.
    fn cutting(line: &Line) -> Self {
        Self {
            cuts: Some(line.is_up.clone()),
            is_lost: false,
        }
    }
}

#[async_trait]
impl Egress for Provider {
    async fn send(&self, _: WireRequest) -> Result<WireAnswer, SendError> {
        if let Some(line) = &self.cuts {
            line.send_replace(false);
        }
        match self.is_lost {
            true => Err(SendError::InDoubt(InDoubt::Lost)),
            false => Ok(granted()),
        }
    }
}

#[tokio::test]
async fn an_answer_that_the_store_does_not_take_finds_its_place_out_of_the_queue() {
    let world = World::start().await;
    let line = Line::to(&world.server.store_url).await;
    let key = Fleet::at(&world, "shop.example").await.overdue(60).await;
    let worker = Worker::at(&world, &line.url);
    let provider = Provider::cutting(&line);
    let instance = worker.find(&key).await;
    let refresh = worker.refresh(&provider);
    let refreshed = Box::pin(refresh.refresh(&instance)).await.unwrap();
    // The caller has a token that works, wherever it is kept.
    let Refreshed::Renewed(_, tokens) = refreshed else {
        panic!("{refreshed:?}");
    };
    assert_eq!(tokens.main.access_token.expose(), "next-access-token");
    let (adoptions, texts) = worker.adoptions();
    assert!(!texts.contains("-token"), "{texts}");
    let [adoption] = &adoptions[..] else {
        panic!("{texts}");
    };
    let adopted = Box::pin(refresh.adopt(adoption)).await;
    assert!(adopted.is_err(), "the store is down");

    line.is_up.send_replace(true);
    let left = worker.find(&key).await;
    assert_eq!(left.grant().unwrap().epoch, 1);
    assert_eq!(left.attempts, 1);
    // It may come twice.
    for _ in 0..2 {
        Box::pin(refresh.adopt(adoption)).await.unwrap();
        let adopted = worker.find(&key).await;
        assert_eq!(adopted.grant().unwrap().epoch, 2);
        assert_eq!((adopted.attempts, adopted.failures), (0, 0));
    }
    // Nor is it a spare when something has come of it: its refresh token is used.
    let going_on = Worker::of(&world);
    going_on.clock.jump(Duration::from_secs(7200));
    let instance = going_on.find(&key).await;
    let well = Provider {
        cuts: None,
        is_lost: false,
    };
    let refreshed = Box::pin(going_on.refresh(&well).refresh(&instance)).await;
    assert!(matches!(refreshed.unwrap(), Refreshed::Renewed(..)));
    Box::pin(refresh.adopt(adoption)).await.unwrap();
    let now = worker.find(&key).await;
    let grant = now.grant().unwrap();
    assert_eq!((grant.epoch, grant.parent), (3, Some(2)));
    assert!(now.spares.is_empty(), "{:?}", now.spares);
    let path = format!("/v1/instances/{}", key.id);
    assert_eq!(
        world.api.access_token(key.id.as_str()).await,
        "next-access-token"
    );
    // Of an instance that is deleted meanwhile nothing is brought back.
    let _ = world.api.delete(&path).await.ok();
    Box::pin(refresh.adopt(adoption)).await.unwrap();
    let _ = world.api.get(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn nobody_spends_a_token_while_its_answer_may_be_in_the_queue() {
    let world = World::start().await;
    let line = Line::to(&world.server.store_url).await;
    let fleet = Fleet::rotating(&world, "shop.example", json!("single_use")).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::at(&world, &line.url);
    let provider = Provider::cutting(&line);
    let instance = worker.find(&key).await;
    let refresh = worker.refresh(&provider);
    let refreshed = Box::pin(refresh.refresh(&instance)).await.unwrap();
    assert!(matches!(refreshed, Refreshed::Renewed(..)), "{refreshed:?}");
    // While the store is down its answer goes round.
    let (adoptions, _) = worker.adoptions();
    let error = Box::pin(refresh.adopt(&adoptions[0])).await.unwrap_err();
    assert!(refresh.put_back(&adoptions[0], &error).await);
    let (adoptions, _) = worker.adoptions();
    assert_eq!((adoptions.len(), adoptions[1].tries), (2, 1));

    // The store is back after an hour, and others come before the answer does.
    line.is_up.send_replace(true);
    let other = Worker::of(&world);
    other.clock.jump(Duration::from_secs(3600));
    let asked = Script::new(&other, &key, []);
    for _ in 0..2 {
        let instance = other.find(&key).await;
        let refreshed = Box::pin(other.refresh(&asked).refresh(&instance)).await;
        assert!(matches!(refreshed, Ok(Refreshed::Moved)), "{refreshed:?}");
        let now = other.find(&key).await;
        let waits = now.not_before.unwrap().duration_since(other.clock.now());
        assert!((1..=10).contains(&waits.as_secs()), "{waits:?}");
    }
    assert!(asked.asked().is_empty());
    Box::pin(refresh.adopt(&adoptions[1])).await.unwrap();
    let adopted = other.find(&key).await;
    assert_eq!(adopted.grant().unwrap().epoch, 2);
    assert_eq!((adopted.attempts, adopted.not_before), (0, None));
}

/// A spare that takes the place of what is refused has another epoch there, and still is the same answer.
#[tokio::test]
async fn an_answer_that_comes_twice_takes_no_room_from_other_spares() {
    let world = World::start().await;
    let line = Line::to(&world.server.store_url).await;
    let fleet = Fleet::rotating(&world, "shop.example", json!("until_used")).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::at(&world, &line.url);
    let provider = Provider::cutting(&line);
    let refresh = worker.refresh(&provider);
    let refreshed = Box::pin(refresh.refresh(&worker.find(&key).await)).await;
    assert!(matches!(refreshed, Ok(Refreshed::Renewed(..))));
    let (adoptions, _) = worker.adoptions();
    line.is_up.send_replace(true);

    let other = Worker::of(&world);
    other.clock.jump(Duration::from_secs(3600));
    let refusal = answer(400, &json!({ "error": "invalid_grant" }));
    let asked = Script::new(&other, &key, [Ok(granted()), Ok(refusal)]);
    let others = other.refresh(&asked);
    let renewed = Box::pin(others.refresh(&other.find(&key).await)).await;
    assert!(matches!(renewed, Ok(Refreshed::Renewed(..))), "{renewed:?}");
    let epochs =
        |now: &Instance| -> Vec<u64> { now.spares.iter().map(|spare| spare.epoch).collect() };
    Box::pin(refresh.adopt(&adoptions[0])).await.unwrap();
    assert_eq!(epochs(&other.find(&key).await), [1, 2]);
    let refused = Box::pin(others.refresh(&other.find(&key).await)).await;
    assert!(matches!(refused, Ok(Refreshed::Moved)), "{refused:?}");

    for _ in 0..2 {
        let now = other.find(&key).await;
        let grant = now.grant().unwrap();
        assert_eq!((grant.epoch, grant.answer_epoch()), (4, 2));
        assert_eq!(epochs(&now), [1, 3]);
        Box::pin(refresh.adopt(&adoptions[0])).await.unwrap();
    }
}

/// The reminders that one refresh leaves.
async fn reminders(rotation: Value, is_lost: bool) -> Vec<Duration> {
    let world = World::start().await;
    let line = Line::to(&world.server.store_url).await;
    let fleet = Fleet::rotating(&world, "shop.example", rotation).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::at(&world, &line.url);
    let provider = Provider {
        cuts: None,
        is_lost,
    };
    let instance = worker.find(&key).await;
    let refresh = worker.refresh(&provider);
    let refreshed = Box::pin(refresh.refresh(&instance)).await.unwrap();
    let is_failed = matches!(refreshed, Refreshed::Failed { .. });
    assert_eq!(is_failed, is_lost, "{refreshed:?}");
    worker.reminders()
}

#[tokio::test]
async fn where_a_used_token_works_for_a_minute_somebody_comes_within_it() {
    let grace = |seconds: u32| json!({ "grace": { "seconds": seconds } });
    let seconds = Duration::from_secs;
    // After the lease, should this process die; and, where the answer is lost, after a quiet moment.
    assert_eq!(reminders(grace(60), false).await, [seconds(33)]);
    assert_eq!(reminders(grace(60), true).await, [seconds(33), seconds(11)]);
    // The lease of a shorter window is shorter.
    assert_eq!(
        reminders(grace(30), true).await,
        [seconds(27), Duration::from_millis(8500)]
    );
    // No lease fits into this one.
    assert_eq!(reminders(grace(20), true).await, [seconds(6)]);
    // A tick comes in time, or nothing does.
    for rotation in [grace(3600), json!("single_use"), json!("none")] {
        assert!(reminders(rotation, true).await.is_empty());
    }
}
