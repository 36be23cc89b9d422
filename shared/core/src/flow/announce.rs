//! Announcing: events are published once what they tell is kept.

use tracing::warn;

use crate::{model::event::Event, port::Events};

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Announce<'a> {
    /// Where events go.
    pub events: &'a dyn Events,
}

impl std::fmt::Debug for Announce<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Announce")
    }
}

impl Announce<'_> {
    /// Publishes events of what has been kept. What can't be published is no reason to fail.
    pub async fn announce(&self, events: &[Event]) {
        for event in events {
            if let Err(error) = self.events.publish(event).await {
                warn!(event = %event.id, kind = event.kind.name(), %error, "event not published");
            }
        }
    }
}
