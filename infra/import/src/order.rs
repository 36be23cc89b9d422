//! The order of fields in the language's reference.

use serde_json::{Map, Value};

/// What an object of a definition is, which says how its members are ordered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    Document,
    Variable,
    Map,
    Client,
    Assertion,
    Authorise,
    State,
    Callback,
    Verify,
    Request,
    Response,
    TokenSets,
    Expiry,
    Use,
    Parameters,
    Parameter,
    /// Whatever the definition's author named; it stays as it is.
    Free,
}

impl Shape {
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Document => DOCUMENT,
            Self::Variable => VARIABLE,
            Self::Map => &["of", "cases", "default"],
            Self::Client => &[
                "id",
                "secret",
                "authentication",
                "basic_encoding",
                "assertion",
            ],
            Self::Assertion => ASSERTION,
            Self::Authorise => AUTHORISE,
            Self::State => &["length", "alphabet", "carrier"],
            Self::Callback => &["code", "state", "error", "code_required", "verify"],
            Self::Verify => &["algorithm", "key", "parameter", "except", "encoding"],
            Self::Request => REQUEST,
            Self::Response => RESPONSE,
            Self::Expiry => &["kind", "path", "seconds"],
            Self::Use => &[
                "headers",
                "query",
                "body",
                "base_url",
                "expired_statuses",
                "values",
            ],
            Self::Parameter => &["value", "when", "omit_if_empty", "encode", "repeat", "as"],
            Self::TokenSets | Self::Parameters | Self::Free => &[],
        }
    }

    /// What the member of a name is, or the items of a list there.
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Document, "variables") => Self::Variable,
            (Self::Document, "client") => Self::Client,
            (Self::Document, "authorise") => Self::Authorise,
            (Self::Document, "callback") => Self::Callback,
            (Self::Document, "token" | "refresh" | "revoke" | "introspect" | "lookup")
            | (Self::Request, "before" | "after") => Self::Request,
            (Self::Document, "use") => Self::Use,
            (Self::Variable, "map") => Self::Map,
            (Self::Client, "assertion") => Self::Assertion,
            (Self::Authorise, "state") => Self::State,
            (Self::Callback, "verify") => Self::Verify,
            (Self::Request, "response") => Self::Response,
            (Self::Response, "tokens") => Self::TokenSets,
            (Self::Response, "expiry" | "refresh_expiry") => Self::Expiry,
            (Self::TokenSets, _) => Self::Response,
            (Self::Authorise | Self::Request | Self::Use, "query" | "body" | "headers") => {
                Self::Parameters
            }
            (Self::Parameters, _) => Self::Parameter,
            _ => Self::Free,
        }
    }
}

const DOCUMENT: &[&str] = &[
    "name",
    "type",
    "documentation_url",
    "discovery_url",
    "timeout_seconds",
    "preset",
    "connector_variables",
    "variables",
    "client",
    "redirect_uri",
    "authorise",
    "callback",
    "token",
    "refresh",
    "revoke",
    "introspect",
    "lookup",
    "use",
];
const VARIABLE: &[&str] = &[
    "key",
    "label",
    "help",
    "type",
    "from",
    "path",
    "default",
    "required",
    "choices",
    "pattern",
    "not_pattern",
    "hosts",
    "equals",
    "prefix",
    "suffix",
    "normalise",
    "visible_when",
    "advanced",
    "map",
];
const ASSERTION: &[&str] = &[
    "algorithm",
    "key",
    "key_id",
    "issuer",
    "subject",
    "audience",
    "lifetime_seconds",
    "header",
    "claims",
];
const AUTHORISE: &[&str] = &[
    "url",
    "query",
    "scopes",
    "scope_separator",
    "scope_lists",
    "pkce",
    "verifier_length",
    "state",
    "issuer",
    "parameter_order",
    "encoding",
    "fragment",
    "reveals",
];
const REQUEST: &[&str] = &[
    "id",
    "when",
    "mode",
    "method",
    "url",
    "authentication",
    "headers",
    "query",
    "body",
    "body_format",
    "parameters_in",
    "response",
    "before",
    "after",
    "lifetime_seconds",
    "rotation",
    "keep_refresh_token",
    "keep_access_token",
    "last_seconds",
];
const RESPONSE: &[&str] = &[
    "format",
    "statuses",
    "error_when",
    "error_code",
    "error_description",
    "errors",
    "root",
    "access_token",
    "refresh_token",
    "id_token",
    "token_type",
    "scope",
    "scope_separator",
    "expires_in",
    "expiry",
    "refresh_expiry",
    "tokens",
];

/// The definition with its members in the order of the reference; members that it doesn't know come last.
pub(crate) fn arrange(definition: &Value) -> Value {
    arranged(definition, Shape::Document)
}

fn arranged(value: &Value, shape: Shape) -> Value {
    match value {
        Value::Object(members) => Value::Object(arranged_members(members, shape)),
        Value::Array(items) => items.iter().map(|item| arranged(item, shape)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn arranged_members(members: &Map<String, Value>, shape: Shape) -> Map<String, Value> {
    let mut names: Vec<&String> = members.keys().collect();
    let place = |name: &str| {
        shape
            .fields()
            .iter()
            .position(|field| *field == name)
            .unwrap_or(usize::MAX)
    };
    names.sort_by_key(|name| place(name));
    let member = |name: &String| {
        Some((
            name.clone(),
            arranged(members.get(name)?, shape.member(name)),
        ))
    };
    names.into_iter().filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_come_in_the_order_of_the_reference() {
        let cases = [
            (
                json!({"token": {"url": "t", "method": "get"}, "name": "x"}),
                r#"{"name":"x","token":{"method":"get","url":"t"}}"#,
            ),
            (
                json!({"variables": [{"from": "user", "key": "k"}]}),
                r#"{"variables":[{"key":"k","from":"user"}]}"#,
            ),
            (
                json!({"use": {"values": {"b": "1", "a": "2"}, "headers": {}}}),
                r#"{"use":{"headers":{},"values":{"b":"1","a":"2"}}}"#,
            ),
            (
                json!({"token": {"body": {"b": {"encode": "raw", "value": "v"}, "a": null}}}),
                r#"{"token":{"body":{"b":{"value":"v","encode":"raw"},"a":null}}}"#,
            ),
            (
                json!({"token": {"response": {"tokens": {"user": {"scope": "s", "access_token": "a"}}}}}),
                r#"{"token":{"response":{"tokens":{"user":{"access_token":"a","scope":"s"}}}}}"#,
            ),
            (
                json!({"other": 1, "name": "x"}),
                r#"{"name":"x","other":1}"#,
            ),
        ];
        for (from, to) in cases {
            assert_eq!(arrange(&from).to_string(), to);
        }
    }
}
