use latchkey_import::{ImportError, Imported, Source, import};
use serde_json::{Value, json};

use crate::world::{assert_says, entries, said, unsaid};

/// A collection whose settings are these, as version 2.1 writes them.
fn collection(more: &Value) -> Value {
    let mut settings = json!({
        "grant_type": "authorization_code_with_pkce",
        "authUrl": "https://login.example.com/authorize",
        "accessTokenUrl": "https://login.example.com/token",
    });
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let pairs: Vec<Value> = settings
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value, "type": "any"}))
        .collect();
    json!({
        "info": {"name": "Example API", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [],
        "auth": {"type": "oauth2", "oauth2": pairs},
        "variable": [
            {"key": "base", "value": "https://login.example.com"},
            {"key": "my secret", "value": "hush", "type": "secret"},
            {"key": "api_key", "value": "hush"},
            {"key": "nested", "value": "{{base}}/x"},
            {"key": "off", "value": "x", "disabled": true},
        ],
    })
}

fn one(more: &Value) -> Imported {
    entries(Source::Postman, &collection(more).to_string()).remove(0)
}

#[test]
fn plain_settings_are_a_plain_definition() {
    let entry = one(&json!({}));
    let expected = "\
name: Example API
authorise:
  url: https://login.example.com/authorize
token:
  url: https://login.example.com/token
";
    assert_says(&entry, "example-api", expected);
}

#[test]
fn each_setting_is_said() {
    let cases = [
        (
            json!({"grant_type": "authorization_code"}),
            "/authorise/pkce",
            json!("none"),
        ),
        (
            json!({"challengeAlgorithm": "S256"}),
            "/authorise/pkce",
            Value::Null,
        ),
        (
            json!({"challengeAlgorithm": "plain"}),
            "/authorise/pkce",
            json!("plain"),
        ),
        (
            json!({"refreshTokenUrl": "https://login.example.com/refresh"}),
            "/refresh/url",
            json!("https://login.example.com/refresh"),
        ),
        (
            json!({"client_authentication": "header"}),
            "/client",
            Value::Null,
        ),
        (
            json!({"client_authentication": "body"}),
            "/client/authentication",
            json!("body"),
        ),
        (
            json!({"scope": "a b"}),
            "/authorise/scopes",
            json!(["{{scope}}", "a", "b"]),
        ),
        (
            json!({"scope": "a,b"}),
            "/authorise/scope_separator",
            json!(","),
        ),
        (
            json!({"scope": "a {{ more }}"}),
            "/authorise/scopes",
            json!(["{{scope}}", "a", "{{more}}"]),
        ),
        (json!({"scope": ""}), "/authorise/scopes", Value::Null),
        (
            json!({"addTokenTo": "queryParams"}),
            "/use/query",
            json!({"access_token": "{{token.access_token}}"}),
        ),
        (
            json!({"addTokenTo": "header", "headerPrefix": "Bearer"}),
            "/use",
            Value::Null,
        ),
        (
            json!({"headerPrefix": "OAuth "}),
            "/use/headers/Authorization",
            json!("OAuth {{token.access_token}}"),
        ),
        (
            json!({"headerPrefix": ""}),
            "/use/headers/Authorization",
            json!("{{token.access_token}}"),
        ),
        (
            json!({"audience": "api", "resource": "r"}),
            "/authorise/query",
            json!({"audience": "api", "resource": "r"}),
        ),
        (
            json!({"authRequestParams": [{"key": "prompt", "value": "consent", "enabled": true, "send_as": "request_url"}]}),
            "/authorise/query",
            json!({"prompt": "consent"}),
        ),
        (
            json!({"tokenRequestParams": [
                {"key": "a", "value": "1", "send_as": "request_body"}, {"key": "b", "value": "2", "send_as": "request_header"},
                {"key": "c", "value": "3", "send_as": "request_url"}, {"key": "d", "value": "4"}, {"key": "", "value": ""},
            ]}),
            "/token",
            json!({"url": "https://login.example.com/token", "headers": {"b": "2"}, "query": {"c": "3"}, "body": {"a": "1", "d": "4"}}),
        ),
        (
            json!({"refreshRequestParams": [{"key": "n", "value": "{{$guid}}"}]}),
            "/refresh/body/n",
            json!("{{uuid()}}"),
        ),
        (
            json!({"authUrl": "{{base}}/authorize"}),
            "/authorise/url",
            json!("{{base}}/authorize"),
        ),
        (
            json!({"authUrl": "{{base}}/authorize"}),
            "/variables",
            json!([{"key": "base", "label": "base", "type": "url", "default": "https://login.example.com"}]),
        ),
        (
            json!({"audience": "{{off}}"}),
            "/variables/0",
            json!({"key": "off", "label": "off"}),
        ),
        (
            json!({"authUrl": "https://{{my host}}/a"}),
            "/variables/0",
            json!({"key": "my_host", "label": "my host", "type": "hostname"}),
        ),
        (
            json!({"tokenRequestParams": []}),
            "/token/body",
            Value::Null,
        ),
    ];
    for (more, pointer, expected) in cases {
        let entry = one(&more);
        assert_eq!(said(&entry, pointer), expected, "{more}");
        assert_eq!(entry.unsaid, [], "{more}");
    }
}

