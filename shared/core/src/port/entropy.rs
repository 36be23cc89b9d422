//! Random bytes.

use crate::model::{Secret, definition::Alphabet};

/// A cryptographically secure source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// Ten bytes for an id.
    #[must_use]
    pub fn id(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        bytes
    }

    /// A secret of 256 bits in the URL-safe alphabet (RFC 4648 §5), 43 characters.
    #[must_use]
    pub fn secret(&self) -> Secret {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// `length` letters and digits, each equally likely.
    #[must_use]
    pub fn letters_and_digits(&self, length: usize) -> Secret {
        self.text(length, Alphabet::Alphanumeric)
    }

    /// `length` characters of an alphabet, each equally likely.
    #[must_use]
    pub fn text(&self, length: usize, alphabet: Alphabet) -> Secret {
        let characters: &[u8] = match alphabet {
            Alphabet::Alphanumeric => {
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
            }
            Alphabet::Hex => b"0123456789abcdef",
            Alphabet::Digits => b"0123456789",
        };
        // What is above the largest multiple in a byte would favour some.
        let usable = 256 / characters.len() * characters.len();
        let mut text = String::with_capacity(length);
        let mut bytes = [0; 64];
        while text.len() < length {
            self.fill(&mut bytes);
            let drawn = bytes
                .iter()
                .map(|byte| usize::from(*byte))
                .filter(|byte| *byte < usable)
                .filter_map(|byte| characters.get(byte % characters.len()));
            text.extend(
                drawn
                    .take(length - text.len())
                    .map(|byte| char::from(*byte)),
            );
        }
        Secret::new(text)
    }

    /// A number from 0 to 1, for jitter.
    #[must_use]
    pub fn share(&self) -> f64 {
        let mut bytes = [0; 2];
        self.fill(&mut bytes);
        f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX)
    }
}
