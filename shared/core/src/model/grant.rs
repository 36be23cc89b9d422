//! What a successful authorisation or refresh yields.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Secret, sealed::Sealed};

/// A grant as the provider has just given it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The tokens.
    pub tokens: Tokens,
    /// When the access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// The scopes granted, or those asked for where the answer doesn't say (RFC 6749 §5.1).
    pub scopes: Vec<String>,
    /// When it was asked for; its life counts from then, so that we are never late.
    pub received_at: Timestamp,
}

/// The precious part of a grant.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// How the access token is used, as the provider spells it (RFC 6749 §7.1).
    pub token_type: String,
}

/// Tokens as they are sealed; stored, so its fields may only be added to.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    access_token: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    token_type: &'a str,
}

impl Tokens {
    /// The tokens as the text that is sealed.
    ///
    /// # Errors
    /// Never in practice: texts can always be written as JSON.
    pub fn to_plaintext(&self) -> Result<Secret<Vec<u8>>, serde_json::Error> {
        serde_json::to_vec(&Written {
            access_token: self.access_token.expose(),
            refresh_token: self
                .refresh_token
                .as_ref()
                .map(|token| token.expose().as_str()),
            token_type: &self.token_type,
        })
        .map(Secret::new)
    }

    /// Reads what [`Tokens::to_plaintext`] wrote.
    ///
    /// # Errors
    /// [`UnreadableTokens`] if it is something else.
    pub fn from_plaintext(plaintext: &Secret<Vec<u8>>) -> Result<Self, UnreadableTokens> {
        #[derive(Deserialize)]
        struct Read {
            access_token: Secret,
            #[serde(default)]
            refresh_token: Option<Secret>,
            token_type: String,
        }
        // The parser's own error could quote a token.
        let read: Read =
            serde_json::from_slice(plaintext.expose()).map_err(|_| UnreadableTokens)?;
        Ok(Self {
            access_token: read.access_token,
            refresh_token: read.refresh_token,
            token_type: read.token_type,
        })
    }
}

/// What was sealed as tokens is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed tokens can't be read")]
pub struct UnreadableTokens;

/// A grant as an instance keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGrant {
    /// The epoch that produced it.
    pub epoch: u64,
    /// The sealed tokens.
    pub tokens: Sealed,
    /// Whether there is a refresh token among them.
    pub refreshable: bool,
    /// When the access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// The scopes granted.
    pub scopes: Vec<String>,
    /// When it was asked for.
    pub received_at: Timestamp,
}

/// An access token that lives no longer than this is not handed out any more.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// Assumed where neither the answer nor the definition says how long an access token lives.
const ASSUMED_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

impl StoredGrant {
    /// How long the access token lives from the start.
    fn lifetime(&self) -> SignedDuration {
        match self.expires_at {
            Some(expires_at) => expires_at
                .duration_since(self.received_at)
                .max(SignedDuration::ZERO),
            None => ASSUMED_LIFETIME,
        }
    }

    /// When the access token ends, as far as anyone can say; `None` if it never does.
    ///
    /// A token that says nothing and can be refreshed is taken to live an hour.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match (self.expires_at, self.refreshable) {
            (Some(expires_at), _) => Some(expires_at),
            (None, true) => Some(later(self.received_at, ASSUMED_LIFETIME)),
            (None, false) => None,
        }
    }

    /// Whether the access token is good for a caller: it lives `at_least`, or, where the caller asks
    /// for nothing, half a minute or a fifth of its whole life, whichever is less.
    ///
    /// Nobody can ask for more than nine tenths of its life: no refresh could bring that for long.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp, at_least: Option<SignedDuration>) -> bool {
        let longest = self.lifetime() / 10 * 9;
        let margin = at_least.map_or_else(
            || MARGIN.min(self.lifetime() / 5),
            |asked| asked.min(longest),
        );
        self.ends_at()
            .is_none_or(|ends_at| ends_at.duration_since(now) > margin)
    }

    /// Whether the access token has not ended yet.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|ends_at| now < ends_at)
    }

    /// When the instance wants attention: a refresh, or, if there is nothing to refresh with, the
    /// end of its access token. `None` if never.
    ///
    /// A refresh is due at 60 to 85 % of the access token's life. Where in between follows from
    /// `spread`, which is fixed for each instance, so that a thousand instances made in one second
    /// are not due in one second.
    #[must_use]
    pub fn due_at(&self, spread: u8) -> Option<Timestamp> {
        let ends_at = self.ends_at()?;
        if !self.refreshable {
            return Some(ends_at);
        }
        let lifetime = self.lifetime();
        let share = 600 + i64::from(spread) * 250 / 255;
        let millis = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX / 1000);
        let wanted = later(
            self.received_at,
            SignedDuration::from_millis(millis.saturating_mul(share) / 1000),
        );
        let latest = later(ends_at, -MARGIN.min(lifetime / 5));
        Some(wanted.min(latest))
    }
}

/// `start` and some more, stopping at the end of time.
fn later(start: Timestamp, span: SignedDuration) -> Timestamp {
    start.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn grant(expires: Option<i64>, refreshable: bool) -> StoredGrant {
        StoredGrant {
            epoch: 1,
            tokens: Sealed::new(Vec::new()),
            refreshable,
            expires_at: expires.map(at),
            scopes: Vec::new(),
            received_at: at(0),
        }
    }

    #[test]
    fn a_refresh_is_due_between_60_and_85_percent_of_the_life() {
        for (expires, refreshable, spread, due) in [
            (Some(3600), true, 0, Some(2160)),
            (Some(3600), true, 255, Some(3060)),
            (Some(60), true, 255, Some(48)),
            (None, true, 0, Some(2160)),
            (Some(3600), false, 0, Some(3600)),
            (None, false, 0, None),
            (Some(-5), true, 0, Some(-5)),
        ] {
            assert_eq!(
                grant(expires, refreshable).due_at(spread),
                due.map(at),
                "{expires:?} {spread}"
            );
        }
    }

    #[test]
    fn an_access_token_is_fresh_until_the_margin() {
        for (expires, now, fresh) in [
            (3600, 3569, true),
            (3600, 3570, false),
            (60, 47, true),
            (60, 48, false),
        ] {
            assert_eq!(
                grant(Some(expires), true).is_fresh(at(now), None),
                fresh,
                "{expires} at {now}"
            );
        }
        assert!(grant(None, false).is_fresh(at(1 << 30), None));
        let asked = Some(SignedDuration::from_secs(3600));
        assert!(grant(Some(60), true).is_fresh(at(5), asked));
        assert!(!grant(Some(60), true).is_fresh(at(6), asked));
    }

    #[test]
    fn tokens_come_back_as_they_were_sealed() {
        let tokens = Tokens {
            access_token: "a?&+%:/=é".into(),
            refresh_token: None,
            token_type: "bearer".to_owned(),
        };
        let read = Tokens::from_plaintext(&tokens.to_plaintext().unwrap()).unwrap();
        assert_eq!(read.access_token.expose(), "a?&+%:/=é");
        assert!(read.refresh_token.is_none());
    }
}
