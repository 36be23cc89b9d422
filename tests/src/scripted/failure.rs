//! Failures on purpose, and the log of requests.

use serde_json::{Value, json};

use super::{
    answers::{self, Answer},
    expected::Blame,
};

/// A failure on purpose, in place of the answer to a request that is as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The provider's own form of an error with this code, and 400.
    Code(String),
    /// The same with 200, as providers do whose answers say by themselves that they are errors.
    CodeWithOk(String),
    /// The provider's own way to say that the grant is gone.
    InvalidGrant,
    /// A status with nothing in it.
    Status(u16),
    /// 429 with `Retry-After`.
    TooMany {
        /// Its seconds.
        retry_after: u64,
    },
    /// An HTML page with 200.
    Html,
    /// What was asked for is done, and the answer breaks off.
    Truncated,
    /// What was asked for is done, and there is no answer.
    Lost,
}

impl Failure {
    /// Whether what was asked for is done nevertheless.
    pub(super) fn has_effect(&self) -> bool {
        matches!(self, Self::Truncated | Self::Lost)
    }

    /// What is answered in place of an answer.
    pub(super) fn instead_of(&self, answer: Option<Answer>, response: &Value) -> Option<Answer> {
        let own = |status, code: &Value| {
            let body = answers::error(response, code, "failed on purpose");
            Some(Answer::of(response, status, &body))
        };
        match self {
            Self::Code(code) => own(400, &json!(code)),
            Self::CodeWithOk(code) => own(200, &json!(code)),
            Self::InvalidGrant => own(400, &answers::code(response, Blame::Grant)),
            Self::Status(status) => Some(Answer::plain(*status, "text/plain", "")),
            Self::TooMany { retry_after } => {
                let mut answer = Answer::plain(429, "text/plain", "slow down");
                answer
                    .headers
                    .push(("retry-after".to_owned(), retry_after.to_string()));
                Some(answer)
            }
            Self::Html => {
                let page = "<!doctype html><title>Down for maintenance</title>";
                Some(Answer::plain(200, "text/html", page))
            }
            Self::Truncated => answer.map(|mut answer| {
                let half: String = answer.body.chars().take(answer.body.len() / 2).collect();
                answer.body = half;
                answer
            }),
            Self::Lost => None,
        }
    }
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `authorise`, `token`, `refresh`, `revoke`, `introspect`, `step:ID` or `lookup:ID`: what it was, or was
    /// most like.
    pub kind: String,
    /// Method and URL.
    pub line: String,
    /// Whether it was as it must be.
    pub accepted: bool,
    /// Why it was refused, or with what it failed on purpose.
    pub reason: Option<String>,
}
