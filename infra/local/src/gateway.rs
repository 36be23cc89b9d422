//! One port for all HTTP functions, in the place of API Gateway; and the OpenAPI document.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use latchkey_core::model::fault::Fault;
use latchkey_web::{
    lambda::{Authentication, layered},
    log::Requests,
    problem::{ProblemDetails, ProblemKind},
};
use utoipa::{
    OpenApi,
    openapi::{
        Components,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_swagger_ui::SwaggerUi;

use crate::{events, functions::Functions};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Keeps OAuth 2 connections alive: define a provider as data, let a user consent once, and get a \
                       credential that works from then on.\n\nErrors are problem details (RFC 9457):",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemDetails, Fault)),
    security(("api_key" = [])),
    tags(
        (name = "connectors", description = "Third-party applications"),
        (name = "auth methods", description = "Ways to authenticate with a connector, as data"),
        (name = "presets", description = "Definitions of real providers to start from"),
        (name = "instances", description = "A user's authenticated use of a connector"),
        (name = "credentials", description = "What a process puts on its own requests"),
        (name = "events", description = "What happens to instances and auth methods, as it happens"),
        (name = "settings", description = "What holds for the whole tenant"),
        (name = "API keys", description = "Who may use this API"),
        (name = "pages", description = "What people see in their browsers"),
    )
)]
struct Document;

/// The OpenAPI 3.1 document, made from the functions' own routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    finished(
        routers()
            .into_iter()
            .fold(Document::openapi(), |document, part| {
                document.merge_from(part)
            }),
    )
}

fn routers() -> [utoipa::openapi::OpenApi; 5] {
    [
        latchkey_auth_methods::document(),
        latchkey_authorise::document(),
        latchkey_callback::document(),
        latchkey_credentials::document(),
        events::router().into_openapi(),
    ]
}

fn finished(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `Authorization: Bearer lk_…`. An operator's key, which is bound to no tenant, \
                           names one in the header `Latchkey-Tenant`."))
        .build();
    let introduction = document.info.description.take().unwrap_or_default();
    document.info.description = Some(format!("{introduction}\n\n{}", ProblemKind::table()));
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
    document
}

/// All routes of all functions, as API Gateway would send requests to them.
pub(crate) fn router(
    functions: &Functions,
    authentication: Authentication,
    log: Requests,
) -> Router {
    let (events, _) = events::router()
        .with_state(Arc::clone(&functions.events))
        .split_for_parts();
    let functions = Router::new()
        .merge(latchkey_auth_methods::router().with_state(functions.auth_methods.clone()))
        .merge(latchkey_authorise::router().with_state(functions.authorise.clone()))
        .merge(latchkey_callback::router().with_state(functions.callback.clone()))
        .merge(latchkey_credentials::router().with_state(functions.credentials.clone()))
        .merge(events);
    let document = openapi();
    let pages = Router::new()
        .route(
            "/health",
            get(async || Json(serde_json::json!({ "status": "ok" }))),
        )
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document));
    layered(functions.merge(pages), authentication, log)
}

#[cfg(test)]
mod tests {
    /// The document that the repository keeps.
    const KEPT: &str = include_str!("../../openapi.json");

    #[test]
    fn the_kept_openapi_document_is_true() {
        let made = super::openapi().to_pretty_json().unwrap();
        assert!(
            made.trim() == KEPT.trim(),
            "infra/openapi.json is stale: run `cargo xtask openapi`"
        );
    }

    #[test]
    fn every_operation_needs_a_key_but_the_pages() {
        let document: serde_json::Value = serde_json::from_str(KEPT).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let open = operation.get("security").is_some();
                let page = operation["tags"] == serde_json::json!(["pages"]);
                assert_eq!(open, page, "{method} {path}");
            }
        }
    }
}
