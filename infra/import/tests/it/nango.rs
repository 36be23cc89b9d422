use latchkey_import::{ImportError, Imported, Source, import};
use serde_json::{Value, json};

use crate::world::{entries, entry, said, unsaid, yaml};

const REAL: &str = include_str!("fixtures/providers.yaml");

/// A plain entry, with more fields.
fn one(more: &str) -> Imported {
    let mut text = String::from("x:\n  auth_mode: OAUTH2\n");
    for (key, value) in [
        ("authorization_url", "https://a.example.com/authorize"),
        ("token_url", "https://a.example.com/token"),
    ] {
        if !more.contains(&format!("{key}:")) {
            text += &format!("  {key}: {value}\n");
        }
    }
    for line in more.lines() {
        text += &format!("  {line}\n");
    }
    entries(Source::NangoProviders, &text).remove(0)
}

#[test]
fn a_plain_entry_is_plain() {
    let entry = one("");
    let expected = "\
name: x
client:
  authentication: body
authorise:
  url: https://a.example.com/authorize
token:
  url: https://a.example.com/token
";
    assert_eq!(yaml(&entry), expected);
    assert_eq!(entry.unsaid, []);
}

#[test]
fn each_field_is_said() {
    let cases: &[(&str, &str, Value)] = &[
        ("display_name: X Y", "/name", json!("X Y")),
        (
            "docs: https://docs.example.com",
            "/documentation_url",
            json!("https://docs.example.com"),
        ),
        (
            "authorization_url: https://a.example.com/x?y=z",
            "/authorise/url",
            json!("https://a.example.com/x?y=z"),
        ),
        (
            "authorization_url_fragment: /oauth",
            "/authorise/url",
            json!("https://a.example.com/authorize#/oauth"),
        ),
        (
            "authorization_url: https://a.example.com\nauthorization_url_fragment: '#/o'",
            "/authorise/url",
            json!("https://a.example.com/#/o"),
        ),
        (
            "token_url: { OAUTH2: 'https://t.example.com' }",
            "/token/url",
            json!("https://t.example.com"),
        ),
        (
            "refresh_url: https://r.example.com",
            "/refresh/url",
            json!("https://r.example.com"),
        ),
        (
            "refresh_url: https://r.example.com || https://s.example.com",
            "/refresh/url",
            json!(["https://r.example.com", "https://s.example.com"]),
        ),
        (
            "authorization_params: { response_type: code }",
            "/authorise/query",
            Value::Null,
        ),
        (
            "authorization_params: { response_type: code id_token, prompt: consent }",
            "/authorise/query",
            json!({"response_type": "code id_token", "prompt": "consent"}),
        ),
        (
            "authorization_params: { force: true, n: 1, empty: '' }",
            "/authorise/query",
            json!({"force": "true", "n": "1", "empty": ""}),
        ),
        (
            "auth: { response_type: token }",
            "/authorise/query/response_type",
            json!("token"),
        ),
        (
            "token_params: { grant_type: authorization_code }",
            "/token/body",
            Value::Null,
        ),
        (
            "token_params: { grant_type: other, x: '1' }",
            "/token/body",
            json!({"grant_type": "other", "x": "1"}),
        ),
        (
            "token_params: { grant_type: other, x: '1' }",
            "/refresh/body",
            json!({"x": "1"}),
        ),
        (
            "token_params: { x: '1' }\nrefresh_params: { grant_type: refresh_token }",
            "/refresh",
            Value::Null,
        ),
        (
            "refresh_params: { grant_type: urn }",
            "/refresh/body",
            json!({"grant_type": "urn"}),
        ),
        (
            "body_format: json\ntoken_params: { a: true, b: 2, c: x }",
            "/token/body",
            json!({"a": {"value": "true", "as": "boolean"}, "b": {"value": "2", "as": "number"}, "c": "x"}),
        ),
        (
            "scope_separator: ','",
            "/authorise/scope_separator",
            json!(","),
        ),
        (
            "scope_separator: ' '",
            "/authorise/scope_separator",
            Value::Null,
        ),
        (
            "default_scopes: [a, b]",
            "/authorise/scopes",
            json!(["{{scope}}", "a", "b"]),
        ),
        ("default_scopes: []", "/authorise/scopes", Value::Null),
        ("disable_pkce: true", "/authorise/pkce", json!("none")),
        ("disable_pkce: false", "/authorise/pkce", Value::Null),
        ("authorization_method: header", "/client", Value::Null),
        (
            "authorization_method: body",
            "/client/authentication",
            json!("body"),
        ),
        (
            "token_request_auth_method: basic",
            "/client",
            json!({"authentication": "basic_and_body", "basic_encoding": "raw"}),
        ),
        (
            "token_request_auth_method: basic\nauthorization_method: header",
            "/client",
            json!({"authentication": "basic", "basic_encoding": "raw"}),
        ),
        ("body_format: form", "/token/body_format", Value::Null),
        ("body_format: json", "/token/body_format", json!("json")),
        ("body_format: json", "/refresh/body_format", json!("json")),
        ("body_format: query", "/token/parameters_in", json!("query")),
        (
            "body_format: query",
            "/refresh/parameters_in",
            json!("query"),
        ),
        (
            "authorization_code_param_in_callback: auth_code",
            "/callback/code",
            json!("auth_code"),
        ),
        (
            "authorization_code_param_in_callback: code",
            "/callback",
            Value::Null,
        ),
        (
            "authorization_url_replacements: { 'client_id=': 'app_id=' }",
            "/authorise/query",
            json!({"client_id": null, "app_id": "{{client.id}}"}),
        ),
        (
            "authorization_url_replacements: { 'response_type=': 'responseType=' }",
            "/authorise/query",
            json!({"response_type": null, "responseType": "code"}),
        ),
        (
            "authorization_url_replacements: { 'scope=': '' }",
            "/authorise/query",
            json!({"scope": null}),
        ),
        (
            "authorization_url_skip_encode: [scopes]",
            "/authorise/query/scope",
            json!({"value": "{{flow.scope}}", "encode": "raw"}),
        ),
        (
            "authorization_params: { a: '${connectionConfig.a}' }\nauthorization_url_skip_empty: true",
            "/authorise/query",
            json!({"a": {"value": "{{a}}", "omit_if_empty": true}, "scope": {"value": "{{flow.scope}}", "omit_if_empty": true}}),
        ),
        (
            "alternate_access_token_response_path: user.token",
            "/token/response/access_token",
            json!(["access_token", "user.token"]),
        ),
        (
            "expires_in_unit: milliseconds",
            "/token/response/expiry",
            json!({"kind": "milliseconds", "path": "expires_in"}),
        ),
        (
            "token_expires_in_ms: 3600000",
            "/token/lifetime_seconds",
            json!(3600),
        ),
        ("expires_in: 60", "/token/lifetime_seconds", json!(60)),
        (
            "token_expiration_buffer: 30",
            "/refresh/last_seconds",
            json!(30),
        ),
        ("refresh_margin: '45'", "/refresh/last_seconds", json!(45)),
        (
            "proxy: { base_url: 'https://api.example.com' }",
            "/use",
            json!({"base_url": "https://api.example.com"}),
        ),
        (
            "proxy: { headers: { accept: text/json } }",
            "/use/headers",
            json!({"Authorization": "Bearer {{token.access_token}}", "accept": "text/json"}),
        ),
        (
            "proxy: { headers: { authorization: 'Bearer ${accessToken}' } }",
            "/use",
            Value::Null,
        ),
        (
            "proxy: { headers: { authorization: 'token ${access_token}' } }",
            "/use/headers",
            json!({"Authorization": "token {{token.access_token}}"}),
        ),
        (
            "proxy: { headers: { x: '${credentials.clientId}' }, query: { t: '${accessToken}' }, body: { b: c } }",
            "/use",
            json!({"headers": {"x": "{{client.id}}"}, "query": {"t": "{{token.access_token}}"}, "body": {"b": "c"}}),
        ),
        (
            "authorization_params: { nonce: '${random}', at: '${now}' }",
            "/authorise/query",
            json!({"nonce": "{{random(32)}}", "at": "{{now('iso8601')}}"}),
        ),
    ];
    for (more, pointer, expected) in cases {
        let entry = one(more);
        assert_eq!(&said(&entry, pointer), expected, "{more}\n{}", yaml(&entry));
        assert_eq!(entry.unsaid, [], "{more}");
    }
}

