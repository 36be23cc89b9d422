//! When to try again.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{
    model::{
        failure::{Blame, FailureCode},
        rotation::Rotation,
    },
    port::{Clock, Entropy, StoreError},
};

const FIRST: Duration = Duration::from_secs(5);
/// What builders must mend is looked at again slowly.
const FIRST_FOR_BUILDERS: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);
/// However short a token lives, a provider that fails is left alone for up to this long.
const LEAST_LONGEST: Duration = Duration::from_secs(60);
const AT_ONCE: Duration = Duration::from_secs(1);
/// A lost answer may still be on its way through the provider.
const QUIET: Duration = Duration::from_secs(10);

/// A failure that passes, and what decides when it is tried again.
pub(super) struct Again {
    pub(super) code: FailureCode,
    /// Failures before this one since the last success.
    pub(super) failures: u32,
    /// What the provider does with used tokens, where it may have acted on the request.
    pub(super) doubt: Option<Rotation>,
    /// How long the provider asks us to wait.
    pub(super) asked: Option<Duration>,
    /// How long an access token lives.
    pub(super) lifetime: SignedDuration,
}

impl Again {
    /// How long to wait: exponential with full jitter, or as long as the provider asks.
    pub(super) fn wait(&self, entropy: &dyn Entropy) -> Duration {
        let (first, longest) = match self.code.blame() {
            Blame::Builder => (FIRST_FOR_BUILDERS, LONGEST),
            // What the provider mends is noticed within a lifetime. Until then its breaker is open.
            Blame::User | Blame::Provider | Blame::Ourselves => {
                let lifetime = Duration::try_from(self.lifetime).unwrap_or_default();
                (FIRST, lifetime.clamp(LEAST_LONGEST, LONGEST))
            }
        };
        let most = first
            .saturating_mul(1 << self.failures.min(12))
            .min(longest);
        let drawn = most.mul_f64(entropy.share());
        match self.doubt {
            None | Some(Rotation::None | Rotation::UntilUsed) => drawn.max(AT_ONCE),
            // Inside the window, after a quiet moment.
            Some(Rotation::Grace { seconds }) if self.failures == 0 => {
                in_window(Duration::from_secs(seconds.into()))
            }
            Some(Rotation::Grace { .. } | Rotation::SingleUse | Rotation::Unknown) => {
                drawn.max(QUIET)
            }
        }
        .max(self.asked.unwrap_or_default())
    }
}

/// How long a live worker is quiet before it asks again, with its lease kept, after a request that may
/// have been acted on `ago`; `None` if that is for a later lease.
///
/// `is_first` says whether it is the first of these since the last commit: where a used token may be
/// taken for stolen, one is enough.
pub(super) fn quiet(rotation: Rotation, ago: SignedDuration, is_first: bool) -> Option<Duration> {
    match rotation {
        Rotation::None | Rotation::UntilUsed => Some(AT_ONCE),
        Rotation::Grace { seconds } => {
            let window = Duration::from_secs(seconds.into());
            let quiet = in_window(window);
            let spent = Duration::try_from(ago).unwrap_or_default();
            (spent + quiet + AT_ONCE < window).then_some(quiet)
        }
        Rotation::SingleUse | Rotation::Unknown => is_first.then_some(QUIET),
    }
}

/// A quiet moment inside a window.
fn in_window(window: Duration) -> Duration {
    (window / 4).clamp(AT_ONCE, QUIET)
}

/// A store's call ends within two seconds, so what is begun before this ends within the commit's bound.
const INSISTING: SignedDuration = SignedDuration::from_secs(3);

/// Repeats a write that may be repeated while the store does not answer: what it holds can't be
/// asked for again.
pub(super) async fn insist<T, F, Fut>(clock: &dyn Clock, write: F) -> Result<T, StoreError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, StoreError>>,
{
    let started = clock.now();
    let mut pause = Duration::from_millis(50);
    loop {
        match write().await {
            Err(StoreError::Unavailable(_))
                if clock.now().duration_since(started) + pause_of(pause) < INSISTING =>
            {
                clock.sleep(pause).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
}

fn pause_of(pause: Duration) -> SignedDuration {
    SignedDuration::try_from(pause).unwrap_or(INSISTING)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn after(code: FailureCode, failures: u32) -> Again {
        Again {
            code,
            failures,
            doubt: None,
            asked: None,
            lifetime: SignedDuration::from_hours(1),
        }
    }

    #[test]
    fn waits_grow_to_an_hour_and_obey_the_provider() {
        let most = |code, failures| after(code, failures).wait(&Always(0xff)).as_secs();
        assert_eq!(most(FailureCode::Unreachable, 0), 5);
        assert_eq!(most(FailureCode::Unreachable, 3), 40);
        assert_eq!(most(FailureCode::Unreachable, 99), 3600);
        assert_eq!(most(FailureCode::ClientRefused, 0), 60);
        assert_eq!(most(FailureCode::ClientRefused, 99), 3600);
        assert_eq!(
            after(FailureCode::Unreachable, 5).wait(&Always(0)),
            Duration::from_secs(1)
        );
        let asked = Again {
            asked: Some(Duration::from_secs(100)),
            ..after(FailureCode::Throttled, 0)
        };
        assert_eq!(asked.wait(&Always(0)), Duration::from_secs(100));
    }

    #[test]
    fn what_a_provider_mends_is_noticed_within_a_lifetime() {
        for (code, minutes, seconds) in [
            (FailureCode::ProviderError, 10, 600),
            (FailureCode::ProviderError, 0, 60),
            (FailureCode::ProviderError, 600, 3600),
            (FailureCode::ClientRefused, 10, 3600),
        ] {
            let again = Again {
                lifetime: SignedDuration::from_mins(minutes),
                ..after(code, 99)
            };
            let waited = again.wait(&Always(0xff));
            assert_eq!(waited.as_secs(), seconds, "{code:?} {minutes}");
        }
    }

    #[test]
    fn a_live_worker_asks_again_as_the_rotation_allows() {
        for (rotation, ago, is_first, quiet_for) in [
            (Rotation::None, 20, false, Some(1)),
            (Rotation::UntilUsed, 20, false, Some(1)),
            (Rotation::Grace { seconds: 30 }, 1, false, Some(7)),
            (Rotation::Grace { seconds: 30 }, 14, false, Some(7)),
            (Rotation::Grace { seconds: 30 }, 22, true, None),
            (Rotation::Grace { seconds: 3600 }, 20, false, Some(10)),
            (Rotation::SingleUse, 20, true, Some(10)),
            (Rotation::SingleUse, 20, false, None),
            (Rotation::Unknown, 20, true, Some(10)),
            (Rotation::Unknown, 20, false, None),
        ] {
            let ago = SignedDuration::from_secs(ago);
            let found = quiet(rotation, ago, is_first).map(|quiet| quiet.as_secs());
            assert_eq!(found, quiet_for, "{rotation:?} {ago}");
        }
    }

    #[test]
    fn a_request_in_doubt_is_repeated_as_the_rotation_allows() {
        for (rotation, seconds) in [
            (Rotation::None, 1),
            (Rotation::UntilUsed, 1),
            (Rotation::Grace { seconds: 2 }, 1),
            (Rotation::Grace { seconds: 30 }, 7),
            (Rotation::Grace { seconds: 3600 }, 10),
            (Rotation::SingleUse, 10),
            (Rotation::Unknown, 10),
        ] {
            let again = Again {
                doubt: Some(rotation),
                ..after(FailureCode::AnswerLost, 0)
            };
            assert_eq!(again.wait(&Always(0)).as_secs(), seconds, "{rotation:?}");
        }
    }
}
