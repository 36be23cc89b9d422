//! `/v1/instances`.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use latchkey_core::{
    flow::authorise::NewInstance,
    model::{
        id::{ConnectorId, MethodId},
        values::GivenValues,
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, InstancesRead, InstancesWrite},
    instance::InstanceView,
    json::Json,
    paging::{List, PageQuery, Paging},
    problem::Problems,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Ports;

/// An instance that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceBody {
    /// Its connector.
    connector: ConnectorId,
    /// Its auth method.
    auth_method: MethodId,
    /// The name that people see; the auth method's if absent.
    #[serde(default)]
    name: String,
    /// The user's values. Everything required must be there; defaults are applied.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    values: GivenValues,
}

/// Lists instances.
#[utoipa::path(
    get, path = "/v1/instances", tag = "instances", params(PageQuery),
    responses((status = 200, description = "A page of instances", body = List<InstanceView>), Problems)
)]
pub(crate) async fn list(
    caller: Caller<InstancesRead>,
    State(ports): State<Ports>,
    Paging(page): Paging,
) -> Result<Json<List<InstanceView>>, Problem> {
    let found = ports.instances.list(&caller.tenant, &page).await?;
    Ok(Json(List::of(found, |instance| {
        InstanceView::from(&instance)
    })))
}

/// Makes an instance with all its values.
///
/// It is pending until its user consents: open a connect session, or begin an authorisation.
#[utoipa::path(
    post, path = "/v1/instances", tag = "instances", request_body = InstanceBody,
    responses((status = 201, description = "The new instance", body = InstanceView), Problems)
)]
pub(crate) async fn create(
    caller: Caller<InstancesWrite>,
    State(ports): State<Ports>,
    Json(body): Json<InstanceBody>,
) -> Result<impl IntoResponse, Problem> {
    let InstanceBody {
        connector,
        auth_method,
        name,
        values,
    } = body;
    let new = NewInstance {
        connector,
        method: auth_method,
        name,
        values,
        complete: true,
    };
    let instance = ports.authorise().create(&caller.tenant, new).await?;
    Ok((StatusCode::CREATED, Json(InstanceView::from(&instance))))
}