#[test]
fn a_private_key_is_asked_for() {
    let entry = one("token_request_auth_method: private_key_jwt");
    assert_eq!(
        said(&entry, "/client/assertion"),
        json!({"algorithm": "RS256", "key": "{{private_key}}"})
    );
    assert_eq!(
        said(&entry, "/variables/0"),
        json!({"key": "private_key", "label": "Private key", "type": "pem"})
    );
    assert_eq!(unsaid(&entry), ["token_request_auth_method"]);
}

#[test]
fn each_thing_that_cannot_be_said_is_named() {
    let cases: &[(&str, &str)] = &[
        ("categories: [crm]", "categories"),
        ("docs: nowhere", "docs"),
        ("docs_connect: https://x.example.com", "docs_connect"),
        ("setup_guide_url: https://x.example.com", "setup_guide_url"),
        ("installation: outbound", "installation"),
        ("webhook_routing_script: x", "webhook_routing_script"),
        (
            "webhook_user_defined_secret: true",
            "webhook_user_defined_secret",
        ),
        (
            "webhook_response_metadata: [a]",
            "webhook_response_metadata",
        ),
        (
            "authorization_code_param_in_webhook: code",
            "authorization_code_param_in_webhook",
        ),
        ("post_connection_script: x", "post_connection_script"),
        (
            "pre_connection_deletion_script: x",
            "pre_connection_deletion_script",
        ),
        (
            "credentials_verification_script: x",
            "credentials_verification_script",
        ),
        (
            "require_client_certificate: true",
            "require_client_certificate",
        ),
        ("connection_configuration: [a]", "connection_configuration"),
        ("credentials: { username: {} }", "credentials"),
        (
            "authorization_url_encode: false",
            "authorization_url_encode",
        ),
        ("decode_url: true", "decode_url"),
        ("something_new: 1", "something_new"),
        ("token_expiration_buffer: 1800", "token_expiration_buffer"),
        ("token_expiration_buffer: soon", "token_expiration_buffer"),
        ("expires_in_unit: weeks", "expires_in_unit"),
        (
            "token_request_auth_method: custom",
            "token_request_auth_method",
        ),
        (
            "token_request_auth_method: odd",
            "token_request_auth_method",
        ),
        ("authorization_method: odd", "authorization_method"),
        ("body_format: xml", "body_format"),
        ("disable_pkce: perhaps", "disable_pkce"),
        ("default_scopes: { a: b }", "default_scopes"),
        (
            "token_url: { OAUTH2: 'https://t.example.com', APP: 'https://u.example.com' }",
            "token_url.APP",
        ),
        ("token_url: { APP: 'https://u.example.com' }", "token_url"),
        ("token_url: not a url", "token_url"),
        (
            "authorization_params: { a: '${endpoint}' }",
            "authorization_params.a",
        ),
        (
            "authorization_params: { a: '${apiKey}' }",
            "authorization_params.a",
        ),
        (
            "authorization_params: { a: '${open' }",
            "authorization_params.a",
        ),
        (
            "authorization_params: { a: 'x{{y}}' }",
            "authorization_params.a",
        ),
        ("authorization_params: { a: [1] }", "authorization_params.a"),
        (
            "authorization_params: { a: '${connectionConfig.b}-${connectionConfig.c} || x' }",
            "authorization_params.a",
        ),
        ("authorization_params: text", "authorization_params"),
        ("token_params: text", "token_params"),
        (
            "authorization_url_replacements: { '%2B': '+' }",
            "authorization_url_replacements.%2B",
        ),
        (
            "authorization_url_skip_encode: [base_url]",
            "authorization_url_skip_encode",
        ),
        ("token_url_skip_encode: [host]", "token_url_skip_encode"),
        ("auth: { response_mode: x }", "auth.response_mode"),
        ("proxy: { retry: { after: x } }", "proxy.retry"),
        ("proxy: { decompress: true }", "proxy.decompress"),
        ("proxy: { paginate: {} }", "proxy.paginate"),
        ("proxy: { verification: {} }", "proxy.verification"),
        ("proxy: { body: { a: { b: c } } }", "proxy.body.a"),
        (
            "proxy: { base_url: 'https://${connectionConfig.a}.b.com || https://c.com || https://${x}' }",
            "proxy.base_url",
        ),
        ("proxy: text", "proxy"),
        ("connection_config: { a: text }", "connection_config.a"),
        (
            "connection_config: { a: { doc_section: '#x' } }",
            "connection_config.a.doc_section",
        ),
        (
            "connection_config: { a: { warnings: [] } }",
            "connection_config.a.warnings",
        ),
        (
            "connection_config: { a: { format: colour } }",
            "connection_config.a.format",
        ),
        (
            "connection_config: { a: { type: array } }",
            "connection_config.a.type",
        ),
        (
            "connection_config: { a: { pattern: '^(?=.{3}$)a+$' } }",
            "connection_config.a.pattern",
        ),
        (
            "connection_config: { a: { automated: true } }",
            "connection_config.a.automated",
        ),
        (
            "connection_config: { a: { visible_when: { field: b, equals: c } } }",
            "connection_config.a.visible_when",
        ),
        (
            "connection_config: { a: { shape: round } }",
            "connection_config.a.shape",
        ),
        (
            "authorization_url: 'https://${connectionConfig.a}.example.com'",
            "variables.a",
        ),
        (
            "redirect_uri_metadata: [host]\ntoken_url: 'https://${connectionConfig.host}/token'",
            "variables.host",
        ),
    ];
    for (more, at) in cases {
        let entry = one(more);
        assert!(
            unsaid(&entry).contains(at),
            "{more}\n{:?}\n{}",
            entry.unsaid,
            yaml(&entry)
        );
    }
}

