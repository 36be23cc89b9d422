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
        reading.end(report)
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
    /// Whether it was stopped for want of time.
    stopped: bool,
}

impl Reading {
    fn keep(&mut self, found: Result<DueInstance, StoreError>) -> Option<DueInstance> {
        match found {
            Ok(due) => Some(due),
            Err(error) => {
                warn!(%error, "shard not read");
                self.unread += 1;
                self.error = Some(error);
                None
            }
        }
    }

    /// The report, unless nothing could be read.
    fn end(self, mut report: Report) -> Result<Report, StoreError> {
        report.unread_shards = self.unread;
        report.unfinished |= self.stopped;
        match self.error {
            Some(error) if self.unread >= u64::from(SHARDS) => Err(error),
            Some(_) | None => Ok(report),
        }
    }
}
