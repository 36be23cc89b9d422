//! What a preview shows, and what it never shows.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Ask, Preview, preview};
use crate::model::{Secret, definition::Definition, fault::Faults};

const CALLBACK: &str = "https://latchkey.example/oauth/authenticate";

/// What is given besides the definition.
#[derive(Default)]
struct Given {
    values: BTreeMap<String, Secret>,
    callback: BTreeMap<String, Secret>,
    response: Option<Secret>,
}

impl Given {
    fn values(pairs: &[(&str, &str)]) -> Self {
        Self {
            values: secrets(pairs),
            ..Self::default()
        }
    }
}

fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), Secret::from(*value)))
        .collect()
}

fn ask(definition: &Value, given: &Given) -> Result<Preview, Faults> {
    let definition: Definition = serde_json::from_value(definition.clone()).unwrap();
    preview(&Ask {
        definition: &definition,
        inherited: &[],
        values: &given.values,
        callback: &given.callback,
        response: given.response.as_ref(),
        callback_url: CALLBACK,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    })
}

fn shop() -> Value {
    json!({
        "name": "Shop",
        "authorise": { "url": "https://shop.example/authorise", "scopes": ["read", "write"] },
        "token": { "url": "https://shop.example/token" },
        "revoke": { "url": "https://shop.example/revoke/{{client.id}}" },
        "use": { "base_url": "https://api.shop.example/v1" },
    })
}

/// The HTTP text of a request.
fn http<'a>(preview: &'a Preview, name: &str) -> &'a str {
    let found = preview.requests.iter().find(|found| found.name == name);
    let found = found.unwrap_or_else(|| panic!("no {name}: {:?}", preview.requests));
    let request = found.request.as_ref();
    &request
        .unwrap_or_else(|| panic!("{name}: {:?}", found.error))
        .http
}

#[test]
fn every_request_of_a_plain_provider_is_shown() {
    let given = Given::values(&[("client_id", "the-client"), ("client_secret", "hunter2!")]);
    let preview = ask(&shop(), &given).unwrap();
    let names: Vec<_> = preview.requests.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["authorise", "token", "refresh", "revoke", "use"]);
    let basic = STANDARD.encode("the-client:CLIENT_SECRET");
    let verifier = "A".repeat(43);
    assert_eq!(
        http(&preview, "token"),
        format!(
            "POST /token HTTP/1.1\nHost: shop.example\nAccept: application/json\n\
             Authorization: Basic {basic}\nContent-Type: application/x-www-form-urlencoded\n\
             User-Agent: latchkey/{}\n\ngrant_type=authorization_code&code=CODE&code_verifier={verifier}\
             &redirect_uri=https%3A%2F%2Flatchkey.example%2Foauth%2Fauthenticate\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert!(
        http(&preview, "authorise")
            .starts_with("GET /authorise?response_type=code&client_id=the-client&")
    );
    assert!(
        http(&preview, "refresh")
            .ends_with("grant_type=refresh_token&refresh_token=REFRESH_TOKEN\n")
    );
    // A URL may name the client.
    assert!(http(&preview, "revoke").starts_with("POST /revoke/the-client HTTP/1.1\n"));
    assert_eq!(
        http(&preview, "use"),
        "GET /v1 HTTP/1.1\nHost: api.shop.example\nAuthorization: Bearer ACCESS_TOKEN\n"
    );
}

#[test]
fn a_command_is_one_whatever_a_value_holds() {
    let mut definition = shop();
    definition["token"]["body_format"] = json!("json");
    definition["token"]["body"] = json!({ "note": "it's $HOME `id` \\ \"x\"" });
    let preview = ask(&definition, &Given::default()).unwrap();
    let token = preview.requests.iter().find(|r| r.name == "token").unwrap();
    let request = token.request.as_ref().unwrap();
    let start =
        "curl -X POST 'https://shop.example/token' \\\n  -H 'Accept: application/json' \\\n";
    assert!(request.curl.starts_with(start), "{}", request.curl);
    let body = request.body.as_ref().unwrap();
    assert!(body.contains("it's $HOME"), "{body}");
    let word = format!("--data-raw '{}'", body.replace('\'', r"'\''"));
    assert!(request.curl.ends_with(&word), "{}", request.curl);
}

