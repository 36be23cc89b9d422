//! The system's clock.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::port::Clock;

/// The system's clock, to the millisecond.
///
/// The store keeps milliseconds: a finer time would not come back as it was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port that everyone else asks"
    )]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}
