//! Every code that the linter itself gives, with a definition that has it and one that hasn't.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{CODES, Severity, lint};
use crate::model::definition::Definition;

fn plain() -> Value {
    json!({
        "name": "Shop",
        "documentation_url": "https://shop.example/docs",
        "authorise": { "url": "https://shop.example/authorise" },
        "token": { "url": "https://shop.example/token" },
        "refresh": { "rotation": "none" },
        "revoke": { "url": "https://shop.example/revoke" },
    })
}

/// A patch as RFC 7396 has it, but that `null` stays.
fn patched(mut base: Value, own: &Value) -> Value {
    let Value::Object(members) = own else {
        return own.clone();
    };
    if !base.is_object() {
        base = json!({});
    }
    for (name, value) in members {
        base[name] = patched(base[name].take(), value);
    }
    base
}

fn found(own: &Value) -> Vec<(&'static str, String)> {
    let definition: Definition = serde_json::from_value(patched(plain(), own)).unwrap();
    let findings = lint(&definition, &[]);
    for finding in &findings {
        assert!(!finding.help.is_empty(), "{finding:?}");
        assert!(!finding.detail.is_empty(), "{finding:?}");
    }
    findings
        .into_iter()
        .map(|finding| (finding.code, finding.pointer))
        .collect()
}

