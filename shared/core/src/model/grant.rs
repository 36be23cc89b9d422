//! What a successful authorisation or refresh yields.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Secret, refresh_tokens::RefreshTokens, sealed::Sealed, terms::Terms};

/// A grant as the provider has just given it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The tokens.
    pub tokens: Tokens,
    /// Whether a new access token can be had without the user.
    pub refreshable: bool,
    /// When the first access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// What it allows of refreshes, and when.
    pub terms: Terms,
    /// The scopes granted, or those asked for where the answer doesn't say (RFC 6749 §5.1).
    pub scopes: Vec<String>,
    /// When it was asked for; its life counts from then, so that we are never late.
    pub received_at: Timestamp,
}

/// The longest grant that is kept, in bytes. An item of the store takes 400 KB, and holds a grant, three
/// spares, and the instance's values.
const LONGEST: usize = 80 << 10;

impl Grant {
    /// Whether it is longer than the store could keep.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        let scopes: usize = self.scopes.iter().map(String::len).sum();
        self.tokens.length() + scopes > LONGEST
    }
}

/// The precious part of a grant.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The tokens of the answer itself.
    pub main: TokenSet,
    /// Further sets of tokens, by name.
    pub sets: BTreeMap<String, TokenSet>,
    /// What else the provider brought, by variable.
    pub captured: BTreeMap<String, Secret>,
}

/// An access token, and what came with it. Sealed and stored, so its fields may only be added to.
#[derive(Debug, Clone)]
pub struct TokenSet {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// The ID token, if there is one.
    pub id_token: Option<Secret>,
    /// How the access token is used, as the provider spells it (RFC 6749 §7.1).
    pub token_type: String,
    /// When the access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
}

impl TokenSet {
    fn length(&self) -> usize {
        let others = [&self.refresh_token, &self.id_token].into_iter().flatten();
        let tokens = others.chain([&self.access_token]);
        let tokens: usize = tokens.map(|token| token.expose().len()).sum();
        tokens + self.token_type.len()
    }
}

/// Tokens as they are sealed.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    main: WrittenSet<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sets: BTreeMap<&'a str, WrittenSet<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    captured: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct WrittenSet<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Read {
    access_token: Secret,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    id_token: Option<Secret>,
    token_type: String,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    sets: BTreeMap<String, ReadSet>,
    #[serde(default)]
    captured: BTreeMap<String, Secret>,
}

#[derive(Deserialize)]
struct ReadSet {
    access_token: Secret,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    id_token: Option<Secret>,
    token_type: String,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

impl<'a> From<&'a TokenSet> for WrittenSet<'a> {
    fn from(set: &'a TokenSet) -> Self {
        let open = |secret: &'a Option<Secret>| secret.as_ref().map(|s| s.expose().as_str());
        Self {
            access_token: set.access_token.expose(),
            refresh_token: open(&set.refresh_token),
            id_token: open(&set.id_token),
            token_type: &set.token_type,
            expires_at: set.expires_at,
        }
    }
}

impl From<ReadSet> for TokenSet {
    fn from(read: ReadSet) -> Self {
        Self {
            access_token: read.access_token,
            refresh_token: read.refresh_token,
            id_token: read.id_token,
            token_type: read.token_type,
            expires_at: read.expires_at,
        }
    }
}

impl Tokens {
    /// The tokens as the text that is sealed.
    ///
    /// # Errors
    /// Never in practice: texts can always be written as JSON.
    pub fn to_plaintext(&self) -> Result<Secret<Vec<u8>>, serde_json::Error> {
        let sets = self.sets.iter();
        let captured = self.captured.iter();
        serde_json::to_vec(&Written {
            main: (&self.main).into(),
            sets: sets
                .map(|(name, set)| (name.as_str(), set.into()))
                .collect(),
            captured: captured
                .map(|(key, value)| (key.as_str(), value.expose().as_str()))
                .collect(),
        })
        .map(Secret::new)
    }

    /// Reads what [`Tokens::to_plaintext`] wrote.
    ///
    /// # Errors
    /// [`UnreadableTokens`] if it is something else.
    pub fn from_plaintext(plaintext: &Secret<Vec<u8>>) -> Result<Self, UnreadableTokens> {
        // The parser's own error could quote a token.
        let read: Read =
            serde_json::from_slice(plaintext.expose()).map_err(|_| UnreadableTokens)?;
        let sets = read.sets.into_iter();
        Ok(Self {
            main: TokenSet {
                access_token: read.access_token,
                refresh_token: read.refresh_token,
                id_token: read.id_token,
                token_type: read.token_type,
                expires_at: read.expires_at,
            },
            sets: sets.map(|(name, set)| (name, set.into())).collect(),
            captured: read.captured,
        })
    }

    /// The name of the further set that wants refreshing before all others; `None` if the main one does.
    #[must_use]
    pub fn most_due(&self) -> Option<&str> {
        let ends = |set: &TokenSet| set.expires_at.unwrap_or(Timestamp::MAX);
        let main = match self.main.refresh_token {
            Some(_) => ends(&self.main),
            None => Timestamp::MAX,
        };
        self.sets
            .iter()
            .filter(|(_, set)| set.refresh_token.is_some() && ends(set) < main)
            .min_by_key(|(_, set)| ends(set))
            .map(|(name, _)| name.as_str())
    }

