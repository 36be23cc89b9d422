//! URLs and forms: what goes in comes out, where it went in.

use std::borrow::Cow;

use latchkey_core::{
    model::{
        template::{Reference, Values},
        url_template::{UrlTemplate, host_as_written, is_host_labels},
    },
    protocol::path,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{config, texts};
use crate::hostile::{
    judge::{decoded, meaning},
    request::{Body, Which, method, sent},
};

struct Always<'a>(&'a str);

impl Values for Always<'_> {
    fn value(&self, _: &Reference) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.0))
    }
}

/// Any JSON, and a way into it.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z0-9_-]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every place of a document: its dotted path, and what is there.
fn places<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (below(name), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (below(&at.to_string()), item))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (path, child) in children {
        places(child, &path, found);
        found.push((path, child));
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_url_keeps_its_shape_whatever_fills_it(value in texts()) {
        let template = UrlTemplate::parse("https://api.shop.example:8443/a/{{x}}/b?c={{x}}&d=1").unwrap();
        let Ok(url) = template.fill(&Always(&value)) else {
            prop_assert!(["", ".", ".."].contains(&value.as_str()));
            return Ok(());
        };
        let read = meaning(url.as_str()).map_err(TestCaseError::fail)?;
        prop_assert_eq!((read.host.as_str(), read.port), ("api.shop.example", 8443));
        let segments: Vec<_> = read.segments.iter().map(|segment| decoded(segment)).collect();
        prop_assert_eq!(segments, [b"a".to_vec(), value.clone().into_bytes(), b"b".to_vec()]);
        let query = url.query_pairs().into_owned().collect::<Vec<_>>();
        prop_assert_eq!(query, [("c".to_owned(), value), ("d".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_host_is_filled_by_labels_alone(value in texts()) {
        let template = UrlTemplate::parse("https://{{x}}.shop.example/").unwrap();
        if let Ok(url) = template.fill(&Always(&value)) {
            prop_assert!(is_host_labels(&value));
            let read = meaning(url.as_str()).map_err(TestCaseError::fail)?;
            prop_assert_eq!(read.host, format!("{}.shop.example", value.to_ascii_lowercase()));
        }
    }

    #[test]
    fn a_whole_url_is_at_the_host_that_it_says(rest in texts(), host in "[a-z]{1,6}(\\.[a-z]{1,6})?") {
        let value = format!("https://{host}{rest}");
        let written = host_as_written(&value);
        let template = UrlTemplate::parse("{{x}}/token").unwrap();
        if let Ok(url) = template.fill(&Always(&value)) {
            let read = meaning(url.as_str()).map_err(TestCaseError::fail)?;
            prop_assert_eq!(Some(&read.host), written.as_ref());
            prop_assert_eq!(read.segments.last().map(String::as_str), Some("token"));
        }
        // A host that is found is the one that stands there.
        if let Some(written) = written {
            let start = format!("https://{written}");
            prop_assert!(value.to_ascii_lowercase().starts_with(&start));
        }
    }

    #[test]
    fn a_form_is_read_back(value in texts().prop_filter("a value", |value| !value.is_empty())) {
        for encode in ["form", "rfc3986", "raw"] {
            let entry = json!({ "value": "{{x}}", "encode": encode });
            let method = method(&json!({ "token": { "body": { "x": entry } } }));
            let sent = sent(&method, Which::Token, "x", &value).map_err(TestCaseError::fail)?;
            let Ok(Body::Form(form)) = sent.map(|sent| sent.body) else {
                return Err(TestCaseError::fail("there is no form"));
            };
            let read: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            let expected = if encode == "raw" { value.replace('+', " ") } else { value.clone() };
            prop_assert_eq!(read.len(), 3);
            prop_assert_eq!(read.last().unwrap(), &("x".to_owned(), expected));
        }
    }

    #[test]
    fn every_place_of_a_document_is_found_at_its_path(document in documents(), path in texts()) {
        let mut found = Vec::new();
        places(&document, "", &mut found);
        for (path, value) in found {
            prop_assert_eq!(path::find(&document, &path), Some(value), "{}", path);
        }
        // Elsewhere nothing need be, and nothing stops.
        let _ = path::text(&document, &path);
    }
}
