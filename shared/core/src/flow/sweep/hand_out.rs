//! Handing what is due to a queue.
//!
//! What waits in the queue is due still, and would be handed out again by every tick. So a tick hands
//! out only what has become due since the tick before it, and some seconds more, since ticks are late
//! at times and the index lags. What slipped through all the same (a tick that failed, a message that
//! was given up) is found by the first tick of each round of five minutes, which hands out everything.
//! No tick needs to know what another did, and what is handed out twice does no harm.

use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{Reading, Report, Sweep};
use crate::{
    model::{failure::Blame, message::Message},
    port::{
        Counted, DueInstance, POSTINGS_AT_ONCE, Posting, Queue, QueueError, StoreError, Window,
    },
};

/// How much later than its time a tick may run, with the index lagging, before an instance has to
/// wait for the next round.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);
/// How long a round is, in seconds.
const ROUND: i64 = 300;
/// How many batches are on their way to the queue at once.
const BATCHES_AT_ONCE: usize = 16;

/// How often the clock ticks, which decides what a tick hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// The time between two ticks.
    pub period: Duration,
}

impl Rounds {
    /// Where each tick hands out everything: nothing waits in the queue.
    pub const WHOLE: Self = Self {
        period: Duration::MAX,
    };

    /// What a tick at this time hands out.
    fn window(self, now: Timestamp) -> Window {
        let period = SignedDuration::try_from(self.period).unwrap_or(SignedDuration::MAX);
        let before = period.saturating_add(MARGIN);
        let after = now.saturating_sub(before).unwrap_or(Timestamp::MIN);
        let round = |at: Timestamp| at.as_second().div_euclid(ROUND);
        Window {
            after: (round(after) == round(now)).then_some(after),
            until: now,
        }
    }
}

impl Sweep<'_> {
    /// Hands what has become due to the queue.
    ///
    /// # Errors
    /// [`StoreError`] if nothing of the index can be read.
    pub async fn hand_out(
        &self,
        queue: &dyn Queue,
        rounds: Rounds,
        deadline: Option<Timestamp>,
    ) -> Result<Report, StoreError> {
        let mut reading = Reading::default();
        let mut report = Report::default();
        let window = rounds.window(self.refresh.clock.now());
        {
            let batches = self
                .read(window, deadline, &mut reading)
                .chunks(POSTINGS_AT_ONCE)
                .map(|due| post(queue, due))
                .buffer_unordered(BATCHES_AT_ONCE);
            let mut batches = std::pin::pin!(batches);
            while let Some((due, handed_out)) = batches.next().await {
                report.due += due;
                report.handed_out += handed_out;
                report.errors += due - handed_out;
                for _ in handed_out..due {
                    let counted = Counted::Failed(Blame::Ourselves);
                    self.refresh.metrics.count(counted);
                }
            }
        }
        reading.end(report, window)
    }
}

/// Sends messages for a few instances: how many they are, and how many were taken.
async fn post(queue: &dyn Queue, due: Vec<DueInstance>) -> (u64, u64) {
    let postings: Vec<Posting> = due
        .into_iter()
        .map(|due| Posting::now(Message::Attend { instance: due.key }))
        .collect();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let untaken = match queue.send(&postings).await {
        Ok(()) => 0,
        Err(error) => {
            warn!(%error, "instances not handed out");
            match error {
                QueueError::Unavailable { untaken, .. } => untaken.min(postings.len()),
                QueueError::TooLarge => postings.len(),
            }
        }
    };
    (count(postings.len()), count(postings.len() - untaken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_hands_out_what_is_new_and_once_in_a_round_everything() {
        let rounds = Rounds {
            period: Duration::from_mins(1),
        };
        let start = 1_700_000_100;
        assert_eq!(start % ROUND, 0);
        for (second, after) in [
            (0, None),
            (60, None),
            (74, None),
            (75, Some(0)),
            (120, Some(45)),
            (240, Some(165)),
            (299, Some(224)),
            (300, None),
        ] {
            let at = |second| Timestamp::from_second(start + second).unwrap();
            let window = rounds.window(at(second));
            assert_eq!(window.after, after.map(at), "at {second}");
            assert_eq!(window.until, at(second));
        }
    }

    #[test]
    fn everything_is_handed_out_where_nothing_waits() {
        let now = Timestamp::from_second(1_700_000_200).unwrap();
        assert_eq!(Rounds::WHOLE.window(now).after, None);
    }

    #[test]
    fn ticks_that_are_late_leave_nothing_out() {
        let rounds = Rounds {
            period: Duration::from_mins(1),
        };
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        // Each up to 14 seconds late, over an hour.
        let ticks: Vec<_> = (0..60)
            .map(|tick| at(tick * 60 + (tick * 5) % 15))
            .collect();
        for pair in ticks.windows(2) {
            let window = rounds.window(pair[1]);
            assert!(window.after.is_none_or(|after| after <= pair[0]));
        }
        let everything = ticks
            .iter()
            .filter(|tick| rounds.window(**tick).after.is_none());
        assert!((12..=24).contains(&everything.count()));
    }
}
