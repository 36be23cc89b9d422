//! The providers of a fleet: sites that answer, are down, hang, or are misunderstood by a definition.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use http::StatusCode;
use latchkey_core::port::{Egress, InDoubt, NotSent, SendError, WireAnswer, WireRequest};
use serde_json::json;

use crate::{
    network::wire,
    provider::{Account, Answer, Policy, Token},
    timeline::{Timeline, lock},
};

/// How a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It answers after so many milliseconds; after none, within the same moment.
    Well(i64),
    /// No connection comes about.
    Refusing,
    /// It answers 503.
    Unavailable,
    /// It never answers, and does nothing.
    Hanging,
}

/// The path of the token endpoint; at any other a site answers 404.
pub const TOKEN: &str = "/token";

#[derive(Debug)]
struct Site {
    condition: Condition,
    lifetime: i64,
    /// Refreshes that were asked for, by minute since 1970.
    asked: BTreeMap<i64, u32>,
}

#[derive(Default)]
struct Inner {
    sites: BTreeMap<String, Site>,
    accounts: Vec<Account>,
    policies: Vec<Policy>,
    /// Refreshes that each account asked for.
    counts: Vec<u32>,
    /// Whether requests are counted by account.
    refused: u64,
}

/// All sites, and the way to them.
pub struct Sites {
    timeline: Arc<Timeline>,
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for Sites {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sites")
    }
}

impl Sites {
    /// No sites yet.
    #[must_use]
    pub fn new(timeline: &Arc<Timeline>) -> Arc<Self> {
        Arc::new(Self {
            timeline: Arc::clone(timeline),
            inner: Mutex::default(),
        })
    }

    /// Adds a site whose access tokens live so many seconds.
    pub fn add(&self, host: &str, condition: Condition, lifetime: i64) {
        let site = Site {
            condition,
            lifetime,
            asked: BTreeMap::new(),
        };
        lock(&self.inner).sites.insert(host.to_owned(), site);
    }

    /// A site is so from now on.
    pub fn set(&self, host: &str, condition: Condition) {
        if let Some(site) = lock(&self.inner).sites.get_mut(host) {
            site.condition = condition;
        }
    }

    /// A user consents; the first token.
    pub fn consent(&self, policy: Policy) -> Token {
        let mut inner = lock(&self.inner);
        let mut account = Account::new(inner.accounts.len(), policy, false);
        let token = account.consent();
        inner.accounts.push(account);
        inner.policies.push(policy);
        inner.counts.push(0);
        token
    }

    /// A user withdraws the consent.
    pub fn withdraw(&self, account: usize) {
        if let Some(account) = lock(&self.inner).accounts.get_mut(account) {
            account.withdraw();
        }
    }

    /// How many refreshes a site was asked for, by minute since 1970.
    #[must_use]
    pub fn asked(&self, host: &str) -> BTreeMap<i64, u32> {
        let inner = lock(&self.inner);
        let site = inner.sites.get(host);
        site.map(|site| site.asked.clone()).unwrap_or_default()
    }

    /// The same of all sites together.
    #[must_use]
    pub fn asked_in_all(&self) -> BTreeMap<i64, u32> {
        let mut all = BTreeMap::new();
        for site in lock(&self.inner).sites.values() {
            for (minute, count) in &site.asked {
                *all.entry(*minute).or_default() += count;
            }
        }
        all
    }

    /// How many refreshes an account asked for.
    #[must_use]
    pub fn count_of(&self, account: usize) -> u32 {
        let inner = lock(&self.inner);
        inner.counts.get(account).copied().unwrap_or_default()
    }

    fn answer(&self, host: &str, token: Option<Token>) -> WireAnswer {
        let now = self.timeline.millis();
        let mut inner = lock(&self.inner);
        let lifetime = inner.sites.get(host).map_or(0, |site| site.lifetime);
        let account = token.and_then(|token| inner.accounts.get_mut(token.account));
        let (Some(token), Some(account)) = (token, account) else {
            return wire(StatusCode::OK, &json!({}));
        };
        let Answer::Granted(next) = account.ask(token, now) else {
            inner.refused += 1;
            let error = json!({ "error": "invalid_grant" });
            return wire(StatusCode::BAD_REQUEST, &error);
        };
        let mut body = json!({
            "access_token": next.access(),
            "token_type": "bearer",
            "expires_in": lifetime,
        });
        let rotates = inner.policies.get(token.account) != Some(&Policy::NoRotation);
        if let Some(body) = body.as_object_mut().filter(|_| rotates) {
            body.insert("refresh_token".to_owned(), next.refresh().into());
        }
        wire(StatusCode::OK, &body)
    }

    /// A request arrives, or tries to: how the site is.
    fn note(&self, host: &str, token: Option<Token>) -> Condition {
        let minute = self.timeline.millis().div_euclid(60_000);
        let mut inner = lock(&self.inner);
        let Inner { sites, counts, .. } = &mut *inner;
        let Some(site) = sites.get_mut(host) else {
            return Condition::Refusing;
        };
        if let Some(token) = token {
            *site.asked.entry(minute).or_default() += 1;
            if let Some(count) = counts.get_mut(token.account) {
                *count += 1;
            }
        }
        site.condition
    }
}

#[async_trait]
impl Egress for Sites {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let token = Token::find("refresh_token=refresh-", request.body.expose());
        let limit = i64::try_from(request.limit.as_millis()).unwrap_or(i64::MAX);
        match self.note(&host, token) {
            Condition::Refusing => Err(SendError::NotSent(NotSent::Connection)),
            Condition::Unavailable => Ok(wire(StatusCode::SERVICE_UNAVAILABLE, &json!({}))),
            Condition::Hanging => {
                self.timeline.wait(limit).await;
                Err(SendError::InDoubt(InDoubt::TimedOut))
            }
            Condition::Well(_) if request.url.path() != TOKEN => {
                Ok(wire(StatusCode::NOT_FOUND, &json!({})))
            }
            Condition::Well(latency) => {
                if latency > 0 {
                    self.timeline.wait(latency).await;
                }
                let round_trip = u64::try_from(latency).unwrap_or_default();
                Ok(WireAnswer {
                    round_trip: Duration::from_millis(round_trip),
                    ..self.answer(&host, token)
                })
            }
        }
    }
}
