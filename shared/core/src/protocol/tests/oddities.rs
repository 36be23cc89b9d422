//! What providers want beyond the standard, one by one.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{
    model::{definition::StateCarrier, grant::Grant},
    protocol::{
        asked::Asked,
        callback::{Unacceptable, UnverifiedAnswer},
        client::Identity,
        moment::Moment,
        token_answer::Reader,
    },
};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// What the token request of a definition looks like on the wire: URL, headers and body.
fn sent(parts: &Value) -> (String, HeaderMap, String) {
    let method = method(parts);
    let values = values(&method);
    let code = Secret::from("c/1");
    let moment = Moment {
        now: now(),
        uuid: "00000000-0000-4000-8000-000000000000".to_owned(),
        random: "r".repeat(128).into(),
    };
    let plain = Scope {
        code: Some(&code),
        moment: Some(&moment),
        ..Scope::new(&values, CALLBACK)
    };
    let url = dialect::url(&method.token.urls, &plain).unwrap();
    let identity = Identity::new(&method.client, &method.token, &url, &moment, &plain).unwrap();
    let scope = Scope {
        client_id: Some(&identity.id),
        client_secret: identity.secret.as_ref(),
        ..plain
    };
    // The standard request as the `oauth2` crate makes it.
    let token_url = oauth2::TokenUrl::from_url(url.clone());
    let client = identity.standard().set_token_uri(token_url);
    let seen = std::cell::RefCell::new(None);
    let record = |request: HttpRequest| -> Result<oauth2::HttpResponse, std::io::Error> {
        seen.replace(Some(request));
        Err(std::io::Error::other("recorded"))
    };
    let _ = client
        .exchange_code(oauth2::AuthorizationCode::new("c/1".to_owned()))
        .request(&record);
    let draft = Draft {
        request: &method.token,
        url,
        wired: &[("grant_type", "grant_type")],
        identity: Some(&identity),
        limit: Duration::from_secs(1),
    };
    let request = draft.express(seen.take(), &scope).unwrap();
    let body = String::from_utf8(request.body.expose().clone()).unwrap();
    (request.url.into(), request.headers, body)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[test]
fn the_client_shows_who_it_is_in_every_way() {
    let code = "grant_type=authorization_code&code=c%2F1";
    for (client, authorization, body) in [
        (
            json!({}),
            "Basic aWQrJTI2K2NvOnAlMjUlMkIrJTJGJTI2JTNEJTNG",
            code.to_owned(),
        ),
        (
            json!({ "basic_encoding": "raw" }),
            "Basic aWQgJiBjbzpwJSsgLyY9Pw==",
            code.to_owned(),
        ),
        (
            json!({ "authentication": "body" }),
            "",
            format!("{code}&client_id=id+%26+co&client_secret=p%25%2B+%2F%26%3D%3F"),
        ),
        (
            json!({ "authentication": "none" }),
            "",
            format!("{code}&client_id=id+%26+co"),
        ),
        (
            json!({ "authentication": "bearer" }),
            "Bearer p%+ /&=?",
            code.to_owned(),
        ),
        (json!({ "authentication": "custom" }), "", code.to_owned()),
    ] {
        let (_, headers, sent) = sent(&json!({ "client": client }));
        assert_eq!(header(&headers, "authorization"), authorization, "{client}");
        assert_eq!(sent, body, "{client}");
    }
}

#[test]
fn parameters_go_where_and_how_the_definition_says() {
    for (token, url, body) in [
        (
            json!({ "method": "get", "query": { "code": null, "auth": "{{callback.code}}" } }),
            "https://shop.example/token?grant_type=authorization_code&auth=c%2F1",
            "",
        ),
        (
            json!({ "parameters_in": "query", "body_format": "none" }),
            "https://shop.example/token?grant_type=authorization_code&code=c%2F1",
            "",
        ),
        (
            json!({ "body": {
                "code": { "value": "a b", "encode": "rfc3986" },
                "scope": { "value": "x y", "repeat": " " },
                "left_out": { "value": "{{scope}}", "omit_if_empty": true },
                "only_when": { "value": "1", "when": { "variable": "client_id", "is": ["other"] } },
            } }),
            "https://shop.example/token",
            "grant_type=authorization_code&code=a%20b&scope=x&scope=y",
        ),
        (
            json!({ "body_format": "json", "body": {
                "n": { "value": "5", "as": "number" },
                "b": { "value": "true", "as": "boolean" },
                "j": { "value": "{\"id\": \"{{client.id}}\"}", "as": "json" },
            } }),
            "https://shop.example/token",
            r#"{"grant_type":"authorization_code","code":"c/1","n":5,"b":true,"j":{"id":"id & co"}}"#,
        ),
    ] {
        let (went, _, sent) = sent(&json!({ "token": with_url(&token) }));
        assert_eq!(went, url, "{token}");
        if sent.starts_with('{') {
            let (sent, body): (Value, Value) = (
                serde_json::from_str(&sent).unwrap(),
                serde_json::from_str(body).unwrap(),
            );
            assert_eq!(sent, body, "{token}");
        } else {
            assert_eq!(sent, body, "{token}");
        }
    }
}

fn with_url(token: &Value) -> Value {
    let mut token = token.clone();
    token["url"] = json!("https://shop.example/token");
    token
}

#[test]
fn a_request_signs_itself() {
    let (_, headers, body) = sent(&json!({
        "client": { "authentication": "custom" },
        "token": {
            "url": "https://shop.example/token",
            "body": { "sign": "{{request.sorted | sha256 | hex}}" },
            "headers": {
                "timestamp": "{{now('unix')}}",
                "x-sign": "{{request.body | append(now('unix')) | hmac('sha256', client.secret) | hex}}",
            },
        },
    }));
    // SHA-256 of "code=c/1&grant_type=authorization_code", and the HMAC of the body and the time, as
    // another tool makes them.
    let sign = "b34033f45788ad07ae3a62532e8407855060283fa479cfd31b9cb496324315cf";
    assert_eq!(
        body,
        format!("grant_type=authorization_code&code=c%2F1&sign={sign}")
    );
    assert_eq!(header(&headers, "timestamp"), "1767225600");
    assert_eq!(
        header(&headers, "x-sign"),
        "d380adab2966c53e1d508c223d59e364481315616899a8140687a39d4a1f6ff5"
    );
}

#[test]
fn the_authorise_url_takes_every_form() {
    let verifier = Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    for (authorise, part) in [
        (
            json!({ "pkce": "plain" }),
            "code_challenge=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&code_challenge_method=plain",
        ),
        (
            json!({ "pkce": "S256_hex" }),
            "code_challenge=13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3&",
        ),
        (
            json!({ "parameter_order": "sorted" }),
            "/authorize?client_id=id+%26+co&code_challenge=",
        ),
        (json!({ "encoding": "rfc3986" }), "client_id=id%20%26%20co"),
        (
            json!({ "encoding": "raw", "scopes": ["a:b", "c"] }),
            "scope=a:b%20c",
        ),
        (json!({ "fragment": "wechat_redirect" }), "#wechat_redirect"),
        (
            json!({ "scope_lists": [{ "parameter": "user_scope", "scopes": ["x y"], "separator": "," }] }),
            "user_scope=x%2Cy",
        ),
        (
            json!({ "url": "https://shop.example/#/authorize" }),
            "https://shop.example/#/authorize?response_type=code&client_id=",
        ),
        (
            json!({ "url": ["https://{{scope}}.example/", "https://two.example/a"] }),
            "https://two.example/a?",
        ),
    ] {
        let url = url_of(
            &method(&json!({
                "variables": [{ "key": "scope", "required": false, "pattern": "[a-z ]*" }],
                "authorise": authorise,
            })),
            Some(&verifier),
        );
        assert!(url.contains(part), "{authorise}: {url}");
    }
    assert_eq!(
        method(&json!({ "authorise": { "state": { "carrier": "redirect_uri" } } }))
            .authorise
            .state_carrier,
        StateCarrier::RedirectUri
    );
}

fn granted(parts: &Value, body: &Value) -> Result<Grant, FailureCode> {
    granted_by(parts, body, jiff::SignedDuration::ZERO)
}

/// The same, by a provider whose clock is ahead of ours.
fn granted_by(
    parts: &Value,
    body: &Value,
    ahead: jiff::SignedDuration,
) -> Result<Grant, FailureCode> {
    let method = method(parts);
    let values = values(&method);
    let answer = WireAnswer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Secret::new(body.to_string().into_bytes()),
        round_trip: Duration::ZERO,
    };
    let scope = Scope::new(&values, CALLBACK);
    let response = &method.token.response;
    let failed = |failure: crate::protocol::refusal::TokenFailure| failure.code;
    let read = token_answer::read(&answer, response, &scope, now()).map_err(failed)?;
    let standard =
        token_answer::standard(&answer, &read, response, None, &scope, now()).map_err(failed)?;
    let reader = Reader {
        method: &method,
        response,
        scope: &scope,
        values: &values,
        asked: Asked { at: now(), ahead },
    };
    Ok(reader.grant(
        &serde_json::from_slice(standard.body()).unwrap(),
        &read,
        &[],
    ))
}

