//! The network between us and the provider: requests and answers come late, or never.

use std::{
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::{Either, poll_fn, select};
use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
use latchkey_core::{
    model::Secret,
    port::{Egress, InDoubt, NotSent, SendError, WireAnswer, WireRequest},
};
use serde_json::json;

use crate::{
    chance::Chance,
    faults::Faults,
    provider::{Answer, Policy, Token},
    runtime::Current,
    timeline::{Timeline, lock},
    watch::{Asked, Watch},
};

/// How long an access token lives, in seconds.
pub const LIFETIME: i64 = 3600;

/// The way to the provider.
pub struct Network {
    inner: Arc<Inner>,
    current: Current,
}

struct Inner {
    watch: Arc<Watch>,
    timeline: Arc<Timeline>,
    chance: Arc<Chance>,
    faults: Arc<Faults>,
    policy: Policy,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

/// What is asked of the provider.
#[derive(Clone, Copy)]
enum Ask {
    Refresh(Asked),
    Exchange(usize, i64),
    Revoke(Token),
}

/// What the provider says, and the token that it says it with.
struct Reply {
    answer: WireAnswer,
    token: Option<Token>,
}

/// Where a reply is waited for.
#[derive(Default)]
struct Slot {
    reply: Option<Reply>,
    is_closed: bool,
    is_lost: bool,
    waker: Option<Waker>,
}

/// Nobody waits any more, once this is dropped.
struct Waiting {
    slot: Arc<Mutex<Slot>>,
    inner: Arc<Inner>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.is_closed = true;
        if let Some(token) = slot.reply.take().and_then(|reply| reply.token) {
            self.inner.watch.undelivered(token);
        }
    }
}

impl Network {
    /// The way to the provider of this watch.
    #[must_use]
    pub fn new(
        watch: &Arc<Watch>,
        timeline: &Arc<Timeline>,
        chance: &Arc<Chance>,
        faults: &Arc<Faults>,
        (policy, current): (Policy, &Current),
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                watch: Arc::clone(watch),
                timeline: Arc::clone(timeline),
                chance: Arc::clone(chance),
                faults: Arc::clone(faults),
                policy,
            }),
            current: current.clone(),
        }
    }
}

#[async_trait]
impl Egress for Network {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let inner = &self.inner;
        let sent_at = inner.timeline.millis();
        let body = request.body.expose();
        let ask = if request.url.path() == "/revoke" {
            let token = Token::find("refresh-", body).or_else(|| Token::find("access-", body));
            token.map(Ask::Revoke)
        } else if let Some(token) = Token::find("refresh_token=refresh-", body) {
            Some(Ask::Refresh(inner.watch.sends(token)))
        } else {
            let code = Token::find("code=code-", body);
            code.map(|code| Ask::Exchange(code.account, sent_at))
        };
        let Some(ask) = ask else {
            inner
                .watch
                .blame("a request that nobody understands".to_owned());
            return Err(SendError::NotSent(NotSent::Connection));
        };
        if inner.faults.strikes(40) {
            inner.timeline.wait(inner.chance.between(1, 500)).await;
            if let Ask::Refresh(asked) = ask {
                inner.watch.unsent(asked);
            }
            return Err(SendError::NotSent(NotSent::Connection));
        }
        let waiting = Waiting {
            slot: Arc::default(),
            inner: Arc::clone(inner),
        };
        inner.begin(ask, &waiting.slot);
        let limit = i64::try_from(request.limit.as_millis()).unwrap_or(i64::MAX);
        let arriving = poll_fn(|context| {
            let mut slot = lock(&waiting.slot);
            match (slot.reply.take(), slot.is_lost) {
                (Some(reply), _) => Poll::Ready(Some(reply)),
                (None, true) => Poll::Ready(None),
                (None, false) => {
                    slot.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        });
        let over = std::pin::pin!(inner.timeline.wait(limit));
        match select(arriving, over).await {
            Either::Left((Some(reply), _)) => {
                if let Some(token) = reply.token {
                    inner.watch.delivered(token, self.current.task());
                    // Whoever has the answer sleeps before it does anything with it.
                    if inner.faults.strikes(120) {
                        inner
                            .timeline
                            .wait(inner.chance.between(10_000, 80_000))
                            .await;
                    }
                }
                let passed = inner.timeline.millis() - sent_at;
                let passed = u64::try_from(passed).unwrap_or_default();
                Ok(WireAnswer {
                    round_trip: Duration::from_millis(passed),
                    ..reply.answer
                })
            }
            Either::Left((None, _)) => Err(SendError::InDoubt(InDoubt::Lost)),
            Either::Right(_) => Err(SendError::InDoubt(InDoubt::TimedOut)),
        }
    }
}

impl Inner {
    /// How long something is on its way: now and then longer than anybody waits.
    fn latency(&self) -> i64 {
        match self.faults.strikes(60) {
            true => self.chance.between(10_000, 45_000),
            false => self.chance.between(1, 300),
        }
    }

