//! What the protocol would be without one of its rules.
//!
//! The first eleven are those of `refresh.md`. The others were found by the model itself: the page is
//! silent there, or says what loses a connection.

/// A rule of the protocol left out: for each, the checker must find what it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A worker asks without a lease.
    NoLease,
    /// The lease may lapse while its holder, wide awake, waits for the answer.
    ShortLease,
    /// An answer that comes after another has taken the lease is dropped: plain fencing.
    LateDropped,
    /// An answer that comes after a newer one was committed is dropped: compare and swap.
    LoserDropped,
    /// One `invalid_grant` is the end, whatever has moved.
    RefusalKills,
    /// A commit is not conditional.
    LastWriteWins,
    /// The client sends a refresh again by itself when no answer comes.
    SelfRetry,
    /// Deleting removes the item at once, and a commit writes what is not there.
    NoTombstone,
    /// A late answer that is the newest drops the one in its place.
    SiblingDropped,
    /// With Secrets Manager, the answer goes into the vault before it goes into the item.
    VaultFirst,
    /// The vault is read by label.
    ReadByLabel,
    /// A lease asks for the epoch that was seen, and not for the tokens that were seen.
    LeaseByEpoch,
    /// A spare takes the place of what was refused once, and what was refused is dropped.
    RefusedDropped,
    /// An answer that was committed and used becomes a spare when its commit is tried again.
    UsedKept,
    /// A commit drops what it was made from although another request's fate is unknown.
    ParentDropped,
    /// A spare that takes the place of what is refused brings its old epoch along.
    PromotedAsOld,
    /// A spare that was asked with before, by a request whose fate is unknown, takes the place of what is
    /// refused as if it had not been.
    DoubtForgotten,
    /// An answer whose commit is tried again becomes a spare although it has taken another's place, for it has
    /// another epoch there.
    PromotedKeptAgain,
    /// What the steps after a refresh brought becomes a spare if it comes late, as an answer does.
    FollowerKept,
    /// Whoever moves `AWSCURRENT` looks where it is when it comes to it, and not before its lease.
    LabelSeenLate,
}