#[test]
fn errors_that_say_200_are_errors() {
    let slack = json!({ "token": { "response": {
        "error_when": [{ "path": "ok", "is": [false] }],
        "errors": { "user": ["token_revoked"], "builder": ["bad_client_secret"] },
    } } });
    let lark = json!({ "token": { "response": {
        "error_when": [{ "path": "code", "is_not": [0] }],
        "error_code": "code",
        "errors": { "user": [20026] },
    } } });
    for (parts, body, code) in [
        (
            &slack,
            json!({ "ok": false, "error": "token_revoked" }),
            FailureCode::GrantRefused,
        ),
        (
            &slack,
            json!({ "ok": false, "error": "bad_client_secret" }),
            FailureCode::ClientRefused,
        ),
        (
            &slack,
            json!({ "ok": false, "access_token": "a" }),
            FailureCode::AnswerUnreadable,
        ),
        (&lark, json!({ "code": 20026 }), FailureCode::GrantRefused),
    ] {
        assert_eq!(granted(parts, &body).unwrap_err(), code, "{body}");
    }
    let good = json!({ "ok": true, "code": 0, "access_token": "a" });
    assert!(granted(&slack, &good).is_ok());
    assert!(granted(&lark, &good).is_ok());
}

#[test]
fn an_answer_brings_further_sets_and_values() {
    let grant = granted(
        &json!({
            "variables": [
                { "key": "team", "from": "token", "path": "team.id", "pattern": "[A-Z0-9]+" },
                { "key": "base", "from": "token", "path": "url", "type": "url", "hosts": ["*.shop.example"] },
            ],
            "token": { "response": {
                "root": "data",
                "expiry": { "kind": "unix", "path": "ends" },
                "refresh_expiry": { "kind": "seconds", "path": "refresh_ends" },
                "tokens": { "user": { "access_token": "user.token", "refresh_token": "user.refresh", "expires_in": "user.life" } },
            } },
        }),
        &json!({
            "team": { "id": "T1" },
            "url": "https://evil.example/",
            "data": {
                "access_token": "a", "refresh_token": "r", "ends": now().as_second() + 60,
                "refresh_ends": 600,
                "user": { "token": "u", "refresh": "ur", "life": 30 },
            },
        }),
    )
    .unwrap();
    assert_eq!(
        grant.tokens.main.expires_at,
        Some(now() + jiff::SignedDuration::from_secs(60))
    );
    assert_eq!(
        grant.terms.refresh_ends_at,
        Some(now() + jiff::SignedDuration::from_secs(600))
    );
    assert_eq!(grant.tokens.sets["user"].access_token.expose(), "u");
    assert_eq!(grant.tokens.most_due(), Some("user"));
    assert_eq!(grant.tokens.captured["team"].expose(), "T1");
    // A host that the definition doesn't list is not taken from an answer.
    assert!(!grant.tokens.captured.contains_key("base"));
}