    fn begin(self: &Arc<Self>, ask: Ask, slot: &Arc<Mutex<Slot>>) {
        let is_lost = self.faults.strikes(40);
        let (inner, slot) = (Arc::clone(self), Arc::clone(slot));
        self.timeline.after(self.latency(), move || {
            if is_lost {
                return lose(&slot);
            }
            let reply = inner.answer(ask);
            let is_lost = inner.faults.strikes(60);
            let (timeline, latency) = (Arc::clone(&inner.timeline), inner.latency());
            timeline.after(latency, move || {
                if !is_lost {
                    return inner.deliver(&slot, reply);
                }
                if let Some(token) = reply.token {
                    inner.watch.undelivered(token);
                }
                if inner.chance.permille(500) {
                    lose(&slot);
                }
            });
        });
    }

    fn deliver(&self, slot: &Mutex<Slot>, reply: Reply) {
        let mut slot = lock(slot);
        if slot.is_closed {
            if let Some(token) = reply.token {
                self.watch.undelivered(token);
            }
            return;
        }
        slot.reply = Some(reply);
        if let Some(waker) = slot.waker.take() {
            waker.wake();
        }
    }

    /// The provider acts on a request, or is too busy to.
    fn answer(&self, ask: Ask) -> Reply {
        if self.faults.strikes(30) {
            let status = [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::SERVICE_UNAVAILABLE,
            ];
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
            let status = self.chance.of_all(&status).unwrap_or_default();
            return Reply {
                answer: WireAnswer {
                    headers,
                    ..wire(status, &json!({ "error": "slow_down" }))
                },
                token: None,
            };
        }
        let refused = || {
            plain(
                StatusCode::BAD_REQUEST,
                &json!({ "error": "invalid_grant" }),
            )
        };
        match ask {
            Ask::Revoke(token) => {
                self.watch.revoke(token);
                plain(StatusCode::OK, &json!({}))
            }
            Ask::Exchange(account, sent_at) => match self.watch.exchange(account, sent_at) {
                Some(token) => self.granted(token, true),
                None => refused(),
            },
            Ask::Refresh(asked) => {
                // A provider may refuse what it should take; it does so once.
                if self.faults.errs() {
                    return refused();
                }
                match self.watch.ask(asked) {
                    Answer::Granted(next) => {
                        let reply = self.granted(next, self.policy != Policy::NoRotation);
                        match self.faults.strikes(20) {
                            // It acted, and says that it failed.
                            true => {
                                self.watch.undelivered(next);
                                plain(StatusCode::INTERNAL_SERVER_ERROR, &json!({}))
                            }
                            false => reply,
                        }
                    }
                    Answer::Refused | Answer::Revoked => refused(),
                }
            }
        }
    }

    fn granted(&self, token: Token, with_refresh: bool) -> Reply {
        let mut body = json!({
            "access_token": token.access(),
            "token_type": "bearer",
            "expires_in": LIFETIME,
        });
        if let Some(body) = body.as_object_mut().filter(|_| with_refresh) {
            body.insert("refresh_token".to_owned(), token.refresh().into());
        }
        Reply {
            answer: wire(StatusCode::OK, &body),
            token: Some(token),
        }
    }
}

fn lose(slot: &Mutex<Slot>) {
    let mut slot = lock(slot);
    slot.is_lost = true;
    if let Some(waker) = slot.waker.take() {
        waker.wake();
    }
}

fn plain(status: StatusCode, body: &serde_json::Value) -> Reply {
    Reply {
        answer: wire(status, body),
        token: None,
    }
}

/// An answer with this body.
#[must_use]
pub fn wire(status: StatusCode, body: &serde_json::Value) -> WireAnswer {
    WireAnswer {
        status,
        headers: HeaderMap::new(),
        body: Secret::new(body.to_string().into_bytes()),
        round_trip: Duration::from_millis(1),
    }
}
