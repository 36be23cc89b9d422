//! `/v1/instances/{instance}/authorisations`: for platforms that forward people themselves.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use jiff::Timestamp;
use latchkey_core::{
    flow::authorise::Binder,
    model::{
        fault::Faults,
        id::{InstanceId, InstanceKey},
        values::GivenValues,
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, InstancesWrite},
    json::Json,
    path::Named,
    problem::Problems,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Ports;

/// An authorisation that is to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorisationBody {
    /// Where the person comes back to, registered in the settings. There the platform completes the
    /// authorisation, in the person's own session with it.
    return_url: Option<String>,
    /// Values that take effect with the consent.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    values: GivenValues,
}

/// An authorisation that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuthorisationView {
    /// Names it, for `complete`.
    authorisation: String,
    /// Where to send the person.
    authorise_url: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Begins an authorisation that the platform completes itself.
///
/// Send the person to `authorise_url`. The callback parks the grant and sends them to the return URL
/// with `status=parked`, `instance` and `authorisation`. There, after checking that it is the person
/// whose session began this, call `POST /v1/authorisations/{authorisation}/complete`.
///
/// For a page that asks people for values, and for binding by a cookie, open a connect session instead.
#[utoipa::path(
    post, path = "/v1/instances/{instance}/authorisations", tag = "instances",
    params(("instance" = InstanceId, Path, description = "The instance")),
    request_body = AuthorisationBody,
    responses((status = 201, description = "The authorisation", body = AuthorisationView), Problems)
)]
pub(crate) async fn begin(
    caller: Caller<InstancesWrite>,
    State(ports): State<Ports>,
    Named(id): Named<InstanceId>,
    Json(body): Json<AuthorisationBody>,
) -> Result<impl IntoResponse, Problem> {
    let flow = ports.authorise();
    let Some(return_url) = flow
        .return_url(&caller.tenant, body.return_url.as_deref())
        .await?
    else {
        let why = "the person must come back to the platform, which completes the authorisation";
        return Err(Problem::invalid(Faults::one("/return_url", "missing", why)));
    };
    let key = InstanceKey {
        tenant: caller.tenant,
        id,
    };
    let begun = flow
        .begin(&key, &body.values, Some(return_url), Binder::Platform)
        .await?;
    let view = AuthorisationView {
        authorisation: begun.state.as_str().to_owned(),
        authorise_url: begun.authorise_url.into(),
        expires_at: begun.expires_at,
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Json(view),
    ))
}