#[test]
fn steps_and_lookups_are_shown_each_with_the_answers_before_it() {
    let definition = json!({
        "name": "Shop",
        "variables": [
            { "key": "region", "from": "token", "path": "where.region", "pattern": "[a-z-]+" },
            { "key": "site", "from": "lookup", "path": "sites.0.id" },
        ],
        "authorise": { "url": "https://shop.example/authorise" },
        "token": {
            "url": "https://shop.example/token",
            "before": [{ "id": "app", "method": "post", "url": "https://shop.example/app", "body": { "secret": "{{client.secret}}" } }],
            "body": { "app": "{{step.app.data.token}}" },
            "after": [{ "id": "swap", "url": "https://shop.example/swap", "query": { "token": "{{token.access_token}}" }, "response": { "access_token": "session" } }],
        },
        "lookup": [{ "id": "sites", "url": "https://shop.example/sites" }],
        "refresh": { "mode": "none" },
        "use": { "base_url": "https://{{region}}.shop.example/", "values": { "site": "{{site}}" } },
    });
    let preview = ask(&definition, &Given::default()).unwrap();
    let names: Vec<_> = preview.requests.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "authorise",
            "token.before.app",
            "token",
            "token.after.swap",
            "lookup.sites",
            "use"
        ]
    );
    assert!(http(&preview, "token.before.app").ends_with("\nsecret=CLIENT_SECRET\n"));
    assert!(http(&preview, "token").contains("&app=TOKEN"));
    assert!(http(&preview, "token.after.swap").contains("?token=ACCESS_TOKEN "));
    assert!(http(&preview, "use").contains("Host: region.shop.example\n"));
    assert_eq!(
        (
            preview.values[0].name.as_str(),
            preview.values[0].value.as_str()
        ),
        ("site", "site")
    );
    let assumed: Vec<_> = preview
        .assumed
        .iter()
        .map(|a| (a.variable.as_str(), a.value.as_str(), a.secret))
        .collect();
    assert!(
        assumed.contains(&("region", "region", false)),
        "{assumed:?}"
    );
    assert!(
        assumed.contains(&("client_secret", "CLIENT_SECRET", true)),
        "{assumed:?}"
    );
}

#[test]
fn what_can_t_be_made_says_why_and_the_rest_is_shown() {
    let mut definition = shop();
    definition["token"]["body"] = json!({ "tenant": "{{token.id_token | jwt_claim('tid')}}" });
    let preview = ask(&definition, &Given::default()).unwrap();
    let token = preview.requests.iter().find(|r| r.name == "token").unwrap();
    assert_eq!(
        token.error.as_deref(),
        Some("no value for 'token.id_token'")
    );
    assert!(http(&preview, "revoke").starts_with("POST "));
}

#[test]
fn what_saving_fills_in_has_a_stand_in() {
    let mut definition = shop();
    definition["discovery_url"] = json!("https://shop.example/.well-known/openid-configuration");
    for part in ["authorise", "token"] {
        definition[part]["url"] = json!([]);
    }
    let preview = ask(&definition, &Given::default()).unwrap();
    for name in ["authorise", "token"] {
        assert!(
            http(&preview, name).contains("filled-when-saved.invalid"),
            "{name}"
        );
    }
}

#[test]
fn what_only_the_vault_knows_is_not_there_when_people_are_sent_off() {
    let mut definition = shop();
    definition["authorise"]["query"] =
        json!({ "sig": "{{request.sorted | hmac('sha256', client.secret) | hex}}" });
    let preview = ask(&definition, &Given::default()).unwrap();
    let why = "the authorise request can't be made: no value for 'client.secret'";
    assert_eq!(preview.requests[0].error.as_deref(), Some(why));
    assert!(http(&preview, "refresh").starts_with("POST "));
}

