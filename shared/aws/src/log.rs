//! Logs: JSON, one line an event.

use latchkey_core::model::trace::TraceId;
use tracing::{Span, field};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Sends events to `writer` as JSON from now on. `filter` is a level, or levels by where an event comes from:
/// `info,latchkey_core=debug`. If it can't be read, `info` is used.
///
/// `EnvFilter` could say more, and has a machine for regular expressions in every function, which it makes at start.
pub fn init<W>(filter: &str, writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(true)
        .with_writer(writer);
    let filter = filter
        .parse()
        .unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    // A second call, as in tests with several servers, leaves the first in place.
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .unwrap_or_default();
}

/// The span of an invocation: its lines carry the request's id, and the trace's, if it has one.
/// `trace` is the header that Lambda hands over.
#[must_use]
pub fn invocation(request_id: &str, trace: Option<&str>) -> Span {
    let trace_id = trace.and_then(TraceId::of).map(field::display);
    // Whatever is logged at all has it.
    tracing::error_span!("invocation", request_id, trace_id, sent_in = field::Empty)
}

/// Says in the current span in which traces the messages of a batch were sent. X-Ray gives a batch a
/// trace of its own, and links it to these.
pub fn sent_in<'t>(traces: impl IntoIterator<Item = &'t str>) {
    let mut ids: Vec<_> = traces.into_iter().filter_map(TraceId::of).collect();
    ids.sort_unstable();
    ids.dedup();
    if !ids.is_empty() {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        Span::current().record("sent_in", ids.join(" "));
    }
}
