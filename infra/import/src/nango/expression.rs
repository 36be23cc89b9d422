//! What stands between `${` and `}`.

use crate::{
    template::{argument, wrap},
    variables::{Giver, Variables},
};

/// Says an expression as a template, for instance `${connectionConfig.a || connectionConfig.b}`.
pub(super) fn render(
    expression: &str,
    variables: &mut Variables,
    needed: bool,
) -> Result<String, String> {
    let alternatives: Vec<&str> = expression.split("||").map(str::trim).collect();
    let needed = needed && alternatives.len() == 1;
    let mut out = String::new();
    for alternative in alternatives {
        let source = source(alternative, variables, needed)?;
        out = if out.is_empty() {
            source
        } else {
            format!("{out} | default({source})")
        };
    }
    Ok(wrap(&out))
}

fn source(text: &str, variables: &mut Variables, needed: bool) -> Result<String, String> {
    let quoted = ['\'', '"']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(literal) = quoted {
        return argument(literal);
    }
    match text.split_once('.') {
        Some(("connectionConfig" | "connection_config", name)) => variable(name, Giver::User, variables, needed),
        Some(("integrationConfig" | "integration_config", name)) => variable(name, Giver::Builder, variables, needed),
        Some(("credentials", name)) => known(name, CREDENTIALS).ok_or_else(|| unknown(text)),
        _ => known(text, CREDENTIALS).or_else(|| known(text, GENERATED)).ok_or_else(|| match text {
            "endpoint" => "${endpoint} is the path of a request that the source passes on; here callers make their own".to_owned(),
            _ => unknown(text),
        }),
    }
}

fn unknown(text: &str) -> String {
    format!("${{{text}}} has no counterpart here")
}

fn known(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, source)| (*source).to_owned())
}

/// A variable that nothing declares is the user's to give.
fn variable(
    name: &str,
    giver: Giver,
    variables: &mut Variables,
    needed: bool,
) -> Result<String, String> {
    let names_one = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if name.is_empty() || !name.chars().all(names_one) {
        return Err(format!("{name:?} is no name of a variable"));
    }
    if variables.by_name(name).is_none() {
        variables.declare(name, giver);
    }
    variables.refer(name, needed).ok_or_else(|| unknown(name))
}

const CREDENTIALS: &[(&str, &str)] = &[
    ("accessToken", "token.access_token"),
    ("access_token", "token.access_token"),
    ("refreshToken", "token.refresh_token"),
    ("refresh_token", "token.refresh_token"),
    ("idToken", "token.id_token"),
    ("id_token", "token.id_token"),
    ("raw.access_token", "token.access_token"),
    ("raw.refresh_token", "token.refresh_token"),
    ("raw.id_token", "token.id_token"),
    ("clientId", "client.id"),
    ("client_id", "client.id"),
    ("oauth_client_id", "client.id"),
    ("clientSecret", "client.secret"),
    ("client_secret", "client.secret"),
    ("oauth_client_secret", "client.secret"),
];

const GENERATED: &[(&str, &str)] = &[
    ("code", "callback.code"),
    ("state", "flow.state"),
    ("scopes", "flow.scope"),
    ("callbackUrl", "flow.redirect_uri"),
    ("redirectUri", "flow.redirect_uri"),
    ("redirect_uri", "flow.redirect_uri"),
    ("now", "now('iso8601')"),
    ("uuid", "uuid()"),
    ("random", "random(32)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_counterparts() {
        for (expression, expected) in [
            ("connectionConfig.sub-domain", "{{sub_domain}}"),
            (
                "connectionConfig.a || connectionConfig.b",
                "{{a | default(b)}}",
            ),
            ("connectionConfig.a || 'eu'", "{{a | default('eu')}}"),
            ("integrationConfig.app", "{{app}}"),
            ("credentials.accessToken", "{{token.access_token}}"),
            ("accessToken", "{{token.access_token}}"),
            ("clientId", "{{client.id}}"),
            ("now", "{{now('iso8601')}}"),
            ("random", "{{random(32)}}"),
        ] {
            assert_eq!(
                render(expression, &mut Variables::default(), true).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn the_unknown_is_refused() {
        for expression in [
            "endpoint",
            "credentials.username",
            "apiKey",
            "base64(${a})",
            "connectionConfig.",
            "",
            "'it's' || x",
            "connectionConfig.a b",
        ] {
            assert!(
                render(expression, &mut Variables::default(), true).is_err(),
                "{expression}"
            );
        }
    }
}
