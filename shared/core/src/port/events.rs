//! Telling others what happened.

use async_trait::async_trait;

use crate::model::event::Event;

/// Why an event could not be published, in words of ours or the service's code; never what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event could not be published: {0}")]
pub struct PublishError(pub String);

/// Publishes events.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes an event. Once it returns, the event is in the hands of whoever delivers it.
    ///
    /// May be called again with the same event: whoever reads it knows it by its id.
    ///
    /// # Errors
    /// [`PublishError`] if it is not known to be published; it may be.
    async fn publish(&self, event: &Event) -> Result<(), PublishError>;
}
