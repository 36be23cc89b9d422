//! Why an instance is not refreshed although it could be: for something that is not its own.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;

/// A reason to leave an instance alone. Nothing of it counts against the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What is paused.
    pub whole: Paused,
    /// Since when.
    pub since: Timestamp,
    /// When the next request may be made, by whoever comes first.
    pub until: Timestamp,
    /// Why.
    pub cause: Failure,
}

/// What is paused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    /// The token host: its breaker is open.
    Host,
    /// The auth method: it is quarantined.
    Method,
}

/// The longest time for which an instance is left alone.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

impl Pause {
    /// How long an instance is left alone by the sweep: no less than until the next request may be
    /// made, and longer the longer it has lasted. `share` draws from what is possible, so that many
    /// instances do not come back at once.
    ///
    /// Half an access token's life is the most, so that service goes on soon after the pause is over.
    #[must_use]
    pub fn rest(&self, now: Timestamp, lifetime: SignedDuration, share: f64) -> Duration {
        let least = self.until.duration_since(now).max(SignedDuration::ZERO);
        let lasted = now.duration_since(self.since);
        let most = lasted.min(lifetime / 2).min(LONGEST).max(least * 2);
        let drawn = (most - least).as_secs_f64() * share.clamp(0.0, 1.0);
        let least = Duration::try_from(least).unwrap_or_default();
        least.saturating_add(Duration::try_from_secs_f64(drawn).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::FailureCode;

    #[test]
    fn an_instance_rests_longer_the_longer_it_lasts_and_half_a_life_at_most() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let hour = SignedDuration::from_hours(1);
        for (lasted, next, lifetime, least, most) in [
            // The next probe's time, and as long again, so that not all come for it.
            (10, 50, hour, 50, 100),
            (600, 30, hour, 30, 600),
            (86_400, 30, hour, 30, 1800),
            (86_400, 30, hour * 24, 30, 3600),
            (86_400, 30, SignedDuration::from_mins(5), 30, 150),
            // A probe may be made at once.
            (600, -5, hour, 0, 600),
        ] {
            let pause = Pause {
                whole: Paused::Host,
                since: at(0),
                until: at(lasted + next),
                cause: Failure {
                    at: at(0),
                    code: FailureCode::Unreachable,
                    words: None,
                },
            };
            for (share, wanted) in [(0.0, least), (1.0, most)] {
                let rest = pause.rest(at(lasted), lifetime, share);
                assert_eq!(rest, Duration::from_secs(wanted), "{lasted} {next} {share}");
            }
        }
    }
}