#[test]
fn what_cannot_be_said_is_named() {
    let at = |key: &str| format!("auth.oauth2.{key}");
    for (more, key) in [
        (json!({"clientId": "abc"}), "clientId"),
        (json!({"tokenName": "mine"}), "tokenName"),
        (
            json!({"redirect_uri": "https://x.example.com"}),
            "redirect_uri",
        ),
        (json!({"state": "fixed"}), "state"),
        (json!({"useBrowser": true}), "useBrowser"),
        (json!({"code_verifier": "abc"}), "code_verifier"),
        (json!({"challengeAlgorithm": "S512"}), "challengeAlgorithm"),
        (
            json!({"client_authentication": "cookie"}),
            "client_authentication",
        ),
        (json!({"addTokenTo": "body"}), "addTokenTo"),
        (json!({"headerPrefix": "{{prefix}}"}), "headerPrefix"),
        (json!({"scope": []}), "scope"),
        (json!({"audience": "{{$randomColor}}"}), "audience"),
        (json!({"audience": "{{open"}), "audience"),
        (json!({"audience": "{{}}"}), "audience"),
        (json!({"authRequestParams": "x"}), "authRequestParams"),
        (json!({"authRequestParams": ["x"]}), "authRequestParams.0"),
        (
            json!({"authRequestParams": [{"key": "a", "value": "b", "send_as": "request_body"}]}),
            "authRequestParams.0.send_as",
        ),
        (
            json!({"authRequestParams": [{"key": "a", "value": "b", "enabled": false}]}),
            "authRequestParams.0",
        ),
        (
            json!({"tokenRequestParams": [{"key": "a", "value": "b", "colour": 1}]}),
            "tokenRequestParams.0.colour",
        ),
        (json!({"something_new": 1}), "something_new"),
    ] {
        let entry = one(&more);
        assert_eq!(unsaid(&entry), [at(key)], "{more}");
    }
}

#[test]
fn no_secret_is_imported() {
    let entry = one(&json!({
        "clientSecret": "hush", "accessToken": "hush", "refreshToken": "hush", "password": "hush",
        "audience": "{{my secret}}{{api_key}}",
        "tokenRequestParams": [{"key": "client_assertion", "value": "hush"}],
    }));
    assert!(!format!("{entry:?}").contains("hush"), "{entry:?}");
    assert_eq!(
        entry.definition["token"]["body"]["client_assertion"],
        "{{client_assertion}}"
    );
    let mut at = unsaid(&entry);
    at.sort_unstable();
    let mut expected = [
        "accessToken",
        "clientSecret",
        "password",
        "refreshToken",
        "tokenRequestParams.0",
    ]
    .map(|key| format!("auth.oauth2.{key}"))
    .to_vec();
    // That they are sent in the authorise URL is worth a word of its own.
    expected.extend(
        [
            "variable.api_key",
            "variable.my secret",
            "variables.api_key",
            "variables.my_secret",
        ]
        .map(str::to_owned),
    );
    assert_eq!(at, expected);
}

#[test]
fn folders_and_requests_have_settings_of_their_own() {
    let auth = |url: &str| json!({"type": "oauth2", "oauth2": {"authUrl": format!("{url}/a"), "accessTokenUrl": format!("{url}/t")}});
    let collection = json!({"collection": {
        "info": {"name": "All"},
        "auth": auth("https://one.example.com"),
        "item": [
            {"name": "Folder", "auth": auth("https://two.example.com"), "item": [
                {"name": "Same again", "request": {"auth": auth("https://one.example.com")}},
                {"name": "Other", "request": {"auth": auth("https://three.example.com")}},
                {"name": "Key", "request": {"auth": {"type": "apikey"}}},
            ]},
            {"name": "Machine", "request": {"auth": {"type": "oauth2", "oauth2": {"grant_type": "client_credentials"}}}},
            {"name": "Broken", "request": {"auth": {"type": "oauth2", "oauth2": 1}}},
            {"name": "Broken", "request": {"auth": {"type": "oauth2", "oauth2": []}}},
        ],
    }});
    let all = entries(Source::Postman, &collection.to_string());
    let found: Vec<_> = all
        .iter()
        .map(|entry| (entry.name.as_str(), entry.definition.is_null()))
        .collect();
    let expected = [
        ("all", false),
        ("all-folder", false),
        ("all-folder-other", false),
        ("all-machine", true),
        ("all-broken", true),
        ("all-broken-2", true),
    ];
    assert_eq!(found, expected);
    assert_eq!(unsaid(&all[3]), ["item.1.request.auth.oauth2.grant_type"]);
}

#[test]
fn a_template_in_a_variable_is_named() {
    let entry = one(&json!({"audience": "{{nested}}"}));
    assert_eq!(unsaid(&entry), ["variable.nested"]);
    assert_eq!(entry.definition["variables"][0].get("default"), None);
}

#[test]
fn what_is_no_collection_is_refused() {
    for text in [
        "",
        "{",
        "[]",
        "{}",
        "{\"info\": {}}",
        "{\"info\": 1, \"item\": []}",
        "{\"info\": {}, \"item\": {}}",
    ] {
        assert!(import(Source::Postman, text).is_err(), "{text:?}");
    }
    for more in [
        json!({"grant_type": "implicit"}),
        json!({"authUrl": null}),
        json!({"accessTokenUrl": ""}),
        json!({"accessTokenUrl": "{{"}),
    ] {
        let result = import(Source::Postman, &collection(&more).to_string());
        assert!(
            matches!(result, Err(ImportError::Nothing { .. })),
            "{more}: {result:?}"
        );
    }
    assert!(matches!(
        import(Source::Postman, r#"{"info": {}, "item": []}"#),
        Err(ImportError::Nothing { .. })
    ));
}
