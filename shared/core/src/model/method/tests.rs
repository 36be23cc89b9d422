//! What builders get wrong, and where they are told.

use serde_json::{Value, json};

use super::{AuthMethod, MethodValues};
use crate::model::definition::VariableDefinition;

fn parse(mut definition: Value) -> Result<AuthMethod, Vec<(String, &'static str)>> {
    if definition.get("name").is_none() {
        definition["name"] = json!("Shop");
    }
    let inherited: Vec<VariableDefinition> = serde_json::from_value(
        json!([{ "key": "region", "type": "choice", "choices": ["eu", "us"], "from": "user" }]),
    )
    .unwrap();
    AuthMethod::parse(&serde_json::from_value(definition).unwrap(), &inherited).map_err(|faults| {
        faults
            .into_vec()
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    })
}

#[test]
fn a_name_is_enough_to_begin_with() {
    let method = parse(json!({})).unwrap();
    assert_eq!(method.variables.len(), 11);
    assert_eq!(
        method.lacks(&MethodValues::default()),
        [
            "/definition/authorise/url",
            "/definition/token/url",
            "/values/client_id",
            "/values/client_secret"
        ]
    );
}

#[test]
fn the_seeds_example_is_a_definition() {
    let method = parse(json!({
        "variables": [{ "key": "account", "from": "user" }],
        "authorise": { "url": "https://oauth.myapp.com/authorize/{{account}}" },
        "token": { "url": "https://oauth.myapp.com/token/{{account}}" },
        "refresh": { "url": "https://oauth.myapp.com/refresh-token/{{account}}" },
        "connector_variables": ["region"],
    }))
    .unwrap();
    assert!(method.variable("region").is_some());
    assert_eq!(
        method.lacks(&MethodValues::default()),
        ["/values/client_id", "/values/client_secret"]
    );
}

#[test]
fn a_public_client_needs_no_secret() {
    let method = parse(json!({ "client": { "authentication": "none" } })).unwrap();
    assert!(
        !method
            .lacks(&MethodValues::default())
            .contains(&"/values/client_secret".to_owned())
    );
}

#[test]
fn every_fault_is_told_with_its_place() {
    let account = json!({ "key": "account", "from": "user" });
    let key = json!({ "key": "api_key", "type": "secret", "from": "user" });
    for (definition, pointer, code) in [
        (json!({ "name": " " }), "/name", "invalid_name"),
        (
            json!({ "timeout_seconds": 0 }),
            "/timeout_seconds",
            "out_of_range",
        ),
        (
            json!({ "timeout_seconds": 21 }),
            "/timeout_seconds",
            "out_of_range",
        ),
        (
            json!({ "documentation_url": "javascript:1" }),
            "/documentation_url",
            "invalid_url",
        ),
        (
            json!({ "connector_variables": ["planet"] }),
            "/connector_variables/0",
            "unknown_connector_variable",
        ),
        (
            json!({ "variables": [{ "key": "1" }] }),
            "/variables/0/key",
            "invalid_key",
        ),
        (
            json!({ "variables": [account, account] }),
            "/variables/1/key",
            "duplicate_key",
        ),
        (
            json!({ "variables": [{ "key": "a", "type": "choice" }] }),
            "/variables/0/choices",
            "missing",
        ),
        (
            json!({ "variables": [{ "key": "a", "pattern": "(" }] }),
            "/variables/0/pattern",
            "invalid_pattern",
        ),
        (
            json!({ "variables": [{ "key": "a", "default": "{{b}}" }] }),
            "/variables/0/default",
            "impossible_reference",
        ),
        (
            json!({ "variables": [{ "key": "a", "type": "number", "default": "x" }] }),
            "/variables/0/default",
            "invalid_value",
        ),
        (
            json!({ "variables": [{ "key": "a", "type": "secret", "default": "x" }] }),
            "/variables/0/default",
            "secret_in_definition",
        ),
        (
            json!({ "authorise": { "url": "https://a.example/{{nobody}}" } }),
            "/authorise/url",
            "undeclared_variable",
        ),
        (
            json!({ "authorise": { "url": "http://a.example/" } }),
            "/authorise/url",
            "invalid_url",
        ),
        (
            json!({ "authorise": { "url": "https://a.example/{{client.secret}}" } }),
            "/authorise/url",
            "secret_in_sight",
        ),
        (
            json!({ "variables": [account], "token": { "url": "https://{{account}}.example/t" } }),
            "/token/url",
            "open_host",
        ),
        (
            json!({ "variables": [key], "token": { "url": "https://a.example/{{api_key}}" } }),
            "/token/url",
            "secret_in_sight",
        ),
        (
            json!({ "variables": [key], "authorise": { "query": { "k": "{{api_key}}" } } }),
            "/authorise/query/k",
            "secret_in_sight",
        ),
        (
            json!({ "token": { "headers": { "a b": "c" } } }),
            "/token/headers/a b",
            "invalid_header",
        ),
        (
            json!({ "token": { "headers": { "Host": "c" } } }),
            "/token/headers/Host",
            "invalid_header",
        ),
        (
            json!({ "token": { "body": { "a/b": "{{x" } } }),
            "/token/body/a~1b",
            "invalid_template",
        ),
        (
            json!({ "refresh": { "body": { "c": "{{callback.code}}" } } }),
            "/refresh/body/c",
            "impossible_reference",
        ),
        (
            json!({ "use": { "headers": { "X": "{{token.refresh_token}}" } } }),
            "/use/headers/X",
            "impossible_reference",
        ),
        (
            json!({ "use": { "query": { "s": "{{client.secret}}" } } }),
            "/use/query/s",
            "secret_in_sight",
        ),
    ] {
        let faults = parse(definition.clone()).unwrap_err();
        assert!(
            faults.contains(&(pointer.to_owned(), code)),
            "{definition}: {faults:?}"
        );
    }
}
