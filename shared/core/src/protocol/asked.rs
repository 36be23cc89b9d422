//! When an answer was asked for, by our clock and by the provider's.

use std::time::Duration;

use http::header;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::wire::WireAnswer;

/// Clocks that differ by no more than this agree.
const AGREE: SignedDuration = SignedDuration::from_secs(2);
/// A `Date` that is further off than this is a mistake, not a clock.
const ABSURD: SignedDuration = SignedDuration::from_hours(24);

/// When an answer was asked for. A token's life counts from then, so that we are never late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// When, by our clock.
    pub at: Timestamp,
    /// By how much the provider's clock is ahead of ours. It corrects the points in time that the
    /// provider names, and nothing else.
    pub ahead: SignedDuration,
}

impl Asked {
    /// When an answer was asked for that has just come. The provider's time is its `Date`
    /// (RFC 9110 §6.6.1), unless a cache has kept the answer (`Age`, RFC 9111 §5.1).
    ///
    /// A `Date` tells whole seconds, somewhere within the round trip; we take what makes a token end
    /// earlier.
    #[must_use]
    pub fn of(answer: &WireAnswer, now: Timestamp) -> Self {
        let at = asked_at(now, answer.round_trip);
        let ahead = date(answer)
            .filter(|date| {
                let is_later = date.duration_since(now) > AGREE;
                let is_earlier = at.duration_since(*date) > AGREE;
                is_later || is_earlier
            })
            .map(|date| date.duration_since(at) + SignedDuration::from_secs(1))
            .filter(|ahead| ahead.abs() <= ABSURD);
        Self {
            at,
            ahead: ahead.unwrap_or_default(),
        }
    }

    /// By clocks that agree.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self {
            at,
            ahead: SignedDuration::ZERO,
        }
    }

    /// A point in the provider's time as one in ours.
    pub(super) fn ours(&self, theirs: Timestamp) -> Option<Timestamp> {
        theirs.checked_sub(self.ahead).ok()
    }
}

fn date(answer: &WireAnswer) -> Option<Timestamp> {
    if answer.headers.contains_key(header::AGE) {
        return None;
    }
    let text = answer.headers.get(header::DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn asked_at(now: Timestamp, round_trip: Duration) -> Timestamp {
    let round_trip = SignedDuration::try_from(round_trip).unwrap_or_default();
    now.saturating_sub(round_trip).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(headers: &[(&'static str, &'static str)]) -> WireAnswer {
        let headers = headers.iter().map(|(name, value)| {
            let name = name.parse::<header::HeaderName>().unwrap();
            (name, HeaderValue::from_static(value))
        });
        WireAnswer {
            status: StatusCode::OK,
            headers: headers.collect::<HeaderMap>(),
            body: crate::model::Secret::new(Vec::new()),
            round_trip: Duration::from_secs(3),
        }
    }

    #[test]
    fn a_date_is_believed_where_clocks_differ() {
        let now: Timestamp = "2026-01-01T12:00:03.4Z".parse().unwrap();
        for (headers, ahead) in [
            (&[][..], 0),
            (&[("date", "soon")], 0),
            (&[("date", "Thu, 01 Jan 2026 12:00:01 GMT")], 0),
            (&[("date", "Thu, 01 Jan 2026 11:59:59 GMT")], 0),
            (&[("date", "Thu, 01 Jan 2026 12:00:05 GMT")], 0),
            // Asked at 12:00:00.4, which was 12:10:00 to 12:10:03 there.
            (&[("date", "Thu, 01 Jan 2026 12:10:02 GMT")], 602_600),
            (&[("date", "Thu, 01 Jan 2026 11:50:00 GMT")], -599_400),
            (
                &[("date", "Thu, 01 Jan 2026 11:50:00 GMT"), ("age", "600")],
                0,
            ),
            (&[("date", "Thu, 01 Jan 1970 00:00:00 GMT")], 0),
        ] {
            let asked = Asked::of(&answer(headers), now);
            assert_eq!(asked.at, now - Duration::from_secs(3), "{headers:?}");
            assert_eq!(
                asked.ahead,
                SignedDuration::from_millis(ahead),
                "{headers:?}"
            );
        }
    }
}
