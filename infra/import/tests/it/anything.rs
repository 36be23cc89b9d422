use latchkey_import::{Source, detect, import};
use proptest::prelude::*;
use serde_json::{Value, json};

const SOURCES: [Source; 4] = [
    Source::NangoProviders,
    Source::PowerPlatform,
    Source::OpenIdDiscovery,
    Source::Postman,
];

#[test]
fn a_source_is_told_by_its_shape() {
    for (text, source) in [
        (
            include_str!("fixtures/providers.yaml").to_owned(),
            Some(Source::NangoProviders),
        ),
        (
            "\u{feff}a:\n  alias: b\n".to_owned(),
            Some(Source::NangoProviders),
        ),
        (
            json!({"a": {"auth_mode": "OAUTH2"}}).to_string(),
            Some(Source::NangoProviders),
        ),
        (
            json!({"properties": {"connectionParameters": {}}}).to_string(),
            Some(Source::PowerPlatform),
        ),
        (
            json!({"properties": {"connectionParameterSets": {}}}).to_string(),
            Some(Source::PowerPlatform),
        ),
        (
            json!({"authorization_endpoint": "https://x"}).to_string(),
            Some(Source::OpenIdDiscovery),
        ),
        (
            json!({"info": {}, "item": []}).to_string(),
            Some(Source::Postman),
        ),
        (
            json!({"collection": {"info": {}, "item": []}}).to_string(),
            Some(Source::Postman),
        ),
        ("{}".to_owned(), None),
        ("- a".to_owned(), None),
        ("{".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(detect(&text), source, "{text}");
    }
}

/// Anything of the right shape, with values of any kind in every place.
fn any_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("https://${connectionConfig.a || connectionConfig.b}.example.com || {X}".to_owned()),
        Just("https://{{a}}.example.com/{State}?x=${now}".to_owned()),
        Just("^(?!a|b$)(?<!x)[(]".to_owned()),
        Just("OAUTH2".to_owned()),
        Just("oauth2".to_owned()),
        "[a-z${}|.:/?(!\\\\^ é]{0,20}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop::sample::select(KEYS.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|members| Value::Object(
                members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
        ]
    })
}

const KEYS: &[&str] = &[
    "a",
    "b",
    "é",
    "",
    "alias",
    "auth_mode",
    "token_url",
    "authorization_url",
    "connection_config",
    "pattern",
    "format",
    "enum",
    "order",
    "default_value",
    "authorization_params",
    "token_params",
    "proxy",
    "base_url",
    "headers",
    "visible_when",
    "field",
    "equals",
    "redirect_uri_metadata",
    "token_response_metadata",
    "authorization_url_replacements",
    "scope=",
    "properties",
    "connectionParameters",
    "token",
    "type",
    "oAuthSettings",
    "identityProvider",
    "customParameters",
    "value",
    "tokenUrl",
    "authorizationUrl",
    "tokenBodyTemplate",
    "authorizationUrlQueryStringTemplate",
    "uiDefinition",
    "constraints",
    "info",
    "item",
    "auth",
    "oauth2",
    "key",
    "authUrl",
    "accessTokenUrl",
    "scope",
    "tokenRequestParams",
    "variable",
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "scopes_supported",
    "revocation_endpoint",
    "default_scopes",
    "send_as",
    "request",
    "name",
    "collection",
];

/// Lays anything over a document that would be read well.
fn laid_over(base: Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let below = base.remove(key).unwrap_or_default();
                base.insert(key.clone(), laid_over(below, value));
            }
            Value::Object(base)
        }
        (_, over) => over.clone(),
    }
}

fn good(source: Source) -> Value {
    match source {
        Source::NangoProviders => {
            json!({"auth_mode": "OAUTH2", "authorization_url": "https://a.example.com", "token_url": "https://t.example.com"})
        }
        Source::PowerPlatform => {
            json!({"type": "oauthSetting", "oAuthSettings": {"identityProvider": "oauth2", "customParameters": {
            "authorizationUrl": "https://a.example.com", "tokenUrl": "https://t.example.com"}}})
        }
        Source::OpenIdDiscovery => {
            json!({"authorization_endpoint": "https://a.example.com", "token_endpoint": "https://t.example.com"})
        }
        Source::Postman => {
            json!({"type": "oauth2", "oauth2": {"authUrl": "https://a.example.com", "accessTokenUrl": "https://t.example.com"}})
        }
    }
}

fn document(source: Source, over: &Value) -> Value {
    let entry = laid_over(good(source), over);
    match source {
        Source::NangoProviders => json!({ "x": entry }),
        Source::PowerPlatform => json!({"properties": {"connectionParameters": {"token": entry}}}),
        Source::OpenIdDiscovery => entry,
        Source::Postman => json!({"info": {}, "item": [], "auth": entry}),
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>(), structured in "[a-z0-9{}\\[\\]:,\"' \n&*|>#-]{0,60}") {
        for source in SOURCES {
            let _ = import(source, &text);
            let _ = import(source, &structured);
        }
        let _ = detect(&text);
        let _ = detect(&structured);
    }

    #[test]
    fn any_document_is_answered(value in any_value()) {
        for source in SOURCES {
            let _ = import(source, &value.to_string());
            if let Ok(entries) = import(source, &document(source, &value).to_string()) {
                for entry in entries {
                    let yaml = latchkey_import::to_yaml(&entry.definition);
                    let again: Value = serde_saphyr::from_str(&yaml).unwrap();
                    prop_assert_eq!(again, entry.definition);
                }
            }
        }
    }
}