#[test]
fn each_field_of_a_variable_is_said() {
    let cases: &[(&str, Value)] = &[
        (
            "{ type: string, title: T, description: 'D.', example: e }",
            json!({"label": "T", "help": "D. For example e"}),
        ),
        ("{ example: e }", json!({"help": "For example e"})),
        ("{ title: '', description: '' }", json!({})),
        ("{ pattern: '^[a-z]+$' }", json!({"pattern": "[a-z]+"})),
        (
            "{ pattern: '^(?!www$)[a-z]+$' }",
            json!({"pattern": "[a-z]+", "not_pattern": "www"}),
        ),
        ("{ format: hostname }", json!({"type": "hostname"})),
        ("{ format: uri }", json!({"type": "url"})),
        (
            "{ format: uuid }",
            json!({"pattern": "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"}),
        ),
        ("{ format: email }", json!({"pattern": "[^@ ]+@[^@ ]+"})),
        (
            "{ format: email, pattern: '^a@b$' }",
            json!({"pattern": "a@b"}),
        ),
        (
            "{ enum: [a, b] }",
            json!({"type": "choice", "choices": ["a", "b"]}),
        ),
        ("{ default_value: a }", json!({"default": "a"})),
        ("{ default: a }", json!({"default": "a"})),
        ("{ default_value: '' }", json!({"required": false})),
        (
            "{ prefix: 'https://', suffix: .x.com }",
            json!({"prefix": "https://", "suffix": ".x.com"}),
        ),
        ("{ optional: true }", json!({"required": false})),
        ("{ secret: 'true' }", json!({"type": "secret"})),
        ("{ hidden: true }", json!({"advanced": true})),
        ("{ automated: false, order: 3 }", json!({})),
    ];
    for (fields, expected) in cases {
        let entry = one(&format!(
            "connection_config:\n  v: {fields}\nproxy: {{ headers: {{ x: '${{connectionConfig.v}}' }} }}"
        ));
        let mut found = said(&entry, "/variables/0").as_object().cloned().unwrap();
        assert_eq!(found.shift_remove("key"), Some("v".into()));
        assert_eq!(found.shift_remove("from"), Some("user".into()));
        assert_eq!(&Value::Object(found), expected, "{fields}");
        assert_eq!(entry.unsaid, [], "{fields}");
    }
}

