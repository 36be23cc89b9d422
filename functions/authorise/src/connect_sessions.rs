//! `/v1/connect-sessions`: links by which people connect.

use std::time::Duration;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use latchkey_core::{
    flow::authorise::{LONGEST_SESSION, NewInstance},
    model::{
        fault::Faults,
        id::{ConnectorId, InstanceId, InstanceKey, MethodId, TenantId},
        values::GivenValues,
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, InstancesWrite},
    json::Json,
    problem::Problems,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Ports;

/// A day.
const LIFETIME: u64 = 24 * 3600;

/// A connect session that is to be opened: for an instance that is there, or for a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionBody {
    /// The instance to connect, or to reconnect: it keeps its id.
    #[serde(default)]
    instance: Option<InstanceId>,
    /// The connector of a new instance.
    #[serde(default)]
    connector: Option<ConnectorId>,
    /// The auth method of a new instance.
    #[serde(default)]
    auth_method: Option<MethodId>,
    /// The name of a new instance.
    #[serde(default)]
    name: Option<String>,
    /// Values of a new instance that the platform knows already; the page asks for the others.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    values: GivenValues,
    /// Where the person goes afterwards, registered in the settings; our own page if absent.
    #[serde(default)]
    return_url: Option<String>,
    /// How long the link works, in seconds; a day if absent, 30 days at most.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2_592_000)]
    expires_in_seconds: Option<u64>,
}

/// A connect session that is open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The instance, pending until its user consents.
    instance: InstanceId,
    /// The link for the person. Whoever has it can connect the instance.
    connect_url: String,
    /// When the link ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Opens a connect session.
#[utoipa::path(
    post, path = "/v1/connect-sessions", tag = "instances", request_body = SessionBody,
    responses((status = 201, description = "The session", body = SessionView), Problems)
)]
pub(crate) async fn open(
    caller: Caller<InstancesWrite>,
    State(ports): State<Ports>,
    Json(body): Json<SessionBody>,
) -> Result<impl IntoResponse, Problem> {
    let seconds = body.expires_in_seconds.unwrap_or(LIFETIME);
    if !(60..=LONGEST_SESSION.as_secs()).contains(&seconds) {
        let why = "a session lives 60 seconds to 30 days";
        return Err(Problem::invalid(Faults::one(
            "/expires_in_seconds",
            "out_of_range",
            why,
        )));
    }
    let flow = ports.authorise();
    // Checked first, so that no instance is left behind by a session that could not be opened.
    flow.return_url(&caller.tenant, body.return_url.as_deref())
        .await?;
    let return_url = body.return_url.clone();
    let key = instance(&ports, caller.tenant, body).await?;
    let (token, expires_at) = flow
        .open_session(&key, return_url.as_deref(), Duration::from_secs(seconds))
        .await?;
    let connect_url = format!("{}/connect/{}", ports.deployment.base_url(), token.expose());
    let view = SessionView {
        instance: key.id,
        connect_url,
        expires_at,
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Json(view),
    ))
}

/// The instance that is named, or a new one.
async fn instance(
    ports: &Ports,
    tenant: TenantId,
    body: SessionBody,
) -> Result<InstanceKey, Problem> {
    match (body.instance, body.connector, body.auth_method) {
        (Some(id), None, None) if body.name.is_none() && body.values.is_empty() => {
            Ok(InstanceKey { tenant, id })
        }
        (None, Some(connector), Some(method)) => {
            let name = body.name.unwrap_or_default();
            let new = NewInstance {
                connector,
                method,
                name,
                values: body.values,
                complete: false,
            };
            Ok(ports.authorise().create(&tenant, new).await?.key)
        }
        (Some(_), ..) => Err(Problem::invalid(Faults::one(
            "/instance",
            "unexpected",
            "name either an instance, or 'connector' and 'auth_method' (with 'name' and 'values') of a new one",
        ))),
        (None, connector, method) => {
            let mut faults = Faults::new();
            let why = "needed for a new instance; name 'instance' to connect one that is there";
            if connector.is_none() {
                faults.add("/connector", "missing", why);
            }
            if method.is_none() {
                faults.add("/auth_method", "missing", why);
            }
            Err(Problem::invalid(faults))
        }
    }
}
