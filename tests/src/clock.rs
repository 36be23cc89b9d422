//! Clocks that tests move.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use latchkey_aws::SystemClock;
use latchkey_core::port::Clock;

/// The system's clock, so many seconds ahead. What has a limit in real time keeps it.
#[derive(Debug, Default)]
pub struct ShiftedClock(AtomicI64);

impl ShiftedClock {
    /// A clock that is ahead by `seconds`.
    #[must_use]
    pub fn ahead(seconds: i64) -> Self {
        Self(AtomicI64::new(seconds))
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// By how many seconds it is ahead.
    #[must_use]
    pub fn shift(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock
            .now()
            .saturating_add(SignedDuration::from_secs(self.shift()))
            .unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, span: Duration) {
        SystemClock.sleep(span).await;
    }
}

/// The same, and nobody waits: whoever sleeps moves it on by as much.
#[derive(Debug)]
pub struct JumpingClock {
    shifted: Arc<ShiftedClock>,
    jumped_ms: AtomicI64,
}

impl JumpingClock {
    /// A clock that jumps ahead of another.
    #[must_use]
    pub fn ahead_of(shifted: Arc<ShiftedClock>) -> Self {
        Self {
            shifted,
            jumped_ms: AtomicI64::new(0),
        }
    }

    /// Moves the clock on.
    pub fn jump(&self, span: Duration) {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.jumped_ms.fetch_add(span, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let jumped = SignedDuration::from_millis(self.jumped_ms.load(Ordering::SeqCst));
        self.shifted
            .now()
            .saturating_add(jumped)
            .unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, span: Duration) {
        self.jump(span);
    }
}