#[test]
fn variables_come_in_their_order_and_from_their_givers() {
    let entry = one(
        "\
connection_config:
  late: { order: 2 }
  unplaced: {}
  early: { order: 1 }
  fixed: { hidden: true, default_value: main }
  shown: { visible_when: { field: early, equals: [a, b] } }
  came-back: {}
integration_config:
  app: { title: App }
redirect_uri_metadata: [came-back, realmId]
token_response_metadata: [team.id]
refresh_token_response_metadata: [again]
authorization_params: { a: '${integrationConfig.app}', scope_of: '${connectionConfig.client_id}' }",
    );
    let expected = json!([
        {"key": "app", "label": "App"},
        {"key": "early", "from": "user"},
        {"key": "late", "from": "user"},
        {"key": "unplaced", "from": "user"},
        {"key": "fixed", "default": "main"},
        {"key": "shown", "from": "user", "visible_when": {"variable": "early", "is": ["a", "b"]}},
        {"key": "came_back", "from": "callback", "path": "came-back", "required": false},
        {"key": "realmId", "from": "callback", "required": false},
        {"key": "team_id", "from": "token", "path": "team.id", "required": false},
        {"key": "again", "from": "token", "required": false},
        {"key": "value_client_id", "from": "user"},
    ]);
    assert_eq!(said(&entry, "/variables"), expected);
    assert_eq!(
        said(&entry, "/use/values/team_id"),
        json!("{{team_id | default('')}}")
    );
    assert_eq!(said(&entry, "/use/values/early"), json!("{{early}}"));
    assert_eq!(entry.unsaid, []);
}

