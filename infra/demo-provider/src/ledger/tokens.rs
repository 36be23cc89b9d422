//! Tokens as they are presented: found, described, revoked.

use jiff::Timestamp;

use crate::{
    refusal::Refusal,
    scope::Scopes,
    token_text::{Digest, RefreshToken},
};

use super::{Deed, Grant, Ledger};

/// A token that is good now.
#[derive(Debug)]
pub(crate) struct Active<'a> {
    pub(crate) kind: Kind,
    pub(crate) client_id: &'a str,
    pub(crate) scopes: &'a Scopes,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What sort of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
}

impl Ledger {
    /// Describes `token` if it is good.
    pub(crate) fn find(&self, token: &str, now: Timestamp) -> Option<Active<'_>> {
        self.find_access_token(token, now)
            .or_else(|| self.find_refresh_token(token, now))
    }

    /// Describes `token` if it is an access token that is good.
    pub(crate) fn find_access_token(&self, token: &str, now: Timestamp) -> Option<Active<'_>> {
        let digest = Digest::of(token);
        self.grants.values().find_map(|grant| {
            let found = grant
                .access_tokens
                .iter()
                .find(|token| token.digest == digest)?;
            (now < found.expires_at).then_some(Active {
                kind: Kind::Access,
                client_id: &grant.client_id,
                scopes: &found.scopes,
                issued_at: found.issued_at,
                expires_at: found.expires_at,
            })
        })
    }

    fn find_refresh_token(&self, token: &str, now: Timestamp) -> Option<Active<'_>> {
        let token = RefreshToken::parse(token)?;
        let grant = self.grants.get(&token.family())?;
        let newest = bool::from(grant.refresh_token.matches(&token.digest()));
        (newest && now < grant.expires_at).then_some(Active {
            kind: Kind::Refresh,
            client_id: &grant.client_id,
            scopes: &grant.scopes,
            issued_at: grant.refreshed_at,
            expires_at: grant.expires_at,
        })
    }

    /// Revokes `token`; nothing happens if there is no such token (RFC 7009 §2.2).
    ///
    /// A refresh token takes its grant with it, access tokens included (RFC 7009 §2.1). So does one
    /// that was replaced: whoever revokes it wants the connection to end. An access token goes alone.
    ///
    /// # Errors
    /// [`Refusal::InvalidGrant`] when it was issued to another client (RFC 7009 §2.1).
    pub(crate) fn revoke(
        &mut self,
        token: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let family = RefreshToken::parse(token).map(|token| token.family());
        if let Some((family, grant)) = family.and_then(|key| self.grants.get_key_value(&key)) {
            grant.belongs_to(client_id)?;
            let family = *family;
            self.grants.remove(&family);
            self.record(Deed::Revoked, now);
            return Ok(());
        }
        let digest = Digest::of(token);
        let holds = |grant: &&mut Grant| {
            grant
                .access_tokens
                .iter()
                .any(|token| token.digest == digest)
        };
        if let Some(grant) = self.grants.values_mut().find(holds) {
            grant.belongs_to(client_id)?;
            grant.access_tokens.retain(|token| token.digest != digest);
            self.record(Deed::AccessTokenRevoked, now);
        }
        Ok(())
    }
}

impl Grant {
    fn belongs_to(&self, client_id: &str) -> Result<(), Refusal> {
        if self.client_id == client_id {
            Ok(())
        } else {
            Err(Refusal::InvalidGrant(
                "the token was issued to another client",
            ))
        }
    }
}
