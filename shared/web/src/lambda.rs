//! Serving a router: the layers that every function has, and Lambda's loop around them.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
};
use latchkey_core::{
    flow::Mode,
    port::{ApiKeys, Clock},
};

use crate::{
    caller::{Keys, from_gateway, from_keys},
    json::LARGEST_BODY,
    log::{Requests, requests},
    problem::{Problem, ProblemKind},
};

/// Who says who is asking.
#[derive(Debug, Clone)]
pub enum Authentication {
    /// The authorizer in front of API Gateway has said it.
    Gateway,
    /// Nobody has: there is no gateway, as on a laptop.
    Keys(Keys),
}

/// Who says who is asking in a mode.
#[must_use]
pub fn authentication(mode: Mode, keys: Arc<dyn ApiKeys>, clock: Arc<dyn Clock>) -> Authentication {
    match mode {
        Mode::Cloud | Mode::Emulated => Authentication::Gateway,
        Mode::Local => Authentication::Keys(Keys { keys, clock }),
    }
}

/// Puts the layers around a function's routes that every function has.
pub fn layered(router: Router, authentication: Authentication, log: Requests) -> Router {
    let router = router
        .fallback(async || Problem::new(ProblemKind::NotFound))
        .method_not_allowed_fallback(async || Problem::new(ProblemKind::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    let router = match authentication {
        Authentication::Gateway => router.layer(from_fn(from_gateway)),
        Authentication::Keys(keys) => router.layer(from_fn_with_state(keys, from_keys)),
    };
    router.layer(from_fn_with_state(log, requests))
}

/// Answers Lambda's events with a router, until the environment ends.
///
/// # Errors
/// What Lambda's runtime reports.
pub async fn serve(router: Router) -> Result<(), lambda_http::Error> {
    lambda_http::run(router).await
}
