//! `/oauth/authenticate`: the callback URL.

use axum::{
    extract::{RawForm, RawQuery, State, rejection::RawFormRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use latchkey_core::{
    flow::complete::{Browser, UnverifiedAnswer},
    model::authorisation::Digest,
};
use latchkey_web::cookie;
use tracing::error;
use url::form_urlencoded;

use crate::{
    Ports,
    result_page::{failed, result, unknown},
};

/// More than any provider sends; the rest of the request is bounded by the gateway.
pub(crate) const LONGEST: usize = 16 * 1024;

/// Takes a person back from the provider.
///
/// The state works once. The person goes on to the return URL, or to a page that says how it went.
/// A provider that returns no state is answered by the browser's cookie, if this is the one answer that it waits for.
/// What the parameters are called is the definition's matter; by default they are `state`, `code`,
/// `error` and `iss` (RFC 6749 §4.1.2, RFC 9207).
#[utoipa::path(
    get, path = "/oauth/authenticate", tag = "pages", security(()),
    params(("state" = Option<String>, Query, description = "The state"),
        ("code" = Option<String>, Query, description = "The authorisation code"),
        ("error" = Option<String>, Query, description = "The error code"),
        ("iss" = Option<String>, Query, description = "The issuer (RFC 9207)")),
    responses((status = 303, description = "To the return URL, with `status` and `instance`"),
        (status = 200, description = "A page that says how it went", content_type = "text/html"),
        (status = 400, description = "A page that says why it did not work", content_type = "text/html"))
)]
pub(crate) async fn authenticate(
    State(ports): State<Ports>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    if query.len() > LONGEST {
        return unknown().into_response();
    }
    let answer = UnverifiedAnswer::new(form_urlencoded::parse(query.as_bytes()).into_owned());
    let held = |state: &Digest| cookie::held(&ports.deployment, state, &headers);
    let browser = Browser {
        holds: &held,
        waits: cookie::kept(&ports.deployment, &headers),
    };
    match ports.complete().callback(answer, browser).await {
        Ok(completion) => result(&ports, completion).await,
        Err(error) => {
            error!(%error, "callback");
            failed().into_response()
        }
    }
}

/// Takes a person back from a provider that answers with a form (`response_mode=form_post`).
///
/// A form from another site brings no cookie along, and so no proof of who began. The browser is sent
/// on to the same URL with the parameters in its query, and brings the cookie then.
#[utoipa::path(
    post, path = "/oauth/authenticate", tag = "pages", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "To the same URL with the parameters in its query"),
        (status = 400, description = "A page that says why it did not work", content_type = "text/html"))
)]
pub(crate) async fn authenticate_by_form(form: Result<RawForm, RawFormRejection>) -> Response {
    let Ok(RawForm(form)) = form else {
        return unknown().into_response();
    };
    let is_text = std::str::from_utf8(&form).is_ok();
    if form.len() > LONGEST || !is_text {
        return unknown().into_response();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form_urlencoded::parse(&form))
        .finish();
    let headers = [
        (header::LOCATION, format!("/oauth/authenticate?{query}")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (axum::http::StatusCode::SEE_OTHER, headers).into_response()
}
