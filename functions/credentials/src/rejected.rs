//! `/v1/instances/{instance}/credential/rejected`.

use axum::extract::State;
use jiff::Timestamp;
use latchkey_core::{
    flow::reject::Rejected,
    model::{
        credential_id::CredentialId,
        id::{InstanceId, InstanceKey},
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, CredentialsRead},
    json::Json,
    path::Named,
    problem::Problems,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Ports;

/// A credential that the provider has rejected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectedBody {
    /// The `credential_id` of the credential.
    credential_id: CredentialId,
}

/// What came of a rejection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectedView {
    /// What happens to the access token.
    outcome: RejectedOutcome,
    /// Until when another rejection changes nothing, for `held_back`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// What happens to an access token that was rejected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RejectedOutcome {
    /// It counts as stale: ask for a credential, and it has another.
    Stale,
    /// It had been replaced already: ask for a credential, and it has another.
    Superseded,
    /// It stays: the one before was rejected a short while ago, or the provider refuses a refresh so early.
    HeldBack,
}

impl From<Rejected> for RejectedView {
    fn from(rejected: Rejected) -> Self {
        let (outcome, until) = match rejected {
            Rejected::Stale => (RejectedOutcome::Stale, None),
            Rejected::Superseded => (RejectedOutcome::Superseded, None),
            Rejected::HeldBack { until } => (RejectedOutcome::HeldBack, Some(until)),
        };
        Self { outcome, until }
    }
}

/// Hears that the provider has rejected a credential's access token.
///
/// Say it when the provider answers with one of the credential's `expired_statuses`, then ask for a
/// credential again. Where nobody says how long access tokens live, rejections teach it. If there is
/// nothing to refresh with the answer is `reconnect-required`, and so is the instance when the
/// rejection is repeated a quarter of an hour later.
#[utoipa::path(
    post, path = "/v1/instances/{instance}/credential/rejected", tag = "credentials",
    params(("instance" = InstanceId, Path, description = "The instance")),
    request_body = RejectedBody,
    responses((status = 200, description = "It is heard", body = RejectedView), Problems)
)]
pub(crate) async fn reject(
    caller: Caller<CredentialsRead>,
    State(ports): State<Ports>,
    Named(id): Named<InstanceId>,
    Json(body): Json<RejectedBody>,
) -> Result<Json<RejectedView>, Problem> {
    let key = InstanceKey {
        tenant: caller.tenant,
        id,
    };
    let rejected = ports.refresh().reject(&key, &body.credential_id).await?;
    Ok(Json(rejected.into()))
}
