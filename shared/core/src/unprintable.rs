//! Types that hold secrets are formatted around a marker, which must not be seen.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;

use crate::{
    flow::{
        authorise::{Begun, Binder, FlowCookie, NewInstance},
        complete::UnverifiedAnswer,
        define::MethodDraft,
    },
    model::{
        Secret,
        authorisation::Digest,
        definition::Definition,
        grant::{Grant, TokenSet, Tokens},
        method::AuthMethod,
        sealed::Sealed,
        terms::Terms,
        values::KnownValues,
    },
    protocol::{
        dialect::Applied,
        scope::Scope,
        wire::{WireAnswer, WireRequest},
    },
};

const MARKER: &str = "m4rk3r";

#[test]
fn no_type_prints_a_secret() {
    let secret = || Secret::from(MARKER);
    let map = || BTreeMap::from([("key".to_owned(), secret())]);
    let definition: Definition = serde_json::from_str(r#"{"name":"Shop"}"#).unwrap();
    let method = AuthMethod::parse(&definition, &[]).unwrap();
    let values = KnownValues::resolve(&method, &map(), &map(), &map(), "https://l.example/cb");
    let set = || TokenSet {
        access_token: secret(),
        refresh_token: Some(secret()),
        id_token: Some(secret()),
        token_type: "bearer".to_owned(),
        expires_at: None,
    };
    let tokens = || Tokens {
        main: set(),
        sets: BTreeMap::from([("user".to_owned(), set())]),
        captured: map(),
    };
    let url = |text: &str| text.parse::<url::Url>().unwrap();
    let mut marked = HeaderValue::from_static(MARKER);
    marked.set_sensitive(true);
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, marked)]);
    let code = secret();
    unseen(&[
        &secret(),
        &Secret::new(MARKER.as_bytes().to_vec()),
        &Sealed::new(MARKER.as_bytes().to_vec()),
        &tokens(),
        &Grant {
            tokens: tokens(),
            refreshable: true,
            expires_at: None,
            terms: Terms::default(),
            scopes: Vec::new(),
            received_at: Timestamp::UNIX_EPOCH,
        },
        &Scope {
            code: Some(&code),
            ..Scope::new(&values, "https://l.example/cb")
        },
        &values,
        &MethodDraft {
            definition,
            written: serde_json::Value::Null,
            values: BTreeMap::from([("key".to_owned(), Some(secret()))]),
        },
        &NewInstance {
            connector: "con_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e".parse().unwrap(),
            method: "mth_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e".parse().unwrap(),
            name: String::new(),
            values: map(),
            complete: true,
        },
        &Binder::Browser(secret()),
        &Begun {
            authorise_url: url("https://shop.example/authorize?state=m4rk3r"),
            state: Digest::of(&secret()),
            cookie: Some(FlowCookie::Named(secret())),
            expires_at: Timestamp::UNIX_EPOCH,
        },
        &UnverifiedAnswer::new([("code".to_owned(), MARKER.to_owned())]),
        &Applied {
            headers: vec![("Authorization".to_owned(), secret())],
            query: vec![("token".to_owned(), secret())],
            body: vec![("token".to_owned(), secret())],
            base_url: None,
            values: vec![("team".to_owned(), secret())],
        },
        &WireRequest {
            method: Method::POST,
            url: url("https://shop.example/m4rk3r?token=m4rk3r"),
            headers: headers.clone(),
            body: Secret::new(MARKER.as_bytes().to_vec()),
            limit: Duration::ZERO,
        },
        &WireAnswer {
            status: StatusCode::OK,
            headers,
            body: Secret::new(MARKER.as_bytes().to_vec()),
            round_trip: Duration::ZERO,
        },
    ]);
}

fn unseen(values: &[&dyn Debug]) {
    for value in values {
        let text = format!("{value:?} {value:#?}");
        assert!(!text.contains(MARKER), "{text}");
        // Nor as numbers.
        assert!(!text.contains("109, 52, 114"), "{text}");
    }
}
