//! What time it is.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The wall clock, and waiting by it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep(&self, span: Duration);
}