/// A code, where it is found, a definition that has it, and its neighbour that hasn't.
fn cases() -> Vec<(&'static str, &'static str, Value, Value)> {
    let user = |more: Value| {
        patched(
            json!({ "key": "account", "label": "Account", "help": "Yours", "from": "user" }),
            &more,
        )
    };
    let used = |variable: Value| json!({ "variables": [variable], "token": { "body": { "a": "{{account}}" } } });
    vec![
        (
            "duplicate_key",
            "/variables/1/key",
            json!({ "variables": [user(json!({})), user(json!({}))] }),
            used(user(json!({}))),
        ),
        (
            "impossible_reference",
            "/authorise/query/a",
            json!({ "authorise": { "query": { "a": "{{token.access_token}}" } } }),
            json!({ "authorise": { "query": { "a": "{{client.id}}" } } }),
        ),
        (
            "invalid_header",
            "/token/headers/Host",
            json!({ "token": { "headers": { "Host": "a" } } }),
            json!({ "token": { "headers": { "X-Host": "a" } } }),
        ),
        (
            "invalid_host",
            "/variables/0/hosts/0",
            used(user(json!({ "hosts": ["a b"] }))),
            used(user(json!({ "hosts": ["a.example"] }))),
        ),
        (
            "invalid_key",
            "/variables/0/key",
            used(user(json!({ "key": "1" }))),
            used(user(json!({}))),
        ),
        (
            "invalid_name",
            "/name",
            json!({ "name": " " }),
            json!({ "name": "Shop" }),
        ),
        (
            "invalid_pattern",
            "/variables/0/pattern",
            used(user(json!({ "pattern": "(" }))),
            used(user(json!({ "pattern": "[a-z]+" }))),
        ),
        (
            "invalid_separator",
            "/authorise/scope_separator",
            json!({ "authorise": { "scope_separator": "" } }),
            json!({ "authorise": { "scope_separator": "," } }),
        ),
        (
            "invalid_template",
            "/token/body/a",
            json!({ "token": { "body": { "a": "{{" } } }),
            json!({ "token": { "body": { "a": "{" } } }),
        ),
        (
            "invalid_url",
            "/token/url",
            json!({ "token": { "url": "ftp://shop.example" } }),
            json!({}),
        ),
        (
            "invalid_value",
            "/variables/0/default",
            used(user(json!({ "pattern": "[a-z]+", "default": "1" }))),
            used(user(json!({ "pattern": "[a-z]+", "default": "a" }))),
        ),
        (
            "missing",
            "/client/assertion",
            json!({ "client": { "authentication": "private_key_jwt" } }),
            json!({}),
        ),
        (
            "open_host",
            "/token/url",
            json!({ "variables": [user(json!({}))], "token": { "url": "https://{{account}}.shop.example/token" } }),
            json!({ "variables": [user(json!({ "pattern": "[a-z]+" }))], "token": { "url": "https://{{account}}.shop.example/token" } }),
        ),
        (
            "out_of_range",
            "/timeout_seconds",
            json!({ "timeout_seconds": 60 }),
            json!({ "timeout_seconds": 20 }),
        ),
        (
            "secret_in_definition",
            "/variables/0/default",
            used(user(json!({ "type": "secret", "default": "a" }))),
            used(user(json!({ "type": "secret" }))),
        ),
        (
            "secret_in_sight",
            "/authorise/query/a",
            json!({ "variables": [user(json!({ "type": "secret" }))], "authorise": { "query": { "a": "{{account}}" } } }),
            json!({ "variables": [user(json!({ "type": "secret" }))], "authorise": { "query": { "a": "{{account}}" }, "reveals": ["account"] } }),
        ),
        (
            "too_long",
            "/variables/0/label",
            used(user(json!({ "label": "a".repeat(201) }))),
            used(user(json!({}))),
        ),
        (
            "too_many",
            "/lookup",
            json!({ "lookup": (0..6).map(|i| json!({ "id": format!("s{i}"), "url": "https://shop.example/" })).collect::<Vec<_>>() }),
            json!({ "lookup": [] }),
        ),
        (
            "unasked_pkce",
            "/authorise/pkce",
            json!({ "authorise": { "start": "provider" } }),
            json!({ "authorise": { "start": "provider", "pkce": "none" } }),
        ),
        (
            "undeclared_variable",
            "/token/body/a",
            json!({ "token": { "body": { "a": "{{acount}}" } } }),
            used(user(json!({}))),
        ),
        (
            "unexpected",
            "/client/assertion",
            json!({ "client": { "assertion": { "algorithm": "HS256" } } }),
            json!({ "client": { "authentication": "client_secret_jwt", "assertion": { "algorithm": "HS256" } } }),
        ),
        (
            "unknown_connector_variable",
            "/connector_variables/0",
            json!({ "connector_variables": ["account"] }),
            json!({ "connector_variables": [] }),
        ),
        (
            "unknown_step",
            "/token/body/a",
            json!({ "token": { "body": { "a": "{{step.who.id}}" } } }),
            json!({ "token": { "body": { "a": "{{step.who.id}}" }, "before": [{ "id": "who", "url": "https://shop.example/who" }] } }),
        ),
        (
            "unknown_token_set",
            "/use/headers/X-User",
            json!({ "use": { "headers": { "X-User": "{{token.user.access_token}}" } } }),
            json!({ "use": { "headers": { "X-User": "{{token.user.access_token}}" } }, "token": { "response": { "tokens": { "user": { "access_token": "user" } } } } }),
        ),
        (
            "unresolved_preset",
            "/preset",
            json!({ "preset": "github" }),
            json!({}),
        ),
        (
            "absent_value",
            "/refresh/body/scope",
            json!({ "refresh": { "body": { "scope": "{{scope}}" } } }),
            json!({ "refresh": { "body": { "scope": { "value": "{{scope}}", "omit_if_empty": true } } } }),
        ),
        (
            "absent_value",
            "/use/values/team",
            json!({ "variables": [{ "key": "team", "from": "token", "required": false }], "use": { "values": { "team": "{{team}}" } } }),
            json!({ "variables": [{ "key": "team", "from": "token", "required": false }], "use": { "values": { "team": "{{team | default('')}}" } } }),
        ),
        (
            "doubtful_redirect",
            "/redirect_uri",
            json!({ "variables": [{ "key": "ru_name" }], "redirect_uri": "{{ru_name}}" }),
            json!({ "variables": [{ "key": "ru_name" }], "authorise": { "query": { "redirect_uri": "{{ru_name}}" } } }),
        ),
        (
            "double_authentication",
            "/token/body/client_secret",
            json!({ "token": { "body": { "client_secret": "{{client.secret}}" } } }),
            json!({ "client": { "authentication": "custom" }, "token": { "body": { "client_secret": "{{client.secret}}" } } }),
        ),
        (
            "empty_use",
            "/use",
            json!({ "use": { "headers": {} } }),
            json!({ "use": { "headers": {}, "query": { "token": "{{token.access_token}}" } } }),
        ),
        (
            "half_pkce",
            "/token/body/code_verifier",
            json!({ "token": { "body": { "code_verifier": null } } }),
            json!({ "authorise": { "query": { "code_challenge": null } }, "token": { "body": { "code_verifier": null } } }),
        ),
        (
            "half_pkce",
            "/authorise/query/code_challenge",
            json!({ "authorise": { "query": { "code_challenge": null } } }),
            json!({ "authorise": { "query": { "code_challenge": null, "challenge": "{{flow.code_challenge}}" } } }),
        ),
        (
            "misspelt_removal",
            "/token/body/clientid",
            json!({ "token": { "body": { "clientid": null } } }),
            json!({ "token": { "body": { "client_id": null, "audience": null } } }),
        ),
        (
            "no_introspection",
            "/token/response/expiry",
            json!({ "token": { "response": { "expiry": { "kind": "introspect" } } } }),
            json!({ "token": { "response": { "expiry": { "kind": "introspect" } } }, "introspect": { "url": "https://shop.example/introspect" } }),
        ),
        (
            "no_label",
            "/variables/0",
            used(json!({ "key": "account", "from": "user", "help": "Yours" })),
            used(user(json!({}))),
        ),
        (
            "no_offline_access",
            "/authorise/query",
            json!({ "authorise": { "url": "https://accounts.google.com/o/oauth2/v2/auth" } }),
            json!({ "authorise": { "url": "https://accounts.google.com/o/oauth2/v2/auth", "query": { "access_type": "offline" } } }),
        ),
        (
            "no_offline_access",
            "/authorise/scopes",
            json!({ "authorise": { "url": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "scopes": ["User.Read"] } }),
            json!({ "authorise": { "url": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "scopes": ["User.Read", "{{scope}}"] } }),
        ),
        (
            "no_state",
            "/authorise/query/state",
            json!({ "authorise": { "query": { "state": null } } }),
            json!({ "authorise": { "query": { "state": null, "st": "{{flow.state}}" } } }),
        ),
        (
            "plain_http",
            "/token/url",
            json!({ "token": { "url": "http://127.0.0.1/token" } }),
            json!({}),
        ),
        (
            "plain_http",
            "/variables/0/default",
            used(user(
                json!({ "type": "url", "default": "http://shop.example" }),
            )),
            used(user(
                json!({ "type": "url", "default": "https://shop.example" }),
            )),
        ),
        (
            "readable_secret",
            "/variables/0",
            json!({ "variables": [{ "key": "app_secret" }], "token": { "body": { "a": "{{app_secret}}" } } }),
            json!({ "variables": [{ "key": "app_secret", "type": "secret" }], "token": { "body": { "a": "{{app_secret}}" } } }),
        ),
        (
            "refresh_elsewhere",
            "/refresh/url",
            json!({ "refresh": { "url": "https://shopp.example/token" } }),
            json!({ "refresh": { "url": "https://api.shop.example/token" } }),
        ),
        (
            "repeated_parameter",
            "/token/query/a",
            json!({ "token": { "query": { "a": "1" }, "body": { "a": "1" } } }),
            json!({ "token": { "query": { "a": "1" } } }),
        ),
        (
            "repeated_parameter",
            "/authorise/url",
            json!({ "authorise": { "url": "https://shop.example/authorise?response_type=code" } }),
            json!({ "authorise": { "url": "https://shop.example/authorise?response_type=code", "query": { "response_type": null } } }),
        ),
        (
            "repeated_scope",
            "/authorise/scopes/1",
            json!({ "authorise": { "scopes": ["read", "read"] } }),
            json!({ "authorise": { "scopes": ["read", "write"] } }),
        ),
        (
            "unopened_secret",
            "/authorise/query/sig",
            json!({ "authorise": { "query": { "sig": "{{request.sorted | hmac('sha256', client.secret) | hex}}" } } }),
            json!({ "token": { "body": { "sig": "{{request.sorted | hmac('sha256', client.secret) | hex}}" } } }),
        ),
        (
            "unproven_code",
            "/authorise/pkce",
            json!({ "authorise": { "pkce": "none" }, "client": { "authentication": "none" } }),
            json!({ "client": { "authentication": "none" } }),
        ),
        (
            "unsent_body",
            "/token/body/a",
            json!({ "token": { "method": "get", "body": { "a": "1" } } }),
            json!({ "token": { "method": "get", "query": { "a": "1" } } }),
        ),
        (
            "unsent_code",
            "/token/body/code",
            json!({ "token": { "body": { "code": null } } }),
            json!({ "token": { "body": { "code": null, "auth_code": "{{callback.code}}" } } }),
        ),
        (
            "unsent_scopes",
            "/authorise/query/scope",
            json!({ "authorise": { "scopes": ["read"], "query": { "scope": null } } }),
            json!({ "authorise": { "scopes": ["read"], "query": { "scope": null, "perms": "{{flow.scope}}" } } }),
        ),
        (
            "unused_as",
            "/token/body/a/as",
            json!({ "token": { "body": { "a": { "value": "1", "as": "number" } } } }),
            json!({ "token": { "body_format": "json", "body": { "a": { "value": "1", "as": "number" } } } }),
        ),
        (
            "unused_capture",
            "/variables/0",
            json!({ "variables": [{ "key": "team", "from": "token" }] }),
            json!({ "variables": [{ "key": "team", "from": "token" }], "use": { "values": { "team": "{{team}}" } } }),
        ),
        (
            "unused_lifetime",
            "/token/lifetime_seconds",
            json!({ "token": { "lifetime_seconds": 60, "response": { "expiry": { "kind": "fixed", "seconds": 60 } } } }),
            json!({ "token": { "lifetime_seconds": 60 } }),
        ),
        (
            "unused_limit",
            "/refresh/idle_seconds",
            json!({ "refresh": { "idle_seconds": 86400, "absolute_seconds": 86400 } }),
            json!({ "refresh": { "idle_seconds": 86399, "absolute_seconds": 86400 } }),
        ),
        (
            "unused_limit",
            "/refresh/idle_seconds",
            json!({ "refresh": { "mode": "client_credentials", "idle_seconds": 86400 } }),
            json!({ "refresh": { "idle_seconds": 86400 } }),
        ),
        (
            "unused_limit",
            "/refresh/policy",
            json!({ "refresh": { "mode": "access_token", "policy": "keep_alive" } }),
            json!({ "refresh": { "mode": "access_token" } }),
        ),
        (
            "unused_limit",
            "/refresh/warning_days",
            json!({ "refresh": { "warning_days": 3 } }),
            json!({ "refresh": { "warning_days": 3, "absolute_seconds": 8640000 } }),
        ),
        (
            "unused_refresh",
            "/refresh",
            json!({ "refresh": { "mode": "none", "url": "https://shop.example/refresh" } }),
            json!({ "refresh": { "rotation": "unknown", "mode": "none" } }),
        ),
        (
            "unused_refresh_token",
            "/refresh/mode",
            json!({ "authorise": { "scopes": ["offline_access"] }, "refresh": { "rotation": "unknown", "mode": "none" } }),
            json!({ "authorise": { "scopes": ["offline_access"] } }),
        ),
        (
            "unused_separator",
            "/authorise/scope_separator",
            json!({ "authorise": { "scopes": [], "scope_separator": "," } }),
            json!({ "authorise": { "scope_separator": "," } }),
        ),
        (
            "unused_step",
            "/lookup/0",
            json!({ "lookup": [{ "id": "who", "url": "https://shop.example/who" }] }),
            json!({ "lookup": [{ "id": "who", "url": "https://shop.example/who" }], "variables": [{ "key": "me", "from": "lookup", "path": "who.id" }], "use": { "values": { "me": "{{me}}" } } }),
        ),
        (
            "unused_variable",
            "/variables/0",
            json!({ "variables": [user(json!({}))] }),
            used(user(json!({}))),
        ),
        (
            "use_without_token",
            "/use",
            json!({ "use": { "headers": { "X-Key": "{{client_id}}" } } }),
            json!({ "use": { "headers": { "X-Key": "{{token.access_token}}" } } }),
        ),
        (
            "wide_host",
            "/variables/0/hosts/0",
            used(user(json!({ "hosts": ["*.com"] }))),
            used(user(json!({ "hosts": ["*.shop.example"] }))),
        ),
        (
            "filled_when_saved",
            "/token/url",
            json!({ "token": { "url": [] }, "discovery_url": "https://shop.example/.well-known/x" }),
            json!({ "discovery_url": "https://shop.example/.well-known/x" }),
        ),
        (
            "no_documentation",
            "/documentation_url",
            json!({ "documentation_url": null }),
            json!({}),
        ),
        (
            "no_help",
            "/variables/0",
            used(json!({ "key": "account", "from": "user", "label": "Account" })),
            used(user(json!({}))),
        ),
        (
            "no_refresh",
            "/refresh/mode",
            json!({ "refresh": { "rotation": "unknown", "mode": "none" } }),
            json!({ "refresh": { "rotation": "unknown", "mode": "none" }, "token": { "response": { "expiry": { "kind": "never" } } } }),
        ),
        (
            "no_revocation",
            "/revoke",
            json!({ "revoke": null }),
            json!({ "revoke": null, "discovery_url": "https://shop.example/.well-known/x" }),
        ),
        (
            "pkce_off",
            "/authorise/pkce",
            json!({ "authorise": { "pkce": "none" } }),
            json!({}),
        ),
        (
            "pkce_plain",
            "/authorise/pkce",
            json!({ "authorise": { "pkce": "plain" } }),
            json!({}),
        ),
        (
            "secret_in_url",
            "/token/query/secret",
            json!({ "token": { "query": { "secret": "{{client.secret}}" } } }),
            json!({ "token": { "headers": { "X-Secret": "{{client.secret}}" } } }),
        ),
        (
            "short_window",
            "/refresh/rotation",
            json!({ "refresh": { "rotation": { "grace": { "seconds": 20 } } } }),
            json!({ "refresh": { "rotation": { "grace": { "seconds": 21 } } } }),
        ),
        (
            "unbound_code",
            "/authorise/state/carrier",
            json!({ "authorise": { "state": { "carrier": "cookie" }, "pkce": "none" } }),
            json!({ "authorise": { "state": { "carrier": "cookie" } } }),
        ),
        (
            "unknown_rotation",
            "/refresh/rotation",
            json!({ "refresh": { "rotation": "unknown" } }),
            json!({}),
        ),
    ]
}