#[test]
fn variables_in_a_host_are_fenced() {
    let cases = [
        (
            "https://${connectionConfig.v}/x",
            "hostname",
            r"([A-Za-z0-9-]+\.)+[A-Za-z]{2,}",
        ),
        (
            "https://${connectionConfig.v}.example.com/x",
            "",
            "[A-Za-z0-9-]+",
        ),
        (
            "https://example.${connectionConfig.v}/x",
            "",
            r"[a-z]{2,}(\.[a-z]{2})?",
        ),
        (
            "${connectionConfig.v}/x",
            "url",
            r"https://([A-Za-z0-9-]+\.)+[A-Za-z]{2,}(/[A-Za-z0-9._~-]+)*/?",
        ),
    ];
    for (url, kind, pattern) in cases {
        let entry = one(&format!("authorization_url: {url}"));
        assert_eq!(
            said(&entry, "/variables/0/pattern"),
            json!(pattern),
            "{url}"
        );
        assert_eq!(
            said(&entry, "/variables/0/type")
                .as_str()
                .unwrap_or_default(),
            kind,
            "{url}"
        );
        assert_eq!(unsaid(&entry), ["variables.v"]);
    }
    let captured = one(
        "token_response_metadata: [host]\nproxy: { base_url: 'https://${connectionConfig.host}/api' }",
    );
    assert_eq!(
        said(&captured, "/variables/0"),
        json!({"key": "host", "from": "token", "type": "hostname", "hosts": ["*.example.com"]})
    );
}

