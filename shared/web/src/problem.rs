//! Problem details (RFC 9457): every error that a caller can get.

use std::{collections::BTreeMap, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use latchkey_core::model::{
    failure::{Blame, Failure},
    fault::{Fault, Faults},
};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder},
};

use crate::instance::Next;

/// The kinds of problems. Each owns its type, its title and its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The body is not JSON, or a header or query parameter can't be read.
    Malformed,
    /// No API key, or not one that is good.
    Unauthenticated,
    /// The API key lacks a scope.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path knows no such method.
    MethodNotAllowed,
    /// Something uses it, or is in its way.
    Conflict,
    /// Instances use it.
    InUse,
    /// The auth method lacks something that an authorisation needs.
    MethodIncomplete,
    /// Nobody has consented yet.
    NotConnected,
    /// Only a new consent helps.
    ReconnectRequired,
    /// It was changed since it was read.
    VersionMismatch,
    /// The body is too large.
    TooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// Fields have faults.
    Invalid,
    /// The version that was read must be named.
    VersionRequired,
    /// The provider, or what the builder said of it, keeps us from answering.
    CredentialUnavailable,
    /// Our own store or vault does not answer.
    Unavailable,
    /// A mistake of ours.
    Internal,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::InUse,
        Self::MethodIncomplete,
        Self::NotConnected,
        Self::ReconnectRequired,
        Self::VersionMismatch,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::VersionRequired,
        Self::CredentialUnavailable,
        Self::Unavailable,
        Self::Internal,
    ];

    fn facts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Malformed => (
                "malformed",
                "The request can't be read",
                StatusCode::BAD_REQUEST,
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                "An API key is needed",
                StatusCode::UNAUTHORIZED,
            ),
            Self::Forbidden => (
                "forbidden",
                "The API key may not do this",
                StatusCode::FORBIDDEN,
            ),
            Self::NotFound => ("not-found", "There is no such thing", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                "The path knows no such method",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            Self::Conflict => ("conflict", "Something is in the way", StatusCode::CONFLICT),
            Self::InUse => ("in-use", "Instances use it", StatusCode::CONFLICT),
            Self::MethodIncomplete => (
                "method-incomplete",
                "The auth method is not complete",
                StatusCode::CONFLICT,
            ),
            Self::NotConnected => (
                "not-connected",
                "The instance is not connected yet",
                StatusCode::CONFLICT,
            ),
            Self::ReconnectRequired => (
                "reconnect-required",
                "The user must reconnect",
                StatusCode::CONFLICT,
            ),
            Self::VersionMismatch => (
                "version-mismatch",
                "It was changed since it was read",
                StatusCode::PRECONDITION_FAILED,
            ),
            Self::TooLarge => (
                "too-large",
                "The body is too large",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                "The body must be JSON",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::Invalid => (
                "invalid",
                "Fields have faults",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Self::VersionRequired => (
                "version-required",
                "Name the version that was read",
                StatusCode::PRECONDITION_REQUIRED,
            ),
            Self::CredentialUnavailable => (
                "credential-unavailable",
                "No working credential right now",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Unavailable => (
                "unavailable",
                "Try again in a moment",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Internal => (
                "internal",
                "A mistake of ours",
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
        }
    }

    /// The status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.facts().2
    }

    /// The last segment of the type.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.facts().0
    }
}

/// A problem, as a caller gets it (`application/problem+json`, RFC 9457 §3).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// Which kind of problem: a URI reference whose last segment is stable.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    kind: String,
    /// The kind, in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// This occurrence, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The request's id, by which the operator finds it in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// What an auth method lacks, as JSON Pointers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lacks: Vec<String>,
    /// How many instances are in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<u64>,
    /// What the provider said, or did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// What happens next without anybody's doing, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
    /// Who has to act, if anyone has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<Blame>,
}

/// A problem on its way to a caller.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: ProblemKind,
    details: Box<ProblemDetails>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: ProblemKind) -> Self {
        let (slug, title, status) = kind.facts();
        let details = ProblemDetails {
            kind: format!("/problems/{slug}"),
            title,
            status: status.as_u16(),
            detail: None,
            instance: None,
            errors: Vec::new(),
            lacks: Vec::new(),
            instances: None,
            failure: None,
            next: None,
            needs: None,
        };
        Self {
            kind,
            details: Box::new(details),
            retry_after: None,
        }
    }

    /// A problem with fields.
    #[must_use]
    pub fn invalid(faults: Faults) -> Self {
        let mut problem = Self::new(ProblemKind::Invalid);
        problem.details.errors = faults.into_vec();
        problem
    }

    /// There is no such thing, or it is another tenant's: the two look the same from outside.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound).detail(format!("there is no such {what}"))
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// What is wrong, field by field.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.details.errors
    }

    /// What was said about this occurrence.
    #[must_use]
    pub fn words(&self) -> &str {
        self.details.detail.as_deref().unwrap_or(self.details.title)
    }

    /// Says more about this occurrence. The text is written by us: never what came in, never a secret.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.detail = Some(detail.into());
        self
    }

    /// Says what an auth method lacks.
    #[must_use]
    pub fn lacks(mut self, pointers: Vec<String>) -> Self {
        self.details.lacks = pointers;
        self
    }

    /// Says how many instances are in the way.
    #[must_use]
    pub fn instances(mut self, count: u64) -> Self {
        self.details.instances = Some(count);
        self
    }

    /// Says what went wrong at the provider.
    #[must_use]
    pub fn failure(mut self, failure: Option<Failure>) -> Self {
        self.details.failure = failure;
        self
    }

    /// Says what happens next.
    #[must_use]
    pub fn next(mut self, next: Next) -> Self {
        self.details.next = Some(next);
        self
    }

    /// Says who has to act.
    #[must_use]
    pub fn needs(mut self, needs: Option<Blame>) -> Self {
        self.details.needs = needs;
        self
    }

    /// Says when it is worth asking again (RFC 9110 §10.2.3), in whole seconds from 1.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Names the request.
    #[must_use]
    pub fn request(mut self, id: &str) -> Self {
        self.details.instance = Some(id.to_owned());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.details).unwrap_or_default();
        let mut response = (self.kind.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.kind == ProblemKind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The log names the request in the body, once it is known.
        response.extensions_mut().insert(self);
        response
    }
}

/// What any operation of the API answers with if it doesn't do what it was asked, for its OpenAPI
/// document.
#[derive(Debug, Clone, Copy)]
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let schema = Ref::from_schema_name("ProblemDetails");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description("A problem (RFC 9457)")
            .content("application/problem+json", content);
        BTreeMap::from([("default".to_owned(), RefOr::T(response.build()))])
    }
}

impl ProblemKind {
    /// All kinds as a table in Markdown, for people.
    #[must_use]
    pub fn table() -> String {
        let mut table = "| status | type | title |\n|---|---|---|\n".to_owned();
        for kind in Self::ALL {
            let (slug, title, status) = kind.facts();
            table.push_str(&format!(
                "| {} | `/problems/{slug}` | {title} |\n",
                status.as_u16()
            ));
        }
        table
    }
}
