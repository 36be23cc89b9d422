//! A provider that plays a definition's other side, strictly.
//!
//! It is given a definition and the values of its variables, and takes the requests that the definition
//! describes over real HTTP: nothing else, nothing less, nothing written in another way. It answers in
//! the form that the definition says. It shares no code with the product, so that a product and a provider
//! that understand each other have both understood the definition.
//!
//! Requests come to one server on loopback, with the scheme and authority that they were meant for in
//! [`ORIGIN`]. The person's browser goes to the authorise URL by [`Scripted::visit`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::Value;
use tokio::task::JoinHandle;

mod answers;
mod candidates;
mod codec;
mod crypt;
mod evaluate;
mod expected;
mod failure;
mod grants;
mod json;
mod jwt;
mod matching;
mod metadata;
mod minting;
mod received;
mod samples;
mod scene;
mod server;
mod state;
mod template;
mod using;
mod verify;
mod visiting;

pub use failure::{Failure, Request};
use metadata::Published;
use received::Received;
pub use samples::given;
use scene::Known;
use state::State;
use visiting::Decision;
pub use visiting::{CallbackAnswer, Refusal};

/// The header that says which scheme and authority a request was meant for.
pub const ORIGIN: &str = "x-original-origin";

/// A clock that a test moves: seconds since 1970.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What a test says besides the definition.
#[derive(Clone)]
pub struct Facts {
    /// The values of variables as they are used: `client_id`, `client_secret`, keys, what users give.
    pub values: BTreeMap<String, String>,
    /// The product's callback URL.
    pub callback_url: String,
    /// Values for captured variables by key, and for answers of steps (`step.ID.PATH`), where none that the
    /// definition allows can be made up.
    pub samples: BTreeMap<String, String>,
    /// How long access tokens live, in seconds, where the definition doesn't say.
    pub lifetime: u64,
    /// The time.
    pub now: Now,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("values", &self.values)
            .field("callback_url", &self.callback_url)
            .field("samples", &self.samples)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

impl Facts {
    /// Facts with a client and a clock that stands still.
    #[must_use]
    pub fn new(callback_url: &str, now: Now) -> Self {
        let values = [
            ("client_id", "the-client"),
            ("client_secret", "the secret/+"),
        ];
        Self {
            values: owned(&values),
            callback_url: callback_url.to_owned(),
            samples: BTreeMap::new(),
            lifetime: 3600,
            now,
        }
    }

    /// With further values.
    #[must_use]
    pub fn with(mut self, values: &[(&str, &str)]) -> Self {
        self.values.extend(owned(values));
        self
    }

    /// With samples.
    #[must_use]
    pub fn sampling(mut self, samples: &[(&str, &str)]) -> Self {
        self.samples.extend(owned(samples));
        self
    }
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

struct Shared {
    known: Known,
    metadata: Option<Published>,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked with it")
    }
}

/// A scripted provider that runs; it ends with this value.
pub struct Scripted {
    address: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Starts a provider.
    pub async fn start(definition: Value, facts: Facts) -> Self {
        let (definition, metadata) = metadata::published(definition);
        let shared = Arc::new(Shared {
            metadata,
            known: Known {
                definition,
                values: facts.values,
                callback_url: facts.callback_url,
                samples: facts.samples,
                lifetime: facts.lifetime,
                now: facts.now,
            },
            state: Mutex::default(),
        });
        let (address, task) = server::start(Arc::clone(&shared)).await;
        Self {
            address,
            shared,
            task,
        }
    }

    /// What it does, with all that its metadata says.
    #[must_use]
    pub fn definition(&self) -> &Value {
        &self.shared.known.definition
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Goes to the authorise URL as a person who consents.
    ///
    /// # Errors
    /// If the provider would show an error instead of asking.
    #[expect(clippy::unused_async, reason = "a browser takes its time as well")]
    pub async fn visit(&self, authorise_url: &str) -> Result<CallbackAnswer, Refusal> {
        self.decide(authorise_url, Decision::Allow)
    }

    /// Goes to the authorise URL as a person who says no.
    ///
    /// # Errors
    /// If the provider would show an error instead of asking.
    #[expect(clippy::unused_async, reason = "a browser takes its time as well")]
    pub async fn deny(&self, authorise_url: &str) -> Result<CallbackAnswer, Refusal> {
        self.decide(authorise_url, Decision::Deny)
    }

    fn decide(&self, url: &str, decision: Decision) -> Result<CallbackAnswer, Refusal> {
        let received = Received::visit(url);
        let outcome = visiting::visit(&self.shared.known, &received, decision);
        let mut state = self.shared.state();
        let reason = outcome.as_ref().err().cloned();
        state.note("authorise", &received, reason.is_none(), reason);
        match outcome {
            Ok(outcome) => {
                state.visits.extend(outcome.visit);
                Ok(outcome.answer)
            }
            Err(reason) => Err(Refusal { reason }),
        }
    }

    /// All requests that came, visits included.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().log.clone()
    }

    /// Why requests were refused.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        let refused = self
            .requests()
            .into_iter()
            .filter(|request| !request.accepted);
        refused
            .map(|request| {
                let reason = request.reason.unwrap_or_default();
                format!("{} ({}): {reason}", request.kind, request.line)
            })
            .collect()
    }

    /// How many requests of a kind were accepted.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        let requests = self.requests().into_iter();
        requests
            .filter(|request| request.accepted && request.kind == kind)
            .count()
    }

    /// Fails the next request of a kind that is as it must be; several in turn.
    pub fn fail_next(&self, kind: &str, failure: Failure) {
        let mut state = self.shared.state();
        state.failures.push_back((kind.to_owned(), failure));
    }

    /// Ends all grants, as a person does in the provider's settings.
    pub fn revoke_all(&self) {
        for grant in &mut self.shared.state().grants {
            grant
                .revoked
                .get_or_insert_with(|| "the person ended it".to_owned());
        }
    }

    /// Whether the newest grant has ended, by a request or as a consequence of one.
    #[must_use]
    pub fn revoked(&self) -> bool {
        let state = self.shared.state();
        state
            .grants
            .last()
            .is_some_and(|grant| grant.revoked.is_some())
    }

    /// Whether the provider's API takes a credential as it is vended: `headers`, `query` and `body` exactly as
    /// the definition's `use` says, with live tokens; `base_url` and `values` are looked at if they are there.
    ///
    /// # Errors
    /// Why it doesn't.
    pub fn accepts(&self, credential: &Value) -> Result<(), String> {
        using::accepts(&self.shared.known, &self.shared.state(), credential)
    }

    /// The newest tokens of the newest grant by name: `access_token`, `refresh_token`, `NAME.access_token`.
    #[must_use]
    pub fn tokens(&self) -> BTreeMap<String, String> {
        let state = self.shared.state();
        let grant = state.grants.last();
        let scene = grant.and_then(|grant| state.newest_scene(&self.shared.known, grant));
        scene.map(|scene| scene.tokens).unwrap_or_default()
    }

    /// The captured values of the newest grant, by the key of the variable.
    #[must_use]
    pub fn captured(&self) -> BTreeMap<String, String> {
        let state = self.shared.state();
        let grant = state.grants.last();
        let scene = grant.and_then(|grant| state.newest_scene(&self.shared.known, grant));
        scene.map(|scene| scene.captured).unwrap_or_default()
    }
}
