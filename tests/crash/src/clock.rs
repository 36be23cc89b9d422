//! A clock that stands still but where somebody waits: then it steps on at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::port::Clock;

use crate::outside::Outside;

/// A process's clock.
pub struct SteppedClock {
    millisecond: AtomicI64,
    outside: Arc<dyn Outside>,
}

impl std::fmt::Debug for SteppedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SteppedClock").field(&self.now()).finish()
    }
}

impl SteppedClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(now: Timestamp, outside: &Arc<dyn Outside>) -> Self {
        Self {
            millisecond: AtomicI64::new(now.as_millisecond()),
            outside: Arc::clone(outside),
        }
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        let millisecond = self.millisecond.load(Ordering::SeqCst);
        Timestamp::from_millisecond(millisecond).expect("a time")
    }

    async fn sleep(&self, span: Duration) {
        self.outside.sleep(span);
        let span = i64::try_from(span.as_millis()).expect("a short time");
        self.millisecond.fetch_add(span, Ordering::SeqCst);
    }
}
