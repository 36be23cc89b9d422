//! Callbacks: what a provider signed is believed, and nothing else.

use latchkey_core::{
    model::{
        Secret,
        function::{Function, Value as Piped},
        method::AuthMethod,
        values::{GivenValues, KnownValues},
    },
    protocol::{
        callback::{Unacceptable, UnverifiedAnswer},
        scope::Scope,
    },
};
use proptest::prelude::*;
use serde_json::json;
use url::form_urlencoded;

use super::{config, texts};

const CALLBACK: &str = "https://latchkey.example/oauth/authenticate";

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![
        Just("code".to_owned()),
        Just("state".to_owned()),
        "[a-z\\[\\]]{1,4}",
        texts()
    ];
    proptest::collection::vec((name, texts()), 0..6)
}

fn signed() -> AuthMethod {
    let parts =
        json!({ "callback": { "verify": { "key": "{{client.secret}}", "parameter": "hmac" } } });
    crate::hostile::request::method(&parts)
}

fn hmac(pairs: &[(String, String)], key: &str) -> String {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    let texts: Vec<_> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let digest = Function::Hmac
        .apply(
            Piped::Text(texts.join("&")),
            &["sha256".to_owned(), key.to_owned()],
        )
        .unwrap();
    Function::Hex
        .apply(digest, &[])
        .unwrap()
        .into_text()
        .unwrap()
}

fn believed(method: &AuthMethod, pairs: &[(String, String)]) -> Result<(), Unacceptable> {
    let nothing = GivenValues::new();
    let known = KnownValues::resolve(method, &nothing, &nothing, &nothing, CALLBACK);
    let secret = Secret::from("s3cr3t");
    let scope = Scope {
        client_secret: Some(&secret),
        ..Scope::new(&known, CALLBACK)
    };
    UnverifiedAnswer::new(pairs.iter().cloned())
        .captured(method, &known, &scope)
        .map(drop)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_parameter_is_there_if_it_comes_once(pairs in pairs()) {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let answer = UnverifiedAnswer::new(form_urlencoded::parse(query.as_bytes()).into_owned());
        for (name, value) in &pairs {
            let once = pairs.iter().filter(|(other, _)| other == name).count() == 1 && !value.is_empty();
            let found = answer.get(name).map(|found| found.expose().clone());
            prop_assert_eq!(found, once.then(|| value.clone()));
        }
        for state in answer.state_candidates() {
            prop_assert!(state.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn what_is_signed_is_believed_and_what_is_changed_is_not(pairs in pairs(), at in any::<prop::sample::Index>(), more in "[a-z]{1,3}") {
        let method = signed();
        let pairs: Vec<_> = pairs.into_iter().filter(|(name, _)| name != "hmac").collect();
        let with = |pairs: &[(String, String)], digest: String| {
            let digest = ("hmac".to_owned(), digest);
            pairs.iter().cloned().chain([digest]).collect::<Vec<_>>()
        };
        let digest = hmac(&pairs, "s3cr3t");
        prop_assert_eq!(believed(&method, &with(&pairs, digest.clone())), Ok(()));
        let other = hmac(&pairs, "other");
        prop_assert_eq!(believed(&method, &with(&pairs, other)), Err(Unacceptable::Signature));
        if !pairs.is_empty() {
            let mut changed = pairs.clone();
            at.get(&pairs);
            let at = at.index(changed.len());
            changed[at].1.push_str(&more);
            prop_assert_eq!(believed(&method, &with(&changed, digest)), Err(Unacceptable::Signature));
        }
    }
}
