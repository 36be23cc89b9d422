//! `/v1/settings`.

use axum::extract::State;
use latchkey_core::model::connector::Settings;
use latchkey_web::{
    Problem,
    caller::{Caller, DefinitionsRead, DefinitionsWrite},
    json::Json,
    problem::Problems,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Ports;

/// What a tenant sets for everything of its own.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    /// Where people may be sent after the callback: exact URLs, or ones that end in `/*` for all below.
    #[schema(example = json!(["https://app.example/connections/*"]))]
    return_urls: Vec<String>,
}

/// Reads the settings.
#[utoipa::path(
    get, path = "/v1/settings", tag = "settings",
    responses((status = 200, description = "The settings", body = SettingsBody), Problems)
)]
pub(crate) async fn read(
    caller: Caller<DefinitionsRead>,
    State(ports): State<Ports>,
) -> Result<Json<SettingsBody>, Problem> {
    let Settings { return_urls } = ports.settings.settings(&caller.tenant).await?;
    Ok(Json(SettingsBody { return_urls }))
}

/// Changes the settings.
#[utoipa::path(
    put, path = "/v1/settings", tag = "settings", request_body = SettingsBody,
    responses((status = 200, description = "The settings", body = SettingsBody), Problems)
)]
pub(crate) async fn update(
    caller: Caller<DefinitionsWrite>,
    State(ports): State<Ports>,
    Json(body): Json<SettingsBody>,
) -> Result<Json<SettingsBody>, Problem> {
    let settings = Settings {
        return_urls: body.return_urls,
    };
    settings.check().map_err(Problem::invalid)?;
    ports.settings.put(&caller.tenant, &settings).await?;
    Ok(Json(SettingsBody {
        return_urls: settings.return_urls,
    }))
}
