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
const AT_ONCE: Duration = Duration::from_secs(1);
/// A lost answer may still be on its way through the provider.
const QUIET: Duration = Duration::from_secs(10);

/// How long to wait after a failure: exponential with full jitter, or as long as the provider asks.
/// `doubt` is what the provider does with used tokens, where it may have acted on the request.
pub(super) fn wait(
    code: FailureCode,
    failures: u32,
    doubt: Option<Rotation>,
    asked: Option<Duration>,
    entropy: &dyn Entropy,
) -> Duration {
    let first = match code.blame() {
        Blame::Builder => FIRST_FOR_BUILDERS,
        Blame::User | Blame::Provider | Blame::Ourselves => FIRST,
    };
    let most = first.saturating_mul(1 << failures.min(12)).min(LONGEST);
    let drawn = most.mul_f64(entropy.share());
    match doubt {
        None | Some(Rotation::None | Rotation::UntilUsed) => drawn.max(AT_ONCE),
        // Inside the window, after a quiet moment.
        Some(Rotation::Grace { seconds }) if failures == 0 => {
            let window = Duration::from_secs(seconds.into());
            (window / 4).clamp(AT_ONCE, QUIET)
        }
        Some(Rotation::Grace { .. } | Rotation::SingleUse | Rotation::Unknown) => drawn.max(QUIET),
    }
    .max(asked.unwrap_or_default())
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

    #[test]
    fn waits_grow_to_an_hour_and_obey_the_provider() {
        let most = |code, failures| wait(code, failures, None, None, &Always(0xff)).as_secs();
        assert_eq!(most(FailureCode::Unreachable, 0), 5);
        assert_eq!(most(FailureCode::Unreachable, 3), 40);
        assert_eq!(most(FailureCode::Unreachable, 99), 3600);
        assert_eq!(most(FailureCode::ClientRefused, 0), 60);
        assert_eq!(
            wait(FailureCode::Unreachable, 5, None, None, &Always(0)),
            Duration::from_secs(1)
        );
        let asked = Some(Duration::from_secs(100));
        assert_eq!(
            wait(FailureCode::Throttled, 0, None, asked, &Always(0)),
            Duration::from_secs(100)
        );
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
            let waited = wait(FailureCode::AnswerLost, 0, Some(rotation), None, &Always(0));
            assert_eq!(waited.as_secs(), seconds, "{rotation:?}");
        }
    }
}
