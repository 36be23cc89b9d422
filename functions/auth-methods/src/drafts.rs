//! `/v1/auth-methods/…`: looking at an auth method that is not saved.

use axum::extract::State;
use latchkey_core::model::{definition::VariableDefinition, id::TenantId, lint::Finding};
use latchkey_web::{
    Problem,
    caller::{Caller, DefinitionsRead},
    json::Json,
    problem::Problems,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Ports,
    draft::{Draft, is_savable},
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
    Json(body): Json<serde_json::Value>,
) -> Result<Json<LintView>, Problem> {
    let draft = Draft::read(body)?;
    let connector = connector_variables(&ports, &caller.tenant, &draft).await?;
    let findings = draft.lint(&connector);
    Ok(Json(LintView {
        savable: is_savable(&findings),
        findings,
    }))
}

/// The variables of the connector that a draft names.
async fn connector_variables(
    ports: &Ports,
    tenant: &TenantId,
    draft: &Draft,
) -> Result<Vec<VariableDefinition>, Problem> {
    let Some(id) = &draft.connector else {
        return Ok(Vec::new());
    };
    let found = ports.connectors.find(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("connector"))?;
    Ok(found.variables)
}
