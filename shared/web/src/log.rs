//! One log line a request, with its id.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue};
use lambda_http::{Context, RequestExt as _};
use latchkey_core::{
    model::trace::TraceId,
    port::{Clock, Entropy},
};
use std::sync::Arc;
use tracing::{Instrument as _, error_span, field, info};

use crate::problem::Problem;

/// The header that names a request in answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What [`requests`] needs.
#[derive(Clone)]
pub struct Requests {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids where no gateway has made one.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Requests")
    }
}

/// A layer's function: gives each request its id, and writes its line.
///
/// The line has the route, not the path: paths and queries carry tokens, codes and states.
pub async fn requests(State(ports): State<Requests>, request: Request, next: Next) -> Response {
    let context = request.extensions().lambda_context_ref();
    let trace = context.and_then(|context| TraceId::of(context.xray_trace_id.as_deref()?));
    let trace_id = trace.map(field::display);
    let id = match context {
        Some(Context { request_id, .. }) => request_id.clone(),
        None => ports
            .entropy
            .id()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    // Whatever is logged at all has it.
    let span = error_span!("request", request_id = %id, trace_id);
    let started = ports.clock.now();
    async {
        let response = named(next.run(request).await, &id);
        let took_ms = i64::try_from(ports.clock.now().duration_since(started).as_millis())
            .unwrap_or(i64::MAX);
        info!(%method, route, status = response.status().as_u16(), took_ms, "request");
        response
    }
    .instrument(span)
    .await
}

/// Names the request in the answer, and in a problem's body.
fn named(mut response: Response, id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.request(id).into_response();
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
