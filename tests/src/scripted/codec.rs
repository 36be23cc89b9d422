//! How texts are written in URLs, forms and headers, read strictly.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use ring::rand::{SecureRandom as _, SystemRandom};

/// How names and values are written in a URL or a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Form,
    Rfc3986,
    Raw,
}

impl Encoding {
    /// By its name in a definition.
    pub(super) fn named(name: Option<&str>) -> Self {
        match name {
            Some("rfc3986") => Self::Rfc3986,
            Some("raw") => Self::Raw,
            Some(_) | None => Self::Form,
        }
    }

    /// What was meant by what was written; several readings if the way of writing allows it.
    pub(super) fn read(self, written: &str) -> Result<Vec<String>, String> {
        match self {
            Self::Form if written.contains("%20") => {
                Err(format!("a space is '+' in a form, not '%20': {written}"))
            }
            Self::Form => strict(written, "*-._~+").map(|()| vec![form_decode(written)]),
            Self::Rfc3986 => strict(written, "-._~").map(|()| vec![percent_decode(written)]),
            Self::Raw => Ok(vec![written.to_owned(), needed_only(written)]),
        }
    }
}

/// Only letters, digits, some marks and whole escapes.
fn strict(written: &str, marks: &str) -> Result<(), String> {
    let mut rest = written.bytes();
    while let Some(byte) = rest.next() {
        let plain = byte.is_ascii_alphanumeric() || marks.as_bytes().contains(&byte);
        let escaped = byte == b'%'
            && rest.next().is_some_and(|byte| byte.is_ascii_hexdigit())
            && rest.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        if !plain && !escaped {
            return Err(format!(
                "'{}' is not written as it must be: {written}",
                char::from(byte)
            ));
        }
    }
    Ok(())
}

/// Undoes only the escapes that no URL can do without.
fn needed_only(written: &str) -> String {
    let decoded = percent_decode(written);
    let free = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{}|#%".contains(c);
    let again: String = decoded.chars().fold(String::new(), |mut text, c| {
        if free(c) {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        text
    });
    if again.eq_ignore_ascii_case(written) {
        decoded
    } else {
        written.to_owned()
    }
}

/// Undoes percent escapes; what is no escape stays.
pub(super) fn percent_decode(written: &str) -> String {
    let bytes = written.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = written.get(at + 1..at + 3).filter(|_| byte == b'%');
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(escaped) => {
                decoded.push(escaped);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Undoes the writing of a form.
pub(super) fn form_decode(written: &str) -> String {
    percent_decode(&written.replace('+', " "))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(super) fn percent_encode(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

/// The pairs of a query or form: the name decoded, the value as written.
pub(super) fn pairs(written: &str) -> Vec<(String, String)> {
    let pairs = written.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decode(name), value.to_owned())
        })
        .collect()
}

/// Writes pairs as a form.
pub(super) fn write_form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let written = pairs.into_iter().map(|(name, value)| {
        let write = |text: &str| percent_encode(text).replace("%20", "+");
        format!("{}={}", write(name), write(value))
    });
    written.collect::<Vec<_>>().join("&")
}

/// Base64 with its padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}

/// Base64 for URLs, without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads Base64 with its padding.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    general_purpose::STANDARD.decode(text).ok()
}

/// Reads Base64 for URLs, with or without padding.
pub(super) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let settings =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::URL_SAFE, settings)
        .decode(text)
        .ok()
}

/// Hexadecimal digits in lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hexadecimal digits.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<_> = text.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok();
    digits.chunks(2).map(byte).collect()
}

/// A text that nobody has seen before.
pub(super) fn random(prefix: &str) -> String {
    let mut bytes = [0; 18];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("randomness is there");
    format!("{prefix}{}", hex(&bytes))
}

/// A JSON text, with its quotes.
pub(super) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