#[test]
fn every_code_is_found_where_it_is_and_not_where_it_is_not() {
    for (code, pointer, bad, good) in cases() {
        let has = found(&bad);
        assert!(
            has.contains(&(code, pointer.to_owned())),
            "{code} at {pointer}: {has:?} in {bad}"
        );
        let hasnt = found(&good);
        assert!(
            hasnt.iter().all(|(other, _)| *other != code),
            "{code}: {hasnt:?} in {good}"
        );
        let is_saved = |(code, _): &(&str, String)| {
            super::code(code).is_some_and(|code| code.severity != Severity::Error)
        };
        assert!(hasnt.iter().all(is_saved), "{code}: {hasnt:?} in {good}");
    }
}

/// These are found while a document is read, before there is a definition, and among the values beside it: the
/// whole-service tests have their cases.
const ELSEWHERE: [&str; 7] = [
    "invalid_type",
    "no_metadata",
    "not_asked",
    "unknown_field",
    "unknown_preset",
    "unknown_variable",
    "wrong_metadata",
];

#[test]
fn every_code_has_a_case_and_stands_in_order() {
    let tried: BTreeSet<_> = cases().iter().map(|case| case.0).collect();
    for code in CODES {
        let is_tried = tried.contains(code.code) || ELSEWHERE.contains(&code.code);
        assert!(is_tried, "{} has no case", code.code);
    }
    let order: Vec<_> = CODES
        .iter()
        .map(|code| (code.severity, code.code))
        .collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(order, sorted);
}

