//! How the endpoints that clients call say no.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::store::NotSaved;

/// An error of RFC 6749 §5.2, with a sentence for the developer where there is something to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant(&'static str),
    UnsupportedGrantType,
    InvalidScope,
    /// Our own fault; RFC 6749 §5.2 has no word for it, so §4.1.2.1's is used.
    ServerError,
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest(_)
            | Self::InvalidGrant(_)
            | Self::UnsupportedGrantType
            | Self::InvalidScope => StatusCode::BAD_REQUEST,
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) | Self::InvalidGrant(description) => description,
            Self::InvalidClient => "the client id or secret is wrong or missing",
            Self::UnsupportedGrantType => "use authorization_code or refresh_token",
            Self::InvalidScope => "the scope is malformed, unknown or more than was granted",
            Self::ServerError => "the demo provider failed; its log says why",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code(), "error_description": self.description() });
        let mut response = (self.status(), Json(body)).into_response();
        if self == Self::InvalidClient {
            let challenge =
                HeaderValue::from_static(r#"Basic realm="demo-provider", charset="UTF-8""#);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<NotSaved> for Refusal {
    fn from(_: NotSaved) -> Self {
        Self::ServerError
    }
}

impl From<getrandom::Error> for Refusal {
    fn from(cause: getrandom::Error) -> Self {
        tracing::error!(%cause, "the demo provider got no random bytes");
        Self::ServerError
    }
}
