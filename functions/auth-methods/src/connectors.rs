//! `/v1/connectors`.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use latchkey_core::{
    flow::define::removed,
    model::{connector::Connector, definition::VariableDefinition, id::ConnectorId},
};
use latchkey_web::{
    Problem,
    caller::{Caller, DefinitionsRead, DefinitionsWrite},
    json::Json,
    paging::{List, PageQuery, Paging},
    path::Named,
    problem::Problems,
    version::{ETag, IfMatch, MayMatch},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Ports;

/// A connector, as a builder sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectorBody {
    /// The name that people see.
    #[schema(example = "GitHub")]
    name: String,
    /// Variables that its auth methods may use.
    #[serde(default)]
    variables: Vec<VariableDefinition>,
}

/// A connector: a third-party application.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorView {
    /// Its id.
    id: ConnectorId,
    /// Counts its changes; also its entity tag.
    version: u64,
    /// The name that people see.
    name: String,
    /// Variables that its auth methods may use.
    variables: Vec<VariableDefinition>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Connector> for ConnectorView {
    fn from(connector: Connector) -> Self {
        let Connector {
            id,
            version,
            name,
            variables,
            created_at,
            updated_at,
            ..
        } = connector;
        Self {
            id,
            version,
            name,
            variables,
            created_at,
            updated_at,
        }
    }
}

/// Lists connectors.
#[utoipa::path(
    get, path = "/v1/connectors", tag = "connectors", params(PageQuery),
    responses((status = 200, description = "A page of connectors", body = List<ConnectorView>), Problems)
)]
pub(crate) async fn list(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
    Paging(page): Paging,
) -> Result<Json<List<ConnectorView>>, Problem> {
    let found = ports.connectors.list(&caller.tenant, &page).await?;
    Ok(Json(List::of(found, ConnectorView::from)))
}

/// Makes a connector.
#[utoipa::path(
    post, path = "/v1/connectors", tag = "connectors", request_body = ConnectorBody,
    responses((status = 201, description = "The new connector", body = ConnectorView), Problems)
)]
pub(crate) async fn create(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Json(body): Json<ConnectorBody>,
) -> Result<impl IntoResponse, Problem> {
    let connector = ports
        .define()
        .create_connector(&caller.tenant, body.name, body.variables)
        .await?;
    Ok((
        StatusCode::CREATED,
        ETag(connector.version),
        Json(ConnectorView::from(connector)),
    ))
}

/// Reads a connector.
#[utoipa::path(
    get, path = "/v1/connectors/{connector}", tag = "connectors",
    params(("connector" = ConnectorId, Path, description = "The connector")),
    responses((status = 200, description = "The connector", body = ConnectorView), Problems)
)]
pub(crate) async fn read(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
    Named(id): Named<ConnectorId>,
) -> Result<impl IntoResponse, Problem> {
    let found = ports.connectors.find(&caller.tenant, &id).await?;
    let connector = found.ok_or_else(|| Problem::not_found("connector"))?;
    Ok((
        ETag(connector.version),
        Json(ConnectorView::from(connector)),
    ))
}

/// Changes a connector.
///
/// Its auth methods keep the copies of its variables that they were saved with; saving an auth
/// method again takes the new ones.
#[utoipa::path(
    put, path = "/v1/connectors/{connector}", tag = "connectors",
    params(
        ("connector" = ConnectorId, Path, description = "The connector"),
        ("If-Match" = String, Header, description = "The entity tag that was read, or `*` to overwrite")
    ),
    request_body = ConnectorBody,
    responses((status = 200, description = "The connector", body = ConnectorView), Problems)
)]
pub(crate) async fn update(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Named(id): Named<ConnectorId>,
    IfMatch(seen): IfMatch,
    Json(body): Json<ConnectorBody>,
) -> Result<impl IntoResponse, Problem> {
    let seen = match seen {
        Some(seen) => seen,
        None => {
            let found = ports.connectors.find(&caller.tenant, &id).await?;
            found
                .ok_or_else(|| Problem::not_found("connector"))?
                .version
        }
    };
    let changed = ports
        .define()
        .update_connector(&caller.tenant, &id, seen, body.name, body.variables)
        .await?;
    Ok((ETag(changed.version), Json(ConnectorView::from(changed))))
}

/// Deletes a connector with its auth methods, if no instance uses any.
#[utoipa::path(
    delete, path = "/v1/connectors/{connector}", tag = "connectors",
    params(
        ("connector" = ConnectorId, Path, description = "The connector"),
        ("If-Match" = Option<String>, Header, description = "Delete only this version")
    ),
    responses((status = 204, description = "It is deleted"), Problems)
)]
pub(crate) async fn delete(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Named(id): Named<ConnectorId>,
    MayMatch(version): MayMatch,
) -> Result<StatusCode, Problem> {
    removed(
        ports
            .connectors
            .delete(&caller.tenant, &id, version)
            .await?,
        "connector",
    )?;
    Ok(StatusCode::NO_CONTENT)
}
