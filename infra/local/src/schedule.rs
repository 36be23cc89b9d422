//! The schedule: a sweep every so often.

use std::time::Duration;

use latchkey_refresher::{Ports, tick};
use tokio::task::JoinHandle;
use tracing::error;

/// The schedule, as it runs; it ends with this value.
#[derive(Debug)]
pub(crate) struct Schedule(JoinHandle<()>);

impl Schedule {
    /// Sweeps every `period`. A sweep that takes longer delays the next.
    pub(crate) fn start(ports: Ports, period: Duration) -> Self {
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = tick(&ports, None).await {
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
