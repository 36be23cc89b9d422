//! Pages: rendered, and fenced in by a policy.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, StatusCode, header};
use sha2::{Digest, Sha256};

/// The one stylesheet, which each page carries within.
pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// Renders a page that has no script.
pub(crate) fn render(status: StatusCode, page: &impl Template) -> Response {
    respond(status, page, &policy(""))
}

/// Renders a page that has one script, which may fetch from this server.
pub(crate) fn render_with_script(page: &impl Template, script: &str) -> Response {
    let extra = format!("script-src '{}'; connect-src 'self'; ", source_hash(script));
    respond(StatusCode::OK, page, &policy(&extra))
}

/// A page that says what went wrong, to a person.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    render(
        status,
        &ErrorPage {
            style: STYLE,
            message,
        },
    )
}

/// For every path that is not one of ours.
pub(crate) async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "There is no such page here.")
}

/// Nothing but the stylesheet, and no frames (RFC 9700 §4.16).
///
/// There is no `form-action`, since browsers hold every redirect that follows a form to it: the
/// consent form leads to the client, and the client sends people on to where only it knows.
fn policy(extra: &str) -> String {
    let style = source_hash(STYLE);
    format!(
        "default-src 'none'; style-src '{style}'; {extra}base-uri 'none'; frame-ancestors 'none'"
    )
}

fn respond(status: StatusCode, page: &impl Template, policy: &str) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, Html(html)).into_response()
}

fn source_hash(source: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(source)))
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    style: &'a str,
    message: &'a str,
}
