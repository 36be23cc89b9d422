//! The breaker of a token host: a host that fails again and again is asked once a minute, by all
//! together, until it answers.

use jiff::{SignedDuration, Timestamp};

use super::{
    failure::{Failure, FailureCode},
    pause::{Pause, Paused},
};

/// How many calls in a row must fail before a breaker opens.
pub const FAILURES_TO_OPEN: u32 = 5;
/// How often an open breaker lets a call through.
const PROBE: SignedDuration = SignedDuration::from_mins(1);

/// An open breaker; a closed one is none.
///
/// It is shared between tenants, so it holds no words of the provider's: they were another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// Random: tells each change from all others, so that a repeated write knows its own.
    pub mark: String,
    /// Since when it is open.
    pub opened_at: Timestamp,
    /// From when on one call may be made.
    pub probe_at: Timestamp,
    /// What the host did last when it opened.
    pub cause: FailureCode,
}

impl Breaker {
    /// A breaker that opens now.
    #[must_use]
    pub fn open(now: Timestamp, cause: FailureCode, mark: String) -> Self {
        Self {
            mark,
            opened_at: now,
            probe_at: after_probe(now),
            cause,
        }
    }

    /// The breaker once one call is claimed; `None` if none may be made yet.
    #[must_use]
    pub fn claimed(&self, now: Timestamp, mark: String) -> Option<Self> {
        (self.probe_at <= now).then(|| Self {
            mark,
            probe_at: after_probe(now),
            ..self.clone()
        })
    }

    /// What it means for those who may not call.
    #[must_use]
    pub fn pause(&self) -> Pause {
        Pause {
            whole: Paused::Host,
            since: self.opened_at,
            until: self.probe_at,
            cause: Failure {
                at: self.opened_at,
                code: self.cause,
                words: None,
            },
        }
    }
}

/// What the outcome of a call says about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It answers.
    Well,
    /// It is down, unwell, or throttles.
    Unwell,
    /// Nothing.
    Nothing,
}

impl Sign {
    /// What a failure says.
    #[must_use]
    pub fn of(code: FailureCode) -> Self {
        match code {
            FailureCode::Unreachable
            | FailureCode::AnswerLost
            | FailureCode::ProviderError
            | FailureCode::Throttled => Self::Unwell,
            FailureCode::ClientRefused | FailureCode::GrantRefused | FailureCode::GrantLost => {
                Self::Well
            }
            // What nobody can read may come from something that stands in for the host.
            FailureCode::AnswerUnreadable
            | FailureCode::DestinationRefused
            | FailureCode::CertificateRefused
            | FailureCode::NotRefreshable
            | FailureCode::TokenRejected
            | FailureCode::RequestImpossible => Self::Nothing,
        }
    }
}

fn after_probe(now: Timestamp) -> Timestamp {
    now.saturating_add(PROBE).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_breaker_lets_one_call_through_a_minute() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let mut breaker = Breaker::open(at(0), FailureCode::Unreachable, "0".to_owned());
        let mut calls = Vec::new();
        for second in 0..=180 {
            if let Some(claimed) = breaker.claimed(at(second), second.to_string()) {
                calls.push(second);
                breaker = claimed;
            }
        }
        assert_eq!(calls, [60, 120, 180]);
        assert_eq!(
            (breaker.opened_at, breaker.mark.as_str()),
            (at(0), "180"),
            "it has been open since"
        );
        assert_eq!(breaker.pause().until, at(240));
    }
}
