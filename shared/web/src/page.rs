//! Pages that people see: one frame, no scripts, nothing from elsewhere.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../templates/style.css");

/// A page: its title, and what stands in the frame.
#[derive(Debug)]
pub struct Page {
    /// The status that it comes with.
    pub status: StatusCode,
    /// The title of the window.
    pub title: String,
    /// The content, as HTML that a template has escaped.
    pub content: String,
    /// A style of its own besides the common one, as CSS that whoever wrote it has escaped.
    pub style: String,
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    title: &'a str,
    style: &'a str,
    own_style: &'a str,
    content: &'a str,
}

impl Page {
    /// A page with a filled template. Where it can't be filled, the page is empty and the status 500.
    #[must_use]
    pub fn new(status: StatusCode, title: &str, content: &impl Template) -> Self {
        match content.render() {
            Ok(content) => Self {
                status,
                title: title.to_owned(),
                content,
                style: String::new(),
            },
            Err(_) => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: title.to_owned(),
                content: String::new(),
                style: String::new(),
            },
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let frame = Frame {
            title: &self.title,
            style: STYLE,
            own_style: &self.style,
            content: &self.content,
        };
        let html = frame.render().unwrap_or_default();
        let headers: [(HeaderName, HeaderValue); 6] = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (header::CONTENT_SECURITY_POLICY, policy(&self.style)),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        ];
        (self.status, headers, html).into_response()
    }
}

/// No scripts, no third parties, no frames, no style but what is ours by its digest. Forms may lead to providers, since
/// browsers hold the redirects that follow a form to this rule as well; to loopback too, which only local mode uses.
fn policy(own_style: &str) -> HeaderValue {
    static COMMON: LazyLock<String> = LazyLock::new(|| source(STYLE));
    let own = match own_style {
        "" => String::new(),
        style => format!(" {}", source(style)),
    };
    let policy = format!(
        "default-src 'none'; style-src {}{own}; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' https: http://127.0.0.1:* http://localhost:*",
        *COMMON
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// A style, as a policy names it.
fn source(style: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))
}