#[test]
fn faults_are_named_where_they_are() {
    let mut definition = shop();
    definition["variables"] = json!([
        { "key": "region", "from": "user", "pattern": "[a-z]+" },
        { "key": "shop", "from": "callback", "pattern": "[a-z]+" },
    ]);
    let given = Given {
        values: secrets(&[("region", "E1"), ("regoin", "eu")]),
        callback: secrets(&[("shop", "1")]),
        response: None,
    };
    let faults = ask(&definition, &given).unwrap_err().into_vec();
    let found: Vec<_> = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.code))
        .collect();
    assert_eq!(
        found,
        [
            ("/values/region", "invalid_value"),
            ("/values/regoin", "unknown_variable"),
            ("/callback/shop", "invalid_value"),
        ]
    );
    definition["token"]["url"] = json!("ftp://shop.example");
    let faults = ask(&definition, &Given::default()).unwrap_err().into_vec();
    assert_eq!(faults[0].pointer, "/definition/token/url");
}

/// A definition, an answer, what is found where, and what is missing.
fn samples() -> Vec<(Value, &'static str, Vec<&'static str>, Vec<&'static str>)> {
    let response = |response: Value| json!({ "token": { "response": response } });
    vec![
        (
            json!({}),
            r#"{"access_token":"s3cr3t-access","refresh_token":"s3cr3t-refresh","token_type":"Bearer","expires_in":3600,"scope":"read"}"#,
            vec![
                "access_token from access_token: [13 characters]",
                "refresh_token from refresh_token: [14 characters]",
                "token_type from token_type: bearer",
                "expiry from expires_in: in 3600 seconds",
                "scope from scope: read",
            ],
            vec![],
        ),
        (
            json!({}),
            "access_token=s3cr3t-access",
            vec!["access_token from access_token: [13 characters]"],
            vec!["token_type", "refresh_token", "expiry", "scope"],
        ),
        (
            response(
                json!({ "root": "data", "access_token": ["none", "token"], "expiry": { "kind": "minutes", "path": "ttl" } }),
            ),
            r#"{"data":{"token":"s3cr3t-access","ttl":"5","refresh_token":"s3cr3t-refresh"}}"#,
            vec![
                "access_token from data.token: [13 characters]",
                "refresh_token from data.refresh_token: [14 characters]",
                "expiry from data.ttl: in 300 seconds",
            ],
            vec!["token_type", "scope"],
        ),
        (
            json!({ "token": { "lifetime_seconds": 60 }, "variables": [
                { "key": "team", "from": "token", "path": "team.id" },
                { "key": "key", "type": "secret", "from": "token" },
                { "key": "host", "from": "token", "pattern": "[a-z]+" },
                { "key": "gone", "from": "token" },
            ] }),
            r#"{"access_token":"s3cr3t-access","refresh_token":"s3cr3t-refresh","team":{"id":"T-s3cr3t-access"},"key":"s3cr3t-key","host":"1","token_type":"x","scope":"s"}"#,
            vec![
                "access_token from access_token: [13 characters]",
                "refresh_token from refresh_token: [14 characters]",
                "token_type from token_type: x",
                "expiry from token.lifetime_seconds: in 60 seconds",
                "scope from scope: s",
                "variable.team from team.id: T-[token]",
                "variable.key from key: [10 characters]",
            ],
            vec!["variable.host", "variable.gone"],
        ),
    ]
}

#[test]
fn a_sample_answer_says_what_it_brings_and_what_is_missing() {
    for (own, sample, found, missing) in samples() {
        let mut definition = shop();
        for (name, value) in own.as_object().unwrap() {
            if let (Some(base), Some(more)) = (definition[name].as_object_mut(), value.as_object())
            {
                base.extend(more.clone());
            } else {
                definition[name] = value.clone();
            }
        }
        let given = Given {
            response: Some(sample.into()),
            ..Given::default()
        };
        let preview = ask(&definition, &given).unwrap();
        let text = serde_json::to_string(&preview).unwrap();
        assert!(!text.contains("s3cr3t"), "{text}");
        let response = preview.response.unwrap();
        assert_eq!(response.error, None, "{sample}");
        let seen: Vec<_> = response
            .found
            .iter()
            .map(|f| format!("{} from {}: {}", f.what, f.from, f.value))
            .collect();
        assert_eq!(seen, found, "{sample}");
        let lacking: Vec<_> = response.missing.iter().map(|m| m.what.as_str()).collect();
        assert_eq!(lacking, missing, "{sample}");
    }
}

