//! When to try again.

use std::time::Duration;

use crate::{
    model::failure::{Blame, FailureCode},
    port::{Clock, Entropy, StoreError},
};

const FIRST: Duration = Duration::from_secs(5);
/// What builders must mend is looked at again slowly.
const FIRST_FOR_BUILDERS: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);
/// A lost answer may still be on its way through the provider.
const QUIET: Duration = Duration::from_secs(10);

/// How long to wait after a failure: exponential with full jitter, or as long as the provider asks.
pub(super) fn wait(
    code: FailureCode,
    failures: u32,
    in_doubt: bool,
    asked: Option<Duration>,
    entropy: &dyn Entropy,
) -> Duration {
    let first = match code.blame() {
        Blame::Builder => FIRST_FOR_BUILDERS,
        Blame::User | Blame::Provider | Blame::Ourselves => FIRST,
    };
    let most = first.saturating_mul(1 << failures.min(12)).min(LONGEST);
    let least = if in_doubt {
        QUIET
    } else {
        Duration::from_secs(1)
    };
    most.mul_f64(entropy.share())
        .max(least)
        .max(asked.unwrap_or_default())
}

/// Repeats a write that may be repeated while the store does not answer, a few times: what it holds
/// can't be asked for again.
pub(super) async fn insist<T, F, Fut>(clock: &dyn Clock, write: F) -> Result<T, StoreError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, StoreError>>,
{
    for wait in [100, 400, 1600] {
        match write().await {
            Err(StoreError::Unavailable(_)) => clock.sleep(Duration::from_millis(wait)).await,
            Err(StoreError::Corrupt(what)) => return Err(StoreError::Corrupt(what)),
            Ok(value) => return Ok(value),
        }
    }
    write().await
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
        let most = |code, failures| wait(code, failures, false, None, &Always(0xff)).as_secs();
        assert_eq!(most(FailureCode::Unreachable, 0), 5);
        assert_eq!(most(FailureCode::Unreachable, 3), 40);
        assert_eq!(most(FailureCode::Unreachable, 99), 3600);
        assert_eq!(most(FailureCode::ClientRefused, 0), 60);
        assert_eq!(
            wait(FailureCode::Unreachable, 5, false, None, &Always(0)),
            Duration::from_secs(1)
        );
        assert_eq!(
            wait(FailureCode::AnswerLost, 0, true, None, &Always(0)),
            QUIET
        );
        let asked = Some(Duration::from_secs(100));
        assert_eq!(
            wait(FailureCode::Throttled, 0, false, asked, &Always(0)),
            Duration::from_secs(100)
        );
    }
}
