//! Functions that write text or bytes in another alphabet.

use std::fmt::Write;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 §2.3 leaves alone.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{base64, base64url, hex, json, percent};

    #[test]
    fn base64_and_hex_are_those_of_rfc_4648() {
        // RFC 4648 §10.
        for (text, padded, digits) in [
            ("", "", ""),
            ("f", "Zg==", "66"),
            ("fo", "Zm8=", "666f"),
            ("foo", "Zm9v", "666f6f"),
            ("foob", "Zm9vYg==", "666f6f62"),
            ("fooba", "Zm9vYmE=", "666f6f6261"),
            ("foobar", "Zm9vYmFy", "666f6f626172"),
        ] {
            assert_eq!(base64(text.as_bytes()), padded, "{text}");
            assert_eq!(
                base64url(text.as_bytes()),
                padded.trim_end_matches('='),
                "{text}"
            );
            assert_eq!(hex(text.as_bytes()), digits, "{text}");
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn only_unreserved_characters_are_left_alone() {
        for code in 0..128_u8 {
            let text = char::from(code).to_string();
            let unreserved = code.is_ascii_alphanumeric() || b"-._~".contains(&code);
            let expected = if unreserved {
                text.clone()
            } else {
                format!("%{code:02X}")
            };
            assert_eq!(percent(&text), expected);
        }
    }

    #[test]
    fn a_json_string_reads_back() {
        for text in [
            "",
            "\"},{\"admin\":true",
            "\\",
            "\u{0}\u{2028}\u{1f511}",
            "</script>",
        ] {
            let back: String = serde_json::from_str(&json(text)).unwrap();
            assert_eq!(back, text);
        }
    }
}
