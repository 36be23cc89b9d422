//! `/oauth/authenticate`: the callback URL.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use latchkey_core::{flow::complete::UnverifiedAnswer, model::Secret};
use latchkey_web::cookie;
use serde::Deserialize;
use tracing::error;

use crate::{
    Ports,
    result_page::{failed, result, unknown},
};

/// What a provider sends along (RFC 6749 §4.1.2); what it adds of its own is left alone.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackQuery {
    /// The state.
    #[param(value_type = Option<String>)]
    state: Option<Secret>,
    /// The authorisation code.
    #[param(value_type = Option<String>)]
    code: Option<Secret>,
    /// The error code.
    error: Option<String>,
    /// The issuer (RFC 9207).
    iss: Option<String>,
}

/// Takes a person back from the provider.
///
/// The state works once. The person goes on to the return URL, or to a page that says how it went.
#[utoipa::path(
    get, path = "/oauth/authenticate", tag = "pages", security(()), params(CallbackQuery),
    responses((status = 303, description = "To the return URL, with `status` and `instance`"),
        (status = 200, description = "A page that says how it went", content_type = "text/html"),
        (status = 400, description = "A page that says why it did not work", content_type = "text/html"))
)]
pub(crate) async fn authenticate(
    State(ports): State<Ports>,
    headers: HeaderMap,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Response {
    // Without a state, or with two, it answers nothing that we asked.
    let Ok(Query(CallbackQuery {
        state: Some(state),
        code,
        error,
        iss,
    })) = query
    else {
        return unknown().into_response();
    };
    let is_empty = |secret: &Secret| secret.expose().is_empty();
    let answer = UnverifiedAnswer {
        state,
        code: code.filter(|code| !is_empty(code)),
        error,
        issuer: iss,
    };
    let held = |flow: &_| cookie::held(&ports.deployment, flow, &headers);
    match ports.complete().callback(answer, held).await {
        Ok(completion) => result(&ports, completion).await,
        Err(error) => {
            error!(%error, "callback");
            failed().into_response()
        }
    }
}
