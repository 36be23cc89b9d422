//! `proxy`: how the source calls the provider's API, as what a caller puts on its own requests.

use serde_json::{Map, Value};

use super::Draft;
use crate::fields::Fields;

const BEARER: &str = "Bearer {{token.access_token}}";

impl Draft {
    pub(super) fn proxy(&mut self) {
        let mut proxy = self.entry.fields("proxy", &mut self.report);
        if let Some(text) = proxy.text("base_url", &mut self.report) {
            let url = self.template("proxy.base_url", &text);
            self.urls.extend(url.clone());
            self.document.put_some(&["use", "base_url"], url);
        }
        let [headers, query, body] = ["headers", "query", "body"].map(|part| {
            let values = proxy.fields(part, &mut self.report);
            self.sent_along(values)
        });
        let has_token = [&headers, &query, &body].into_iter().any(has_token);
        for (part, values) in [
            ("headers", with_token(headers, has_token)),
            ("query", query),
            ("body", body),
        ] {
            if !values.is_empty() {
                self.document.put(&["use", part], values);
            }
        }
        proxy.report_rest(UNSAYABLE, &mut self.report);
    }

    fn sent_along(&mut self, values: Fields) -> Map<String, Value> {
        let mut out = Map::new();
        for (at, name, value) in values.rest() {
            let name = if name == "authorization" {
                "Authorization".to_owned()
            } else {
                name
            };
            let Some(value) = self.parameter(&at, &value, false) else {
                continue;
            };
            match value.as_str().and_then(unvendable) {
                Some(why) => self.report.note(at, why),
                None => drop(out.insert(name, value)),
            }
        }
        out
    }
}

/// Why callers can't be given a value.
fn unvendable(text: &str) -> Option<&'static str> {
    if text.contains("client.secret") {
        return Some("the client's secret isn't handed out to callers");
    }
    let made = ["random(", "uuid(", "now("]
        .iter()
        .any(|made| text.contains(made));
    made.then_some("it is made anew for each request, which is the caller's to do")
}

fn has_token(values: &Map<String, Value>) -> bool {
    values
        .values()
        .filter_map(Value::as_str)
        .any(|text| text.contains("token.access_token"))
}

/// Headers that are written out take the place of the usual one, so that it must be among them.
fn with_token(headers: Map<String, Value>, has_token: bool) -> Map<String, Value> {
    let usual = Map::from_iter([("Authorization".to_owned(), BEARER.into())]);
    match (headers.is_empty() || headers == usual, has_token) {
        (true, _) => Map::new(),
        (false, true) => headers,
        (false, false) => usual.into_iter().chain(headers).collect(),
    }
}

const UNSAYABLE: &[(&str, &str)] = &[
    ("retry", "how requests are repeated is the caller's to know"),
    ("decompress", "how answers are read is the caller's to know"),
    (
        "paginate",
        "how lists are read page by page is the caller's to know",
    ),
    (
        "verification",
        "a request that tries the credentials can't be said",
    ),
    (
        "connection_config",
        "values that the source keeps for a connection",
    ),
    (
        "forward_headers_on_redirect",
        "how redirects are followed is the caller's to know",
    ),
];
