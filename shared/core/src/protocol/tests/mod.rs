//! The standard and the provider's own, side by side.

mod oddities;

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use oauth2::{HttpRequest, TokenResponse as _, basic::BasicTokenResponse};
use serde_json::{Value, json};

use super::{
    authorise_url,
    dialect::{self, Draft},
    scope::Scope,
    token_answer,
    wire::WireAnswer,
};
use crate::model::{
    Secret,
    failure::FailureCode,
    method::AuthMethod,
    values::{GivenValues, KnownValues},
};

const CALLBACK: &str = "https://latchkey.example/oauth/authenticate";

fn method(parts: &Value) -> AuthMethod {
    let mut definition = json!({
        "name": "Shop",
        "authorise": { "url": "https://shop.example/authorize" },
        "token": { "url": "https://shop.example/token" },
    });
    for (key, value) in parts.as_object().unwrap() {
        match (definition.get_mut(key), value) {
            (Some(Value::Object(present)), Value::Object(added)) => present.extend(added.clone()),
            _ => definition[key] = value.clone(),
        }
    }
    AuthMethod::parse(&serde_json::from_value(definition).unwrap(), &[]).unwrap()
}

fn values(method: &AuthMethod) -> KnownValues {
    let given: GivenValues = [
        ("client_id", "id & co"),
        ("client_secret", "p%+ /&=?"),
        ("account", "acme"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), Secret::from(value)))
    .collect();
    KnownValues::resolve(method, &given, &BTreeMap::new(), &BTreeMap::new(), CALLBACK)
}

/// The request that RFC 6749 §4.1.3 prescribes.
fn standard() -> HttpRequest {
    let body = "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fl.example%2Fcb";
    http::Request::post("https://ignored.example/")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.as_bytes().to_vec())
        .unwrap()
}

fn expressed(method: &AuthMethod) -> (String, HeaderMap, String) {
    let values = values(method);
    let code = Secret::from("c/1");
    let scope = Scope {
        code: Some(&code),
        client_id: Some("id & co"),
        ..Scope::new(&values, CALLBACK)
    };
    let draft = Draft {
        request: &method.token,
        url: dialect::url(&method.token.urls, &scope).unwrap(),
        wired: &[("grant_type", "grant_type")],
        identity: None,
        limit: Duration::from_secs(1),
    };
    let request = draft.express(Some(standard()), &scope).unwrap();
    let body = String::from_utf8(request.body.expose().clone()).unwrap();
    (request.url.into(), request.headers, body)
}

