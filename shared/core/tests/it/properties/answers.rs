//! Token answers: the tokens in them are found, in whatever form they come.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    model::{
        Secret,
        grant::Grant,
        method::AuthMethod,
        values::{GivenValues, KnownValues},
    },
    protocol::{
        asked::Asked,
        refusal::TokenFailure,
        scope::Scope,
        token_answer::{self, Reader},
        wire::WireAnswer,
    },
};
use oauth2::basic::BasicTokenResponse;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::config;

const CALLBACK: &str = "https://latchkey.example/oauth/authenticate";

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn read(method: &AuthMethod, body: &[u8]) -> Result<Grant, TokenFailure> {
    let answer = WireAnswer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Secret::new(body.to_vec()),
        round_trip: Duration::ZERO,
    };
    let nothing = GivenValues::new();
    let known = KnownValues::resolve(method, &nothing, &nothing, &nothing, CALLBACK);
    let scope = Scope::new(&known, CALLBACK);
    let response = &method.token.response;
    let body = token_answer::read(&answer, response, &scope, now())?;
    let standard = token_answer::standard(&answer, &body, response, None, &scope, now())?;
    let standard: BasicTokenResponse =
        serde_json::from_slice(standard.body()).expect("what is standard is read");
    let reader = Reader {
        method,
        response,
        scope: &scope,
        values: &known,
        asked: Asked::at(now()),
    };
    Ok(reader.grant(&standard, &body, &[]))
}

fn nested(root: &str, token: &Value) -> Value {
    root.split('.')
        .rev()
        .fold(token.clone(), |inner, name| json!({ name: inner }))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_token_is_found_wherever_the_definition_says(
        // One of spaces alone is none that a header could carry.
        token in "[!-~é]\\PC{0,39}",
        refresh in "\\PC{1,40}",
        root in "[a-z]{1,5}(\\.[a-z]{1,5}){0,2}",
        lifetime in 1..100_000_000_i64,
    ) {
        let method = crate::hostile::request::method(&json!({ "token": { "url": "https://shop.example/token", "response": {
            "root": root, "access_token": "t", "refresh_token": "r", "expiry": { "kind": "seconds", "path": "e" },
        } } }));
        let tokens = json!({ "t": token, "r": refresh, "e": lifetime.to_string() });
        let grant = read(&method, nested(&root, &tokens).to_string().as_bytes()).unwrap();
        prop_assert_eq!(grant.tokens.main.access_token.expose(), &token);
        let found = grant.tokens.main.refresh_token.unwrap();
        prop_assert_eq!(found.expose(), &refresh);
        prop_assert_eq!(grant.tokens.main.expires_at, Some(now() + SignedDuration::from_secs(lifetime)));
    }

    #[test]
    fn a_form_says_what_json_says(token in "[!-~é]{1,40}", scope in "[a-z]{1,5}( [a-z]{1,5}){0,3}") {
        let method = crate::hostile::request::method(&json!({}));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("access_token", token.as_str()), ("token_type", "mac"), ("scope", &scope), ("expires_in", "60")])
            .finish();
        let json = json!({ "access_token": token, "token_type": "mac", "scope": scope, "expires_in": 60 });
        let (form, json) = (read(&method, form.as_bytes()).unwrap(), read(&method, json.to_string().as_bytes()).unwrap());
        prop_assert_eq!(form.tokens.main.access_token.expose(), json.tokens.main.access_token.expose());
        prop_assert_eq!((form.expires_at, form.scopes), (json.expires_at, json.scopes));
    }

    #[test]
    fn any_bytes_are_answered(body in any::<Vec<u8>>(), text in "[{}\\[\\]\",:a-z0-9=&%]{0,60}") {
        let method = crate::hostile::request::method(&json!({}));
        for body in [body.as_slice(), text.as_bytes()] {
            if let Err(failure) = read(&method, body) {
                let words = failure.words.unwrap_or_default();
                prop_assert!(words.chars().count() <= 300 && !words.contains(char::is_control));
            }
        }
    }
}
