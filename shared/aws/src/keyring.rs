//! The keys of the sealed vault.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey_core::{model::Secret, port::Entropy};
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use zeroize::Zeroizing;

/// The keys of the sealed vault: the one that seals, and those that only open.
///
/// As text: `{"current":"k1","k1":"<32 bytes>"}`, in base64 or as hexadecimal digits, which is what Secrets Manager can
/// make by itself.
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
    /// It is not a JSON object of texts, with `current` among its members.
    #[error("the keyring is not an object of texts with a member 'current'")]
    Malformed,
    /// The id of a key is not 1 to 32 of `a`–`z`, `0`–`9` and `-`.
    #[error("the id of a key is not 1 to 32 of a-z, 0-9 and '-'")]
    KeyId,
    /// A key is not 32 bytes in base64 or as hexadecimal digits.
    #[error("a key is not 32 bytes in base64 or as hexadecimal digits")]
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
        // The parser's own error could quote a key.
        let mut written: BTreeMap<String, Secret> =
            serde_json::from_str(text.expose()).map_err(|_| KeyringError::Malformed)?;
        let current = written.remove(CURRENT).ok_or(KeyringError::Malformed)?;
        let keys = written.into_iter().map(|(id, key)| {
            if is_key_id(&id) {
                Ok((id, bytes(&key).ok_or(KeyringError::Key)?))
            } else {
                Err(KeyringError::KeyId)
            }
        });
        let keys: BTreeMap<_, _> = keys.collect::<Result<_, _>>()?;
        if !keys.contains_key(current.expose()) {
            return Err(KeyringError::NoCurrent);
        }
        Ok(Self {
            current: current.expose().clone(),
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

    /// The ids of its keys, the one that seals first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let others = self.keys.keys().filter(|id| **id != self.current);
        std::iter::once(&self.current)
            .chain(others)
            .map(String::as_str)
    }

    /// The same with the key that seals, and no other.
    #[must_use]
    pub fn current_alone(mut self) -> Self {
        self.keys.retain(|id, _| *id == self.current);
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
        text.push('"');
        for key in &keys {
            text.push(',');
            text.push_str(key);
        }
        text.push('}');
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
/// The member that says which key seals.
const CURRENT: &str = "current";

/// The bytes of a key that is written in base64 or as hexadecimal digits.
fn bytes(text: &Secret) -> Option<Secret<Vec<u8>>> {
    let text = text.expose();
    let key = if text.len() == 2 * KEY_LENGTH {
        let pairs = text.as_bytes().chunks(2);
        // `from_str_radix` takes a sign, too.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let digits = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        pairs
            .map(digits)
            .collect::<Option<Vec<u8>>>()
            .filter(|_| is_digits)?
    } else {
        STANDARD.decode(text).ok()?
    };
    let key = Secret::new(key);
    (key.expose().len() == KEY_LENGTH).then_some(key)
}

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
    fn what_secrets_manager_makes_is_a_keyring() {
        let text = format!(r#"{{"current":"k1","k1":"{}"}}"#, "0f".repeat(32));
        let read = Keyring::parse(&text.into()).unwrap();
        assert_eq!(read.keys["k1"].expose(), &[15; 32]);
    }

    #[test]
    fn a_keyring_that_is_wrong_is_refused() {
        let key = STANDARD.encode([7; 32]);
        for (text, error) in [
            ("[]".to_owned(), KeyringError::Malformed),
            ("{}".to_owned(), KeyringError::Malformed),
            (r#"{"current":"k1"}"#.to_owned(), KeyringError::NoCurrent),
            (
                format!(r#"{{"current":"k1","K 1":"{key}"}}"#),
                KeyringError::KeyId,
            ),
            (
                r#"{"current":"k1","k1":"c2hvcnQ="}"#.to_owned(),
                KeyringError::Key,
            ),
            (
                r#"{"current":"k1","k1":"%%%"}"#.to_owned(),
                KeyringError::Key,
            ),
            (
                format!(r#"{{"current":"k1","k1":"+{}"}}"#, "7".repeat(63)),
                KeyringError::Key,
            ),
            (
                format!(r#"{{"current":"k2","k1":"{key}"}}"#),
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