    /// How long all tokens and captured values are together, in bytes.
    fn length(&self) -> usize {
        let sets = std::iter::once(&self.main).chain(self.sets.values());
        let captured = self.captured.values().map(|value| value.expose().len());
        sets.map(TokenSet::length).chain(captured).sum()
    }

    /// Whether any set has a refresh token.
    #[must_use]
    pub fn has_refresh_token(&self) -> bool {
        std::iter::once(&self.main)
            .chain(self.sets.values())
            .any(|set| set.refresh_token.is_some())
    }

    /// When the first access token ends: the main one, or one of a further set that can be refreshed.
    #[must_use]
    pub fn first_end(&self) -> Option<Timestamp> {
        let sets = self.sets.values();
        std::iter::once(&self.main)
            .chain(sets.filter(|set| set.refresh_token.is_some()))
            .filter_map(|set| set.expires_at)
            .min()
    }
}

/// What was sealed as tokens is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed tokens can't be read")]
pub struct UnreadableTokens;

/// A grant as an instance keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredGrant {
    /// The epoch that produced it.
    pub epoch: u64,
    /// The epoch whose tokens it was made from, so that an answer that was used is known as such;
    /// `None` for what a consent brought, and for a spare that took the place of what was refused.
    pub parent: Option<u64>,
    /// The epoch under which its answer came, if it has been given another one since, as a spare is that takes
    /// the place of what was refused: the answer is known by it if it comes once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_under: Option<u64>,
    /// The sealed tokens.
    pub tokens: Sealed,
    /// Where the refresh tokens are.
    pub refresh_tokens: RefreshTokens,
    /// Whether a new access token can be had without the user.
    pub refreshable: bool,
    /// When the first access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// What it allows of refreshes, and when.
    pub terms: Terms,
    /// The scopes granted.
    pub scopes: Vec<String>,
    /// When it was asked for.
    pub received_at: Timestamp,
}

impl StoredGrant {
    /// The epoch under which its answer came.
    #[must_use]
    pub fn answer_epoch(&self) -> u64 {
        self.answered_under.unwrap_or(self.epoch)
    }

    /// When the user consented.
    #[must_use]
    pub fn consented_at(&self) -> Timestamp {
        self.terms.consented_at.unwrap_or(self.received_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn tokens_come_back_as_they_were_sealed() {
        let set = |token: &str| TokenSet {
            access_token: token.into(),
            refresh_token: None,
            id_token: None,
            token_type: "bearer".to_owned(),
            expires_at: Some(at(5)),
        };
        let tokens = Tokens {
            main: set("a?&+%:/=é"),
            sets: BTreeMap::from([("user".to_owned(), set("u"))]),
            captured: BTreeMap::from([("team".to_owned(), "T1".into())]),
        };
        let read = Tokens::from_plaintext(&tokens.to_plaintext().unwrap()).unwrap();
        assert_eq!(read.main.access_token.expose(), "a?&+%:/=é");
        assert!(read.main.refresh_token.is_none());
        assert_eq!(read.main.expires_at, Some(at(5)));
        assert_eq!(read.sets["user"].access_token.expose(), "u");
        assert_eq!(read.captured["team"].expose(), "T1");
    }

    #[test]
    fn a_grant_is_as_long_as_all_its_parts() {
        let half = "h".repeat(LONGEST / 2);
        let set = |token: &str| TokenSet {
            access_token: token.into(),
            refresh_token: Some("r".into()),
            id_token: None,
            token_type: String::new(),
            expires_at: None,
        };
        let grant = |sets: BTreeMap<String, TokenSet>, scopes: Vec<String>| Grant {
            tokens: Tokens {
                main: set(&half),
                sets,
                captured: BTreeMap::new(),
            },
            refreshable: true,
            expires_at: None,
            terms: Terms::default(),
            scopes,
            received_at: at(0),
        };
        assert!(!grant(BTreeMap::new(), Vec::new()).is_too_long());
        assert!(grant(BTreeMap::new(), vec![half.clone()]).is_too_long());
        let further = BTreeMap::from([("user".to_owned(), set(&half))]);
        assert!(grant(further, Vec::new()).is_too_long());
    }

    #[test]
    fn of_several_sets_the_first_to_end_that_can_be_refreshed_is_due() {
        let set = |refresh: bool, end: i64| TokenSet {
            access_token: "a".into(),
            refresh_token: refresh.then(|| "r".into()),
            id_token: None,
            token_type: "bearer".to_owned(),
            expires_at: Some(at(end)),
        };
        for (main, user, due, end) in [
            (set(true, 60), set(true, 30), Some("user"), 30),
            (set(true, 30), set(true, 60), None, 30),
            (set(false, 30), set(true, 60), Some("user"), 30),
            // What nobody can refresh makes nothing due.
            (set(true, 60), set(false, 30), None, 60),
        ] {
            let tokens = Tokens {
                main,
                sets: BTreeMap::from([("user".to_owned(), user)]),
                captured: BTreeMap::new(),
            };
            assert_eq!(tokens.most_due(), due);
            assert_eq!(tokens.first_end(), Some(at(end)));
        }
    }
}
