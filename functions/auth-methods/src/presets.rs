//! `/v1/presets`: definitions of real providers to start from.

use axum::extract::{Query, rejection::QueryRejection};
use latchkey_core::model::{
    definition::{Definition, Origin, VariableType},
    fault::Faults,
    method::{AuthMethod, MethodValues},
    nearest::nearest,
};
use latchkey_presets::{names, preset, resolved};
use latchkey_web::{
    Problem,
    caller::{Caller, DefinitionsRead},
    json::{Json, read as read_json},
    path::Named,
    problem::{ProblemKind, Problems},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;

/// What to look for among the presets.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresetsQuery {
    /// A part of the provider's name, in any case.
    search: Option<String>,
}

/// The presets that were found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresetList {
    /// The presets, by name.
    items: Vec<PresetSummary>,
}

/// A preset, in short.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresetSummary {
    /// What a definition names to start from it.
    #[schema(example = "github")]
    preset: &'static str,
    /// The provider's name.
    #[schema(example = "GitHub")]
    name: String,
    /// A link to the provider's documentation.
    documentation_url: Option<String>,
    /// The values that a builder has to give, such as `client_id`.
    builder: Vec<Asked>,
    /// The values that users are asked for.
    user: Vec<Asked>,
}

/// A value that somebody has to give.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asked {
    /// The key of its variable.
    key: String,
    /// What people read.
    label: String,
    /// What kind of value it is.
    #[serde(rename = "type")]
    kind: VariableType,
    /// Whether there must be one.
    required: bool,
}

/// A preset.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresetView {
    /// What a definition names to start from it.
    preset: String,
    /// The definition, whole.
    definition: Definition,
}

/// Lists presets, all or those whose name has a text in it.
#[utoipa::path(
    get, path = "/v1/presets", tag = "presets", params(PresetsQuery),
    responses((status = 200, description = "The presets", body = PresetList), Problems)
)]
pub(crate) async fn list(
    _: Caller<DefinitionsRead>,
    query: Result<Query<PresetsQuery>, QueryRejection>,
) -> Result<Json<PresetList>, Problem> {
    let malformed =
        |_| Problem::new(ProblemKind::Malformed).detail("the query has 'search' and nothing else");
    let Query(PresetsQuery { search }) = query.map_err(malformed)?;
    let wanted = search.unwrap_or_default().to_lowercase();
    let items = names()
        .filter_map(summary)
        .filter(|found| {
            found.preset.contains(&wanted) || found.name.to_lowercase().contains(&wanted)
        })
        .collect();
    Ok(Json(PresetList { items }))
}

/// Reads a preset.
///
/// To start from it, send `{"preset": "…"}` as the definition of an auth method, with whatever differs
/// beside it.
#[utoipa::path(
    get, path = "/v1/presets/{preset}", tag = "presets",
    params(("preset" = String, Path, description = "The preset", example = "github")),
    responses((status = 200, description = "The preset", body = PresetView), Problems)
)]
pub(crate) async fn read(
    _: Caller<DefinitionsRead>,
    Named(name): Named<String>,
) -> Result<Json<PresetView>, Problem> {
    let gone = || Problem::not_found("preset");
    let definition = definition(&name).ok_or_else(gone)?;
    Ok(Json(PresetView {
        preset: name,
        definition,
    }))
}

fn definition(name: &str) -> Option<Definition> {
    serde_json::from_value(preset(name)?).ok()
}

fn summary(name: &'static str) -> Option<PresetSummary> {
    let definition = definition(name)?;
    let method = AuthMethod::parse(&definition, &[]).ok()?;
    let lacks = method.lacks(&MethodValues::default());
    let asked = |wanted: &dyn Fn(&str, Origin) -> bool| {
        let variables = method.variables.iter();
        variables
            .filter(|variable| wanted(&variable.key, variable.from))
            .map(|variable| Asked {
                key: variable.key.to_string(),
                label: variable.label.to_string(),
                kind: variable.kind,
                required: variable.required,
            })
            .collect()
    };
    Some(PresetSummary {
        preset: name,
        builder: asked(&|key, _| lacks.contains(&format!("/values/{key}"))),
        user: asked(&|_, from| from == Origin::User),
        name: definition.name,
        documentation_url: definition.documentation_url,
    })
}

/// Reads a body whose definition may start from a preset.
///
/// # Errors
/// A problem that says where the body goes wrong.
pub(crate) fn written_out<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    typed(&preset_laid(body)?)
}

/// A body with its definition laid over the preset that it starts from.
///
/// # Errors
/// There is no such preset.
pub(crate) fn preset_laid(mut body: Value) -> Result<Value, Problem> {
    if let Some(written) = body.get_mut("definition") {
        *written = resolved(written.take()).map_err(|unknown| {
            let asked = unknown.0.to_lowercase();
            let near =
                nearest(&asked, names()).or_else(|| names().find(|name| name.contains(&asked)));
            let hint = near.map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
            let why = format!("there is no such preset{hint}");
            let faults = Faults::one("/definition/preset", "unknown_preset", why);
            Problem::invalid(faults)
        })?;
    }
    Ok(body)
}

/// A body as what it is to be.
///
/// # Errors
/// A problem that says where the body goes wrong.
pub(crate) fn typed<T: DeserializeOwned>(body: &Value) -> Result<T, Problem> {
    read_json(body.to_string().as_bytes())
}
