//! The introspection endpoint (RFC 7662).

use std::sync::Arc;

use axum::{Json, extract::State};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::{
    Provider, client,
    ledger::{Active, Kind},
    params::Params,
    refusal::Refusal,
};

/// `POST /introspect`
pub(crate) async fn introspect(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    params: Params,
) -> Result<Json<Value>, Refusal> {
    // RFC 7662 §2.1: without authentication, tokens could be scanned for.
    let client_id = client::authenticate(&provider.settings, &headers, &params)?;
    let token = params.required("token", "token is missing")?;
    let ledger = provider.store.snapshot();
    let active = ledger.find(token, provider.store.now());
    Ok(Json(
        match active.filter(|active| active.client_id == client_id) {
            Some(active) => describe(&active, &provider.settings.issuer),
            // RFC 7662 §2.2: nothing more, so that nothing is learnt of a token that is not good.
            None => json!({ "active": false }),
        },
    ))
}

fn describe(active: &Active<'_>, issuer: &str) -> Value {
    let mut description = json!({
        "active": true,
        "iss": issuer,
        "sub": "demo-user",
        "username": "Demo user",
        "client_id": active.client_id,
        "scope": active.scopes.to_string(),
        "iat": active.issued_at.as_second(),
        "exp": active.expires_at.as_second(),
    });
    if let (Kind::Access, Some(description)) = (active.kind, description.as_object_mut()) {
        description.insert("token_type".to_owned(), json!("Bearer"));
    }
    description
}
