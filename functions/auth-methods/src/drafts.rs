//! `/v1/auth-methods/…`: looking at an auth method that is not saved.

use std::collections::BTreeMap;

use axum::{extract::State, http::header, response::IntoResponse};
use latchkey_core::{
    flow::preview::{Ask, Preview, preview as previewed},
    model::{
        Secret,
        definition::{Definition, VariableDefinition},
        fault::Faults,
        id::{ConnectorId, TenantId},
        lint::Finding,
    },
};
use latchkey_web::{
    Problem,
    caller::{Caller, DefinitionsRead},
    json::Json,
    problem::Problems,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Ports,
    draft::{Draft, is_savable},
    presets::written_out,
};

/// What the linter says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LintView {
    /// Whether it can be saved: nothing of it is an error.
    savable: bool,
    /// Everything found: errors, or else warnings and then notes.
    findings: Vec<Finding>,
}

/// Lints an auth method without saving it.
///
/// Errors, warnings and notes are all in the answer. A document that is no definition at all, such as one with
/// an unknown field, is refused as it is when saving.
#[utoipa::path(
    post, path = "/v1/auth-methods/lint", tag = "auth methods",
    request_body = Draft,
    responses((status = 200, description = "What was found", body = LintView), Problems)
)]
pub(crate) async fn lint(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
    Json(body): Json<Value>,
) -> Result<Json<LintView>, Problem> {
    let draft = Draft::read(body)?;
    let connector = connector_variables(&ports, &caller.tenant, draft.connector.as_ref()).await?;
    let findings = draft.lint(&connector);
    Ok(Json(LintView {
        savable: is_savable(&findings),
        findings,
    }))
}

/// What is to be previewed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    /// The provider's flow, as data; with `preset` it says only what differs.
    definition: Definition,
    /// The connector whose variables `connector_variables` names.
    #[serde(default)]
    connector: Option<ConnectorId>,
    /// Values of variables, whoever would give them: the builder, the user or the provider. Where there is none, one
    /// is made up; a stand-in takes the place of every secret.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    values: BTreeMap<String, Option<Secret>>,
    /// Parameters of a callback, for the variables that it brings.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    callback: BTreeMap<String, Secret>,
    /// The body of a sample answer to the token request: a text, or the JSON itself.
    #[serde(default, deserialize_with = "sample")]
    #[schema(value_type = Option<Value>)]
    response: Option<Secret>,
}

/// A sample is kept like a secret: it may hold tokens.
fn sample<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(Secret::new(text)),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(Secret::new(other.to_string()))
        }
    })
}

impl PreviewBody {
    /// Reads a body whose definition may start from a preset.
    ///
    /// # Errors
    /// A problem that says where the document goes wrong.
    pub fn read(document: Value) -> Result<Self, Problem> {
        written_out(document)
    }

    /// Renders it, given the connector's variables.
    ///
    /// # Errors
    /// Every fault, with pointers into the body.
    pub fn preview(
        self,
        connector: &[VariableDefinition],
        callback_url: &str,
        now: jiff::Timestamp,
    ) -> Result<Preview, Faults> {
        let values = self.values.into_iter();
        previewed(&Ask {
            inherited: &self.definition.inherited(connector),
            values: &values
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
            definition: &self.definition,
            callback: &self.callback,
            response: self.response.as_ref(),
            callback_url,
            now,
        })
    }
}

/// Shows every request of an auth method, without a provider.
///
/// Each is in parts, as HTTP and as a `curl` command, made by the code that makes the real one. No secret is in any
/// of them, in no form: a stand-in takes its place before anything is rendered, and keys that sign are replaced
/// by published ones. With a sample answer to the token request it says what is found where, and what is missing.
#[utoipa::path(
    post, path = "/v1/auth-methods/preview", tag = "auth methods",
    request_body = PreviewBody,
    responses((status = 200, description = "The requests", body = Preview), Problems)
)]
pub(crate) async fn preview(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
    Json(body): Json<Value>,
) -> Result<impl IntoResponse, Problem> {
    let body = PreviewBody::read(body)?;
    let connector = body.connector.as_ref();
    let variables = connector_variables(&ports, &caller.tenant, connector).await?;
    let callback_url = ports.deployment.callback_url();
    let preview = body.preview(&variables, callback_url, ports.clock.now());
    let preview = preview.map_err(Problem::invalid)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(preview)))
}

/// The variables of the connector that is named, if one is.
async fn connector_variables(
    ports: &Ports,
    tenant: &TenantId,
    id: Option<&ConnectorId>,
) -> Result<Vec<VariableDefinition>, Problem> {
    let Some(id) = id else {
        return Ok(Vec::new());
    };
    let found = ports.connectors.find(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("connector"))?;
    Ok(found.variables)
}
