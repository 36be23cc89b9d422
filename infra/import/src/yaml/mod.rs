//! Definitions as YAML, as a person would write them.

mod scalar;

use serde_json::{Map, Value};

use crate::{ImportError, order};
use scalar::{flow_scalar, scalar};

const HEADING: &str = "# yaml-language-server: $schema=definition.schema.json\n";
/// How long a line with a list or a map on it may become.
const WIDTH: usize = 110;

/// Reads YAML, or JSON, which is YAML as well.
///
/// # Errors
/// [`ImportError::Syntax`]: it is neither.
pub fn parse(text: &str) -> Result<Value, ImportError> {
    Ok(serde_saphyr::from_str(text)?)
}

/// Writes a definition as YAML: its fields in the order of the language's reference, under a line that names its schema.
#[must_use]
pub fn to_yaml(definition: &Value) -> String {
    let definition = order::arrange(definition);
    let mut out = HEADING.to_owned();
    match definition.as_object().filter(|members| !members.is_empty()) {
        Some(members) => write_members(&mut out, members, 0),
        None => {
            out.push_str(&flow(&definition));
            out.push('\n');
        }
    }
    out
}

fn write_members(out: &mut String, members: &Map<String, Value>, depth: usize) {
    for (index, (name, value)) in members.iter().enumerate() {
        // The first member of a list's item stands behind its hyphen.
        if index > 0 || !out.ends_with("- ") {
            indent(out, depth);
        }
        out.push_str(&scalar(name));
        out.push(':');
        write_value(out, name, value, depth);
    }
}

fn write_value(out: &mut String, name: &str, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            write_members(out, members, depth + 1);
        }
        Value::Array(items) if !is_short(value, depth * 2 + name.len()) => {
            out.push('\n');
            items
                .iter()
                .for_each(|item| write_item(out, name, item, depth + 1));
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => {
            out.push(' ');
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

fn write_item(out: &mut String, list: &str, item: &Value, depth: usize) {
    indent(out, depth);
    out.push_str("- ");
    match item {
        Value::Object(members) if !members.is_empty() && !stays_on_one_line(list, item, depth) => {
            write_members(out, members, depth + 1);
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => {
            out.push_str(&inline(item));
            out.push('\n');
        }
    }
}

/// The items of some lists are so small that they are read as a table.
fn stays_on_one_line(list: &str, item: &Value, depth: usize) -> bool {
    matches!(list, "choices" | "error_when") && flow(item).len() + depth * 2 <= WIDTH
}

/// A list of plain values that fits on the line of its name. URLs are easier to compare one below the other.
fn is_short(value: &Value, before: usize) -> bool {
    let Value::Array(items) = value else {
        return false;
    };
    let is_url = |item: &Value| item.as_str().is_some_and(|text| text.contains("://"));
    let needs_lines =
        |item: &Value| item.is_object() || item.is_array() || (items.len() > 1 && is_url(item));
    !items.iter().any(needs_lines) && before + flow(value).len() <= WIDTH
}

fn indent(out: &mut String, depth: usize) {
    out.push_str(&"  ".repeat(depth));
}

/// A value behind its name or its hyphen: a text needs fewer quotes there than within brackets.
fn inline(value: &Value) -> String {
    value.as_str().map_or_else(|| flow(value), scalar)
}

fn flow(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => flow_scalar(text),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(flow).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", flow_scalar(name), flow(value))
            };
            format!(
                "{{ {} }}",
                members.iter().map(member).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn body(definition: &Value) -> String {
        to_yaml(definition)
            .strip_prefix(HEADING)
            .unwrap()
            .to_owned()
    }

    #[test]
    fn it_reads_as_a_person_would_write_it() {
        let definition = json!({
            "authorise": {"scopes": ["{{scope}}", "offline_access"], "url": "https://example.com/a?b=c"},
            "name": "Example",
            "variables": [{"from": "user", "key": "region", "choices": [{"value": "eu", "label": "Europe: all"}, "us"]}],
            "token": {"body": {"client_id": null, "pattern": r"a\.b"}, "response": {"error_when": [{"path": "ok", "is": [false]}]}},
            "use": {},
        });
        let expected = "\
name: Example
variables:
  - key: region
    from: user
    choices:
      - { value: eu, label: \"Europe: all\" }
      - us
authorise:
  url: https://example.com/a?b=c
  scopes: [\"{{scope}}\", offline_access]
token:
  body:
    client_id: null
    pattern: a\\.b
  response:
    error_when:
      - { path: ok, is: [false] }
use: {}
";
        assert_eq!(body(&definition), expected);
    }

    #[test]
    fn every_text_is_read_as_the_same_text() {
        let texts = [
            "",
            " ",
            "a ",
            " a",
            "-",
            "- a",
            "?",
            "a: b",
            "a #b",
            "#",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "'",
            "\"",
            "it's",
            "a\"b",
            "a\\b",
            "null",
            "Null",
            "~",
            "true",
            "Yes",
            "no",
            "on",
            "OFF",
            "y",
            "1",
            "1.5",
            "-1",
            "+1",
            "0x1f",
            "0o7",
            "1_000",
            "1e3",
            ".5",
            ".inf",
            "-.inf",
            ".nan",
            "2020-01-01",
            "2020-01-01T00:00:00Z",
            "12:30:45",
            "1:2",
            "=",
            "<<",
            "a\nb",
            "a\n",
            "\n",
            "a\tb",
            "\u{7f}",
            "\u{85}",
            "\u{feff}",
            "\u{2028}",
            "é",
            "日本",
            "🔑",
            "{{scope}}",
            "[a]",
            "{a}",
            "a, b",
            "a:",
            ":a",
            "---",
            "...",
            "--- a",
            "https://a.example/?b=c#d",
            "%7B",
            "0",
            "007",
            "1password",
            "e5",
            "a:b",
            "nan",
            "infinity",
            "\u{0}",
            "\r",
            "a\rb",
            "a[b]",
            "value # not",
            "x\u{a0}y",
            ".",
            "/a",
            "_",
            "a'b\"c\\",
        ];
        for text in texts {
            let definition = json!({
                "name": text, "list": [text, text], "deep": [{ text: text }], "use": { text: { text: [text] } },
                "choices": [{ "value": text }], "variables": [{"choices": [{"value": text}]}],
            });
            assert_eq!(
                parse(&to_yaml(&definition)).unwrap(),
                definition,
                "{text:?}"
            );
        }
    }

    #[test]
    fn long_lists_take_a_line_for_each_item() {
        let long = "x".repeat(60);
        let out = body(&json!({"authorise": {"scopes": [long, long]}}));
        assert_eq!(
            out,
            format!("authorise:\n  scopes:\n    - {long}\n    - {long}\n")
        );
    }

    #[test]
    fn anything_at_all_can_be_written() {
        for value in [
            json!(null),
            json!([]),
            json!({}),
            json!("a"),
            json!([[1], {"a": [[]]}]),
        ] {
            assert_eq!(parse(&to_yaml(&value)).unwrap(), value);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[ -~\n]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[ -~]{0,8}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_json()) {
            let members = json!({"name": value, "variables": [value, {"choices": [value]}], "use": {"values": value}});
            prop_assert_eq!(parse(&to_yaml(&members)).unwrap(), members);
            prop_assert_eq!(parse(&to_yaml(&value)).unwrap(), value);
        }
    }
}