#[test]
fn fallbacks_become_lists_of_urls_or_defaults() {
    let entry = one("\
token_url: https://${connectionConfig.a || connectionConfig.b}.example.com/t || https://example.com/t
authorization_params: { p: '${connectionConfig.a} || ${connectionConfig.b} || main' }
proxy: { base_url: 'https://${connectionConfig.h}/v1 || https://api.example.com/v1' }");
    assert_eq!(
        said(&entry, "/token/url"),
        json!([
            "https://{{a | default(b)}}.example.com/t",
            "https://example.com/t"
        ])
    );
    assert_eq!(
        said(&entry, "/authorise/query/p"),
        json!("{{a | default(b) | default('main')}}")
    );
    assert_eq!(
        said(&entry, "/use/base_url"),
        json!("https://{{h | default('api.example.com')}}/v1")
    );
}

#[test]
fn a_secret_in_the_authorise_url_is_said_out_loud() {
    let entry = one("\
connection_config:
  pass: { secret: true }
  password: { secret: true }
  other: { secret: true }
authorization_params: { p: '${connectionConfig.password}', q: '${connectionConfig.region} || ${connectionConfig.pass}' }");
    assert_eq!(
        said(&entry, "/authorise/reveals"),
        json!(["pass", "password"])
    );
    assert_eq!(unsaid(&entry), ["variables.pass", "variables.password"]);
}

#[test]
fn what_comes_too_late_is_asked_for() {
    let entry = one("\
authorization_url: https://${connectionConfig.sub}.example.com/a
token_url: https://${connectionConfig.sub}.example.com/t
redirect_uri_metadata: [sub, su]
connection_config: { sub: { pattern: '^[a-z]+$' } }");
    assert_eq!(
        said(&entry, "/variables/0"),
        json!({"key": "sub", "from": "user", "pattern": "[a-z]+"})
    );
    assert_eq!(said(&entry, "/variables/1/from"), json!("callback"));
    assert_eq!(unsaid(&entry), ["redirect_uri_metadata"]);
}

#[test]
fn what_callers_cannot_be_given_is_named() {
    let entry = one(
        "proxy: { headers: { a: '${clientId}:${clientSecret}', b: '${random}', c: '${now}', d: e } }",
    );
    assert_eq!(
        unsaid(&entry),
        ["proxy.headers.a", "proxy.headers.b", "proxy.headers.c"]
    );
    assert_eq!(
        said(&entry, "/use/headers"),
        json!({"Authorization": "Bearer {{token.access_token}}", "d": "e"})
    );
}

#[test]
fn real_entries_are_said() {
    let all = entries(Source::NangoProviders, REAL);
    let expected = [
        ("slack", include_str!("fixtures/slack.yaml")),
        ("salesforce", include_str!("fixtures/salesforce.yaml")),
        ("zoho", include_str!("fixtures/zoho.yaml")),
        ("jira", include_str!("fixtures/jira.yaml")),
        ("shopify", include_str!("fixtures/shopify.yaml")),
        ("netsuite", include_str!("fixtures/netsuite.yaml")),
    ];
    for (name, expected) in expected {
        assert_eq!(yaml(&entry(&all, name)), expected, "{name}");
    }
    let sandbox = entry(&all, "salesforce-sandbox");
    assert_eq!(
        said(&sandbox, "/authorise/url"),
        json!("https://test.salesforce.com/services/oauth2/authorize")
    );
    assert_eq!(
        said(&sandbox, "/authorise/scopes"),
        json!(["{{scope}}", "offline_access"])
    );
    let names: Vec<&str> = all
        .iter()
        .filter(|entry| entry.definition.is_null())
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["stripe-key", "stripe-alias"]);
    assert_eq!(unsaid(&entry(&all, "stripe-alias")), ["auth_mode"]);
}

#[test]
fn what_is_no_map_of_providers_is_refused() {
    for text in [
        "",
        "- a",
        "text",
        "a: [",
        "a: {b: 1",
        "\t",
        "a: 1\na: 2",
        "{",
        "%YAML",
        "a: &x [*x]",
    ] {
        assert!(import(Source::NangoProviders, text).is_err(), "{text:?}");
    }
    let error = import(Source::NangoProviders, "a:\n  b: [\n").unwrap_err();
    assert!(
        matches!(&error, ImportError::Syntax { line, .. } if *line > 1),
        "{error}"
    );
    for text in [
        "{}",
        "a: 1",
        "a: { auth_mode: API_KEY }",
        "a: { alias: a }",
        "a: { auth_mode: OAUTH2 }",
        "a: { auth_mode: [] }",
    ] {
        assert!(
            matches!(
                import(Source::NangoProviders, text),
                Err(ImportError::Nothing { .. })
            ),
            "{text:?}"
        );
    }
}
