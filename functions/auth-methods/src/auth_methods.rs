//! `/v1/connectors/{connector}/auth-methods`.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use latchkey_core::{
    flow::define::MethodDraft,
    model::{
        Secret,
        definition::{Definition, VariableDefinition},
        id::{ConnectorId, MethodId, MethodKey, TenantId},
        lint::{Finding, Severity, lint_parsed},
        method::{AuthMethod, StoredMethod},
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, DefinitionsRead, DefinitionsWrite},
    json::Json,
    paging::{List, PageQuery, Paging},
    path::Named,
    problem::Problems,
    value::{ValueView, views},
    version::{ETag, IfMatch, MayMatch},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Ports,
    health::MethodHealthView,
    presets::{preset_laid, typed},
};

/// An auth method, as a builder sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MethodBody {
    /// The provider's flow, as data. It holds no secrets, so it can be shared. With `preset` it starts
    /// from a preset, and says only what differs.
    definition: Definition,
    /// The builder's own values of variables, such as `client_id` and `client_secret`. One that is
    /// not named stays as it is, `null` removes it. Those of type `secret` are never read back.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    values: BTreeMap<String, Option<Secret>>,
}

fn draft(body: Value) -> Result<MethodDraft, Problem> {
    let mut body = preset_laid(body)?;
    let MethodBody { definition, values } = typed(&body)?;
    let written = body.get_mut("definition").map(Value::take);
    Ok(MethodDraft {
        definition,
        written: written.unwrap_or_default(),
        values,
    })
}

/// An auth method: one way to authenticate with a connector.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MethodView {
    /// Its id.
    id: MethodId,
    /// The connector that it belongs to.
    connector: ConnectorId,
    /// Counts its changes; also its entity tag.
    version: u64,
    /// The provider's flow, with the default variables filled in.
    definition: Definition,
    /// The connector's variables that it uses, as copied when it was saved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connector_variables: Vec<VariableDefinition>,
    /// What saving it has filled in from the provider's metadata, by JSON Pointer into the definition. Where a value
    /// still is what stands here, saving it again reads it anew.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    discovered: BTreeMap<String, Value>,
    /// The builder's own values.
    values: BTreeMap<String, ValueView>,
    /// Whether people can connect with it.
    complete: bool,
    /// What must be given before they can, as JSON Pointers into the auth method.
    lacks: Vec<String>,
    /// What is right by the language, hardly meant, and will bite.
    warnings: Vec<Finding>,
    /// How many instances use it.
    instances: u64,
    /// How it is, as refreshes have found it.
    health: MethodHealthView,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl MethodView {
    fn new(method: StoredMethod, now: Timestamp) -> Self {
        let health = MethodHealthView::of(&method, now);
        let (lacks, warnings) = match method.parse() {
            Ok(parsed) => (parsed.lacks(&method.values), warnings(&method, &parsed)),
            Err(faults) => {
                let pointers = faults.into_vec().into_iter().map(|fault| fault.pointer);
                (pointers.collect(), Vec::new())
            }
        };
        Self {
            id: method.key.id,
            connector: method.key.connector,
            version: method.version,
            definition: method.definition,
            connector_variables: method.inherited,
            discovered: method.discovered,
            values: views(&method.values.plain, method.values.secret_names()),
            complete: lacks.is_empty(),
            lacks,
            warnings,
            instances: method.instances,
            health,
            created_at: method.created_at,
            updated_at: method.updated_at,
        }
    }
}

fn warnings(method: &StoredMethod, parsed: &AuthMethod) -> Vec<Finding> {
    lint_parsed(&method.definition, &method.inherited, parsed)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Warning)
        .map(|finding| finding.under("/definition"))
        .collect()
}

/// The parts of the path of an auth method.
#[derive(Debug, Deserialize)]
pub(crate) struct MethodPath {
    connector: ConnectorId,
    method: MethodId,
}

impl MethodPath {
    fn key(self, tenant: TenantId) -> MethodKey {
        MethodKey {
            tenant,
            connector: self.connector,
            id: self.method,
        }
    }
}

