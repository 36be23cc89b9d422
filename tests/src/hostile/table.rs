//! All hostile answers: statuses × bodies × framings, bodies × content types × framings, broken
//! framings × statuses, headers × statuses, and what is no answer.

use serde_json::{Value, json};

use super::{Script, bodies, framings, headers, silences, statuses};

/// A hostile answer.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is: its kind, status, content type and framing.
    pub name: String,
    /// What the provider does.
    pub script: Script,
    /// What becomes of the refresh.
    pub expected: Expected,
    /// What the provider does with used refresh tokens, as the definition says it.
    pub rotation: Value,
    /// How long the call may take; the refresher's own shortened limit, or the product's.
    pub patient: bool,
}

/// What must become of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It works: there is a token in the answer, whatever else there is.
    Refreshed,
    /// It fails, and health says so with this code.
    Failed(&'static str),
}

impl Row {
    /// A row of a provider that takes a refresh token as often as it is sent.
    pub(super) fn new(name: impl Into<String>, script: Script, expected: Expected) -> Self {
        Self {
            name: name.into(),
            script,
            expected,
            rotation: json!("none"),
            patient: false,
        }
    }
}

/// The whole table.
#[must_use]
pub fn table() -> Vec<Row> {
    let mut rows = statuses::rows();
    rows.extend(bodies::rows());
    rows.extend(framings::rows());
    rows.extend(headers::rows());
    rows.extend(silences::rows());
    // Half of them are of providers that take a refresh token once. Where an answer that may hold the
    // next one can't be read, asking again would end the connection: only the builder can help there.
    for (number, row) in rows.iter_mut().enumerate() {
        if number % 2 == 1 && row.expected != Expected::Failed("answer_unreadable") {
            row.rotation = json!("single_use");
        }
    }
    rows
}
