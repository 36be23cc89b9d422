//! `/v1/instances/{instance}/credential`.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::IntoResponse,
};
use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    flow::vend::Credential,
    model::{
        Secret,
        credential_id::CredentialId,
        id::{ConnectorId, InstanceId, InstanceKey, MethodId},
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, CredentialsRead},
    json::Json,
    path::Named,
    problem::{ProblemKind, Problems},
};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use utoipa::ToSchema;

use crate::Ports;

/// What a caller may ask of a credential.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialQuery {
    /// How many seconds the access token must still live, 3,600 at most.
    #[param(maximum = 3600)]
    minimum_seconds: Option<u16>,
}

/// A credential: what to put on your own request to the provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CredentialView {
    /// Names the access token, for `…/credential/rejected`.
    credential_id: CredentialId,
    /// The instance that it is of.
    instance: InstanceId,
    /// The instance's connector.
    connector: ConnectorId,
    /// The auth method that the instance was connected with.
    auth_method: MethodId,
    /// The access token alone.
    #[serde(serialize_with = "handed_out")]
    #[schema(value_type = String)]
    access_token: Secret,
    /// How the access token is used, as the provider spells it.
    token_type: String,
    /// Headers to set.
    #[serde(serialize_with = "all_handed_out")]
    #[schema(value_type = BTreeMap<String, String>)]
    headers: Vec<(String, Secret)>,
    /// Query parameters to add.
    #[serde(serialize_with = "all_handed_out")]
    #[schema(value_type = BTreeMap<String, String>)]
    query: Vec<(String, Secret)>,
    /// Body parameters to add.
    #[serde(serialize_with = "all_handed_out")]
    #[schema(value_type = BTreeMap<String, String>)]
    body: Vec<(String, Secret)>,
    /// Where the provider's API is, if the definition says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
    /// Further texts that a caller needs, as the definition names them.
    #[serde(
        serialize_with = "all_handed_out",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schema(value_type = BTreeMap<String, String>)]
    values: Vec<(String, Secret)>,
    /// The access tokens of further token sets, by name.
    #[serde(
        serialize_with = "all_handed_out",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schema(value_type = BTreeMap<String, String>)]
    token_sets: Vec<(String, Secret)>,
    /// The statuses of the provider's API that mean that the access token has ended.
    expired_statuses: Vec<u16>,
    /// When the access token ends; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The scopes granted.
    scopes: Vec<String>,
}

impl From<Credential> for CredentialView {
    fn from(credential: Credential) -> Self {
        let Credential {
            id,
            instance,
            access_token,
            token_type,
            token_sets,
            expired_statuses,
            applied,
            expires_at,
            scopes,
        } = credential;
        Self {
            credential_id: id,
            instance: instance.key.id,
            connector: instance.connector,
            auth_method: instance.method,
            access_token,
            token_type,
            headers: applied.headers,
            query: applied.query,
            body: applied.body,
            base_url: applied.base_url,
            values: applied.values,
            token_sets: token_sets.into_iter().collect(),
            expired_statuses,
            expires_at,
            scopes,
        }
    }
}

/// Handing out is what this function is for; nothing else serialises a secret.
fn handed_out<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

fn all_handed_out<S: Serializer>(
    parts: &[(String, Secret)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(parts.len()))?;
    for (name, value) in parts {
        map.serialize_entry(name, value.expose())?;
    }
    map.end()
}

/// Hands out a credential that works, refreshing first where it is stale.
#[utoipa::path(
    get, path = "/v1/instances/{instance}/credential", tag = "credentials",
    params(("instance" = InstanceId, Path, description = "The instance"), CredentialQuery),
    responses((status = 200, description = "The credential", body = CredentialView), Problems)
)]
pub(crate) async fn vend(
    caller: Caller<CredentialsRead>,
    State(ports): State<Ports>,
    Named(id): Named<InstanceId>,
    query: Result<Query<CredentialQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let malformed = || {
        let detail = "the query has 'minimum_seconds', a number up to 3600, and nothing else";
        Problem::new(ProblemKind::Malformed).detail(detail)
    };
    let Query(CredentialQuery { minimum_seconds }) = query.map_err(|_| malformed())?;
    if minimum_seconds.is_some_and(|seconds| seconds > 3600) {
        return Err(malformed());
    }
    let at_least = minimum_seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    let key = InstanceKey {
        tenant: caller.tenant,
        id,
    };
    let credential = ports.refresh().vend(&key, at_least).await?;
    Ok((
        [(header::CACHE_CONTROL, "no-store")],
        Json(CredentialView::from(credential)),
    ))
}