#[test]
fn a_sample_that_is_an_error_says_so() {
    for (sample, words) in [
        (
            r#"{"error":"invalid_grant","error_description":"too old"}"#,
            "invalid_grant: too old",
        ),
        (
            r#"{"token":"s3cr3t"}"#,
            "the answer has no access token at 'access_token'",
        ),
        ("<html>s3cr3t</html>", "HTTP 200"),
    ] {
        let given = Given {
            response: Some(sample.into()),
            ..Given::default()
        };
        let response = ask(&shop(), &given).unwrap().response.unwrap();
        assert_eq!(response.error.as_deref(), Some(words));
        assert!(response.found.is_empty());
    }
}

/// A definition that sends its secrets in every way that there is.
fn loud() -> Value {
    json!({
        "name": "Loud",
        "variables": [
            { "key": "api_key", "type": "secret", "from": "user" },
            { "key": "tenant", "from": "user" },
            { "key": "signing_key", "type": "pem" },
        ],
        "client": {
            "authentication": "basic_and_body",
            "assertion": { "algorithm": "RS256", "key": "{{signing_key}}", "claims": { "k": "{{api_key}}" } },
        },
        "authorise": {
            "url": "https://loud.example/authorise/{{tenant}}",
            "query": { "sig": "{{request.sorted | hmac('sha256', api_key) | hex}}", "key": "{{api_key}}" },
            "reveals": ["api_key"],
        },
        "token": {
            "method": "post", "url": "https://loud.example/{{tenant}}/token", "body_format": "json",
            "query": { "q": "{{api_key | base64}}" },
            "headers": { "X-Key": "{{api_key}}", "X-Pair": "{{tenant}}:{{client.secret | urlencode}}", "X-Hex": "{{api_key | hex}}" },
            "body": { "claims": { "value": "{\"k\": \"{{api_key}}\"}", "as": "json" }, "twice": "{{api_key | base64 | base64url}}", "part": "{{api_key | substr(1)}}" },
        },
        "refresh": { "authentication": "private_key_jwt", "body": { "jwt": "{{api_key | hmac('sha512', client.secret) | base64}}" } },
        "revoke": { "url": "https://loud.example/revoke", "authentication": "bearer" },
        "use": { "headers": { "X-Key": "{{api_key}}" }, "query": { "t": "{{tenant}}" }, "values": { "k": "{{api_key}}", "t": "{{tenant}}" } },
    })
}

/// A secret in the forms in which it could get out.
fn forms(secret: &str) -> Vec<String> {
    let quoted = serde_json::to_string(secret).unwrap();
    let form = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![
        secret.to_owned(),
        quoted.trim_matches('"').to_owned(),
        form,
        percent.to_string(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        STANDARD.encode(format!("the-client:{secret}")),
        STANDARD.encode(STANDARD.encode(secret)),
        hex,
    ]
}

proptest! {
    #[test]
    fn no_secret_is_ever_shown_in_any_form(
        client_secret in "[ -~é]{9,40}x",
        api_key in "[ -~é]{9,40}y",
        token in "[!-~]{12,40}",
        echoes in any::<bool>(),
    ) {
        // A plain value may hold a secret too, by a slip of whoever gives it.
        let tenant = if echoes { format!("a{api_key}") } else { "acme".to_owned() };
        let sample = json!({ "access_token": token, "refresh_token": token, "scope": token, "token_type": client_secret });
        let given = Given {
            values: secrets(&[
                ("client_id", "the-client"),
                ("client_secret", &client_secret),
                ("api_key", &api_key),
                ("tenant", &tenant),
                ("signing_key", crate::model::function::published::RSA),
            ]),
            response: Some(sample.to_string().into()),
            ..Given::default()
        };
        let preview = ask(&loud(), &given).unwrap();
        for request in &preview.requests {
            prop_assert!(request.error.is_none(), "{request:?}");
        }
        let mut texts = vec![serde_json::to_string(&preview).unwrap()];
        texts.push(format!("{preview:?}"));
        for rendered in &preview.requests {
            let request = rendered.request.as_ref().unwrap();
            texts.extend([request.http.clone(), request.curl.clone()]);
            texts.extend(request.body.clone());
        }
        for secret in [&client_secret, &api_key, &token] {
            for form in forms(secret) {
                for text in &texts {
                    prop_assert!(!text.contains(&form), "{form} in {text}");
                }
            }
        }
    }
}
