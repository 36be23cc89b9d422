//! What templates say, and what they refuse.

use std::borrow::Cow;

use super::*;

struct Account;

impl Values for Account {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        reference
            .is_variable("account")
            .then_some(Cow::Borrowed("acme"))
    }
}

#[test]
fn holes_are_filled() {
    for (text, filled) in [
        ("", ""),
        ("plain", "plain"),
        ("{{account}}", "acme"),
        ("{{ variable.account }}", "acme"),
        ("a/{{account}}/b{{account}}", "a/acme/bacme"),
        ("} } {", "} } {"),
        ("{{account | upper | append('}}', account)}}", "ACME}}acme"),
        ("{{other | default('x|y')}}", "x|y"),
        ("{{other | lower | default(account) | upper}}", "ACME"),
        ("{{account | substr(1, 2)}}", "cm"),
        ("{{'a:' | append(account) | base64}}", "YTphY21l"),
    ] {
        assert_eq!(
            Template::parse(text).unwrap().fill(&Account).unwrap(),
            filled,
            "{text}"
        );
    }
}

#[test]
fn what_is_not_a_template_says_why() {
    for (text, error) in [
        ("{{account", TemplateError::Unclosed),
        ("{{}}", TemplateError::Name(String::new())),
        ("{{a b}}", TemplateError::Name("a b".into())),
        (
            "{{account | lowr}}",
            TemplateError::Function {
                name: "lowr".into(),
                hint: "; did you mean 'lower'?".into(),
            },
        ),
        (
            "{{account | sha256}}",
            TemplateError::Impossible(
                "it ends in bytes: add 'hex', 'base64' or 'base64url'".into(),
            ),
        ),
        ("{{1a}}", TemplateError::Name("1a".into())),
        ("{{env.HOME}}", TemplateError::Unknown("env.HOME".into())),
        (
            "{{client.password}}",
            TemplateError::Unknown("client.password".into()),
        ),
    ] {
        assert_eq!(Template::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_missing_value_is_an_error_and_never_an_empty_string() {
    let template = Template::parse("x{{other}}").unwrap();
    assert_eq!(
        template.fill(&Account).unwrap_err().to_string(),
        "no value for 'variable.other'"
    );
}
