//! What holds for any function, input and arguments.

use proptest::prelude::*;

use super::{Function, Kind, LONGEST, Value, keys};

/// Texts that strangers write, and those that functions look for.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => prop::sample::select(vec![
            "", "0", "1", "-1", "sha256", "sha512", "RS256", "ES256", "HS256", "{}", "[", "e30.e30.",
            "a.b.c", "exp", ".", "https://a.example", "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY----- \\n\\ -----END ", "18446744073709551615",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![keys::EC, keys::RSA, keys::ED25519]).prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = (Kind, Vec<u8>)> {
    prop_oneof![
        words().prop_map(|text| (Kind::Text, text.into_bytes())),
        any::<Vec<u8>>().prop_map(|bytes| (Kind::Bytes, bytes)),
    ]
}

fn value(kind: Kind, bytes: Vec<u8>) -> Value {
    match kind {
        Kind::Text => Value::Text(String::from_utf8(bytes).unwrap()),
        Kind::Bytes => Value::Bytes(bytes),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(2000),
        // A failure is fixed at once, and a test leaves no files in the source.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn applying_never_panics_and_what_was_checked_makes_the_kind_that_it_said(
        function in prop::sample::select(Function::ALL),
        (kind, bytes) in values(),
        arguments in prop::collection::vec(words(), 0..4),
    ) {
        let literals: Vec<_> = arguments.iter().map(|text| Some(text.as_str())).collect();
        let checked = function.check(kind, &literals);
        if let Ok(made) = function.apply(value(kind, bytes), &arguments) {
            prop_assert!(made.as_bytes().len() <= LONGEST);
            if let Ok(expected) = checked {
                prop_assert_eq!(made.kind(), expected);
            }
        }
    }

    #[test]
    fn a_name_is_found_or_not_and_never_panics(name in any::<String>()) {
        if let Some(near) = Function::nearest(&name) {
            prop_assert!(Function::named(near).is_some());
        }
    }

    #[test]
    fn a_key_is_refused_without_a_panic(text in words(), cut in any::<prop::sample::Index>()) {
        let part: String = text.chars().take(cut.index(text.len() + 1)).collect();
        let _ = super::signing::check_key(&part);
    }

    #[test]
    fn base64url_and_urlencode_read_back(text in any::<String>()) {
        use base64::Engine;
        let encoded = super::encode::base64url(text.as_bytes());
        let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded);
        prop_assert_eq!(decoded.unwrap(), text.as_bytes());
        let encoded = super::encode::percent(&text);
        let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8();
        prop_assert_eq!(decoded.unwrap(), text.as_str());
    }
}
