//! `/v1/instances/{instance}`.

use axum::extract::State;
use latchkey_core::{
    flow::delete::Revocation,
    model::{
        id::{InstanceId, InstanceKey},
        instance::State as InstanceState,
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, InstancesRead, InstancesWrite},
    instance::InstanceView,
    json::Json,
    path::Named,
    problem::Problems,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Ports;

/// An instance that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletedView {
    /// The instance.
    instance: InstanceId,
    /// Whether the provider confirmed that its tokens are revoked.
    revocation: Revocation,
}

/// Reads an instance and how it is.
#[utoipa::path(
    get, path = "/v1/instances/{instance}", tag = "instances",
    params(("instance" = InstanceId, Path, description = "The instance")),
    responses((status = 200, description = "The instance", body = InstanceView), Problems)
)]
pub(crate) async fn read(
    caller: Caller<InstancesRead>,
    State(ports): State<Ports>,
    Named(id): Named<InstanceId>,
) -> Result<Json<InstanceView>, Problem> {
    let found = ports
        .leases
        .find(&InstanceKey {
            tenant: caller.tenant,
            id,
        })
        .await?;
    let instance =
        found.filter(|instance| !matches!(instance.state, InstanceState::Deleted { .. }));
    let instance = instance.ok_or_else(|| Problem::not_found("instance"))?;
    let mut view = InstanceView::from(&instance);
    if let Some(pause) = ports.refresh().pause(&instance).await? {
        view.health = view.health.paused(pause);
    }
    Ok(Json(view))
}

/// Deletes an instance, and revokes its tokens at the provider where that can be done (RFC 7009).
///
/// It is deleted whatever the provider says; `revocation` tells whether the provider confirmed.
#[utoipa::path(
    delete, path = "/v1/instances/{instance}", tag = "instances",
    params(("instance" = InstanceId, Path, description = "The instance")),
    responses((status = 200, description = "It is deleted", body = DeletedView), Problems)
)]
pub(crate) async fn delete(
    caller: Caller<InstancesWrite>,
    State(ports): State<Ports>,
    Named(id): Named<InstanceId>,
) -> Result<Json<DeletedView>, Problem> {
    let key = InstanceKey {
        tenant: caller.tenant,
        id,
    };
    let revocation = ports.delete().delete(&key).await?;
    Ok(Json(DeletedView {
        instance: key.id,
        revocation,
    }))
}
