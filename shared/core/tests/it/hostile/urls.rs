//! Values in URLs.

use latchkey_core::model::url_template::is_host_labels;
use serde_json::json;

use super::{
    Context,
    judge::{decoded, meaning},
    request::{Sent, Which, taken_plain},
    same, try_all,
};

/// What stands in a host between what the template says: it must be host labels, and what it was, in small letters.
fn host_between(sent: &mut Sent, value: &str, before: &str, after: &str) -> Result<(), String> {
    let host = std::mem::take(&mut sent.url.host);
    let found = host
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    same(found, &value.to_ascii_lowercase())?;
    is_host_labels(&host)
        .then_some(())
        .ok_or_else(|| "it is no host".to_owned())
}

/// A segment of the path, decoded, between what the template says.
fn segment(
    sent: &mut Sent,
    value: &str,
    at: usize,
    before: &str,
    after: &str,
) -> Result<(), String> {
    let segment = sent.url.segments.get_mut(at).map(std::mem::take);
    let segment = segment.ok_or("there is no such segment")?;
    let found = segment
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    let found = found.and_then(|found| String::from_utf8(decoded(found)).ok());
    same(found.as_deref(), value)
}

fn query(sent: &mut Sent, value: &str) -> Result<(), String> {
    let found = sent.query("x");
    same(found.as_deref(), value)
}

fn query_plain(sent: &mut Sent, value: &str) -> Result<(), String> {
    let query = sent.url.query.as_mut().ok_or("there is no query")?;
    let found = taken_plain(query, "x");
    same(found.as_deref(), value)
}

/// A value that stands for scheme, host and path, with `/token?v=1` after it.
fn base(sent: &mut Sent, value: &str) -> Result<(), String> {
    let given = value.trim_end_matches('/');
    let meant = meaning(&format!("{given}/token?v=1"))
        .map_err(|why| format!("by itself it is no URL: {why}"));
    // A host is the same in capitals.
    let meant = meant.or_else(|why| {
        let end = given
            .match_indices('/')
            .nth(2)
            .map_or(given.len(), |(at, _)| at);
        let (origin, path) = given.split_at(end);
        let lower = origin.to_ascii_lowercase();
        meaning(&format!("{lower}{path}/token?v=1")).map_err(|_| why)
    })?;
    if meant != sent.url {
        return Err(format!("it arrives as {:?}", sent.url));
    }
    sent.url = meaning("https://acme.shop.example/token?v=1")?;
    Ok(())
}

#[test]
fn no_value_leads_a_request_to_another_host() {
    let url = |url: &str| json!({ "token": { "url": url } });
    try_all(&[
        Context::new(
            "first label of a host",
            &url("https://{{x}}.shop.example/token"),
            |sent, value| host_between(sent, value, "", ".shop.example"),
        )
        .may_refuse(),
        Context::new(
            "part of a label",
            &url("https://api-{{x}}-eu.shop.example/token"),
            |sent, value| {
                let value = format!("api-{value}-eu");
                host_between(sent, &value, "", ".shop.example")
            },
        )
        .may_refuse(),
        Context::new(
            "label within a host, with a port",
            &url("https://api.{{x}}.shop.example:8443/token"),
            |sent, value| host_between(sent, value, "api.", ".shop.example"),
        )
        .may_refuse(),
        Context::new(
            "last label of a host",
            &url("https://shop.{{x}}/token"),
            |sent, value| host_between(sent, value, "shop.", ""),
        )
        .may_refuse(),
        Context::new("whole host", &url("https://{{x}}/token"), |sent, value| {
            host_between(sent, value, "", "")
        })
        .may_refuse(),
        Context {
            harmless: "https://acme.shop.example",
            ..Context::new("whole URL", &url("{{x}}/token?v=1"), base).may_refuse()
        },
    ]);
}

#[test]
fn no_value_that_a_user_may_give_leads_a_request_to_a_host_that_the_builder_did_not_foresee() {
    let of = |variable: serde_json::Value, url: &str| {
        let mut x = json!({ "key": "x", "from": "user" });
        x.as_object_mut()
            .unwrap()
            .extend(variable.as_object().unwrap().clone());
        json!({ "variables": [x], "token": { "url": url } })
    };
    let hosts = ["acme.shop.example", "*.shop.example"];
    let foreseen: fn(&mut Sent, &str) -> Result<(), String> = |sent, _| {
        let host = std::mem::take(&mut sent.url.host);
        host.ends_with(".shop.example")
            .then_some(())
            .ok_or_else(|| format!("it leads to {host}"))
    };
    let contexts = [
        Context::new(
            "host with a pattern",
            &of(
                json!({ "pattern": "[a-z0-9][a-z0-9-]*" }),
                "https://{{x}}.shop.example/token",
            ),
            |sent, value| host_between(sent, value, "", ".shop.example"),
        ),
        Context {
            harmless: "acme.shop.example",
            ..Context::new(
                "host name among hosts",
                &of(
                    json!({ "type": "hostname", "hosts": hosts }),
                    "https://{{x}}/token",
                ),
                foreseen,
            )
        },
        Context {
            harmless: "acme.shop.example",
            ..Context::new(
                "text among hosts",
                &of(json!({ "hosts": hosts }), "https://{{x}}/token"),
                foreseen,
            )
        },
        Context {
            harmless: "https://acme.shop.example",
            ..Context::new(
                "URL among hosts",
                &of(json!({ "type": "url", "hosts": hosts }), "{{x}}/token?v=1"),
                |sent, value| {
                    let leads = sent.url.host.ends_with(".shop.example");
                    base(sent, value)?;
                    leads
                        .then_some(())
                        .ok_or_else(|| "it leads elsewhere".to_owned())
                },
            )
        },
    ];
    try_all(&contexts.map(|context| Context {
        checked: true,
        ..context.may_refuse()
    }));
}

