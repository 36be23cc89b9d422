//! Parameters that a collection adds to the requests.

use serde_json::Value;

use super::auth::Draft;
use crate::{fields::Fields, variables::Giver};

impl Draft<'_> {
    /// Older collections have `audience` and `resource` beside the lists of parameters.
    pub(super) fn extra_parameters(&mut self) {
        for name in ["audience", "resource"] {
            let value = self.template(name);
            self.document.put_some(&["authorise", "query", name], value);
        }
        for (list, request, usual) in [
            ("authRequestParams", "authorise", "query"),
            ("tokenRequestParams", "token", "body"),
            ("refreshRequestParams", "refresh", "body"),
        ] {
            let at = self.settings.at(list);
            match self.settings.take(list) {
                None => {}
                Some(Value::Array(rows)) => {
                    for (index, row) in rows.into_iter().enumerate() {
                        self.extra_parameter(&format!("{at}.{index}"), row, request, usual);
                    }
                }
                Some(_) => self.report.note(at, "a list was expected"),
            }
        }
    }

    fn extra_parameter(&mut self, at: &str, row: Value, request: &str, usual: &str) {
        let Some(mut row) = Fields::of(at, row, &mut self.report) else {
            return;
        };
        let name = row
            .text("key", &mut self.report)
            .filter(|name| !name.is_empty());
        let text = row.text("value", &mut self.report).unwrap_or_default();
        let is_on = row.flag("enabled", &mut self.report).unwrap_or(true);
        let place = match row.text("send_as", &mut self.report).as_deref() {
            None | Some("") => usual,
            Some("request_url") => "query",
            Some("request_body") if request != "authorise" => "body",
            Some("request_header") if request != "authorise" => "headers",
            Some(other) => {
                return self.report.note(
                    row.at("send_as"),
                    format!("{other:?} can't be said of this request"),
                );
            }
        };
        row.take("type");
        row.report_rest(&[], &mut self.report);
        let Some(name) = name else { return };
        if !is_on {
            return self.report.note(at, "it is switched off, and was left out");
        }
        if is_secret(&name) {
            return self.secret_parameter(at, &name, request, place);
        }
        let value = self.names.template(&text, at, &mut self.report);
        self.document.put_some(&[request, place, &name], value);
    }

    /// What may be a secret is asked for, not imported.
    fn secret_parameter(&mut self, at: &str, name: &str, request: &str, place: &str) {
        self.names
            .variables
            .declare(name, Giver::Builder)
            .set("type", "secret");
        self.report
            .note(at, "a secret is never imported; its value was left out");
        if let Some(key) = self.names.variables.refer(name, true) {
            self.document
                .put(&[request, place, name], format!("{{{{{key}}}}}"));
        }
    }
}

fn is_secret(name: &str) -> bool {
    let small = name.to_ascii_lowercase();
    [
        "secret",
        "password",
        "assertion",
        "apikey",
        "api_key",
        "api-key",
    ]
    .iter()
    .any(|word| small.contains(word))
}
