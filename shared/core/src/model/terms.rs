//! The terms of a grant: when it may be refreshed, when it must be, and when it ends whatever we do.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    definition::{RefreshMode, RefreshPolicy},
    grant::{Grant, StoredGrant},
};

/// Taken as the time that an unused refresh token lives where nobody says.
const ASSUMED_IDLE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many days before its end a connection's user is warned, where nothing else is said.
pub const WARNING_DAYS: u16 = 7;
const WARNING: SignedDuration = SignedDuration::from_hours(24 * WARNING_DAYS as i64);

/// The terms of a grant. Stored with it, so its fields may only be added to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// When it is refreshed without anybody asking.
    pub policy: RefreshPolicy,
    /// When the user consented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented_at: Option<Timestamp>,
    /// The provider refuses a refresh before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_from: Option<Timestamp>,
    /// When the refresh token ends, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_ends_at: Option<Timestamp>,
    /// The refresh token ends then unless it is used before; assumed where nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_by: Option<Timestamp>,
    /// The connection ends then, whatever is refreshed before: only a new consent helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_ends_at: Option<Timestamp>,
    /// When that is worth a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Timestamp>,
}

/// What a definition says of a grant's terms.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// What is given for a new access token.
    pub mode: RefreshMode,
    /// When it is refreshed without anybody asking.
    pub policy: RefreshPolicy,
    /// The provider refuses a refresh before this last part of the access token's life.
    pub last: Option<Duration>,
    /// How long a refresh token lives unused.
    pub idle: Option<Duration>,
    /// How long a connection lives, counted from the consent.
    pub absolute: Option<Duration>,
    /// How long before its end its user is warned.
    pub warning: Option<Duration>,
}

impl Rules {
    /// The terms of a grant that has just come; `before` is the one that it was refreshed from.
    ///
    /// Of the grant's own terms only the end of its refresh token counts.
    #[must_use]
    pub fn terms(&self, grant: &Grant, before: Option<&StoredGrant>) -> Terms {
        let consented_at = before.map_or(grant.received_at, StoredGrant::consented_at);
        let said = grant.terms.refresh_ends_at;
        let is_final = before.is_some_and(|before| is_final(before, grant));
        let connection_ends_at = if grant.refreshable {
            let absolute = self.absolute.map(|span| later(consented_at, signed(span)));
            first(absolute, said.filter(|_| is_final))
        } else {
            grant.expires_at
        };
        let connection_ends_at = connection_ends_at.filter(|end| *end > grant.received_at);
        Terms {
            policy: self.policy(),
            consented_at: Some(consented_at),
            refresh_from: self.last.and_then(|last| {
                let ends_at = grant.tokens.main.expires_at?;
                ends_at.checked_sub(last).ok()
            }),
            refresh_ends_at: said,
            use_by: self.use_by(grant, said.filter(|_| !is_final)),
            connection_ends_at,
            warn_at: connection_ends_at.map(|end| {
                let asked = self.warning.map_or(WARNING, signed);
                later(end, -asked.min(end.duration_since(consented_at) / 4))
            }),
        }
    }

    /// An access token that is exchanged for the next must not end unused.
    fn policy(&self) -> RefreshPolicy {
        match self.mode {
            RefreshMode::AccessToken => RefreshPolicy::AlwaysEager,
            RefreshMode::RefreshToken
            | RefreshMode::ClientCredentials
            | RefreshMode::Resign
            | RefreshMode::None => self.policy,
        }
    }

    /// By when what the next access token is asked with must be used, if it can end of disuse.
    fn use_by(&self, grant: &Grant, renewable: Option<Timestamp>) -> Option<Timestamp> {
        match self.mode {
            RefreshMode::RefreshToken if grant.refreshable => {}
            RefreshMode::RefreshToken
            | RefreshMode::AccessToken
            | RefreshMode::ClientCredentials
            | RefreshMode::Resign
            | RefreshMode::None => return None,
        }
        let after = |span| later(grant.received_at, span);
        let idle = self.idle.map(|span| after(signed(span)));
        first(renewable, idle).or_else(|| {
            let assumed = after(ASSUMED_IDLE);
            Some(grant.expires_at.map_or(assumed, |end| end.max(assumed)))
        })
    }
}

/// Whether a refresh has left the end of the refresh token where it was. The end of one that lives
/// anew with each use moves as far as time does.
fn is_final(before: &StoredGrant, grant: &Grant) -> bool {
    let (Some(then), Some(now)) = (before.terms.refresh_ends_at, grant.terms.refresh_ends_at)
    else {
        return false;
    };
    let passed = grant.received_at.duration_since(before.received_at);
    now.duration_since(then) < passed / 2
}

