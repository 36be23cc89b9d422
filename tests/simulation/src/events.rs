//! Where events go.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use latchkey_core::{
    model::event::{Event, EventId},
    port::{Events, PublishError},
};

use crate::{
    line::{Call, Line},
    timeline::lock,
};

/// Whoever reads events, and knows each by its id.
pub struct Reader {
    line: Arc<dyn Line>,
    seen: Mutex<BTreeSet<EventId>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// A reader at the end of a line.
    #[must_use]
    pub fn new(line: Arc<dyn Line>) -> Self {
        Self {
            line,
            seen: Mutex::default(),
        }
    }

    /// Forgets what was read.
    pub fn forget(&self) {
        lock(&self.seen).clear();
    }
}

#[async_trait]
impl Events for Reader {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let lost = |_| PublishError("lost".to_owned());
        self.line.out(Call::Publish).await.map_err(lost)?;
        lock(&self.seen).insert(event.id.clone());
        self.line.back(Call::Publish).await.map_err(lost)
    }
}