/// Lists a connector's auth methods.
#[utoipa::path(
    get, path = "/v1/connectors/{connector}/auth-methods", tag = "auth methods",
    params(("connector" = ConnectorId, Path, description = "The connector"), PageQuery),
    responses((status = 200, description = "A page of auth methods", body = List<MethodView>), Problems)
)]
pub(crate) async fn list(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
    Named(connector): Named<ConnectorId>,
    Paging(page): Paging,
) -> Result<Json<List<MethodView>>, Problem> {
    let found = ports
        .methods
        .list(&caller.tenant, &connector, &page)
        .await?;
    let now = ports.clock.now();
    Ok(Json(List::of(found, |method| MethodView::new(method, now))))
}

/// Makes an auth method.
///
/// It may be incomplete at first: `lacks` says what must follow before anyone can connect. The
/// default variables are filled in.
#[utoipa::path(
    post, path = "/v1/connectors/{connector}/auth-methods", tag = "auth methods",
    params(("connector" = ConnectorId, Path, description = "The connector")),
    request_body = MethodBody,
    responses((status = 201, description = "The new auth method", body = MethodView), Problems)
)]
pub(crate) async fn create(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Named(connector): Named<ConnectorId>,
    Json(body): Json<Value>,
) -> Result<impl IntoResponse, Problem> {
    let method = ports
        .define()
        .create_method(&caller.tenant, &connector, draft(body)?)
        .await?;
    Ok((
        StatusCode::CREATED,
        ETag(method.version),
        Json(MethodView::new(method, ports.clock.now())),
    ))
}

/// Reads an auth method.
#[utoipa::path(
    get, path = "/v1/connectors/{connector}/auth-methods/{method}", tag = "auth methods",
    params(
        ("connector" = ConnectorId, Path, description = "The connector"),
        ("method" = MethodId, Path, description = "The auth method")
    ),
    responses((status = 200, description = "The auth method", body = MethodView), Problems)
)]
pub(crate) async fn read(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
    Named(path): Named<MethodPath>,
) -> Result<impl IntoResponse, Problem> {
    let method = ports
        .methods
        .load(&path.key(caller.tenant))
        .await?
        .ok_or_else(gone)?;
    Ok((
        ETag(method.version),
        Json(MethodView::new(method, ports.clock.now())),
    ))
}

/// Changes an auth method.
#[utoipa::path(
    put, path = "/v1/connectors/{connector}/auth-methods/{method}", tag = "auth methods",
    params(
        ("connector" = ConnectorId, Path, description = "The connector"),
        ("method" = MethodId, Path, description = "The auth method"),
        ("If-Match" = String, Header, description = "The entity tag that was read, or `*` to overwrite")
    ),
    request_body = MethodBody,
    responses((status = 200, description = "The auth method", body = MethodView), Problems)
)]
pub(crate) async fn update(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Named(path): Named<MethodPath>,
    IfMatch(seen): IfMatch,
    Json(body): Json<Value>,
) -> Result<impl IntoResponse, Problem> {
    let key = path.key(caller.tenant);
    let seen = match seen {
        Some(seen) => seen,
        None => ports.methods.load(&key).await?.ok_or_else(gone)?.version,
    };
    let define = ports.define();
    let method = Box::pin(define.update_method(&key, seen, draft(body)?)).await?;
    Ok((
        ETag(method.version),
        Json(MethodView::new(method, ports.clock.now())),
    ))
}

/// Deletes an auth method that no instance uses.
#[utoipa::path(
    delete, path = "/v1/connectors/{connector}/auth-methods/{method}", tag = "auth methods",
    params(
        ("connector" = ConnectorId, Path, description = "The connector"),
        ("method" = MethodId, Path, description = "The auth method"),
        ("If-Match" = Option<String>, Header, description = "Delete only this version")
    ),
    responses((status = 204, description = "It is deleted"), Problems)
)]
pub(crate) async fn delete(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Named(path): Named<MethodPath>,
    MayMatch(version): MayMatch,
) -> Result<StatusCode, Problem> {
    let key = path.key(caller.tenant);
    ports.define().delete_method(&key, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn gone() -> Problem {
    Problem::not_found("auth method")
}
