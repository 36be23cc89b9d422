//! `/v1/api-keys`.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use latchkey_core::{
    flow::authenticate::new_key,
    model::{
        Secret,
        api_key::{ApiKey, Scope},
        fault::Faults,
        id::{KeyId, TenantId},
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, KeysWrite},
    json::Json,
    paging::{List, PageQuery, Paging},
    path::Named,
    problem::Problems,
};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::Ports;

/// An API key that is asked for. It is bound to the tenant of whoever asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyBody {
    /// The name that people see.
    #[schema(example = "billing")]
    name: String,
    /// What it may be used for: no more than the key that asks.
    scopes: BTreeSet<Scope>,
    /// When it ends; never if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// An API key, without the key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// Its id.
    id: KeyId,
    /// The tenant that it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    /// The name that people see.
    name: String,
    /// What it may be used for.
    scopes: BTreeSet<Scope>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// An API key that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewKeyView {
    /// The key itself, shown this once.
    #[serde(serialize_with = "shown_once")]
    #[schema(value_type = String, example = "lk_…")]
    key: Secret,
    /// What is kept of it.
    #[serde(flatten)]
    kept: KeyView,
}

fn shown_once<S: Serializer>(key: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key.expose())
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        let ApiKey {
            id,
            tenant,
            name,
            scopes,
            created_at,
            expires_at,
            revoked_at,
            digest: _,
        } = key;
        Self {
            id,
            tenant,
            name,
            scopes,
            created_at,
            expires_at,
            revoked_at,
        }
    }
}

/// Lists the tenant's API keys.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "API keys", params(PageQuery),
    responses((status = 200, description = "A page of API keys", body = List<KeyView>), Problems)
)]
pub(crate) async fn list(
    caller: Caller<KeysWrite>,
    State(ports): State<Ports>,
    Paging(page): Paging,
) -> Result<Json<List<KeyView>>, Problem> {
    let found = ports.api_keys.list(Some(&caller.tenant), &page).await?;
    Ok(Json(List::of(found, KeyView::from)))
}

/// Makes an API key, bound to the tenant.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "API keys", request_body = KeyBody,
    responses((status = 201, description = "The new API key; it is shown this once", body = NewKeyView), Problems)
)]
pub(crate) async fn create(
    caller: Caller<KeysWrite>,
    State(ports): State<Ports>,
    Json(body): Json<KeyBody>,
) -> Result<impl IntoResponse, Problem> {
    let now = ports.clock.now();
    check(&body, &caller.principal.scopes, now).map_err(Problem::invalid)?;
    let (key, secret) = new_key(
        &*ports.entropy,
        now,
        body.name,
        Some(caller.tenant),
        body.scopes,
        body.expires_at,
    );
    ports.api_keys.put(&key).await?;
    let view = NewKeyView {
        key: secret,
        kept: key.into(),
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Json(view),
    ))
}

fn check(body: &KeyBody, own: &BTreeSet<Scope>, now: Timestamp) -> Result<(), Faults> {
    let mut faults = Faults::new();
    if body.name.trim().is_empty() || body.name.len() > 200 {
        faults.add("/name", "invalid_name", "a name has 1 to 200 bytes");
    }
    if body.scopes.is_empty() {
        faults.add(
            "/scopes",
            "missing",
            "a key without scopes is good for nothing",
        );
    }
    for scope in body.scopes.difference(own) {
        faults.add(
            "/scopes",
            "not_allowed",
            format!("the key that asks lacks '{scope}' itself"),
        );
    }
    if body.expires_at.is_some_and(|end| end <= now) {
        faults.add("/expires_at", "out_of_range", "it lies in the past");
    }
    faults.or(())
}

/// Revokes an API key.
#[utoipa::path(
    delete, path = "/v1/api-keys/{key}", tag = "API keys",
    params(("key" = KeyId, Path, description = "The API key's id")),
    responses((status = 204, description = "It is revoked"), Problems)
)]
pub(crate) async fn revoke(
    caller: Caller<KeysWrite>,
    State(ports): State<Ports>,
    Named(id): Named<KeyId>,
) -> Result<StatusCode, Problem> {
    if ports
        .api_keys
        .revoke(Some(&caller.tenant), &id, ports.clock.now())
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("API key"))
    }
}
