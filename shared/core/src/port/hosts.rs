//! Token hosts, of all tenants.

use async_trait::async_trait;

use super::store::StoreError;
use crate::model::{breaker::Breaker, host::Host};

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turned<T> {
    /// It was made.
    Done,
    /// Somebody else was first; this is how it is now.
    Lost(T),
}

/// The breakers of token hosts. A host that is well has none and costs no write.
#[async_trait]
pub trait Hosts: Send + Sync {
    /// The host's breaker, if it is open; strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn breaker(&self, host: &Host) -> Result<Option<Breaker>, StoreError>;

    /// Puts a breaker in the place of the one that was seen, known by its mark; of none if there
    /// was none. A repeated write finds its own mark and is told [`Turned::Done`].
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn turn(
        &self,
        host: &Host,
        seen: Option<&Breaker>,
        next: &Breaker,
    ) -> Result<Turned<Option<Breaker>>, StoreError>;

    /// Closes the breaker that was seen, known by its mark; whether it was there to be closed. A
    /// repeated write finds none and is told that it was not.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn close(&self, host: &Host, seen: &Breaker) -> Result<bool, StoreError>;
}
