//! A worker of the refresher in the test's hands: over the world's store, with a clock that jumps, and a
//! provider that does as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use hyper::{HeaderMap, StatusCode};
use latchkey_aws::{Keyring, LogEvents, OsEntropy, SealedVault, Store, StoreSettings};
use latchkey_core::{
    flow::{
        Deployment,
        announce::Announce,
        refresh::{Breakers, Refresh},
    },
    model::{
        Secret,
        id::InstanceKey,
        instance::Instance,
        message::{Adoption, Message},
    },
    port::{
        Clock, Egress, Entropy, Posting, Queue, QueueError, ReadInstances as _, Secrets, SendError,
        Uncounted, Vault, WireAnswer, WireRequest,
    },
};
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;

use crate::{clock::JumpingClock, world::World};

/// What was sent to the queue.
#[derive(Debug, Default)]
pub struct Sent(Mutex<Vec<Posting>>);

#[async_trait]
impl Queue for Sent {
    async fn send(&self, postings: &[Posting]) -> Result<(), QueueError> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.extend_from_slice(postings);
        Ok(())
    }
}

/// What a refresh needs.
pub struct Worker {
    /// Its clock.
    pub clock: JumpingClock,
    /// Its store.
    pub store: Store,
    /// Its vault.
    pub vault: Box<dyn Vault>,
    /// Its randomness.
    pub entropy: Box<dyn Entropy>,
    breakers: Breakers,
    deployment: Deployment,
    sent: Sent,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}

impl Worker {
    /// A worker over the world's store.
    #[must_use]
    pub fn of(world: &World) -> Self {
        Self::at(world, &world.server.store_url)
    }

    /// A worker that reaches the world's store by this URL.
    #[must_use]
    pub fn at(world: &World, store: &Url) -> Self {
        let clock: Arc<dyn Clock> = Arc::<crate::clock::ShiftedClock>::clone(&world.clock);
        let store = Store::new(&StoreSettings::local(store.clone()), clock);
        let keyring = world.server.directory().join("keyring.json");
        let keyring = Secret::new(std::fs::read_to_string(keyring).expect("a keyring"));
        let keyring = Keyring::parse(&keyring).expect("a keyring");
        let vault = SealedVault::new(keyring, Arc::new(OsEntropy));
        let secrets = world.secrets_if_any();
        let secrets = secrets.map(|secrets| -> Arc<dyn Secrets> { Arc::new(secrets) });
        Self {
            clock: JumpingClock::ahead_of(Arc::clone(&world.clock)),
            vault: Box::new(vault.with_secrets(secrets)),
            entropy: Box::new(OsEntropy),
            breakers: Breakers::new(store.hosts.clone()),
            store,
            deployment: Deployment::new(&world.server.url),
            sent: Sent::default(),
        }
    }

    /// Refreshing, with this provider.
    pub fn refresh<'a>(&'a self, provider: &'a dyn Egress) -> Refresh<'a> {
        Refresh {
            instances: &*self.store.instances,
            methods: &*self.store.methods,
            vault: &*self.vault,
            egress: provider,
            breakers: &self.breakers,
            healths: &*self.store.methods,
            announce: Announce {
                outbox: &*self.store.outbox,
                events: &LogEvents,
                clock: &self.clock,
            },
            metrics: &Uncounted,
            clock: &self.clock,
            entropy: &*self.entropy,
            queue: Some(&self.sent),
            deployment: &self.deployment,
            slots: None,
        }
    }

    /// The instance as it is now.
    pub async fn find(&self, key: &InstanceKey) -> Instance {
        let found = self.store.instances.find(key).await.expect("the store");
        found.expect("an instance")
    }

    /// The answers in the queue, as they are read from it, and its texts.
    #[must_use]
    pub fn adoptions(&self) -> (Vec<Adoption>, String) {
        let mut texts = String::new();
        let mut adoptions = Vec::new();
        let sent = self.sent.0.lock().unwrap_or_else(PoisonError::into_inner);
        for posting in sent.iter() {
            let text = posting.message.to_text().expect("a text");
            if let Message::Adopt(adoption) = Message::from_text(&text).expect("a message") {
                adoptions.push(*adoption);
            }
            texts.push_str(&text);
        }
        (adoptions, texts)
    }

    /// How long each reminder waits.
    #[must_use]
    pub fn reminders(&self) -> Vec<Duration> {
        let sent = self.sent.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reminders = sent.iter().filter(|posting| match posting.message {
            Message::Attend { .. } => true,
            Message::Adopt(_) => false,
        });
        reminders.map(|posting| posting.delay).collect()
    }
}

/// What a provider was asked, and how the instance was then.
#[derive(Debug)]
pub struct Asked {
    /// The last part of the path.
    pub path: String,
    /// The refresh token that was sent, if one was.
    pub refresh_token: Option<String>,
    /// How long the answer was waited for at most.
    pub limit: Duration,
    /// The instance.
    pub instance: Instance,
}

/// A provider that gives its answers in order, each after so much time. Where it has none it keeps
/// whoever asks waiting for one.
pub struct Script<'a> {
    worker: &'a Worker,
    key: &'a InstanceKey,
    answers: Mutex<VecDeque<(Duration, Result<WireAnswer, SendError>)>>,
    asked: Mutex<Vec<Asked>>,
    hangs: Notify,
    goes_on: Notify,
}

impl std::fmt::Debug for Script<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl<'a> Script<'a> {
    /// A provider of this worker's that answers at once.
    #[must_use]
    pub fn new(
        worker: &'a Worker,
        key: &'a InstanceKey,
        answers: impl IntoIterator<Item = Result<WireAnswer, SendError>>,
    ) -> Self {
        let at_once = answers.into_iter().map(|answer| (Duration::ZERO, answer));
        Self::slow(worker, key, at_once)
    }

    /// One whose answers take so long.
    #[must_use]
    pub fn slow(
        worker: &'a Worker,
        key: &'a InstanceKey,
        answers: impl IntoIterator<Item = (Duration, Result<WireAnswer, SendError>)>,
    ) -> Self {
        Self {
            worker,
            key,
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
            hangs: Notify::new(),
            goes_on: Notify::new(),
        }
    }

    /// Waits until it keeps somebody waiting.
    pub async fn hangs(&self) {
        self.hangs.notified().await;
    }

    /// Answers whoever waits, or the next who asks.
    pub fn goes_on(&self, answer: Result<WireAnswer, SendError>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push_back((Duration::ZERO, answer));
        self.goes_on.notify_one();
    }

    fn next(&self) -> Option<(Duration, Result<WireAnswer, SendError>)> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.pop_front()
    }

    /// What it was asked since this was asked last.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Egress for Script<'_> {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let asked = Asked {
            path: request.url.path().trim_start_matches('/').to_owned(),
            refresh_token: url::form_urlencoded::parse(request.body.expose())
                .find(|(name, _)| name == "refresh_token")
                .map(|(_, value)| value.into_owned()),
            limit: request.limit,
            instance: self.worker.find(self.key).await,
        };
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked);
        loop {
            if let Some((takes, answer)) = self.next() {
                self.worker.clock.jump(takes);
                return answer;
            }
            self.hangs.notify_one();
            self.goes_on.notified().await;
        }
    }
}

/// A JSON answer.
#[must_use]
pub fn answer(status: u16, body: &Value) -> WireAnswer {
    WireAnswer {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: HeaderMap::new(),
        body: Secret::new(body.to_string().into_bytes()),
        round_trip: Duration::from_millis(1),
    }
}
