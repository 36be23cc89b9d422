use std::borrow::Cow;

use super::*;

struct Value<'a>(&'a str);

impl Values for Value<'_> {
    fn value(&self, _: &Reference) -> Option<Cow<'_, str>> {
        Some(self.0.into())
    }
}

fn filled(template: &str, value: &str) -> Result<String, FillError> {
    UrlTemplate::parse(template)
        .unwrap()
        .fill(&Value(value))
        .map(String::from)
}

#[test]
fn a_value_lands_escaped_for_its_place() {
    for (template, value, url) in [
        (
            "https://oauth.myapp.com/token/{{a}}",
            "acme",
            "https://oauth.myapp.com/token/acme",
        ),
        (
            "https://oauth.myapp.com/token/{{a}}",
            "a b/c",
            "https://oauth.myapp.com/token/a%20b%2Fc",
        ),
        (
            "https://oauth.myapp.com/token/{{a}}",
            "a?b#c",
            "https://oauth.myapp.com/token/a%3Fb%23c",
        ),
        (
            "https://{{a}}.shop.com/o",
            "Acme",
            "https://acme.shop.com/o",
        ),
        (
            "https://shop.com:8443/o?t={{a}}",
            "x&y=z",
            "https://shop.com:8443/o?t=x%26y%3Dz",
        ),
        ("https://shop.com", "", "https://shop.com/"),
        ("http://127.0.0.1:80/o", "", "http://127.0.0.1/o"),
        ("http://[::1]:8080/{{a}}", "x", "http://[::1]:8080/x"),
    ] {
        assert_eq!(filled(template, value).unwrap(), url, "{template} {value}");
    }
}

#[test]
fn no_value_changes_what_a_url_means() {
    let hostile = [
        "",
        ".",
        "..",
        "a.b@evil.com",
        "evil.com/",
        "evil.com#",
        "evil.com\\",
        "-a",
        "a..b",
        "a b",
        "a\r\nb",
        "é",
        "a:80",
        "[::1]",
        "%65vil",
        "a\u{0}",
    ];
    for value in hostile {
        assert!(
            filled("https://{{a}}/token", value).is_err(),
            "host {value:?}"
        );
    }
    for value in ["", ".", ".."] {
        assert!(
            filled("https://shop.com/{{a}}/token", value).is_err(),
            "path {value:?}"
        );
    }
    // Two values, harmless alone, may not climb together.
    assert_eq!(
        filled("https://shop.com/o/{{a}}{{a}}/token", "."),
        Err(FillError::Value(Named(Some(Reference::variable("a")))))
    );
    assert_eq!(
        filled("https://shop.com/o/.{{a}}", "%2e").unwrap(),
        "https://shop.com/o/.%252e"
    );
    // A number alone would be read as an IPv4 address.
    assert_eq!(
        filled("https://{{a}}/", "2130706433"),
        Err(FillError::Changed)
    );
}

#[test]
fn a_value_can_stand_for_scheme_host_and_path() {
    for (template, value, url) in [
        (
            "{{a}}/token",
            "https://acme.example",
            "https://acme.example/token",
        ),
        (
            "{{a}}/token",
            "https://acme.example:8443/base/",
            "https://acme.example:8443/base/token",
        ),
        ("{{a}}", "https://ACME.example", "https://acme.example/"),
    ] {
        assert_eq!(filled(template, value).unwrap(), url, "{template} {value}");
    }
    for value in [
        "acme.example",
        "http://acme.example",
        "https://acme.example/?x",
        "https://acme.example#x",
        "https://u@acme.example",
        "https://acme.example/../x",
        "https://acme.example/a b",
        "https://[::1]",
        "https://2130706433",
        "https://",
        "https://a\\b",
    ] {
        assert!(filled("{{a}}/token", value).is_err(), "{value}");
    }
    assert_eq!(
        UrlTemplate::parse("{{a}}.evil.example/x"),
        Err(UrlTemplateError::Host)
    );
}

#[test]
fn what_is_not_a_url_template_says_why() {
    for (text, error) in [
        ("", UrlTemplateError::Scheme),
        ("{{base}}token", UrlTemplateError::Host),
        ("ftp://a.com", UrlTemplateError::Scheme),
        ("http://a.com/token", UrlTemplateError::Scheme),
        ("https://", UrlTemplateError::Host),
        ("https:///token", UrlTemplateError::Host),
        ("https://user@a.com/", UrlTemplateError::UserInformation),
        ("https://a.com:port/", UrlTemplateError::Host),
        ("https://2130706433/", UrlTemplateError::Host),
        ("https://a.com/x#y", UrlTemplateError::Fragment),
        ("https://a.com/../x", UrlTemplateError::Path),
        ("https://a.com/a b", UrlTemplateError::Path),
        ("https://a.com\\evil", UrlTemplateError::Path),
        (
            "https://a.com/{{",
            UrlTemplateError::Template(TemplateError::Unclosed),
        ),
    ] {
        assert_eq!(UrlTemplate::parse(text), Err(error), "{text}");
    }
}
