//! What callers tell of an instance, and what its user was told.
//!
//! None of it is part of the refresh protocol: each of these has a writer of its own, and a write that is
//! lost costs a refresh at most.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many lived times are remembered.
const REMEMBERED: usize = 4;
/// How long a lived time counts, so that a provider that has become more generous is given another try.
const COUNTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// No life shorter than this is believed: whatever rejects a token that is younger has another reason.
const SHORTEST: SignedDuration = SignedDuration::from_mins(2);
/// How long the first rejection holds back the next.
const FIRST_HOLD: SignedDuration = SignedDuration::from_mins(5);
/// The longest that a rejection is held back.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(1);
/// Rejections that are further apart have nothing to do with each other.
const APART: SignedDuration = SignedDuration::from_hours(24);

/// What callers tell of an instance, and what its user was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// When a credential was last had; noticed sparsely.
    pub used_at: Option<Timestamp>,
    /// What the rejections of its access tokens say.
    pub rejections: Rejections,
    /// The consent of whose end its user was warned.
    pub warned: Option<u64>,
}

/// What the rejections of access tokens say. Stored, so its fields may only be added to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rejections {
    /// The epoch whose access token was the last one rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How many there were, none a day after the one before.
    pub count: u32,
    /// How long tokens had lived that said nothing of their end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lived: Vec<Lived>,
}

/// How long an access token had lived when it was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lived {
    /// When it was rejected.
    pub at: Timestamp,
    /// How many seconds it had lived.
    pub seconds: i64,
}

impl Rejections {
    /// How long access tokens live, as far as rejections teach it: the second shortest of the last
    /// four, so that no single answer with the wrong status makes anything shorter.
    #[must_use]
    pub fn taught(&self, now: Timestamp) -> Option<SignedDuration> {
        let mut lived: Vec<_> = self
            .lived
            .iter()
            .filter(|lived| now.duration_since(lived.at) < COUNTS)
            .map(|lived| lived.seconds)
            .collect();
        lived.sort_unstable();
        let second = SignedDuration::from_secs(*lived.get(1)?);
        Some(second.max(SHORTEST))
    }

    /// Until when another rejection changes nothing: a caller that is refused for another reason than
    /// the token's end must not spend refresh tokens.
    #[must_use]
    pub fn held_until(&self) -> Option<Timestamp> {
        let doublings = self.count.saturating_sub(1).min(8);
        let hold = FIRST_HOLD.saturating_mul(1 << doublings).min(LONGEST_HOLD);
        self.at?.checked_add(hold).ok()
    }

    /// With the rejection of the token that `epoch` produced, `now`. `lived` is how long it had lived,
    /// if it said nothing of its end.
    #[must_use]
    pub fn with(&self, epoch: u64, now: Timestamp, lived: Option<SignedDuration>) -> Self {
        let is_series = self.at.is_some_and(|at| now.duration_since(at) < APART);
        let mut all = self.lived.clone();
        if let Some(lived) = lived.filter(|lived| *lived >= SHORTEST) {
            all.push(Lived {
                at: now,
                seconds: lived.as_secs(),
            });
        }
        Self {
            epoch: Some(epoch),
            at: Some(now),
            count: if is_series {
                self.count.saturating_add(1)
            } else {
                1
            },
            lived: all.split_off(all.len().saturating_sub(REMEMBERED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
    }

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    fn taught_by(lived: &[i64]) -> Option<SignedDuration> {
        let mut rejections = Rejections::default();
        for (epoch, lived) in (1..).zip(lived) {
            rejections = rejections.with(epoch, at(0), Some(minutes(*lived)));
        }
        rejections.taught(at(1))
    }

    #[test]
    fn one_odd_rejection_teaches_nothing() {
        for (lived, taught) in [
            (&[][..], None),
            (&[10], None),
            (&[10, 12], Some(12)),
            (&[10, 12, 11], Some(11)),
            (&[10, 12, 11, 3], Some(10)),
            // What came long ago is forgotten.
            (&[10, 12, 11, 13, 14], Some(12)),
            // Whatever rejects a new token has another reason than its age.
            (&[0, 1, 0, 10], None),
        ] {
            assert_eq!(taught_by(lived), taught.map(minutes), "{lived:?}");
        }
    }

    #[test]
    fn what_was_taught_is_unlearnt_after_a_month() {
        let twice = Rejections::default()
            .with(1, at(0), Some(minutes(10)))
            .with(2, at(20), Some(minutes(10)));
        let month = 30 * 24 * 60;
        assert_eq!(twice.taught(at(month - 1)), Some(minutes(10)));
        assert_eq!(twice.taught(at(month)), None);
    }

    #[test]
    fn rejections_in_a_loop_are_held_back_for_an_hour() {
        let mut rejections = Rejections::default();
        let (mut now, mut acted_on) = (0, 0);
        // A caller that says it every minute of a day.
        while now < 24 * 60 {
            if rejections.held_until().is_none_or(|held| held <= at(now)) {
                acted_on += 1;
                rejections = rejections.with(acted_on, at(now), None);
            }
            now += 1;
        }
        assert_eq!(acted_on, 27);
        let later = rejections.with(99, at(now + 25 * 60), None);
        assert_eq!(later.held_until(), Some(at(now + 25 * 60 + 5)));
    }
}
