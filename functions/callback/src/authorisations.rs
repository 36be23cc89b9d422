//! `/v1/authorisations/{authorisation}/complete`: for platforms that forward people themselves.

use axum::extract::State;
use latchkey_core::model::{authorisation::Digest, id::InstanceId};
use latchkey_web::{
    Problem,
    caller::{Caller, InstancesWrite},
    json::Json,
    path::Named,
    problem::Problems,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Ports, answer::refused};

/// An authorisation that is complete.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompletedView {
    /// The instance, which is connected now.
    instance: InstanceId,
}

impl From<InstanceId> for CompletedView {
    fn from(instance: InstanceId) -> Self {
        Self { instance }
    }
}

/// Completes an authorisation that the callback has parked.
///
/// Call it in the session of the person who began, after they came back with `status=parked`: that
/// session is what shows that the one who finishes is the one who began. It works once: where the
/// answer to a call was lost, call again. Then 404 means that it had worked, or that it is too late, as
/// the instance's health shows.
#[utoipa::path(
    post, path = "/v1/authorisations/{authorisation}/complete", tag = "instances",
    params(("authorisation" = String, Path, description = "The authorisation, as it was begun")),
    responses((status = 200, description = "The instance is connected", body = CompletedView), Problems)
)]
pub(crate) async fn complete(
    caller: Caller<InstancesWrite>,
    State(ports): State<Ports>,
    Named(authorisation): Named<String>,
) -> Result<Json<CompletedView>, Problem> {
    let gone = || Problem::not_found("authorisation waiting to be completed");
    let digest = Digest::parse(&authorisation).ok_or_else(gone)?;
    match ports
        .complete()
        .complete(&caller.tenant, &digest)
        .await?
        .ok_or_else(gone)?
    {
        Ok(instance) => Ok(Json(instance.id.into())),
        Err(miss) => Err(refused(miss)),
    }
}