#[test]
fn a_plain_provider_gets_the_standard_request_byte_for_byte() {
    let (url, headers, body) = expressed(&method(&json!({})));
    assert_eq!(url, "https://shop.example/token");
    assert_eq!(body.as_bytes(), standard().body().as_slice());
    assert_eq!(
        headers[header::CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
}

#[test]
fn a_definition_changes_adds_and_removes_parameters() {
    let method = method(&json!({
        "variables": [
            { "key": "account", "from": "user", "pattern": "[a-z]+" },
            { "key": "grant_type", "default": "code" },
        ],
        "token": {
            "url": "https://{{account}}.shop.example/token?v=1",
            "headers": { "X-Account": "{{account}}" },
            "query": { "key": "a b" },
            "body": { "code": null, "auth_code": "{{callback.code}}", "again": "{{oauth_authorised_code}}", "v": "2" },
        },
    }));
    let mut method = method;
    // The account is the user's; here it comes as the builder's, which is the same to the dialect.
    method
        .variables
        .iter_mut()
        .for_each(|variable| variable.from = crate::model::definition::Origin::Builder);
    let (url, headers, body) = expressed(&method);
    assert_eq!(url, "https://acme.shop.example/token?v=1&key=a+b");
    assert_eq!(headers["x-account"], "acme");
    assert_eq!(
        body,
        "grant_type=code&redirect_uri=https%3A%2F%2Fl.example%2Fcb&auth_code=c%2F1&again=c%2F1&v=2"
    );
}

#[test]
fn a_json_body_has_the_same_parameters() {
    let (_, headers, body) = expressed(&method(&json!({ "token": { "body_format": "json" } })));
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({ "grant_type": "authorization_code", "code": "c/1", "redirect_uri": "https://l.example/cb" })
    );
}

#[test]
fn a_header_can_not_be_split() {
    let method = method(&json!({ "token": { "headers": { "X-Id": "{{client_id}}" } } }));
    let given = [("client_id".to_owned(), Secret::from("a\r\nEvil: yes"))].into();
    let values = KnownValues::resolve(
        &method,
        &given,
        &BTreeMap::new(),
        &BTreeMap::new(),
        CALLBACK,
    );
    let scope = Scope::new(&values, CALLBACK);
    let draft = Draft {
        request: &method.token,
        url: "https://shop.example/token".parse().unwrap(),
        wired: &[],
        identity: None,
        limit: Duration::from_secs(1),
    };
    let made = draft.express(Some(standard()), &scope);
    assert!(matches!(made, Err(dialect::DialectError::Header(_))));
}

fn url_of(method: &AuthMethod, verifier: Option<&Secret>) -> String {
    let values = values(method);
    let state = Secret::from("s t");
    let plain = Scope::new(&values, CALLBACK);
    let joined =
        authorise_url::scopes(&method.authorise, &plain).join(&method.authorise.scope_separator);
    let scope = Scope {
        client_id: Some("id & co"),
        redirect_uri: Some(CALLBACK),
        state: Some(&state),
        scope: Some(&joined),
        ..plain
    };
    authorise_url::authorise_url(&method.authorise, &scope, verifier)
        .unwrap()
        .into()
}

#[test]
fn the_authorise_url_is_the_standard_one() {
    // The verifier and challenge of RFC 7636, appendix B.
    let verifier = Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let url = url_of(&method(&json!({})), Some(&verifier));
    assert_eq!(
        url,
        "https://shop.example/authorize?response_type=code&client_id=id+%26+co&state=s+t\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
         &redirect_uri=https%3A%2F%2Flatchkey.example%2Foauth%2Fauthenticate"
    );
}

#[test]
fn a_definition_shapes_the_authorise_url() {
    let url = url_of(
        &method(&json!({ "authorise": {
            "url": "https://shop.example/authorize?tenant=7",
            "scopes": ["read write", "{{scope}}"],
            "scope_separator": ",",
            "pkce": "none",
            "query": { "client_id": null, "app": "{{client.id}}", "prompt": "consent" },
        } })),
        None,
    );
    assert_eq!(
        url,
        "https://shop.example/authorize?tenant=7&response_type=code&state=s+t\
         &redirect_uri=https%3A%2F%2Flatchkey.example%2Foauth%2Fauthenticate\
         &scope=read%2Cwrite&app=id+%26+co&prompt=consent"
    );
}

fn read(method: &AuthMethod, status: u16, body: &str) -> Result<BasicTokenResponse, FailureCode> {
    let values = values(method);
    let answer = WireAnswer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Secret::new(body.as_bytes().to_vec()),
        round_trip: Duration::ZERO,
    };
    let scope = Scope::new(&values, CALLBACK);
    let (response, now) = (&method.token.response, Timestamp::UNIX_EPOCH);
    token_answer::read(&answer, response, &scope, now)
        .and_then(|body| token_answer::standard(&answer, &body, response, None, &scope, now))
        .map(|standard| serde_json::from_slice(standard.body()).unwrap())
        .map_err(|failure| failure.code)
}

