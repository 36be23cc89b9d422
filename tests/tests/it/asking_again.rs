//! A worker that lives on after a request came to nothing: when it asks again, and under which lease.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use latchkey_aws::OsEntropy;
use latchkey_core::{
    flow::refresh::{Refreshed, Within},
    model::{
        Secret,
        id::InstanceKey,
        instance::Instance,
        sealed::{Place, Sealed},
    },
    port::{
        Clock as _, Entropy, Hosts as _, InDoubt, NotSent, Seal, Secrets, SendError, Vault,
        VaultError, WireAnswer,
    },
};
use latchkey_tests::{
    clock::ShiftedClock,
    fleet::{Fleet, granted},
    worker::{Asked, Script, Worker, answer},
    world::World,
};
use serde_json::{Value, json};

type Answer = Result<WireAnswer, SendError>;

fn lost() -> Answer {
    Err(SendError::InDoubt(InDoubt::Lost))
}

fn not_sent() -> Answer {
    Err(SendError::NotSent(NotSent::Connection))
}

/// What a refresh came to, of an instance with this rotation, in an invocation that lasts so long.
struct Told {
    refreshed: Refreshed,
    asked: Vec<Asked>,
    took: SignedDuration,
    instance: Instance,
    reminders: Vec<Duration>,
}

async fn refresh(
    rotation: Value,
    seconds_left: Option<i64>,
    answers: impl IntoIterator<Item = (u64, Answer)>,
) -> Told {
    let world = World::start().await;
    let fleet = Fleet::rotating(&world, "shop.example", rotation).await;
    let key = fleet.overdue(60).await;
    refresh_with(&Worker::of(&world), &key, seconds_left, answers).await
}

async fn refresh_with(
    worker: &Worker,
    key: &InstanceKey,
    seconds_left: Option<i64>,
    answers: impl IntoIterator<Item = (u64, Answer)>,
) -> Told {
    let slow = answers
        .into_iter()
        .map(|(seconds, answer)| (Duration::from_secs(seconds), answer));
    let provider = Script::slow(worker, key, slow);
    let instance = worker.find(key).await;
    let began = worker.clock.now();
    let ends = seconds_left.map(|seconds| began + SignedDuration::from_secs(seconds));
    let within = Within { slot: None, ends };
    let refreshing = worker.refresh(&provider);
    let refreshed = Box::pin(refreshing.refresh_in(&instance, within)).await;
    Told {
        refreshed: refreshed.unwrap(),
        asked: provider.asked(),
        took: worker.clock.now().duration_since(began),
        instance: worker.find(key).await,
        reminders: worker.reminders(),
    }
}

