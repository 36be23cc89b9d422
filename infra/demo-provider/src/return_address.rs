//! The way back to the client.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use url::Url;

use crate::{request::ErrorCode, settings::RedirectUri, token_text::Token};

/// A registered redirect URI, with what every answer to it carries.
#[derive(Debug)]
pub(crate) struct ReturnAddress<'a> {
    url: &'a Url,
    state: Option<String>,
    issuer: &'a str,
}

impl<'a> ReturnAddress<'a> {
    pub(crate) const fn new(uri: &'a RedirectUri, state: Option<String>, issuer: &'a str) -> Self {
        Self {
            url: &uri.url,
            state,
            issuer,
        }
    }

    /// Who is there, as a person would name it.
    pub(crate) fn host(&self) -> String {
        match (self.url.host_str(), self.url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => format!("{}:", self.url.scheme()),
        }
    }

    /// RFC 6749 §4.1.2.
    pub(crate) fn with_code(self, code: &Token) -> Response {
        self.with(&[("code", code.expose())])
    }

    /// RFC 6749 §4.1.2.1.
    pub(crate) fn with_error(self, error: ErrorCode) -> Response {
        self.with(&[
            ("error", error.name()),
            ("error_description", error.description()),
        ])
    }

    /// A query that the URI already has is kept (RFC 6749 §3.1.2). By 303, so that a form is never
    /// sent on (RFC 9700 §4.12).
    fn with(self, answer: &[(&str, &str)]) -> Response {
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .extend_pairs(answer)
            .extend_pairs(self.state.iter().map(|state| ("state", state)))
            // RFC 9207 §2: in errors too.
            .append_pair("iss", self.issuer);
        match HeaderValue::from_str(url.as_str()) {
            Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
