//! The call: one request under one lease, and, where it failed, when there may be another.
//!
//! A request that could not be sent may be sent again under the same lease: the provider has seen
//! nothing of it. One whose answer was lost is in doubt. Where the provider takes the token once more, a
//! worker that lives on keeps its lease for a quiet while and makes it one of the next epoch: that is
//! intent, and doubt, as any lease is. Only while its invocation has a whole lease left, and once.

use std::{borrow::Cow, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{Held, Prepared, Refresh, RefreshError, Refreshed, later, refuse};
use crate::{
    flow::{
        exchange::{Brought, Source},
        retry,
    },
    model::{failure::FailureCode, instance::Instance, limits::SLACK},
    port::{Leased, Renew},
    protocol::refusal::TokenFailure,
};

/// How long a worker is quiet before it tries once more to reach a provider.
const BREATH: Duration = Duration::from_millis(250);

impl Refresh<'_> {
    /// Sends the request, where it may be once more, and keeps what comes of it. `ends` is when the
    /// invocation does; if that is not known nothing is asked again.
    pub(super) async fn call(
        &self,
        mut held: Held<'_>,
        prepared: &Prepared,
        mut ends: Option<Timestamp>,
    ) -> Result<Refreshed, RefreshError> {
        if refuse::may_be_spent(&held, prepared.rotation()) {
            let failure = TokenFailure::new(FailureCode::AnswerUnreadable, false);
            return Box::pin(self.failed(&held, Some(prepared), failure)).await;
        }
        // What seldom happens is boxed, so that not every refresh has room for it.
        loop {
            let Some(outcome) = self.ask(&held, prepared).await else {
                return self.slept(&held).await;
            };
            let failure = match outcome {
                Ok(brought) => {
                    let kept = self.keep(&held, prepared, brought).await;
                    self.hear(prepared, None).await;
                    return kept;
                }
                Err(failure) => failure,
            };
            let code = failure.code;
            let Some(quiet) = ends
                .take()
                .and_then(|ends| self.quiet(&held, prepared, &failure, ends))
            else {
                let concluded = if code == FailureCode::GrantRefused {
                    Box::pin(self.refused(&held, prepared, failure)).await
                } else {
                    Box::pin(self.failed(&held, Some(prepared), failure)).await
                };
                self.hear(prepared, Some(code)).await;
                return concluded;
            };
            self.hear(prepared, Some(code)).await;
            match Box::pin(self.renewed(&held, prepared, quiet)).await {
                Some(next) => held = next,
                None => return Box::pin(self.failed(&held, Some(prepared), failure)).await,
            }
        }
    }

    /// Asks the provider; once more under the same lease if it could not be reached, unless this is the
    /// one call that an open breaker lets through. `None` if the lease is too old to ask under.
    async fn ask(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
    ) -> Option<Result<Brought, TokenFailure>> {
        match self.ask_once(held, prepared).await? {
            Err(failure) if failure.code == FailureCode::Unreachable => {
                if self.is_probe(prepared).await {
                    return Some(Err(failure));
                }
                self.clock.sleep(BREATH).await;
                let again = Box::pin(self.ask_once(held, prepared)).await;
                Some(again.unwrap_or(Err(failure)))
            }
            outcome => Some(outcome),
        }
    }

    /// Whether the host's breaker is open, or nobody can tell.
    async fn is_probe(&self, prepared: &Prepared) -> bool {
        let Some(host) = &prepared.host else {
            return false;
        };
        let pause = self.breakers.pause(host, self.clock.now()).await;
        !matches!(pause, Ok(None))
    }

    async fn ask_once(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
    ) -> Option<Result<Brought, TokenFailure>> {
        let asked_at = self.clock.now();
        if !is_long_enough(held.since, asked_at) {
            return None;
        }
        let client = self.client(prepared);
        let (tokens, scopes) = (&prepared.tokens, &held.grant.scopes);
        let source = Source::Provider(held.limits);
        let asking = client.refresh(tokens, scopes, Some(held.grant), source);
        let outcome = asking.await;
        let took = self.clock.now().duration_since(asked_at);
        let timeout = SignedDuration::try_from(prepared.found.method.timeout);
        if took > timeout.unwrap_or(SignedDuration::MAX) {
            let instance = &held.instance.key.id;
            let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
            warn!(%instance, took_ms, "refresh slower than the method's timeout");
        }
        Some(outcome)
    }

    /// Tells the host's breaker what came of a call.
    async fn hear(&self, prepared: &Prepared, failure: Option<FailureCode>) {
        if let Some(host) = &prepared.host {
            let now = self.clock.now();
            self.breakers
                .hear(host, now, failure, self.entropy, self.metrics)
                .await;
        }
    }

    /// How long to be quiet before this invocation asks again; `None` if it may not.
    fn quiet(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        failure: &TokenFailure,
        ends: Timestamp,
    ) -> Option<Duration> {
        let is_lost = matches!(
            failure.code,
            FailureCode::AnswerLost | FailureCode::ProviderError
        );
        if !(is_lost && failure.in_doubt) || failure.retry_after.is_some() {
            return None;
        }
        let now = self.clock.now();
        let ago = now.duration_since(held.since);
        let quiet = retry::quiet(prepared.rotation(), ago, held.instance.attempts == 0)?;
        (later(now, quiet + held.limits.lease(), 1) <= ends).then_some(quiet)
    }

    /// The lease of the next epoch, after a quiet while; `None` if the host is to be left alone, or the
    /// lease is not ours any more. Whatever keeps us from it, the failure is what counts.
    async fn renewed<'h>(
        &self,
        held: &Held<'h>,
        prepared: &Prepared,
        quiet: Duration,
    ) -> Option<Held<'h>> {
        let key = &held.instance.key;
        self.clock.sleep(quiet).await;
        match self.paused(&prepared.found, prepared.host.as_ref()).await {
            Ok(None) => {}
            Ok(Some(_)) => return None,
            Err(error) => {
                warn!(instance = %key.id, %error, "not asked again");
                return None;
            }
        }
        self.insure(key, prepared.rotation(), held.limits).await;
        let now = self.clock.now();
        let nonce = self.entropy.secret().expose().clone();
        let renew = Renew {
            key,
            epoch: held.epoch(),
            base: held.grant.epoch,
            held: &held.nonce,
            nonce: &nonce,
            now,
            until: later(now, held.limits.lease(), 1),
        };
        match self.instances.renew(renew).await {
            Ok(Leased::Held) => {}
            Ok(Leased::Refused(_)) => return None,
            Err(error) => {
                warn!(instance = %key.id, %error, "not asked again");
                return None;
            }
        }
        info!(instance = %key.id, "asking again after a lost answer");
        Some(Held {
            instance: Cow::Owned(Instance {
                epoch: held.epoch(),
                attempts: held.instance.attempts + 1,
                last_send: Some(held.since),
                ..held.instance.clone().into_owned()
            }),
            grant: held.grant,
            nonce,
            since: now,
            limits: held.limits,
            lifetime: held.lifetime,
        })
    }

    /// Gives up a lease that may lapse before the answer is kept: whoever holds it was frozen, or the
    /// store took long to say that it was taken.
    async fn slept(&self, held: &Held<'_>) -> Result<Refreshed, RefreshError> {
        let instance = &held.instance.key.id;
        warn!(%instance, "lease too old to send a refresh under");
        self.freed(held).await?;
        Ok(Refreshed::Moved)
    }
}

/// Whether what is left of a lease holds until the answer is kept, however long it takes.
fn is_long_enough(since: Timestamp, now: Timestamp) -> bool {
    now <= later(since, SLACK, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::limits::{CALL, LEASE, SKEW};

    #[test]
    fn nothing_is_sent_under_a_lease_that_may_lapse_before_the_answer_is_kept() {
        let since = Timestamp::UNIX_EPOCH;
        let at = |millis| later(since, Duration::from_millis(millis), 1);
        for (millis, is_sent) in [(0, true), (3000, true), (3001, false), (60_000, false)] {
            assert_eq!(is_long_enough(since, at(millis)), is_sent, "{millis}");
        }
        let commit = Duration::from_secs(5);
        assert_eq!(at(3000) + CALL + commit + SKEW, since + LEASE);
    }
}