#[test]
fn an_end_that_nobody_says_is_the_definitions_or_the_tokens_own() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jiff::SignedDuration;

    let unix = now().as_second();
    let jwt = |exp: i64| {
        let claims = URL_SAFE_NO_PAD.encode(json!({ "exp": exp }).to_string());
        format!("e30.{claims}.c2ln")
    };
    let lives = json!({ "token": { "lifetime_seconds": 90 } });
    let plain = json!({});
    for (parts, token, said, ahead, seconds) in [
        (&plain, jwt(unix + 60), Some(30), 0, Some(30)),
        (&lives, jwt(unix + 60), None, 0, Some(90)),
        (&plain, jwt(unix + 60), None, 0, Some(60)),
        // Only what names a point in the provider's time is corrected.
        (&plain, jwt(unix + 660), None, 600, Some(60)),
        (&plain, jwt(unix + 660), Some(30), 600, Some(30)),
        (&plain, jwt(unix - 1), None, 0, None),
        (&plain, "opaque.to.us".to_owned(), None, 0, None),
        (&plain, "opaque".to_owned(), None, 0, None),
    ] {
        let body = json!({ "access_token": token, "expires_in": said });
        let grant = granted_by(parts, &body, SignedDuration::from_secs(ahead)).unwrap();
        let expected = seconds.map(|seconds| now() + SignedDuration::from_secs(seconds));
        assert_eq!(
            grant.tokens.main.expires_at, expected,
            "{parts} {body} {ahead}"
        );
    }
}

