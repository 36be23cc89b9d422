//! What refreshes say about their auth method. Only what changes its health is written.

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Found, Held, Refresh, RefreshError};
use crate::{
    model::{
        event::{Event, EventKind},
        failure::{Blame, Failure},
        health::MethodHealth,
        id::MethodKey,
        instance::State,
        method::{FoundMethod, StoredMethod},
        pause::Pause,
    },
    port::{Counted, StoreError, Turned},
};

/// How often a change is tried while others change the same.
const TRIES: u32 = 16;

/// The health of a method after a rule was put to it.
struct Ruled {
    health: MethodHealth,
    /// Whether this has changed it.
    changed: bool,
}

impl Refresh<'_> {
    /// Why no instance of the method is refreshed now, if so; where one call is due, it is claimed.
    pub(super) async fn quarantined(
        &self,
        found: &Found,
        now: Timestamp,
    ) -> Result<Option<Pause>, RefreshError> {
        if found.health().quarantined(now).is_none() {
            return Ok(None);
        }
        let key = found.key();
        let ruled = self.rule(key, |method| method.health.probed(now)).await?;
        let pause = ruled.and_then(|ruled| {
            let quarantine = ruled.health.quarantined(now)?;
            (!ruled.changed).then(|| quarantine.pause())
        });
        Ok(pause)
    }

    /// Whether a refusal is one of so many that it is not believed. The first refusal of an instance
    /// is counted; the second asks how the method is now.
    pub(super) async fn is_mass(&self, held: &Held<'_>, found: &Found, cause: &Failure) -> bool {
        let key = found.key();
        let is_first = !matches!(held.instance.state, State::Suspect { .. });
        let ruled = if is_first {
            let refused = |method: &StoredMethod| method.health.refused(method.instances, cause);
            self.rule(key, refused).await
        } else {
            self.confirming(key, cause).await
        };
        match ruled {
            Ok(ruled) => ruled.is_some_and(|ruled| {
                let quarantine = ruled.health.quarantined(cause.at);
                if let Some(quarantine) = quarantine.filter(|_| ruled.changed)
                    && quarantine.since == cause.at
                {
                    warn!(auth_method = %key.id, words = cause.words.as_deref(), "quarantined: too many instances look dead");
                    self.metrics.count(Counted::MethodQuarantined);
                }
                quarantine.is_some()
            }),
            Err(error) => {
                // Who can't be counted is not condemned.
                warn!(auth_method = %key.id, %error, "refusal not counted");
                true
            }
        }
    }

    /// The health as it is now; a quarantine goes on if even now a grant is refused.
    async fn confirming(
        &self,
        key: &MethodKey,
        cause: &Failure,
    ) -> Result<Option<Ruled>, StoreError> {
        let Some(method) = self.healths.look(key).await? else {
            return Ok(None);
        };
        if method.health.quarantined(cause.at).is_none() {
            let health = method.health;
            return Ok(Some(Ruled {
                health,
                changed: false,
            }));
        }
        let prolonged = |method: &StoredMethod| {
            method.health.quarantined(cause.at)?;
            method.health.refused(method.instances, cause)
        };
        self.rule_from(key, Some(method.into()), prolonged).await
    }

    /// Finds the method faulty, if a failure is its builder's matter and that is not known yet.
    pub(super) async fn find_faulty(&self, found: &Found, failure: &Failure) {
        if failure.code.blame() != Blame::Builder {
            return;
        }
        let (key, version) = (found.key(), found.version());
        let rule = |method: &StoredMethod| method.health.failed(version, failure);
        match self.rule(key, rule).await {
            Ok(Some(Ruled { changed: true, .. })) => {
                warn!(auth_method = %key.id, version, code = ?failure.code, words = failure.words.as_deref(), "auth method faulty");
                self.metrics.count(Counted::MethodFaulty);
            }
            Ok(_) => {}
            Err(error) => warn!(auth_method = %key.id, %error, "auth method not marked faulty"),
        }
    }

    /// Finds the method well, if it was known not to be.
    pub(super) async fn find_well(&self, found: &Found) {
        let (key, version, now) = (found.key(), found.version(), self.clock.now());
        if found.health().worked(version, now).is_none() {
            return;
        }
        let rule = |method: &StoredMethod| method.health.worked(version, now);
        match self.rule(key, rule).await {
            Ok(Some(Ruled { changed: true, .. })) => {
                info!(auth_method = %key.id, version, "auth method works again");
            }
            Ok(_) => {}
            Err(error) => warn!(auth_method = %key.id, %error, "auth method not marked well"),
        }
    }

    /// Changes the method's health as a rule says, which may see it more than once; `None` if there
    /// is no such method.
    async fn rule(
        &self,
        key: &MethodKey,
        rule: impl Fn(&StoredMethod) -> Option<MethodHealth>,
    ) -> Result<Option<Ruled>, StoreError> {
        let found = self.methods.find(key).await?;
        self.rule_from(key, found, rule).await
    }

    async fn rule_from(
        &self,
        key: &MethodKey,
        mut found: Option<FoundMethod>,
        rule: impl Fn(&StoredMethod) -> Option<MethodHealth>,
    ) -> Result<Option<Ruled>, StoreError> {
        for _ in 0..TRIES {
            let Some(method) = found else {
                return Ok(None);
            };
            let Some(next) = rule(&method) else {
                let health = method.health.clone();
                return Ok(Some(Ruled {
                    health,
                    changed: false,
                }));
            };
            let health = MethodHealth {
                mark: self.entropy.secret().expose().clone(),
                ..next
            };
            let events = told(key, &method.health, &health);
            match self
                .healths
                .turn(key, &method.health, &health, &events)
                .await?
            {
                Turned::Done => {
                    self.announce.announce(&events).await;
                    return Ok(Some(Ruled {
                        health,
                        changed: true,
                    }));
                }
                Turned::Lost(now) => found = now.map(|now| (*now).into()),
            }
        }
        Err(StoreError::Unavailable(
            "the auth method's health would not hold still".to_owned(),
        ))
    }
}

/// What is to be told of a change: that the method has become faulty, or works again.
fn told(key: &MethodKey, seen: &MethodHealth, next: &MethodHealth) -> Vec<Event> {
    let told = match (&seen.faulty, &next.faulty) {
        (_, Some(faulty)) if next.turn != seen.turn => {
            let failure = faulty.failure.clone();
            Some((failure.at, EventKind::MethodFaulty { failure }))
        }
        (Some(_), None) => next
            .mended
            .map(|mended| (mended.at, EventKind::MethodRecovered {})),
        (Some(_) | None, Some(_)) | (None, None) => None,
    };
    told.map(|(at, kind)| Event::of_method(key, next.turn, at, kind))
        .into_iter()
        .collect()
}
