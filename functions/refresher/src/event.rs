//! What Lambda hands the function: a tick of the schedule, or a batch of the queue's messages.

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use latchkey_core::{
    flow::sweep::{Outcome, Report},
    model::message::Message,
    port::StoreError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{Instrument as _, error};

use crate::{Ports, log, tick};

/// A batch of messages (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>). The crate
/// `aws_lambda_events` has it too, and brings second versions of others along.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    /// The trace in which it was sent.
    #[serde(rename = "AWSTraceHeader")]
    trace: Option<String>,
}

/// Which messages shall come again.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failures {
    batch_item_failures: Vec<FailedItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedItem {
    item_identifier: String,
}

/// Why an event came to nothing; Lambda delivers it again.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It looks like the queue's, and can't be read.
    #[error("the queue's event can't be read: {0}")]
    Unreadable(serde_json::Error),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An invocation, besides its event.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The id that Lambda gave it.
    pub request_id: &'a str,
    /// The trace that it belongs to, if to any, as Lambda hands it over.
    pub trace: Option<&'a str>,
    /// When it ends.
    pub deadline: Timestamp,
}

/// Answers an invocation: its lines say which it is, and what was counted is told.
///
/// # Errors
/// As [`handle`].
pub async fn invoke(
    ports: &Ports,
    event: Value,
    invocation: Invocation<'_>,
) -> Result<Value, EventError> {
    let Invocation {
        request_id,
        trace,
        deadline,
    } = invocation;
    let answer = handle(ports, event, Some(deadline))
        .instrument(latchkey_aws::log::invocation(request_id, trace))
        .await;
    ports.metrics.tell(ports.clock.now(), request_id);
    answer
}

/// Answers an event.
///
/// One with records is the queue's: the answer names those that shall come again
/// (`ReportBatchItemFailures`). Any other is a tick, whatever it says: the clock alone decides what is
/// due. The answer is its report.
///
/// # Errors
/// [`EventError`] if nothing was done; it shall come again.
pub async fn handle(
    ports: &Ports,
    event: Value,
    deadline: Option<Timestamp>,
) -> Result<Value, EventError> {
    if event.get("Records").is_some() {
        let batch: Batch = serde_json::from_value(event).map_err(EventError::Unreadable)?;
        let failures = work(ports, batch.records, deadline).await;
        return serde_json::to_value(failures).map_err(EventError::Unreadable);
    }
    let report = tick(ports, deadline).await?;
    serde_json::to_value(report).map_err(EventError::Unreadable)
}

/// Sees to messages, and names those that shall come again.
async fn work(ports: &Ports, records: Vec<Record>, deadline: Option<Timestamp>) -> Failures {
    let traces = records.iter();
    latchkey_aws::log::sent_in(traces.filter_map(|record| record.attributes.trace.as_deref()));
    let mut failures = Failures::default();
    let mut messages = Vec::with_capacity(records.len());
    for record in records {
        let Record {
            message_id, body, ..
        } = record;
        match Message::from_text(&body) {
            Ok(message) => messages.push((message_id, message)),
            // Another version can read it, or nobody: then the queue puts it aside.
            Err(error) => {
                error!(message = message_id, %error, "message not read");
                failures.add(message_id);
            }
        }
    }
    let mut report = Report::default();
    let sweep = ports.sweep();
    let mut outcomes = std::pin::pin!(sweep.work(stream::iter(messages), deadline));
    while let Some((id, outcome)) = outcomes.next().await {
        report.count(outcome);
        match outcome {
            Outcome::Done(_) | Outcome::Postponed => {}
            Outcome::Failed | Outcome::TooLate => failures.add(id),
        }
    }
    log(report);
    failures
}

impl Failures {
    fn add(&mut self, item_identifier: String) {
        self.batch_item_failures
            .push(FailedItem { item_identifier });
    }
}