#[test]
fn a_value_in_a_path_is_one_segment_and_in_a_query_one_parameter() {
    let url = |url: &str| json!({ "token": { "url": url } });
    let laid = |encode: &str| json!({ "token": { "query": { "x": { "value": "{{x}}", "encode": encode } } } });
    try_all(&[
        Context::new(
            "segment of a path",
            &url("https://shop.example/a/{{x}}/token"),
            |sent, value| segment(sent, value, 1, "", ""),
        )
        // Dots alone would climb.
        .may_refuse(),
        Context::new(
            "part of a segment",
            &url("https://shop.example/a/v{{x}}.json/token"),
            |sent, value| segment(sent, value, 1, "v", ".json"),
        )
        .may_refuse(),
        Context::new(
            "end of a path",
            &url("https://shop.example/a/b{{x}}?v=1"),
            |sent, value| segment(sent, value, 1, "b", ""),
        )
        .may_refuse(),
        Context::new(
            "query of a URL",
            &url("https://shop.example/token?a=1&x={{x}}&b=2"),
            query,
        ),
        Context::new(
            "name in the query of a URL",
            &url("https://shop.example/token?a=1&{{x}}=2"),
            |sent, value| {
                let found = sent.query(value);
                same(found.as_deref(), "2")?;
                sent.url.query = None;
                Ok(())
            },
        )
        // A name that is there already.
        .may_refuse(),
        Context::new("query parameter", &laid("form"), query),
        Context::new("query parameter by RFC 3986", &laid("rfc3986"), query_plain),
        Context::new("query parameter, raw", &laid("raw"), query_plain),
    ]);
}

#[test]
fn a_value_in_an_authorise_url_is_one_parameter() {
    let laid = |authorise: serde_json::Value| {
        let mut parts = json!({ "query": { "x": "{{x}}" } });
        parts
            .as_object_mut()
            .unwrap()
            .extend(authorise.as_object().unwrap().clone());
        json!({ "authorise": parts })
    };
    let contexts = [
        Context::new("parameter of the authorise URL", &laid(json!({})), query),
        Context::new(
            "the same, sorted",
            &laid(json!({ "parameter_order": "sorted" })),
            query,
        ),
        Context::new(
            "the same by RFC 3986",
            &laid(json!({ "encoding": "rfc3986" })),
            query_plain,
        ),
        Context::new(
            "the same, raw",
            &laid(json!({ "encoding": "raw" })),
            query_plain,
        ),
        Context::new(
            "the same behind a route",
            &laid(json!({ "url": "https://shop.example/#/authorise" })),
            |sent, value| {
                let route = sent.url.fragment.take().ok_or("there is no route")?;
                let mut parameters = route
                    .strip_prefix("/authorise?")
                    .ok_or("the route is another")?
                    .to_owned();
                let found = taken_plain(&mut parameters, "x").map(|found| found.replace('+', " "));
                sent.url.fragment = Some(parameters);
                // In a form a plus is a space.
                same(found.as_deref(), &value.replace('+', " "))
            },
        ),
        Context::new(
            "fragment",
            &laid(json!({ "query": {}, "fragment": "a={{x}}" })),
            |sent, value| {
                let fragment = sent.url.fragment.take().ok_or("there is no fragment")?;
                let found = fragment.strip_prefix("a=").map(decoded);
                let found = found.and_then(|found| String::from_utf8(found).ok());
                same(found.as_deref(), value)
            },
        ),
        Context {
            key: "client_id",
            ..Context::new(
                "client id of the authorise URL",
                &laid(json!({ "query": {} })),
                |sent, value| {
                    let found = sent.query("client_id");
                    same(found.as_deref(), value)
                },
            )
        },
        Context::new(
            "scope",
            &laid(json!({ "query": {}, "scopes": ["read", "{{x}}"] })),
            |sent, value| {
                let found = sent.query("scope");
                let mut expected = vec!["read"];
                for scope in value.split(' ').filter(|scope| !scope.is_empty()) {
                    if !expected.contains(&scope) {
                        expected.push(scope);
                    }
                }
                same(found.as_deref(), &expected.join(" "))
            },
        ),
    ];
    // A URL may be too long.
    try_all(&contexts.map(|context| Context {
        which: Which::Authorise,
        ..context.may_refuse()
    }));
}
