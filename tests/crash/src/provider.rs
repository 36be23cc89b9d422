//! The provider: an authorisation server whose rules about used refresh tokens are the model's.
//!
//! It knows what lives, so it is the judge of what was lost. Each consent is a family of tokens of its
//! own, and earlier ones live on, as at most providers. An answer to a token that was asked with before ends the tokens of
//! its other answers, which is the harder of the two things that providers do.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Incoming};
use jiff::{SignedDuration, Timestamp};
use latchkey_emulators::connection::serve;
use latchkey_model::provider::{Answer, Policy, Provider as Rules, Token};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::watch::Watch;

/// How long access tokens live.
pub const LIFETIME: SignedDuration = SignedDuration::from_secs(3600);
/// How long a used refresh token works where it does for a while. Two processes may die with an
/// answer, and the third comes in time: each comes a lease after the one before.
pub const GRACE_SECONDS: u32 = 120;
/// What every token and code ends with: nothing of it may be lost on any way.
const TAIL: &str = "?&+%:/=é";

/// The point at which the provider has done what it is asked, and has not answered.
pub const GRANTED: &str = "provider granted";

/// What the provider knows.
#[derive(Debug, Clone)]
pub struct Known {
    policy: Policy,
    now: Timestamp,
    families: Vec<Family>,
    /// Codes that were not used yet.
    codes: BTreeSet<String>,
    codes_issued: usize,
    /// The family of each access token, and when it was issued.
    access: Vec<(usize, Timestamp)>,
}

#[derive(Debug, Clone)]
struct Family {
    rules: Rules,
    /// When the token was used that works for a while yet.
    used_at: Option<Timestamp>,
}

/// A provider that serves; it ends with this value.
pub struct Provider {
    /// Where it is reached.
    pub url: String,
    known: Arc<Mutex<Known>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("url", &self.url).finish()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// Starts one that knows nobody yet.
    pub async fn start(policy: Policy, watch: Arc<Watch>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let known = Arc::new(Mutex::new(Known {
            policy,
            now: Timestamp::UNIX_EPOCH,
            families: Vec::new(),
            codes: BTreeSet::new(),
            codes_issued: 0,
            access: Vec::new(),
        }));
        let shared = Arc::clone(&known);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (known, watch) = (Arc::clone(&shared), Arc::clone(&watch));
                tokio::spawn(async move {
                    serve(stream, |request| answer(&known, &watch, request)).await;
                });
            }
        });
        Self {
            url: format!("http://{address}"),
            known,
            task,
        }
    }

    /// What it knows, to be asked or changed.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    known: &Mutex<Known>,
    watch: &Watch,
    request: Request<Incoming>,
) -> Option<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.ok()?.to_bytes();
    let form: Vec<_> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| {
        let found = form.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let (point, answered) = match (path.as_str(), field("grant_type")) {
        ("/revoke", _) => {
            lock(known).revoke(field("token"));
            ("provider revoked", Some(json!({})))
        }
        (_, "authorization_code") => {
            let answered = lock(known).exchange(field("code"));
            (point_of(answered.as_ref()), answered)
        }
        _ => {
            let answered = lock(known).refresh(field("refresh_token"));
            (point_of(answered.as_ref()), answered)
        }
    };
    if !watch.reach(point) {
        return None;
    }
    let (status, body) = match answered {
        Some(body) => (StatusCode::OK, body),
        None => (
            StatusCode::BAD_REQUEST,
            json!({ "error": "invalid_grant", "error_description": "no such grant" }),
        ),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(body.to_string().into()))
        .ok()
}

fn point_of(answered: Option<&Value>) -> &'static str {
    match answered {
        Some(_) => GRANTED,
        None => "provider refused",
    }
}

impl Known {
    /// It is this late now.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// A person says yes: the code that the browser brings back.
    pub fn consent(&mut self) -> String {
        self.codes_issued += 1;
        let code = format!("code-{}{TAIL}", self.codes_issued);
        self.codes.insert(code.clone());
        code
    }

    /// Whether a refresh token works.
    #[must_use]
    pub fn takes(&self, token: &str) -> bool {
        self.read(token)
            .is_some_and(|(family, token)| self.current(family).takes(token))
    }

    /// Whether an access token works.
    #[must_use]
    pub fn serves(&self, token: &str) -> bool {
        let number = numbers(token, "access").and_then(|numbers| numbers.first().copied());
        let known = number.and_then(|number| self.access.get(number));
        known.is_some_and(|(family, issued)| {
            self.now.duration_since(*issued) < LIFETIME
                && self.families[*family].rules.live != latchkey_model::provider::Tokens::default()
        })
    }

    /// How many consents live.
    #[must_use]
    pub fn living(&self) -> usize {
        let living = |family: &&Family| !family.rules.live.is_empty();
        self.families.iter().filter(living).count()
    }

    fn exchange(&mut self, code: &str) -> Option<Value> {
        if !self.codes.remove(code) {
            return None;
        }
        let rules = Rules::new();
        let token = rules.first;
        self.families.push(Family {
            rules,
            used_at: None,
        });
        Some(self.granted(self.families.len() - 1, Some(token)))
    }

    fn refresh(&mut self, token: &str) -> Option<Value> {
        let (number, token) = self.read(token)?;
        let (policy, now) = (self.policy, self.now);
        let rules = self.current(number);
        let family = &mut self.families[number];
        family.rules = rules;
        if family.rules.live.has(token) {
            family.used_at = Some(now);
        }
        match family.rules.ask(policy, true, token) {
            Answer::Granted(next) => Some(self.granted(number, (next != token).then_some(next))),
            Answer::Refused | Answer::Revoked => None,
        }
    }

    fn granted(&mut self, family: usize, token: Option<Token>) -> Value {
        self.access.push((family, self.now));
        let mut body = json!({
            "access_token": format!("access-{}{TAIL}", self.access.len() - 1),
            "token_type": "bearer",
            "expires_in": LIFETIME.as_secs(),
        });
        if let Some(Token(token)) = token {
            body["refresh_token"] = json!(format!("refresh-{family}-{token}{TAIL}"));
        }
        body
    }

    /// Ends the whole grant of a refresh token (RFC 7009 §2.1).
    fn revoke(&mut self, token: &str) {
        if let Some((family, _)) = self.read(token) {
            self.families[family].rules.withdraw();
        }
    }

    /// The rules of a family as they are now: what works for a while may not any more.
    fn current(&self, family: usize) -> Rules {
        let Family { mut rules, used_at } = self.families[family].clone();
        let grace = SignedDuration::from_secs(GRACE_SECONDS.into());
        let is_over = used_at.is_some_and(|used| self.now.duration_since(used) > grace);
        if self.policy == Policy::Overlap && is_over {
            rules.parent = Token::NONE;
        }
        rules
    }

    fn read(&self, token: &str) -> Option<(usize, Token)> {
        let numbers = numbers(token, "refresh")?;
        let (family, token) = (*numbers.first()?, *numbers.get(1)?);
        (family < self.families.len()).then_some((family, Token(u8::try_from(token).ok()?)))
    }
}

/// The numbers that a token is made of.
fn numbers(token: &str, kind: &str) -> Option<Vec<usize>> {
    let token = token.strip_suffix(TAIL)?.strip_prefix(kind)?;
    let numbers = token.split('-').skip(1).map(str::parse);
    numbers.collect::<Result<_, _>>().ok()
}
