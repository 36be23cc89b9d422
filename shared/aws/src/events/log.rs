//! Events as log lines, where nobody else is told.

use async_trait::async_trait;
use latchkey_core::{
    model::event::Event,
    port::{Events, PublishError},
};
use tracing::info;

use super::detail;

/// Writes each event to the log.
#[derive(Debug, Clone, Copy)]
pub struct LogEvents;

#[async_trait]
impl Events for LogEvents {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        info!(event = detail(event)?, "{}", event.kind.name());
        Ok(())
    }
}
