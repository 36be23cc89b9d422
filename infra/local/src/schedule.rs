//! The schedule: a sweep every so often.

use std::time::Duration;

use latchkey_core::flow::{refresh::LEASE, sweep::Rounds};
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
    pub(crate) fn start(mut ports: Ports, period: Duration) -> Self {
        // The queue is as young as this process: nothing that has been due for longer waits in it.
        let rounds = ports.settings.rounds;
        ports.settings.rounds = rounds.map(|_| Rounds::WHOLE);
        Self(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let deadline = ports.clock.now().saturating_add(LEASE + period.max(WHILE));
                match tick(&ports, deadline.ok()).await {
                    Ok(_) => ports.settings.rounds = rounds,
                    Err(error) => error!(%error, "sweep"),
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
