//! What has been issued, and to whom: pure state, changed by the deeds in the modules below.
//!
//! *Why families.* A grant is one consent and everything that followed from it: the newest refresh
//! token, and the access tokens that still live. Revoking the grant revokes all of them, which is what
//! the RFCs ask for when a code or a refresh token comes twice. The ledger holds digests only, and its
//! size is bounded: what has expired is dropped before each deed, and what would be too many displaces
//! what was used least recently.

mod activity;
mod codes;
mod refresh;
mod tokens;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    scope::Scopes,
    token_text::{Digest, RefreshToken, Token},
};

pub(crate) use activity::{Activity, Deed, Event};
pub(crate) use codes::{Consent, Redemption};
pub(crate) use refresh::Rotation;
pub(crate) use tokens::{Active, Kind};

/// All that the provider remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Codes that nobody has redeemed yet, by digest.
    codes: BTreeMap<Digest, Code>,
    /// Grants, by the digest of their refresh tokens' handle.
    grants: BTreeMap<Digest, Grant>,
    activity: Activity,
}

/// A code that waits to be redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    consent: Consent,
    expires_at: Timestamp,
}

/// One consent and the tokens that live by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    scopes: Scopes,
    /// The code that it came from, to know that code again.
    code: Digest,
    /// The one refresh token that is good.
    refresh_token: Digest,
    refreshed_at: Timestamp,
    /// When it ends unless it is used before (RFC 9700 §4.14.2).
    expires_at: Timestamp,
    access_tokens: Vec<AccessToken>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AccessToken {
    digest: Digest,
    scopes: Scopes,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// Tokens made for an answer, before it is known whether they will be issued.
#[derive(Debug)]
pub(crate) struct FreshTokens {
    pub(crate) access_token: Token,
    pub(crate) refresh_token: RefreshToken,
    pub(crate) access_token_lifetime: Duration,
}

impl Ledger {
    /// Drops what has expired.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        self.codes.retain(|_, code| now < code.expires_at);
        self.grants.retain(|_, grant| now < grant.expires_at);
        for grant in self.grants.values_mut() {
            grant.access_tokens.retain(|token| now < token.expires_at);
        }
    }

    /// How many connections there are, and what has happened of late.
    pub(crate) fn activity(&self, now: Timestamp) -> (usize, &Activity) {
        let connections = self
            .grants
            .values()
            .filter(|grant| now < grant.expires_at)
            .count();
        (connections, &self.activity)
    }

    pub(crate) fn record(&mut self, deed: Deed, now: Timestamp) {
        self.activity.record(deed, now);
    }
}

impl Grant {
    fn add(&mut self, fresh: &FreshTokens, scopes: Scopes, now: Timestamp) {
        if self.access_tokens.len() >= ACCESS_TOKENS_PER_GRANT {
            self.access_tokens.remove(0);
        }
        self.access_tokens.push(AccessToken {
            digest: Digest::of(fresh.access_token.expose()),
            scopes,
            issued_at: now,
            expires_at: after(now, fresh.access_token_lifetime),
        });
        self.refresh_token = fresh.refresh_token.digest();
        self.refreshed_at = now;
        self.expires_at = after(now, REFRESH_TOKEN_IDLE);
    }
}

/// Makes room for one more in `map`, by dropping what would be the first to expire.
fn make_room<T>(map: &mut BTreeMap<Digest, T>, most: usize, expires_at: impl Fn(&T) -> Timestamp) {
    while map.len() >= most {
        let first = map
            .iter()
            .min_by_key(|(_, entry)| expires_at(entry))
            .map(|(key, _)| *key);
        let Some(key) = first else { return };
        map.remove(&key);
    }
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

const CODES: usize = 256;
const GRANTS: usize = 256;
const ACCESS_TOKENS_PER_GRANT: usize = 32;
/// A refresh token that is not used for thirty days is forgotten (RFC 9700 §4.14.2).
const REFRESH_TOKEN_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests;
