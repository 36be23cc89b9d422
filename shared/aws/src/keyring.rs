//! The keys of the sealed vault.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey_core::{model::Secret, port::Entropy};
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The keys of the sealed vault: the one that seals, and those that only open.
///
/// As text: `{"current":"k1","keys":{"k1":"<32 bytes in base64>"}}`.
///
/// # Security
/// Whoever has the text and can read the tables has every token. It can't be printed, and is zeroised
/// when dropped.
#[derive(Clone)]
pub struct Keyring {
    current: String,
    keys: BTreeMap<String, Secret<Vec<u8>>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// What is wrong with the text of a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// It is not a JSON object with the two fields `current` and `keys`.
    #[error("the keyring is not an object with 'current' and 'keys'")]
    Malformed,
    /// The id of a key is not 1 to 32 of `a`–`z`, `0`–`9` and `-`.
    #[error("the id of a key is not 1 to 32 of a-z, 0-9 and '-'")]
    KeyId,
    /// A key is not 32 bytes in base64.
    #[error("a key is not 32 bytes in base64")]
    Key,
    /// The current key is not among the keys.
    #[error("the current key is not among the keys")]
    NoCurrent,
}

impl Keyring {
    /// Reads a keyring.
    ///
    /// # Errors
    /// [`KeyringError`] says what is wrong, without any of it.
    pub fn parse(text: &Secret) -> Result<Self, KeyringError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            current: String,
            keys: BTreeMap<String, Secret>,
        }
        // The parser's own error could quote a key.
        let written: Written =
            serde_json::from_str(text.expose()).map_err(|_| KeyringError::Malformed)?;
        let keys = written.keys.into_iter().map(|(id, key)| {
            if !is_key_id(&id) {
                return Err(KeyringError::KeyId);
            }
            let key = STANDARD
                .decode(key.expose())
                .map(Secret::new)
                .map_err(|_| KeyringError::Key)?;
            if key.expose().len() != KEY_LENGTH {
                return Err(KeyringError::Key);
            }
            Ok((id, key))
        });
        let keys: BTreeMap<_, _> = keys.collect::<Result<_, _>>()?;
        if !keys.contains_key(&written.current) {
            return Err(KeyringError::NoCurrent);
        }
        Ok(Self {
            current: written.current,
            keys,
        })
    }

    /// A keyring with one new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let none = Self {
            current: String::new(),
            keys: BTreeMap::new(),
        };
        none.rotated(entropy)
    }

    /// The same with a new key that seals from now on; the others still open.
    #[must_use]
    pub fn rotated(mut self, entropy: &dyn Entropy) -> Self {
        let unused = (1_u32..).map(|number| format!("k{number}"));
        let mut unused = unused.filter(|id| !self.keys.contains_key(id));
        let id = unused.next().unwrap_or_default();
        let mut key = vec![0; KEY_LENGTH];
        entropy.fill(&mut key);
        self.keys.insert(id.clone(), Secret::new(key));
        self.current = id;
        self
    }

    /// The text that [`Keyring::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let keys = self.keys.iter().map(|(id, key)| {
            let key = Zeroizing::new(STANDARD.encode(key.expose()));
            Zeroizing::new(format!("\"{id}\":\"{}\"", *key))
        });
        let keys: Vec<_> = keys.collect();
        let mut text =
            String::with_capacity(64 + keys.iter().map(|key| key.len() + 1).sum::<usize>());
        // Ids and base64 have nothing to escape; the text never grows, so no copy is left behind.
        text.push_str("{\"current\":\"");
        text.push_str(&self.current);
        text.push_str("\",\"keys\":{");
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(key);
        }
        text.push_str("}}");
        Secret::new(text)
    }

    /// The key that seals, and its id.
    pub(crate) fn current(&self) -> Option<(&str, LessSafeKey)> {
        Some((&self.current, self.key(&self.current)?))
    }

    /// The key with this id.
    pub(crate) fn key(&self, id: &str) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, self.keys.get(id)?.expose()).ok()?;
        Some(LessSafeKey::new(key))
    }
}

const KEY_LENGTH: usize = 32;

fn is_key_id(id: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=32).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn a_keyring_comes_back_as_it_was_written() {
        let keyring = Keyring::generate(&OsEntropy).rotated(&OsEntropy);
        let read = Keyring::parse(&keyring.to_text()).unwrap();
        assert_eq!(read.current, "k2");
        assert_eq!(read.to_text().expose(), keyring.to_text().expose());
        assert_eq!(read.keys.len(), 2);
    }

    #[test]
    fn a_keyring_that_is_wrong_is_refused() {
        let key = STANDARD.encode([7; 32]);
        for (text, error) in [
            ("[]".to_owned(), KeyringError::Malformed),
            ("{}".to_owned(), KeyringError::Malformed),
            (
                format!(r#"{{"current":"k1","keys":{{"K 1":"{key}"}}}}"#),
                KeyringError::KeyId,
            ),
            (
                r#"{"current":"k1","keys":{"k1":"c2hvcnQ="}}"#.to_owned(),
                KeyringError::Key,
            ),
            (
                r#"{"current":"k1","keys":{"k1":"%%%"}}"#.to_owned(),
                KeyringError::Key,
            ),
            (
                format!(r#"{{"current":"k2","keys":{{"k1":"{key}"}}}}"#),
                KeyringError::NoCurrent,
            ),
        ] {
            assert_eq!(Keyring::parse(&text.into()).unwrap_err(), error);
        }
    }

    #[test]
    fn a_keyring_does_not_print_its_keys() {
        let keyring = Keyring::generate(&OsEntropy);
        assert_eq!(format!("{keyring:?}"), "Keyring(..)");
    }
}
