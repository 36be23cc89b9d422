//! What this process knows of token hosts: from its own calls, and, for some seconds, from others'.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::{
    model::{
        breaker::{Breaker, FAILURES_TO_OPEN, Sign},
        failure::FailureCode,
        host::Host,
        pause::Pause,
    },
    port::{Counted, Entropy, Hosts, Metrics, StoreError, Turned},
};

/// The breakers of token hosts, as one process sees them. It lives as long as the process does.
///
/// A host that is well costs a read now and then, and no write: failures in a row are counted in
/// memory. The breaker itself is in the store, so that all processes together ask a host that is
/// down once a minute.
pub struct Breakers {
    hosts: Arc<dyn Hosts>,
    known: Mutex<HashMap<Host, Known>>,
}

#[derive(Default)]
struct Known {
    /// Calls of this process in a row that found the host unwell.
    failures: u32,
    /// What the store said, and when.
    told: Option<(Timestamp, Option<Breaker>)>,
}

/// How long what the store said is good for.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(5);
/// How many hosts are remembered.
const MOST_KNOWN: usize = 1000;

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Breakers")
    }
}

impl Breakers {
    /// The breakers that `hosts` keeps; nothing is known yet.
    #[must_use]
    pub fn new(hosts: Arc<dyn Hosts>) -> Self {
        Self {
            hosts,
            known: Mutex::default(),
        }
    }

    /// Why nobody may call the host now, if so. Claims nothing: `admit` does.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    pub async fn pause(&self, host: &Host, now: Timestamp) -> Result<Option<Pause>, StoreError> {
        let breaker = self.breaker(host, now).await?;
        Ok(breaker.map(|breaker| breaker.pause()))
    }

    /// Lets a call through; or says why not. Where the breaker is open and a call is due, it is
    /// this one.
    pub(super) async fn admit(
        &self,
        host: &Host,
        now: Timestamp,
        entropy: &dyn Entropy,
        metrics: &dyn Metrics,
    ) -> Result<Option<Pause>, StoreError> {
        let Some(breaker) = self.breaker(host, now).await? else {
            return Ok(None);
        };
        let lasts = Duration::try_from(now.duration_since(breaker.opened_at)).unwrap_or_default();
        metrics.count(Counted::BreakerOpen { host, lasts });
        let Some(claimed) = breaker.claimed(now, mark(entropy)) else {
            return Ok(Some(breaker.pause()));
        };
        let (told, pause) = match self.hosts.turn(host, Some(&breaker), &claimed).await? {
            Turned::Done => (Some(claimed), None),
            Turned::Lost(current) => {
                let pause = current.as_ref().map(Breaker::pause);
                (current, pause)
            }
        };
        self.remember(host, now, told);
        Ok(pause)
    }

    /// Hears what came of a call that was let through. That the store does not answer is no reason to
    /// fail: the next call says the same.
    pub(super) async fn hear(
        &self,
        host: &Host,
        now: Timestamp,
        failure: Option<FailureCode>,
        entropy: &dyn Entropy,
        metrics: &dyn Metrics,
    ) {
        let told = match failure.map_or(Sign::Well, Sign::of) {
            Sign::Nothing => return,
            Sign::Well => match self.count(host, |_| 0) {
                (_, Some(open)) => self.close(host, &open, metrics).await,
                (_, None) => return,
            },
            Sign::Unwell => match (self.count(host, |failures| failures + 1), failure) {
                ((FAILURES_TO_OPEN.., None), Some(cause)) => {
                    let next = Breaker::open(now, cause, mark(entropy));
                    self.open(host, next, metrics).await
                }
                _ => return,
            },
        };
        match told {
            Ok(told) => self.remember(host, now, told),
            Err(error) => warn!(%host, %error, "breaker not turned"),
        }
    }

    async fn open(
        &self,
        host: &Host,
        next: Breaker,
        metrics: &dyn Metrics,
    ) -> Result<Option<Breaker>, StoreError> {
        Ok(match self.hosts.turn(host, None, &next).await? {
            Turned::Done => {
                warn!(%host, cause = ?next.cause, "breaker open: the host is asked once a minute");
                metrics.count(Counted::BreakerOpened);
                let lasts = Duration::ZERO;
                metrics.count(Counted::BreakerOpen { host, lasts });
                Some(next)
            }
            Turned::Lost(current) => current,
        })
    }

    async fn close(
        &self,
        host: &Host,
        open: &Breaker,
        metrics: &dyn Metrics,
    ) -> Result<Option<Breaker>, StoreError> {
        if self.hosts.close(host, open).await? {
            info!(%host, since = %open.opened_at, "breaker closed: the host answers");
            metrics.count(Counted::BreakerClosed);
            return Ok(None);
        }
        // Somebody else has claimed a call, or closed it.
        self.hosts.breaker(host).await
    }

    async fn breaker(&self, host: &Host, now: Timestamp) -> Result<Option<Breaker>, StoreError> {
        if let Some((at, told)) = self.known().get(host).and_then(|known| known.told.clone())
            && is_young(at, now)
        {
            return Ok(told);
        }
        let told = self.hosts.breaker(host).await?;
        self.remember(host, now, told.clone());
        Ok(told)
    }

    fn remember(&self, host: &Host, now: Timestamp, told: Option<Breaker>) {
        let mut known = self.known();
        if known.len() >= MOST_KNOWN {
            known.retain(|_, known| {
                let is_told = known
                    .told
                    .as_ref()
                    .is_some_and(|(at, _)| is_young(*at, now));
                known.failures > 0 || is_told
            });
        }
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        let known = known.entry(host.clone()).or_default();
        let was_open = matches!(known.told, Some((_, Some(_))));
        if was_open && told.is_none() {
            known.failures = 0;
        }
        known.told = Some((now, told));
    }

    /// Counts failures; and what the breaker is known to be, if it is open.
    fn count(&self, host: &Host, count: impl FnOnce(u32) -> u32) -> (u32, Option<Breaker>) {
        let mut known = self.known();
        let known = known.entry(host.clone()).or_default();
        known.failures = count(known.failures.min(FAILURES_TO_OPEN));
        let open = known.told.as_ref().and_then(|(_, told)| told.clone());
        (known.failures, open)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Host, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_young(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    SignedDuration::ZERO <= age && age < MAX_AGE
}

fn mark(entropy: &dyn Entropy) -> String {
    entropy.secret().expose().clone()
}
