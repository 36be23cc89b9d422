//! What flows through a pipe.

use std::fmt;

use zeroize::Zeroize;

/// The kind of a value in a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Bytes that need not be text: a digest or a signature.
    Bytes,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// A value in a pipe, which may be a secret: it is not printed, and zeroised when dropped.
pub enum Value {
    /// Text.
    Text(String),
    /// Bytes that need not be text: a digest or a signature.
    Bytes(Vec<u8>),
}

impl Value {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }

    /// The text, taken out, if it is one.
    #[must_use]
    pub fn into_text(mut self) -> Option<String> {
        match &mut self {
            Self::Text(text) => Some(std::mem::take(text)),
            Self::Bytes(_) => None,
        }
    }

    /// The bytes, which for a text are its UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Bytes(_) => "Bytes(..)",
        })
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        match self {
            Self::Text(text) => text.zeroize(),
            Self::Bytes(bytes) => bytes.zeroize(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn a_value_does_not_print_itself() {
        let values = [Value::Text("geheim".into()), Value::Bytes(vec![42; 3])];
        assert_eq!(format!("{values:?}"), "[Text(..), Bytes(..)]");
    }

    #[test]
    fn bytes_are_no_text() {
        assert_eq!(Value::Bytes(b"text".to_vec()).into_text(), None);
        assert_eq!(Value::Text("text".into()).into_text().unwrap(), "text");
    }
}
