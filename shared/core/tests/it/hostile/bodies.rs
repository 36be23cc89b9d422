//! Values in headers and bodies.

use serde_json::{Value, json};

use super::{
    Context,
    request::{Body, Sent, Which, taken_plain},
    same, try_all,
};

fn form(sent: &mut Sent, value: &str) -> Result<(), String> {
    let found = sent.form("x");
    same(found.as_deref(), value)
}

fn form_plain(sent: &mut Sent, value: &str) -> Result<(), String> {
    let Body::Form(form) = &mut sent.body else {
        return Err("there is no form".to_owned());
    };
    let found = taken_plain(form, "x");
    same(found.as_deref(), value)
}

fn text_at(sent: &mut Sent, pointer: &str, value: &str) -> Result<(), String> {
    let found = sent.json(pointer);
    same(found.as_ref().and_then(Value::as_str), value)
}

/// A header that is as it was given; spaces around it are no part of a header (RFC 9110 §5.5).
fn header(sent: &mut Sent, name: &str, value: &str) -> Result<(), String> {
    let found = sent.header(name);
    same(found.as_deref().map(str::trim), value.trim())
}

#[test]
fn a_value_in_a_form_arrives_as_it_was_given() {
    let laid = |encode: &str| json!({ "token": { "body": { "x": { "value": "{{x}}", "encode": encode } } } });
    try_all(&[
        Context::new("form", &laid("form"), form),
        Context::new("form by RFC 3986", &laid("rfc3986"), form_plain),
        Context::new("form, raw", &laid("raw"), form_plain),
        Context::new(
            "form, left out if empty",
            &json!({ "token": { "body": { "x": { "value": "{{x}}", "omit_if_empty": true } } } }),
            form,
        ),
        Context::new(
            "form, taken apart",
            &json!({ "token": { "body": { "x": { "value": "{{x}}", "repeat": "," } } } }),
            |sent, value| {
                let Body::Form(form) = &mut sent.body else {
                    return Err("there is no form".to_owned());
                };
                let (of_x, rest): (Vec<_>, Vec<_>) = super::judge::pairs(form)
                    .into_iter()
                    .partition(|(name, _)| name == "x");
                let found: Vec<_> = of_x.into_iter().map(|(_, value)| value).collect();
                let given: Vec<_> = value.split(',').filter(|part| !part.is_empty()).collect();
                *form = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(rest)
                    .finish();
                same(Some(&found.join(",")), &given.join(","))
            },
        ),
    ]);
}

#[test]
fn a_value_in_json_arrives_as_it_was_given() {
    let laid = |x: Value| json!({ "token": { "body_format": "json", "body": { "x": x } } });
    try_all(&[
        Context::new("JSON string", &laid(json!("{{x}}")), |sent, value| {
            text_at(sent, "/x", value)
        }),
        Context::new(
            "part of a JSON string",
            &laid(json!("<{{x}}>")),
            |sent, value| text_at(sent, "/x", &format!("<{value}>")),
        ),
        Context::new(
            "string within JSON",
            &laid(json!({ "as": "json", "value": r#"{"a": ["{{x}}", {"b": null}]}"# })),
            |sent, value| text_at(sent, "/x/a/0", value),
        ),
        Context::new(
            "name within JSON",
            &laid(json!({ "as": "json", "value": r#"{"a": {"{{x}}": "b"}}"# })),
            |sent, value| {
                let found = sent.json("/x/a").ok_or("it is not there")?;
                let names: Vec<_> = found
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str())
                    .collect();
                same((names.len() == 1).then_some(names[0]), value)
            },
        ),
        Context {
            harmless: "1",
            ..Context::new(
                "JSON number",
                &laid(json!({ "as": "number", "value": "{{x}}" })),
                |sent, value| {
                    let found = sent.json("/x");
                    let given: Option<serde_json::Number> = value.parse().ok();
                    (given.map(Value::Number) == found)
                        .then_some(())
                        .ok_or_else(|| format!("it arrives as {found:?}"))
                },
            )
            .may_refuse()
        },
        Context {
            harmless: "true",
            ..Context::new(
                "JSON boolean",
                &laid(json!({ "as": "boolean", "value": "{{x}}" })),
                |sent, value| {
                    let found = sent.json("/x");
                    same(found.as_ref().map(Value::to_string).as_deref(), value)
                },
            )
            .may_refuse()
        },
        Context {
            harmless: "[]",
            ..Context::new(
                "JSON without quotes",
                &laid(json!({ "as": "json", "value": "{{x}}" })),
                |sent, value| {
                    // What a builder leaves open is one value all the same.
                    let found = sent.json("/x");
                    let given = serde_json::from_str(value).ok();
                    (found == given)
                        .then_some(())
                        .ok_or_else(|| format!("it arrives as {found:?}"))
                },
            )
            .may_refuse()
        },
    ]);
}

#[test]
fn a_value_in_a_header_is_that_header_s_and_holds_no_control_character() {
    try_all(&[
        Context::new("header", &json!({ "token": { "headers": { "X-Id": "{{x}}" } } }), |sent, value| header(sent, "x-id", value)).may_refuse(),
        Context::new("end of a header", &json!({ "token": { "headers": { "X-Id": "Token {{x}}" } } }), |sent, value| {
            header(sent, "x-id", &format!("Token {value}"))
        })
        .may_refuse(),
        Context::new(
            "standard parameter in a header",
            &json!({ "token": { "parameters_in": "headers", "body_format": "none", "body": { "x": "{{x}}" } } }),
            |sent, value| header(sent, "x", value),
        )
        .may_refuse(),
    ]);
}

#[test]
fn a_value_in_a_credential_is_only_where_the_definition_puts_it() {
    let used = |credential: Value| {
        let mut parts = json!({ "base_url": "https://api.shop.example/v1" });
        parts
            .as_object_mut()
            .unwrap()
            .extend(credential.as_object().unwrap().clone());
        json!({ "use": parts })
    };
    let contexts = [
        Context::new(
            "header of a credential",
            &used(json!({ "headers": { "X-Id": "{{x}}" } })),
            |sent, value| header(sent, "x-id", value),
        ),
        Context::new(
            "query of a credential",
            &used(json!({ "query": { "x": "{{x}}" } })),
            |sent, value| {
                let found = sent.query("x");
                same(found.as_deref(), value)
            },
        ),
        Context::new(
            "body of a credential",
            &used(json!({ "body": { "x": "{{x}}" } })),
            form,
        ),
        Context::new(
            "base URL of a credential",
            &used(json!({ "base_url": "https://{{x}}.shop.example/v1" })),
            |sent, value| {
                let host = std::mem::take(&mut sent.url.host);
                same(
                    host.strip_suffix(".shop.example"),
                    &value.to_ascii_lowercase(),
                )
            },
        ),
    ];
    try_all(&contexts.map(|context| Context {
        which: Which::Use,
        ..context.may_refuse()
    }));
}
