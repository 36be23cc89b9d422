use latchkey_import::{ImportError, Imported, Source, import};
use serde_json::{Value, json};

use crate::world::{assert_says, entries, said, unsaid};

/// The metadata of a server with these members laid over.
fn metadata(more: &Value) -> Value {
    let mut metadata = json!({
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    for (key, value) in more.as_object().unwrap() {
        metadata[key] = value.clone();
    }
    metadata
}

fn one(more: &Value) -> Imported {
    entries(Source::OpenIdDiscovery, &metadata(more).to_string()).remove(0)
}

#[test]
fn plain_metadata_is_a_plain_definition() {
    let entry = one(&json!({}));
    let expected = "\
name: Example
authorise:
  url: https://login.example.com/authorize
token:
  url: https://login.example.com/token
";
    assert_says(&entry, "example", expected);
}

#[test]
fn each_member_is_said() {
    let cases = [
        (
            json!({"service_documentation": "https://docs.example.com"}),
            "/documentation_url",
            json!("https://docs.example.com"),
        ),
        (
            json!({"revocation_endpoint": "https://login.example.com/revoke"}),
            "/revoke",
            json!({"url": "https://login.example.com/revoke"}),
        ),
        (
            json!({"revocation_endpoint": "https://login.example.com/revoke", "revocation_endpoint_auth_methods_supported": ["client_secret_post"]}),
            "/revoke/authentication",
            json!("body"),
        ),
        (
            json!({"introspection_endpoint": "https://login.example.com/i"}),
            "/introspect",
            json!({"url": "https://login.example.com/i"}),
        ),
        (
            json!({"introspection_endpoint": "https://login.example.com/i", "introspection_endpoint_auth_methods_supported": ["client_secret_basic"]}),
            "/introspect",
            json!({"url": "https://login.example.com/i"}),
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]}),
            "/client",
            Value::Null,
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
            "/client",
            json!({"authentication": "body"}),
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["none"]}),
            "/client",
            json!({"authentication": "none"}),
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"], "token_endpoint_auth_signing_alg_values_supported": ["ES256"]}),
            "/client",
            json!({"authentication": "private_key_jwt", "assertion": {"algorithm": "ES256", "key": "{{private_key}}"}}),
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}),
            "/variables/0/type",
            json!("pem"),
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_jwt"]}),
            "/client",
            json!({"authentication": "client_secret_jwt", "assertion": {"algorithm": "HS256"}}),
        ),
        (
            json!({"code_challenge_methods_supported": ["plain"]}),
            "/authorise/pkce",
            json!("plain"),
        ),
        (
            json!({"scopes_supported": ["offline_access"]}),
            "/authorise/scopes",
            json!(["{{scope}}", "offline_access"]),
        ),
        (
            json!({"grant_types_supported": ["authorization_code"]}),
            "/refresh/mode",
            json!("none"),
        ),
        (
            json!({"grant_types_supported": ["authorization_code", "refresh_token"]}),
            "/refresh",
            Value::Null,
        ),
        (
            json!({"response_modes_supported": ["query", "fragment"]}),
            "/authorise/query",
            Value::Null,
        ),
        (
            json!({"response_modes_supported": ["form_post"]}),
            "/authorise/query/response_mode",
            json!("form_post"),
        ),
        (
            json!({"authorization_response_iss_parameter_supported": true}),
            "/authorise/issuer",
            json!("https://login.example.com"),
        ),
        (
            json!({"authorization_response_iss_parameter_supported": false}),
            "/authorise/issuer",
            Value::Null,
        ),
        (
            json!({"require_pushed_authorization_requests": false}),
            "/authorise/query",
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
    let cases = [
        (
            json!({"code_challenge_methods_supported": null}),
            "code_challenge_methods_supported",
        ),
        (
            json!({"scopes_supported": ["openid", "offline_access"]}),
            "scopes_supported",
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["tls_client_auth"]}),
            "token_endpoint_auth_methods_supported",
        ),
        (
            json!({"response_modes_supported": ["fragment"]}),
            "response_modes_supported",
        ),
        (
            json!({"authorization_response_iss_parameter_supported": true, "issuer": "https://x/{tenant}/"}),
            "authorization_response_iss_parameter_supported",
        ),
        (
            json!({"revocation_endpoint": "nowhere"}),
            "revocation_endpoint",
        ),
        (json!({"revocation_endpoint": 7}), "revocation_endpoint"),
        (
            json!({"require_pushed_authorization_requests": true}),
            "require_pushed_authorization_requests",
        ),
        (
            json!({"introspection_endpoint": "https://x.example.com", "introspection_endpoint_auth_signing_alg_values_supported": ["RS256"]}),
            "introspection_endpoint_auth_signing_alg_values_supported",
        ),
        (json!({"jwks_uri": "https://x.example.com"}), "jwks_uri"),
        (
            json!({"userinfo_endpoint": "https://x.example.com"}),
            "userinfo_endpoint",
        ),
        (
            json!({"registration_endpoint": "https://x.example.com"}),
            "registration_endpoint",
        ),
        (json!({"something_new": {}}), "something_new"),
    ];
    for (more, at) in cases {
        let entry = one(&more);
        assert_eq!(unsaid(&entry), [at], "{more}");
    }
}

#[test]
fn what_is_no_metadata_is_refused() {
    for text in [
        "",
        "[]",
        "{",
        "null",
        "\"x\"",
        "{}",
        "{\"authorization_endpoint\": 1}",
        "{\"a\": \u{7}}",
    ] {
        assert!(import(Source::OpenIdDiscovery, text).is_err(), "{text:?}");
    }
    for (more, at) in [
        (
            json!({"authorization_endpoint": null}),
            "authorization_endpoint",
        ),
        (
            json!({"authorization_endpoint": "ftp://x"}),
            "authorization_endpoint",
        ),
        (
            json!({"token_endpoint": "https://{{x}}/"}),
            "token_endpoint",
        ),
        (json!({"token_endpoint": []}), "token_endpoint"),
        (
            json!({"response_types_supported": ["token"]}),
            "response_types_supported",
        ),
        (
            json!({"grant_types_supported": ["client_credentials"]}),
            "grant_types_supported",
        ),
    ] {
        let error = import(Source::OpenIdDiscovery, &metadata(&more).to_string()).unwrap_err();
        assert!(
            matches!(&error, ImportError::Shape { at: found, .. } if found == at),
            "{error}"
        );
    }
    let error = import(Source::OpenIdDiscovery, "{\n\"a\": }").unwrap_err();
    assert!(
        matches!(error, ImportError::Syntax { line: 2, .. }),
        "{error}"
    );
}
