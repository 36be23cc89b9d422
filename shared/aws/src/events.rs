//! Events as log lines, where nobody else is told.

use async_trait::async_trait;
use latchkey_core::{
    model::event::Event,
    port::{Events, PublishError},
};
use tracing::info;

/// Writes each event to the log.
#[derive(Debug, Clone, Copy)]
pub struct LogEvents;

#[async_trait]
impl Events for LogEvents {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let text = serde_json::to_string(event).map_err(|_| PublishError(UNWRITABLE.to_owned()))?;
        info!(event = text, "{}", event.kind.name());
        Ok(())
    }
}

const UNWRITABLE: &str = "it can't be written as JSON";
