//! The health of auth methods.

use async_trait::async_trait;

use super::{hosts::Turned, store::StoreError};
use crate::model::{event::Event, health::MethodHealth, id::MethodKey, method::StoredMethod};

/// Reads and changes how auth methods are. Builders' changes leave it alone, and it counts no version.
#[async_trait]
pub trait Healths: Send + Sync {
    /// The auth method with its health, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn look(&self, key: &MethodKey) -> Result<Option<StoredMethod>, StoreError>;

    /// Puts a health in the place of the one that was seen, known by its mark, and leaves in the
    /// [`Outbox`](super::Outbox) what is to be told of it: both or neither. A repeated write finds its
    /// own mark and is told [`Turned::Done`].
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn turn(
        &self,
        key: &MethodKey,
        seen: &MethodHealth,
        next: &MethodHealth,
        events: &[Event],
    ) -> Result<Turned<Option<Box<StoredMethod>>>, StoreError>;
}