fn first(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

/// `start` and some more, stopping at the end of time.
pub(super) fn later(start: Timestamp, span: SignedDuration) -> Timestamp {
    start.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        grant::{TokenSet, Tokens},
        refresh_tokens::RefreshTokens,
        sealed::Sealed,
    };

    const DAY: i64 = 24 * 3600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn days(days: u64) -> Option<Duration> {
        Some(Duration::from_hours(24 * days))
    }

    /// A grant that came at `received`, with an access token for an hour.
    fn grant(received: i64, refresh_ends: Option<i64>) -> Grant {
        let main = TokenSet {
            access_token: "a".into(),
            refresh_token: Some("r".into()),
            id_token: None,
            token_type: "bearer".to_owned(),
            expires_at: Some(at(received + 3600)),
        };
        Grant {
            tokens: Tokens {
                main,
                sets: BTreeMap::new(),
                captured: BTreeMap::new(),
            },
            refreshable: true,
            expires_at: Some(at(received + 3600)),
            terms: Terms {
                refresh_ends_at: refresh_ends.map(at),
                ..Terms::default()
            },
            scopes: Vec::new(),
            received_at: at(received),
        }
    }

    fn stored(grant: &Grant, terms: Terms) -> StoredGrant {
        StoredGrant {
            epoch: 1,
            parent: None,
            answered_under: None,
            tokens: Sealed::new(Vec::new()),
            refresh_tokens: RefreshTokens::Inside,
            refreshable: grant.refreshable,
            expires_at: grant.expires_at,
            terms,
            scopes: Vec::new(),
            received_at: grant.received_at,
        }
    }

    /// The terms of a grant that is refreshed once, from another.
    fn refreshed(rules: &Rules, first: &Grant, second: &Grant) -> Terms {
        let terms = rules.terms(first, None);
        assert_eq!(terms.consented_at, Some(first.received_at));
        rules.terms(second, Some(&stored(first, terms)))
    }

    #[test]
    fn a_refresh_token_whose_end_does_not_move_ends_the_connection() {
        let rules = Rules::default();
        for (then, now, ends) in [
            (60 * DAY, 60 * DAY, Some(60 * DAY)),
            // Providers count in whole seconds, or earlier than we ask.
            (60 * DAY, 60 * DAY + 1, Some(60 * DAY + 1)),
            (60 * DAY, 59 * DAY, Some(59 * DAY)),
            (60 * DAY, 61 * DAY, None),
        ] {
            let (first, second) = (grant(0, Some(then)), grant(DAY, Some(now)));
            assert_eq!(rules.terms(&first, None).connection_ends_at, None);
            let terms = refreshed(&rules, &first, &second);
            assert_eq!(terms.connection_ends_at, ends.map(at), "{now}");
            // One that lives anew must be used; of the other nothing is known but its end.
            let use_by = if ends.is_some() { 31 * DAY } else { now };
            assert_eq!(terms.use_by, Some(at(use_by)), "{now}");
        }
    }

    #[test]
    fn a_connection_may_end_so_long_after_its_consent() {
        let rules = Rules {
            absolute: days(365),
            idle: days(90),
            ..Rules::default()
        };
        let terms = refreshed(&rules, &grant(0, None), &grant(100 * DAY, None));
        assert_eq!(terms.consented_at, Some(at(0)));
        assert_eq!(terms.connection_ends_at, Some(at(365 * DAY)));
        assert_eq!(terms.warn_at, Some(at(358 * DAY)));
        assert_eq!(terms.use_by, Some(at(190 * DAY)));
        // It was wrong: it lives on, and there is nothing to warn of.
        let terms = refreshed(&rules, &grant(0, None), &grant(366 * DAY, None));
        assert_eq!((terms.connection_ends_at, terms.warn_at), (None, None));
    }

    #[test]
    fn a_warning_comes_in_the_last_quarter_of_a_connections_life() {
        for (absolute, warning, warned) in [
            (365, None, 358),
            (365, Some(30), 335),
            (8, None, 6),
            (8, Some(1), 7),
        ] {
            let rules = Rules {
                absolute: days(absolute),
                warning: warning.and_then(days),
                ..Rules::default()
            };
            let terms = rules.terms(&grant(0, None), None);
            assert_eq!(
                terms.warn_at,
                Some(at(warned * DAY)),
                "{absolute} {warning:?}"
            );
        }
        let mut last = grant(0, None);
        last.refreshable = false;
        let terms = Rules::default().terms(&last, None);
        assert_eq!(terms.connection_ends_at, Some(at(3600)));
        assert_eq!(terms.warn_at, Some(at(2700)));
    }

    #[test]
    fn what_is_asked_with_decides_what_must_be_used() {
        for (mode, idle, use_by, policy) in [
            (
                RefreshMode::RefreshToken,
                days(5),
                Some(5),
                RefreshPolicy::KeepAlive,
            ),
            (
                RefreshMode::RefreshToken,
                None,
                Some(30),
                RefreshPolicy::KeepAlive,
            ),
            (
                RefreshMode::AccessToken,
                None,
                None,
                RefreshPolicy::AlwaysEager,
            ),
            (
                RefreshMode::ClientCredentials,
                None,
                None,
                RefreshPolicy::KeepAlive,
            ),
            (RefreshMode::Resign, None, None, RefreshPolicy::KeepAlive),
        ] {
            let rules = Rules {
                mode,
                idle,
                policy: RefreshPolicy::KeepAlive,
                ..Rules::default()
            };
            let terms = rules.terms(&grant(0, None), None);
            assert_eq!(terms.use_by, use_by.map(|days| at(days * DAY)), "{mode:?}");
            assert_eq!(terms.policy, policy, "{mode:?}");
        }
        // An access token that outlives what is assumed isn't refreshed for that.
        let mut long = grant(0, None);
        long.expires_at = Some(at(60 * DAY));
        let terms = Rules::default().terms(&long, None);
        assert_eq!(terms.use_by, Some(at(60 * DAY)));
    }
}
