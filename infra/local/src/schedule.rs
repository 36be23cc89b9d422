//! The schedule: a sweep every so often.

use std::time::Duration;

use latchkey_core::flow::refresh::LEASE;
use latchkey_refresher::{Ports, tick};
use tokio::task::JoinHandle;
use tracing::error;

/// How long a tick may go on beginning at least. What it has not come to then is the next one's, so
/// that a provider that hangs does not hold up what has become due meanwhile.
const WHILE: Duration = Duration::from_secs(15);

/// The schedule, as it runs; it ends with this value.
#[derive(Debug)]
pub(crate) struct Schedule(JoinHandle<()>);

impl Schedule {
    /// Ticks every `period`. A tick that takes longer delays the next.
    pub(crate) fn start(ports: Ports, period: Duration) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let deadline = ports.clock.now().saturating_add(LEASE + period.max(WHILE));
                if let Err(error) = tick(&ports, deadline.ok()).await {
                    error!(%error, "sweep");
                }
            }
        }))
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.0.abort();
    }
}