#[test]
fn a_callback_is_believed_if_it_is_signed_and_brings_what_it_may() {
    let parts = json!({
        "variables": [
            { "key": "shop", "from": "user", "pattern": "[a-z]+" },
            { "key": "host", "from": "callback", "path": "shop", "equals": "{{account}}.shop.example",
              "hosts": ["*.shop.example"] },
        ],
        "client": { "authentication": "body" },
        "callback": { "verify": { "key": "{{client.secret}}", "parameter": "hmac" } },
    });
    let mut parts = parts;
    parts["variables"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "key": "account" }));
    let method = method(&parts);
    let values = values(&method);
    let secret = Secret::from("hush");
    let scope = Scope {
        client_secret: Some(&secret),
        ..Scope::new(&values, CALLBACK)
    };
    let answer = |shop: &str, hmac: &str| {
        let pairs = [("shop", shop), ("code", "c"), ("hmac", hmac)];
        let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        UnverifiedAnswer::new(owned).captured(&method, &values, &scope)
    };
    // HMAC-SHA256("hush", "code=c&shop=…"), as another tool makes them.
    let good = "4d76ce371db8615d515fed05848bba8b5d800a038a78d5b4cb3edaf1036d3748";
    let other = "fd9dfd6b18a30b14c46f5cbd2a603ac5dea81d3b9bf333d6222dc5181fd1de93";
    let captured = answer("acme.shop.example", good).unwrap();
    assert_eq!(captured["host"].expose(), "acme.shop.example");
    assert_eq!(
        answer("acme.shop.example", other).unwrap_err(),
        Unacceptable::Signature
    );
    assert_eq!(
        answer("evil.shop.example", good).unwrap_err(),
        Unacceptable::Signature
    );
    assert_eq!(
        answer("evil.shop.example", other).unwrap_err(),
        Unacceptable::Value
    );
}
