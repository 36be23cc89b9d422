//! The protected resources: what an access token is for (RFC 6750).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{Provider, scope::Scope};

/// `GET /api/orders`
pub(crate) async fn orders(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Denial> {
    admit(&provider, &headers, Scope::OrdersRead)?;
    Ok(Json(json!({
        "orders": [
            order("ord_1042", "2026-03-02", "Walnut key rack", 3_450, "delivered"),
            order("ord_1057", "2026-03-19", "Brass padlock, 40 mm", 1_890, "delivered"),
            order("ord_1071", "2026-04-08", "Doormat, coir", 2_200, "on its way"),
        ],
    })))
}

/// `GET /api/profile`
pub(crate) async fn profile(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Denial> {
    admit(&provider, &headers, Scope::ProfileRead)?;
    Ok(Json(
        json!({ "id": "demo-user", "name": "Demo user", "email": "demo@shop.example" }),
    ))
}

/// One order; the price is in cents.
fn order(id: &str, placed_on: &str, item: &str, price: u32, status: &str) -> Value {
    json!({
        "id": id,
        "placed_on": placed_on,
        "item": item,
        "price": { "cents": price, "currency": "EUR" },
        "status": status,
    })
}

/// Why a resource is not given (RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// No token was sent, so nothing is said about one.
    NoToken,
    InvalidRequest,
    InvalidToken,
    InsufficientScope(Scope),
}

/// Takes the token from the header only (RFC 6750 §2.1); the other two ways are not for new servers.
fn admit(provider: &Provider, headers: &HeaderMap, scope: Scope) -> Result<(), Denial> {
    let header = headers.get(header::AUTHORIZATION).ok_or(Denial::NoToken)?;
    let header = header.to_str().map_err(|_| Denial::InvalidRequest)?;
    let (scheme, token) = header.split_once(' ').ok_or(Denial::InvalidRequest)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Denial::NoToken);
    }
    let ledger = provider.store.snapshot();
    let active = ledger.find_access_token(token.trim(), provider.store.now());
    let active = active.ok_or(Denial::InvalidToken)?;
    if active.scopes.contains(scope) {
        Ok(())
    } else {
        Err(Denial::InsufficientScope(scope))
    }
}

impl Denial {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
        }
    }

    const fn code(self) -> Option<&'static str> {
        match self {
            Self::NoToken => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::NoToken => "send an access token as a Bearer token",
            Self::InvalidRequest => "the Authorization header is malformed",
            Self::InvalidToken => "the access token is unknown, expired or revoked",
            Self::InsufficientScope(_) => "the access token was not granted this",
        }
    }

    /// RFC 6750 §3.
    fn challenge(self) -> String {
        let mut challenge = r#"Bearer realm="demo-provider""#.to_owned();
        if let Some(code) = self.code() {
            challenge += &format!(
                r#", error="{code}", error_description="{}""#,
                self.description()
            );
        }
        if let Self::InsufficientScope(scope) = self {
            challenge += &format!(r#", scope="{}""#, scope.name());
        }
        challenge
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        let code = self.code().unwrap_or("missing_token");
        let body = Json(json!({ "error": code, "error_description": self.description() }));
        let mut response = (self.status(), body).into_response();
        if let Ok(challenge) = HeaderValue::from_str(&self.challenge()) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
