//! The refresh tokens of a grant, and where they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Secret,
    grant::{Tokens, UnreadableTokens},
    sealed::Sealed,
    secret_version::SecretVersion,
};

/// Where a stored grant's refresh tokens are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// Sealed among its other tokens, or there are none.
    Inside,
    /// On their way to the secrets manager. Until they are known to be there, these are they.
    Journal(Journal),
    /// In the secrets manager, in this version.
    Version(SecretVersion),
}

/// Refresh tokens that are to be put into the secrets manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The epoch that brought them. A later grant that has the same ones keeps the journal as it is.
    pub epoch: u64,
    /// They, sealed.
    pub sealed: Sealed,
    /// The version that they take the place of.
    pub instead_of: Option<SecretVersion>,
}

impl RefreshTokens {
    /// The version that is the secret's current one, as far as this tells.
    #[must_use]
    pub fn version(&self) -> Option<&SecretVersion> {
        match self {
            Self::Inside => None,
            Self::Journal(journal) => journal.instead_of.as_ref(),
            Self::Version(version) => Some(version),
        }
    }

    /// The journal, if there is one.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        match self {
            Self::Journal(journal) => Some(journal),
            Self::Inside | Self::Version(_) => None,
        }
    }
}

/// Refresh tokens as text, for the secrets manager.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sets: BTreeMap<&'a str, &'a str>,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    sets: BTreeMap<String, Secret>,
}

impl Tokens {
    /// The refresh tokens of all sets, as the text that a secrets manager keeps.
    #[must_use]
    pub fn refresh_text(&self) -> Secret {
        let open = |token: &'_ Option<Secret>| token.as_ref().map(|token| token.expose().clone());
        let main = open(&self.main.refresh_token);
        let sets: BTreeMap<_, _> = self
            .sets
            .iter()
            .filter_map(|(name, set)| Some((name.as_str(), open(&set.refresh_token)?)))
            .collect();
        let written = Written {
            refresh_token: main.as_deref(),
            sets: sets
                .iter()
                .map(|(name, token)| (*name, token.as_str()))
                .collect(),
        };
        // Texts by text keys can always be written.
        Secret::new(serde_json::to_string(&written).unwrap_or_default())
    }

    /// The same without refresh tokens.
    #[must_use]
    pub fn without_refresh_tokens(&self) -> Self {
        let mut rest = self.clone();
        rest.main.refresh_token = None;
        for set in rest.sets.values_mut() {
            set.refresh_token = None;
        }
        rest
    }

    /// The same with the refresh tokens that [`Tokens::refresh_text`] wrote.
    ///
    /// # Errors
    /// [`UnreadableTokens`] if the text is something else.
    pub fn with_refresh_tokens(mut self, text: &Secret) -> Result<Self, UnreadableTokens> {
        // The parser's own error could quote a token.
        let mut read: Read = serde_json::from_str(text.expose()).map_err(|_| UnreadableTokens)?;
        self.main.refresh_token = read.refresh_token;
        for (name, set) in &mut self.sets {
            set.refresh_token = read.sets.remove(name);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::grant::TokenSet;

    fn set(refresh: Option<&str>) -> TokenSet {
        TokenSet {
            access_token: "a".into(),
            refresh_token: refresh.map(Secret::from),
            id_token: None,
            token_type: "bearer".to_owned(),
            expires_at: None,
        }
    }

    #[test]
    fn refresh_tokens_go_apart_and_come_back() {
        let tokens = Tokens {
            main: set(Some("r?&+%:/=é\"")),
            sets: BTreeMap::from([
                ("bot".to_owned(), set(None)),
                ("user".to_owned(), set(Some("u"))),
            ]),
            captured: BTreeMap::new(),
        };
        let text = tokens.refresh_text();
        let rest = tokens.without_refresh_tokens();
        assert!(!rest.has_refresh_token());
        assert_eq!(rest.refresh_text().expose(), "{}");
        let whole = rest.with_refresh_tokens(&text).unwrap();
        assert_eq!(whole.refresh_text().expose(), text.expose());
        let main = whole.main.refresh_token.unwrap();
        assert_eq!(main.expose(), "r?&+%:/=é\"");
        assert!(whole.sets["bot"].refresh_token.is_none());
    }
}