#[test]
fn every_code_that_a_fault_of_a_definition_can_have_is_in_the_table() {
    let sources = [
        include_str!("../method/parse/mod.rs"),
        include_str!("../method/parse/authorise.rs"),
        include_str!("../method/parse/client.rs"),
        include_str!("../method/parse/parameter.rs"),
        include_str!("../method/parse/reference.rs"),
        include_str!("../method/parse/request.rs"),
        include_str!("../method/parse/response.rs"),
        include_str!("../method/parse/variables.rs"),
        include_str!("../variable/mod.rs"),
        include_str!("../variable/map.rs"),
    ];
    let is_code =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let mut codes = BTreeSet::new();
    for source in sources {
        // The code is the argument after the pointer; what else is a word there is a field.
        for call in source.split("faults").skip(1) {
            let call = call.split(';').next().unwrap();
            if call.trim_start().starts_with(".add(") || call.trim_start().starts_with(".keep(") {
                codes.extend(
                    call.split('"')
                        .skip(1)
                        .step_by(2)
                        .filter(|text| is_code(text)),
                );
            }
        }
    }
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        assert!(
            super::code(code).is_some_and(|code| code.severity == Severity::Error),
            "{code}"
        );
    }
}

#[test]
fn a_plain_definition_is_clean() {
    assert_eq!(found(&json!({})), []);
}
