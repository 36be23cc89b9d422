//! The sweep: everything that is due, of all tenants.
//!
//! # Why
//! Somebody has to refresh what nobody asks for, in time, however much of it there is, and whatever
//! some provider does.
//!
//! # How it works
//! A tick takes no input but the clock. Either it works what is due itself ([`Sweep::sweep`]), or it
//! hands it to a queue ([`Sweep::hand_out`]), whose workers see to it ([`Sweep::work`]). Both are one
//! stream: all shards of the index take turns, so many instances are worked at once, and the next
//! begins when any of them is done; a provider that hangs holds its share of them and no more. It may run twice at once, and does not retry inside: a message
//! that comes back, or the next tick, is the retry. What it does not come to stays due.

mod attend;
mod due;
mod hand_out;
mod report;
mod work;

use futures_util::{Stream, StreamExt as _, future};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

pub use self::{
    attend::{Attended, Outcome},
    hand_out::Rounds,
    report::Report,
};
use super::{
    delete::Delete,
    refresh::{LEASE, Refresh},
};
use crate::{
    model::message::Message,
    port::{DueInstance, DueInstances, SHARDS, StoreError, Window},
};

/// How many instances are worked at once, where nothing else is said.
pub const IN_FLIGHT: usize = 64;

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// The index of due instances.
    pub due: &'a dyn DueInstances,
    /// Refreshing.
    pub refresh: Refresh<'a>,
    /// Seeing deletions through.
    pub delete: Delete<'a>,
    /// How many instances are worked at once, from 1.
    pub in_flight: usize,
}

impl std::fmt::Debug for Sweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sweep")
    }
}

impl Sweep<'_> {
    /// Works what is due now. No work is begun that could not end before `deadline`.
    ///
    /// # Errors
    /// [`StoreError`] if nothing of the index can be read.
    pub async fn sweep(&self, deadline: Option<Timestamp>) -> Result<Report, StoreError> {
        let mut reading = Reading::default();
        let mut report = Report::default();
        let window = Window {
            after: None,
            until: self.refresh.clock.now(),
        };
        {
            let due = self.read(window, deadline, &mut reading);
            let messages = due.map(|due| ((), Message::Attend { instance: due.key }));
            let mut outcomes = std::pin::pin!(self.work(messages, deadline));
            while let Some(((), outcome)) = outcomes.next().await {
                report.due += 1;
                report.count(outcome);
            }
        }
        reading.end(report, window)
    }

    /// What is due, until there is no time left to begin with it.
    fn read<'s>(
        &'s self,
        window: Window,
        deadline: Option<Timestamp>,
        reading: &'s mut Reading,
    ) -> impl Stream<Item = DueInstance> + Send + 's {
        due::all(self.due, window)
            .scan(reading, move |reading, found| {
                let late = deadline.is_some_and(|deadline| self.is_too_late(deadline));
                reading.stopped |= late;
                future::ready((!late).then(|| reading.keep(found)))
            })
            .filter_map(future::ready)
    }

    fn is_too_late(&self, deadline: Timestamp) -> bool {
        let needed = SignedDuration::try_from(LEASE).unwrap_or(SignedDuration::MAX);
        deadline.duration_since(self.refresh.clock.now()) < needed
    }
}

/// How the reading of the index goes.
#[derive(Default)]
struct Reading {
    unread: u64,
    error: Option<StoreError>,
    /// Since when the most overdue of all that was found has been due.
    oldest: Option<Timestamp>,
    /// Whether it was stopped for want of time.
    stopped: bool,
}

impl Reading {
    fn keep(&mut self, found: Result<DueInstance, StoreError>) -> Option<DueInstance> {
        match found {
            Ok(due) => {
                self.oldest = Some(
                    self.oldest
                        .map_or(due.since, |oldest| oldest.min(due.since)),
                );
                Some(due)
            }
            Err(error) => {
                warn!(%error, "shard not read");
                self.unread += 1;
                self.error = Some(error);
                None
            }
        }
    }

    /// The report, unless nothing could be read.
    fn end(self, mut report: Report, window: Window) -> Result<Report, StoreError> {
        report.oldest_due_seconds = self.oldest_due(window);
        report.unread_shards = self.unread;
        report.unfinished |= self.stopped;
        match self.error {
            Some(error) if self.unread >= u64::from(SHARDS) => Err(error),
            Some(_) | None => Ok(report),
        }
    }

    /// For how many seconds the most overdue has been due, if that is known: each shard has its own
    /// most overdue first, so that it is if all shards were read from their beginning.
    fn oldest_due(&self, window: Window) -> Option<u64> {
        if window.after.is_some() || self.unread > 0 {
            return None;
        }
        match self.oldest {
            Some(oldest) => {
                let age = window.until.duration_since(oldest);
                Some(u64::try_from(age.as_secs()).unwrap_or(0))
            }
            None => (!self.stopped).then_some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_the_most_overdue_waits_is_said_by_who_knows_it() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let window = |after| Window {
            after,
            until: at(0),
        };
        let (all, new) = (window(None), window(Some(at(-75))));
        let read = |oldest: Option<i64>, unread, stopped| Reading {
            unread,
            error: None,
            oldest: oldest.map(at),
            stopped,
        };
        for (case, reading, window, known) in [
            ("nothing is due", read(None, 0, false), all, Some(0)),
            ("something is", read(Some(-90), 0, false), all, Some(90)),
            ("out of time", read(Some(-900), 0, true), all, Some(900)),
            ("no time to look", read(None, 0, true), all, None),
            ("a shard is unread", read(Some(-90), 1, false), all, None),
            ("only what is new", read(None, 0, false), new, None),
            ("only what is new", read(Some(-30), 0, false), new, None),
        ] {
            assert_eq!(reading.oldest_due(window), known, "{case}");
        }
    }
}