fn nonce(asked: &Asked) -> &str {
    &asked.instance.lease.as_ref().unwrap().nonce
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_a_lease_of_its_own() {
    let told = refresh(
        json!("until_used"),
        Some(120),
        [(20, lost()), (0, Ok(granted()))],
    )
    .await;
    assert!(
        matches!(told.refreshed, Refreshed::Renewed(..)),
        "{:?}",
        told.refreshed
    );
    let [first, second] = &told.asked[..] else {
        panic!("{:?}", told.asked);
    };
    assert_eq!((first.instance.epoch, second.instance.epoch), (2, 3));
    assert_eq!((first.instance.attempts, second.instance.attempts), (1, 2));
    assert_ne!(nonce(first), nonce(second));
    let until = |asked: &Asked| asked.instance.lease.as_ref().unwrap().until;
    let later = until(second).duration_since(until(first));
    assert!(later >= SignedDuration::from_secs(21), "{later}");

    let now = told.instance;
    assert_eq!(now.grant().unwrap().epoch, 3);
    assert_eq!((now.lease, now.attempts, now.failures), (None, 0, 0));
    // The first request's fate is unknown: what it asked with may be all that works in the end.
    assert_eq!(now.spares.len(), 1);
}

/// The request whose answer was lost may still be on its way, and end what its token brings now.
#[tokio::test]
async fn what_was_asked_with_in_doubt_is_still_in_doubt_when_it_is_needed_again() {
    let world = World::start().await;
    let fleet = Fleet::rotating(&world, "shop.example", json!("until_used")).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::of(&world);
    let refresh = |answers| refresh_with(&worker, &key, Some(120), answers);
    let first = refresh(vec![(20, lost()), (0, Ok(granted()))]).await;
    assert!(first.instance.spares[0].in_doubt);

    let refusal = answer(400, &json!({ "error": "invalid_grant" }));
    let promoted = refresh(vec![(0, Ok(refusal))]).await.instance;
    assert_eq!((promoted.lease, promoted.attempts), (None, 1));

    let again = refresh(vec![(0, Ok(granted()))]).await;
    let sent = |told: &Told| told.asked[0].refresh_token.clone();
    assert_eq!(sent(&again), sent(&first));
    let now = again.instance;
    assert_eq!(now.attempts, 0);
    let kept: Vec<_> = now.spares.iter().map(|spare| spare.epoch).collect();
    assert_eq!(kept, [first.instance.epoch, promoted.epoch]);
}

#[tokio::test]
async fn each_rotation_has_its_quiet_moment() {
    let grace = |seconds: u32| json!({ "grace": { "seconds": seconds } });
    for (rotation, seconds) in [
        (json!("none"), 1),
        (json!("until_used"), 1),
        (grace(3600), 10),
        (grace(30), 7),
        (json!("single_use"), 10),
        (json!("unknown"), 10),
    ] {
        let told = refresh(
            rotation.clone(),
            Some(120),
            [(0, lost()), (0, Ok(granted()))],
        )
        .await;
        assert_eq!(told.asked.len(), 2, "{rotation}");
        let quiet = told.took.as_secs() - seconds;
        assert!((0..3).contains(&quiet), "{rotation} {}", told.took);
    }
}

#[tokio::test]
async fn nobody_asks_again_without_a_whole_lease_left_nor_twice_nor_out_of_the_window() {
    let grace = |seconds: u32| json!({ "grace": { "seconds": seconds } });
    for (case, rotation, left, took, asked) in [
        ("end unknown", json!("none"), None, 0, 1),
        ("no lease left", json!("none"), Some(49), 20, 1),
        ("one left", json!("none"), Some(70), 20, 2),
        ("window over", grace(25), Some(300), 20, 1),
    ] {
        let answers = [(took, lost()), (0, lost()), (0, lost())];
        let told = refresh(rotation, left, answers).await;
        assert_eq!(told.asked.len(), asked, "{case}");
        let Refreshed::Failed { .. } = told.refreshed else {
            panic!("{case}: {:?}", told.refreshed);
        };
        let now = told.instance;
        assert_eq!((now.lease, now.failures), (None, 1), "{case}");
        assert_eq!(usize::try_from(now.attempts), Ok(asked), "{case}");
    }
}

#[tokio::test]
async fn a_token_that_may_be_taken_for_stolen_is_sent_twice_and_no_third_time() {
    let world = World::start().await;
    let key = Fleet::rotating(&world, "shop.example", json!("single_use"))
        .await
        .overdue(60)
        .await;
    let worker = Worker::of(&world);
    let all = [(0, lost()), (0, lost())];
    assert_eq!(
        refresh_with(&worker, &key, Some(300), all)
            .await
            .asked
            .len(),
        2
    );
    worker.clock.jump(Duration::from_secs(3600));
    let later = [(0, lost())];
    let told = refresh_with(&worker, &key, Some(300), later).await;
    assert_eq!(told.asked.len(), 1);
    // When the provider has refused it twice the user is told that an answer was lost.
    let refused = || Ok(answer(400, &json!({ "error": "invalid_grant" })));
    for _ in 0..2 {
        worker.clock.jump(Duration::from_secs(3600));
        let _ = refresh_with(&worker, &key, Some(300), [(0, refused())]).await;
    }
    let health = world.api.health(key.id.as_str()).await;
    assert_eq!(health["status"], "reconnect_required", "{health}");
    let words = health["failure"]["words"].as_str().unwrap_or_default();
    assert!(words.contains("an answer was lost at"), "{health}");
}

#[tokio::test]
async fn what_the_provider_says_itself_is_not_asked_again() {
    for (status, body) in [
        (400, json!({ "error": "invalid_grant" })),
        (401, json!({ "error": "invalid_client" })),
        (429, json!({})),
        (200, json!({ "nothing": "of use" })),
    ] {
        let told = refresh(json!("none"), Some(300), [(0, Ok(answer(status, &body)))]).await;
        assert_eq!(told.asked.len(), 1, "{status}");
        assert_eq!(told.instance.lease, None, "{status}");
    }
}

#[tokio::test]
async fn what_was_not_sent_is_sent_again_under_the_same_lease() {
    let told = refresh(
        json!("single_use"),
        None,
        [(0, not_sent()), (0, Ok(granted()))],
    )
    .await;
    assert!(matches!(told.refreshed, Refreshed::Renewed(..)));
    let [first, second] = &told.asked[..] else {
        panic!("{:?}", told.asked);
    };
    assert_eq!((first.instance.epoch, second.instance.epoch), (2, 2));
    assert_eq!(nonce(first), nonce(second));
    assert_eq!(second.instance.attempts, 1);
    // Not if finding that out took so long that the lease might lapse over the call.
    let told = refresh(json!("single_use"), Some(300), [(5, not_sent())]).await;
    assert_eq!(told.asked.len(), 1);
    assert_eq!((told.instance.lease, told.instance.attempts), (None, 0));
}

#[tokio::test]
async fn a_lease_in_a_short_window_is_shorter_and_a_reminder_comes_within_it() {
    let grace = |seconds: u32| json!({ "grace": { "seconds": seconds } });
    for (rotation, limit, lease, reminder) in [
        (grace(60), 20, 30, Some(33)),
        (grace(30), 14, 24, Some(27)),
        (grace(20), 20, 30, None),
        (json!("none"), 20, 30, None),
    ] {
        let began = ShiftedClock::default().now();
        let told = refresh(rotation.clone(), None, [(0, Ok(granted()))]).await;
        let [asked] = &told.asked[..] else {
            panic!("{:?}", told.asked);
        };
        let limit = Duration::from_secs(limit) - asked.limit;
        assert!(limit < Duration::from_secs(2), "{rotation} {limit:?}");
        let until = asked.instance.lease.as_ref().unwrap().until;
        let sent_at = asked.instance.last_send.unwrap_or(Timestamp::MIN);
        assert!(sent_at >= began - SignedDuration::from_secs(1));
        let holds = until.duration_since(sent_at);
        assert_eq!(holds, SignedDuration::from_secs(lease), "{rotation}");
        let reminders: Vec<_> = reminder.into_iter().map(Duration::from_secs).collect();
        assert_eq!(told.reminders, reminders, "{rotation}");
    }
}

/// Chance that takes its time: whoever draws a nonce sleeps past the lease that it is for.
struct Freezing {
    clock: Arc<ShiftedClock>,
    draws: AtomicU32,
}

impl Entropy for Freezing {
    fn fill(&self, bytes: &mut [u8]) {
        OsEntropy.fill(bytes);
        if self.draws.fetch_add(1, Ordering::SeqCst) == 0 {
            self.clock.advance(31);
        }
    }
}

#[tokio::test]
async fn a_worker_that_was_frozen_past_its_lease_sends_nothing() {
    let world = World::start().await;
    let key = Fleet::at(&world, "shop.example").await.overdue(60).await;
    let mut worker = Worker::of(&world);
    worker.entropy = Box::new(Freezing {
        clock: Arc::clone(&world.clock),
        draws: AtomicU32::new(0),
    });
    let told = refresh_with(&worker, &key, Some(300), []).await;
    assert!(matches!(told.refreshed, Refreshed::Moved));
    assert!(told.asked.is_empty());
    assert_eq!((told.instance.lease, told.instance.attempts), (None, 0));
    // The next one sends.
    let told = refresh_with(&worker, &key, Some(300), [(0, Ok(granted()))]).await;
    assert!(matches!(told.refreshed, Refreshed::Renewed(..)));
}

/// A vault that does not open: whoever tries fails.
struct Shut(Box<dyn Vault>);

#[async_trait]
impl Seal for Shut {
    async fn warm(&self) -> Result<(), VaultError> {
        Err(VaultError::Unavailable)
    }

    fn seal(&self, place: &Place, value: &Secret<Vec<u8>>) -> Result<Sealed, VaultError> {
        self.0.seal(place, value)
    }

    fn is_current(&self, sealed: &Sealed) -> bool {
        self.0.is_current(sealed)
    }
}

#[async_trait]
impl Vault for Shut {
    async fn open(&self, _: &Place, _: &Sealed) -> Result<Secret<Vec<u8>>, VaultError> {
        Err(VaultError::Unavailable)
    }

    fn secrets(&self) -> Option<&dyn Secrets> {
        self.0.secrets()
    }
}

#[tokio::test]
async fn a_host_that_may_not_be_asked_costs_no_secret() {
    let world = World::start().await;
    let fleet = Fleet::at(&world, "shop.example").await;
    let mut worker = Worker::of(&world);
    for _ in 0..5 {
        let key = fleet.overdue(60).await;
        let failing = [(0, Ok(answer(502, &json!({}))))];
        let _ = refresh_with(&worker, &key, None, failing).await;
    }
    let host = latchkey_core::model::host::Host::of(&"https://shop.example".parse().unwrap());
    let breaker = worker.store.hosts.breaker(&host.unwrap()).await.unwrap();
    assert!(breaker.is_some());
    worker.vault = Box::new(Shut(Worker::of(&world).vault));
    let key = fleet.overdue(60).await;
    let told = refresh_with(&worker, &key, None, []).await;
    assert!(
        matches!(told.refreshed, Refreshed::Paused(_)),
        "{:?}",
        told.refreshed
    );
    assert_eq!(told.instance.epoch, 1);
}
