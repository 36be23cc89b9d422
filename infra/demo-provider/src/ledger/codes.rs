//! Authorisation codes: issued for a consent, redeemed once.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    refusal::Refusal,
    scope::Scopes,
    token_text::{Digest, Token},
};

use super::{CODES, Code, Deed, FreshTokens, GRANTS, Grant, Ledger, after, make_room};

/// What the user agreed to, and what the code for it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    /// Where the code was sent.
    pub(crate) redirect_uri: String,
    /// Whether the request itself said so; if it did, the token request must too.
    pub(crate) redirect_uri_was_given: bool,
    pub(crate) code_challenge: Digest,
}

/// What a client presents together with a code.
#[derive(Debug)]
pub(crate) struct Redemption {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: Option<String>,
    /// SHA-256 of the code verifier.
    pub(crate) verifier: Digest,
}

impl Ledger {
    /// Remembers `code` for a minute.
    pub(crate) fn issue(&mut self, code: &Token, consent: Consent, now: Timestamp) {
        make_room(&mut self.codes, CODES, |code| code.expires_at);
        let expires_at = after(now, CODE_LIFETIME);
        self.codes.insert(
            Digest::of(code.expose()),
            Code {
                consent,
                expires_at,
            },
        );
    }

    /// Exchanges a code for the `fresh` tokens, and says what they are good for.
    ///
    /// # Errors
    /// [`Refusal::InvalidGrant`] for a code that is not known, has expired, or is bound to something
    /// else. A code that comes twice also ends what it had started (RFC 6749 §4.1.2). A code that was
    /// refused stays good for whoever can present it rightly.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        redemption: &Redemption,
        fresh: &FreshTokens,
        now: Timestamp,
    ) -> Result<Scopes, Refusal> {
        let digest = Digest::of(code);
        let Some(consent) = self.codes.get(&digest).map(|code| code.consent.clone()) else {
            self.end_what_came_of(digest, now);
            return Err(Refusal::InvalidGrant(
                "the code is unknown, expired or already used",
            ));
        };
        consent.admits(redemption)?;
        self.codes.remove(&digest);
        Ok(self.begin(digest, consent, fresh, now))
    }

    fn begin(
        &mut self,
        code: Digest,
        consent: Consent,
        fresh: &FreshTokens,
        now: Timestamp,
    ) -> Scopes {
        make_room(&mut self.grants, GRANTS, |grant| grant.expires_at);
        let mut grant = Grant {
            client_id: consent.client_id,
            scopes: consent.scopes.clone(),
            code,
            refresh_token: fresh.refresh_token.digest(),
            refreshed_at: now,
            expires_at: now,
            access_tokens: Vec::new(),
        };
        grant.add(fresh, consent.scopes.clone(), now);
        self.grants.insert(fresh.refresh_token.family(), grant);
        self.record(Deed::Connected, now);
        consent.scopes
    }

    fn end_what_came_of(&mut self, code: Digest, now: Timestamp) {
        let before = self.grants.len();
        self.grants.retain(|_, grant| grant.code != code);
        if self.grants.len() < before {
            self.record(Deed::CodeReplayed, now);
        }
    }
}

impl Consent {
    fn admits(&self, redemption: &Redemption) -> Result<(), Refusal> {
        if self.client_id != redemption.client_id {
            return Err(Refusal::InvalidGrant(
                "the code was issued to another client",
            ));
        }
        // RFC 6749 §4.1.3: required, and identical, if the authorisation request had it.
        let redirect_uri_is_right = match &redemption.redirect_uri {
            Some(given) => *given == self.redirect_uri,
            None => !self.redirect_uri_was_given,
        };
        if !redirect_uri_is_right {
            return Err(Refusal::InvalidGrant(
                "redirect_uri is not the one that the code was sent to",
            ));
        }
        // RFC 7636 §4.6.
        if !bool::from(self.code_challenge.matches(&redemption.verifier)) {
            return Err(Refusal::InvalidGrant(
                "code_verifier does not match the code_challenge",
            ));
        }
        Ok(())
    }
}

/// RFC 6749 §4.1.2 allows ten minutes at most; a client that is a program needs less than one.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
