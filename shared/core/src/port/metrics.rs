//! What operators watch.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{failure::Blame, host::Host};

/// Something that operators count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted<'a> {
    /// A refresh has brought a new grant.
    Refreshed,
    /// A refresh has failed in a way that passes; whose matter it is. [`Blame::User`] is a refusal that
    /// is not confirmed yet.
    Failed(Blame),
    /// A connection has ended: its user has to come back.
    ReconnectRequired,
    /// An instance was left for a later tick: its host has its share of the calls.
    Postponed,
    /// For how long what is most overdue has been due; zero if nothing is.
    OldestDue(Duration),
    /// A shard of the index of due instances could not be read.
    UnreadShard,
    /// A host's breaker was found open, for so long.
    BreakerOpen {
        /// The host.
        host: &'a Host,
        /// How long ago it was opened.
        lasts: Duration,
    },
    /// A host's breaker was opened.
    BreakerOpened,
    /// A host's breaker was closed.
    BreakerClosed,
    /// An auth method has become faulty.
    MethodFaulty,
    /// An auth method was quarantined.
    MethodQuarantined,
    /// A secret, or a version of one, was written, or tried to be.
    VaultWrite,
    /// The secrets manager refused a request as one too many.
    VaultThrottled,
}

/// Counts, and tells what was counted.
///
/// Nothing that is done depends on it, so it can't fail.
pub trait Metrics: Send + Sync {
    /// Counts something.
    fn count(&self, counted: Counted<'_>);

    /// Tells what has been counted since it was told last, as what was asked for by this request at
    /// this time; if that is nothing, nothing.
    fn tell(&self, now: Timestamp, request_id: &str);
}

/// Counts nothing: nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Uncounted;

impl Metrics for Uncounted {
    fn count(&self, _: Counted<'_>) {}

    fn tell(&self, _: Timestamp, _: &str) {}
}