#[test]
fn answers_of_many_shapes_are_read() {
    let plain = method(&json!({}));
    let nested = method(&json!({ "variables": [
        { "key": "response_authentication_token_key", "default": "data.access_token" },
        { "key": "response_refresh_token_key", "default": "data.refresh_token" },
    ] }));
    for (name, method, status, body, access, refresh, seconds) in [
        (
            "RFC 6749 §5.1",
            &plain,
            200,
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,"refresh_token":"tGzv3"}"#,
            "2YotnFZFEjr1zCsicMWpAA",
            Some("tGzv3"),
            Some(3600),
        ),
        (
            "a 201 without token_type",
            &plain,
            201,
            r#"{"access_token":"a"}"#,
            "a",
            None,
            None,
        ),
        (
            "a form",
            &plain,
            200,
            "access_token=a%2Bb&expires_in=60&scope=x",
            "a+b",
            None,
            Some(60),
        ),
        (
            "expires_in as text",
            &plain,
            200,
            r#"{"access_token":"a","expires_in":"60"}"#,
            "a",
            None,
            Some(60),
        ),
        (
            "expires_in as a fraction",
            &plain,
            200,
            r#"{"access_token":"a","expires_in":59.6}"#,
            "a",
            None,
            Some(60),
        ),
        (
            "a negative expires_in",
            &plain,
            200,
            r#"{"access_token":"a","expires_in":-1}"#,
            "a",
            None,
            None,
        ),
        (
            "an expires_in past all bounds",
            &plain,
            200,
            r#"{"access_token":"a","expires_in":1e300}"#,
            "a",
            None,
            None,
        ),
        (
            "a byte order mark",
            &plain,
            200,
            "\u{feff}{\"access_token\":\"a\"}",
            "a",
            None,
            None,
        ),
        (
            "an empty refresh token",
            &plain,
            200,
            r#"{"access_token":"a","refresh_token":""}"#,
            "a",
            None,
            None,
        ),
        (
            "nested tokens",
            &nested,
            200,
            r#"{"data":{"access_token":"a","refresh_token":"r"}}"#,
            "a",
            Some("r"),
            None,
        ),
    ] {
        let answer = read(method, status, body).unwrap_or_else(|code| panic!("{name}: {code:?}"));
        assert_eq!(answer.access_token().secret(), access, "{name}");
        assert_eq!(
            answer.refresh_token().map(|token| token.secret().as_str()),
            refresh,
            "{name}"
        );
        assert_eq!(
            answer.expires_in().map(|expiry| expiry.as_secs()),
            seconds,
            "{name}"
        );
    }
}

#[test]
fn granted_scopes_are_told_apart_as_the_provider_writes_them() {
    for (response, scope, granted) in [
        (json!({}), json!("read write"), vec!["read", "write"]),
        (json!({}), json!(["read", "write"]), vec!["read", "write"]),
        (
            json!({ "scope_separator": "," }),
            json!("repo,read:user"),
            vec!["repo", "read:user"],
        ),
    ] {
        let method = method(&json!({ "token": { "response": response } }));
        let body = json!({ "access_token": "a", "scope": scope }).to_string();
        let answer = read(&method, 200, &body).unwrap();
        let scopes: Vec<_> = answer
            .scopes()
            .unwrap()
            .iter()
            .map(|scope| scope.as_str())
            .collect();
        assert_eq!(scopes, granted);
    }
}

#[test]
fn answers_without_a_token_have_a_class() {
    let plain = method(&json!({}));
    for (status, body, code) in [
        (200, "<html>", FailureCode::AnswerUnreadable),
        (200, "", FailureCode::AnswerUnreadable),
        (204, "", FailureCode::AnswerUnreadable),
        (200, "[1]", FailureCode::AnswerUnreadable),
        // No header could carry these.
        (
            200,
            r#"{"access_token":"a\r\nb"}"#,
            FailureCode::AnswerUnreadable,
        ),
        (
            200,
            r#"{"access_token":" "}"#,
            FailureCode::AnswerUnreadable,
        ),
        (
            200,
            r#"{"access_token":null}"#,
            FailureCode::AnswerUnreadable,
        ),
        (
            200,
            r#"{"error":"invalid_grant"}"#,
            FailureCode::GrantRefused,
        ),
        (
            200,
            "error=bad_verification_code",
            FailureCode::ClientRefused,
        ),
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            FailureCode::GrantRefused,
        ),
        (500, "<html>", FailureCode::ProviderError),
    ] {
        assert_eq!(
            read(&plain, status, body).unwrap_err(),
            code,
            "{status} {body}"
        );
    }
}
