//! Refresh tokens: each is good once, and an old one ends its family (RFC 9700 §4.14.2).

use jiff::Timestamp;

use crate::{refusal::Refusal, scope::Scopes, token_text::RefreshToken};

use super::{Deed, FreshTokens, Ledger};

/// What a client presents to get a new access token.
#[derive(Debug)]
pub(crate) struct Rotation {
    pub(crate) client_id: String,
    pub(crate) refresh_token: RefreshToken,
    /// Less than was granted, for the new access token only.
    pub(crate) scopes: Option<Scopes>,
}

impl Ledger {
    /// Replaces a refresh token by the `fresh` one, and says what the new access token is good for.
    ///
    /// # Errors
    /// [`Refusal::InvalidGrant`] for a refresh token that is not known, has expired or belongs to
    /// another client; if it has been replaced already, either its owner or a thief holds the newer
    /// one, and the whole family ends. [`Refusal::InvalidScope`] when more is asked for than was
    /// granted (RFC 6749 §6), which leaves the refresh token good.
    pub(crate) fn rotate(
        &mut self,
        rotation: &Rotation,
        fresh: &FreshTokens,
        now: Timestamp,
    ) -> Result<Scopes, Refusal> {
        let family = rotation.refresh_token.family();
        let Some(grant) = self.grants.get_mut(&family) else {
            return Err(Refusal::InvalidGrant(
                "the refresh token is unknown, expired or revoked",
            ));
        };
        if grant.client_id != rotation.client_id {
            return Err(Refusal::InvalidGrant(
                "the refresh token was issued to another client",
            ));
        }
        if !bool::from(
            grant
                .refresh_token
                .matches(&rotation.refresh_token.digest()),
        ) {
            self.grants.remove(&family);
            self.record(Deed::RefreshTokenReused, now);
            return Err(Refusal::InvalidGrant(
                "the refresh token was already used; its family is revoked",
            ));
        }
        let scopes = rotation.scopes.as_ref().unwrap_or(&grant.scopes).clone();
        if !scopes.is_within(&grant.scopes) {
            return Err(Refusal::InvalidScope);
        }
        grant.add(fresh, scopes.clone(), now);
        self.record(Deed::Refreshed, now);
        Ok(scopes)
    }
}
