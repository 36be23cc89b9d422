//! What a definition says of metadata, and what it doesn't believe.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Metadata, Unusable, fill};

const URL: &str = "https://login.example.com/.well-known/openid-configuration";

fn metadata(more: Value) -> Metadata {
    let mut members = json!({
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
    });
    let (Value::Object(members), Value::Object(more)) = (&mut members, more) else {
        panic!("members")
    };
    members.extend(more);
    Metadata::new(members.clone())
}

#[test]
fn nothing_is_believed_that_the_url_does_not_promise() {
    let cases = [
        (URL, json!({}), None),
        (URL, json!({ "issuer": "https://login.example.com/" }), None),
        (URL, json!({ "issuer": null }), Some(Unusable::Issuer)),
        (
            URL,
            json!({ "issuer": "https://evil.example" }),
            Some(Unusable::Issuer),
        ),
        (
            URL,
            json!({ "issuer": "https://login.example.com/other" }),
            Some(Unusable::Issuer),
        ),
        (
            URL,
            json!({ "issuer": "https://login.example.com.evil.example" }),
            Some(Unusable::Issuer),
        ),
        (
            "https://login.example.com/metadata",
            json!({}),
            Some(Unusable::NotWellKnown),
        ),
        (
            URL,
            json!({ "token_endpoint": "http://login.example.com/token" }),
            Some(Unusable::Endpoint("token_endpoint")),
        ),
        (
            URL,
            json!({ "token_endpoint": "http://127.0.0.1/token" }),
            Some(Unusable::Endpoint("token_endpoint")),
        ),
        (
            URL,
            json!({ "revocation_endpoint": "https://a:b@login.example.com/" }),
            Some(Unusable::Endpoint("revocation_endpoint")),
        ),
        (
            URL,
            json!({ "introspection_endpoint": "file:///etc/passwd" }),
            Some(Unusable::Endpoint("introspection_endpoint")),
        ),
        (
            URL,
            json!({ "authorization_endpoint": "javascript:alert(1)" }),
            Some(Unusable::Endpoint("authorization_endpoint")),
        ),
        (
            URL,
            json!({ "authorization_endpoint": "https://x.example/{{client_secret}}" }),
            Some(Unusable::Endpoint("authorization_endpoint")),
        ),
        (
            URL,
            json!({ "authorization_endpoint": 7 }),
            Some(Unusable::Endpoint("authorization_endpoint")),
        ),
        // What is nobody's to send to is nobody's concern.
        (
            URL,
            json!({ "userinfo_endpoint": "http://127.0.0.1" }),
            None,
        ),
        (
            "http://127.0.0.1:9/.well-known/oauth-authorization-server/o",
            json!({
                "issuer": "http://127.0.0.1:9/o",
                "authorization_endpoint": "http://127.0.0.1:9/o/authorize",
                "token_endpoint": "https://login.example.com/token",
            }),
            None,
        ),
    ];
    for (url, more, expected) in cases {
        let found = metadata(more.clone()).check(&url.parse().unwrap()).err();
        assert_eq!(found, expected, "{url} {more}");
    }
}

#[test]
fn blanks_are_filled_and_what_is_said_stays() {
    let more = json!({
        "revocation_endpoint": "https://login.example.com/revoke",
        "revocation_endpoint_auth_methods_supported": ["none"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "code_challenge_methods_supported": ["plain"],
        "authorization_response_iss_parameter_supported": true,
    });
    let mut definition = json!({
        "name": "Shop",
        "authorise": { "url": "https://own.example/authorise", "pkce": "S256" },
        "token": { "url": [], "body": { "a": "1" } },
    });
    let filled = fill(&mut definition, &metadata(more), &BTreeMap::new());
    assert_eq!(
        definition,
        json!({
            "name": "Shop",
            "authorise": {
                "url": "https://own.example/authorise",
                "pkce": "S256",
                "issuer": "https://login.example.com",
            },
            "token": { "url": "https://login.example.com/token", "body": { "a": "1" } },
            "client": { "authentication": "body" },
            "revoke": { "url": "https://login.example.com/revoke", "authentication": "none" },
        })
    );
    let pointers: Vec<_> = filled.keys().map(String::as_str).collect();
    assert_eq!(
        pointers,
        [
            "/authorise/issuer",
            "/client/authentication",
            "/revoke/authentication",
            "/revoke/url",
            "/token/url"
        ]
    );

    // Saved again as it is, it follows the metadata, what has gone from it included.
    let next = metadata(json!({ "token_endpoint": "https://new.example/token" }));
    let filled = fill(&mut definition, &next, &filled);
    assert_eq!(
        definition,
        json!({
            "name": "Shop",
            "authorise": { "url": "https://own.example/authorise", "pkce": "S256" },
            "token": { "url": "https://new.example/token", "body": { "a": "1" } },
            "client": { "authentication": "basic" },
        })
    );
    definition["token"]["url"] = json!("https://own.example/token");
    fill(&mut definition, &metadata(json!({})), &filled);
    assert_eq!(definition["token"]["url"], "https://own.example/token");
}

#[test]
fn a_client_that_signs_is_asked_for_its_key() {
    let more = json!({
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256"],
    });
    let mut definition = json!({ "name": "Shop", "variables": [{ "key": "other" }] });
    let filled = fill(&mut definition, &metadata(more.clone()), &BTreeMap::new());
    assert_eq!(
        definition["client"],
        json!({
            "authentication": "private_key_jwt",
            "assertion": { "algorithm": "ES256", "key": "{{private_key}}" },
        })
    );
    assert_eq!(definition["variables"][1]["key"], "private_key");
    assert!(filled.contains_key("/client/assertion"));
    let mut said = json!({ "client": { "authentication": "body" } });
    fill(&mut said, &metadata(more), &BTreeMap::new());
    assert_eq!(said["client"], json!({ "authentication": "body" }));
    assert!(said.get("variables").is_none());
}
