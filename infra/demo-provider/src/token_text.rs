//! Tokens as text, and their digests.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A secret that the provider has made: a code, an access token, the token of a form.
///
/// It can't be printed; [`Token::expose`] is the one way in.
pub(crate) struct Token(String);

impl Token {
    /// Makes a token of 256 random bits, twice what RFC 6749 §10.10 asks for.
    pub(crate) fn mint(prefix: &str) -> Result<Self, getrandom::Error> {
        Ok(Self(format!("{prefix}{}", random::<32>()?)))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A refresh token: the handle of its family, which stays, and a secret, which rotates.
///
/// The handle is what lets an old token be told from one never issued, however many rotations ago it
/// was replaced, without remembering any but the newest.
pub(crate) struct RefreshToken {
    handle: String,
    secret: String,
}

impl RefreshToken {
    const PREFIX: &'static str = "drt_";

    /// Makes the first token of a family.
    pub(crate) fn mint() -> Result<Self, getrandom::Error> {
        Ok(Self {
            handle: random::<16>()?,
            secret: random::<32>()?,
        })
    }

    /// Makes the token that replaces this one.
    pub(crate) fn successor(&self) -> Result<Self, getrandom::Error> {
        Ok(Self {
            handle: self.handle.clone(),
            secret: random::<32>()?,
        })
    }

    /// Reads what a client sent; `None` when it was never a refresh token.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (handle, secret) = text.strip_prefix(Self::PREFIX)?.split_once('.')?;
        Some(Self {
            handle: handle.to_owned(),
            secret: secret.to_owned(),
        })
    }

    pub(crate) fn expose(&self) -> String {
        format!("{}{}.{}", Self::PREFIX, self.handle, self.secret)
    }

    /// What the family is found by.
    pub(crate) fn family(&self) -> Digest {
        Digest::of(&self.handle)
    }

    /// What the newest token of the family is known by.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.secret)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// SHA-256 of a token. Only digests are stored, so that whoever reads the state file can use none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest([u8; 32]);

/// A text that is not a digest in base64url without padding.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not a SHA-256 digest in base64url")]
pub(crate) struct NotADigest;

impl Digest {
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Compares in a time that says nothing of where two digests differ.
    pub(crate) fn matches(&self, other: &Self) -> subtle::Choice {
        self.0.ct_eq(&other.0)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, NotADigest> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotADigest)?;
        bytes.try_into().map(Self).map_err(|_| NotADigest)
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        URL_SAFE_NO_PAD.encode(digest.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

fn random<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::{Digest, RefreshToken, Token};

    #[test]
    fn a_refresh_token_reads_back_as_it_is_written() {
        let token = RefreshToken::mint().unwrap();
        let read = RefreshToken::parse(&token.expose()).unwrap();
        assert_eq!(
            (read.family(), read.digest()),
            (token.family(), token.digest())
        );
    }

    #[test]
    fn a_successor_is_of_the_same_family_with_another_secret() {
        let token = RefreshToken::mint().unwrap();
        let successor = token.successor().unwrap();
        assert_eq!(successor.family(), token.family());
        assert_ne!(successor.digest(), token.digest());
    }

    #[test]
    fn tokens_do_not_print_themselves() {
        let (token, refresh) = (Token::mint("dat_").unwrap(), RefreshToken::mint().unwrap());
        assert_eq!(
            format!("{token:?} {refresh:?} {:?}", Digest::of("a")),
            "Token(..) RefreshToken(..) Digest(..)"
        );
    }

    /// The example of RFC 7636, appendix B.
    #[test]
    fn a_digest_is_what_rfc_7636_calls_s256() {
        let challenge = Digest::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert_eq!(
            Digest::of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            challenge
        );
    }
}
