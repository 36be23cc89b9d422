//! What a sweep did.

use serde::Serialize;

use super::attend::{Attended, Outcome};

/// What a sweep did: its log line and its metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Instances found due.
    pub due: u64,
    /// Handed to the queue.
    pub handed_out: u64,
    /// Refreshed.
    pub refreshed: u64,
    /// Failed in a way that passes.
    pub failed: u64,
    /// Found to need a new consent.
    pub reconnect_required: u64,
    /// Whose user was warned that the connection will end.
    pub warned: u64,
    /// Deleted ones seen through.
    pub deleted: u64,
    /// Answers that found their place after all.
    pub adopted: u64,
    /// Left alone: somebody else was at them, or they were not due after all.
    pub left: u64,
    /// Left for a later tick: their provider had its share of the calls.
    pub postponed: u64,
    /// Not worked, or not handed out, because the store, the vault or the queue did not answer.
    pub errors: u64,
    /// For how many seconds the most overdue has been due; 0 if nothing is. Only who reads everything
    /// that is due knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_due_seconds: Option<u64>,
    /// Shards of the index that could not be read.
    pub unread_shards: u64,
    /// Whether time ran out before everything was worked. What was not stays due.
    pub unfinished: bool,
}

impl Report {
    /// Counts what became of a message.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(Attended::Refreshed) => self.refreshed += 1,
            Outcome::Done(Attended::Failed) => self.failed += 1,
            Outcome::Done(Attended::ReconnectRequired) => self.reconnect_required += 1,
            Outcome::Done(Attended::Warned) => self.warned += 1,
            Outcome::Done(Attended::Deleted) => self.deleted += 1,
            Outcome::Done(Attended::Adopted) => self.adopted += 1,
            Outcome::Done(Attended::Left) => self.left += 1,
            Outcome::Done(Attended::PutBack) | Outcome::Failed => self.errors += 1,
            Outcome::Postponed => self.postponed += 1,
            Outcome::TooLate => self.unfinished = true,
        }
    }
}
