//! A worker: where it is, and what it remembers.

use crate::provider::Token;

/// Where a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has nothing to do, or is dead.
    Idle,
    /// It has read the item.
    Ready,
    /// It has the lease.
    Leased,
    /// Its request is on its way.
    Asked,
    /// There is a grant: on its way back, or in the hands of a worker that is frozen or awake.
    Granted,
    /// There is an `invalid_grant`, likewise.
    Refused,
    /// It failed without doubt: nothing was sent, or the provider said that it did not act.
    Failing,
    /// It got no answer.
    Doubting,
    /// It got no answer, has kept its lease, and asks for the next one in its place.
    Renewing,
    /// It has committed, keeps a lease of the next epoch, and makes the steps that follow a refresh.
    Following,
    /// It writes the token of a journal into the vault.
    Putting,
    /// It moves `AWSCURRENT`.
    Moving,
    /// It points the item to the version and removes the journal.
    Pointing,
}

/// What a worker does when the vault has the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Then {
    /// Nothing: its refresh is done.
    Rest,
    /// It asks the provider: the journal was somebody else's.
    Ask,
    /// It commits; only with [`crate::bug::Bug::VaultFirst`].
    Commit,
    /// It makes the steps that follow its refresh.
    Follow,
}

/// A worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Worker {
    /// Where it is.
    pub phase: Phase,
    /// The incarnation that it read.
    pub incarnation: u8,
    /// The committed epoch that it read.
    pub base: u8,
    /// Its own epoch: the one after the one that it read.
    pub epoch: u8,
    /// The token that it read, and asks with.
    pub token: Token,
    /// The token that it was answered, or that it writes into the vault.
    pub answer: Token,
    /// The version that had `AWSCURRENT` when it read the item, or that it has moved it to since.
    pub from: Token,
    /// The epoch of the journal that it sees through.
    pub journal: u8,
    /// What it does when the vault has the token.
    pub then: Then,
    /// Whether it has asked.
    pub has_asked: bool,
    /// Whether it slept past its lease.
    pub is_late: bool,
    /// Whether its request is beyond reproach: it asks with the item's current token, nobody awake
    /// asks with it, and there is no spare that works. If it ends the connection, that is a single-use
    /// provider's doing.
    pub is_alone: bool,
}

impl Worker {
    /// A worker that has nothing to do.
    pub const IDLE: Self = Self {
        phase: Phase::Idle,
        incarnation: 0,
        base: 0,
        epoch: 0,
        token: Token::NONE,
        answer: Token::NONE,
        from: Token::NONE,
        journal: 0,
        then: Then::Rest,
        has_asked: false,
        is_late: false,
        is_alone: false,
    };

    /// Whether it has a grant that is kept nowhere yet, as far as it knows.
    #[must_use]
    pub fn has_answer(&self) -> bool {
        self.phase == Phase::Granted || self.then == Then::Commit
    }

    /// Whether it writes into the vault.
    #[must_use]
    pub fn is_at_vault(&self) -> bool {
        self.phase == Phase::Putting || self.phase == Phase::Moving || self.phase == Phase::Pointing
    }

    /// Whether it has a lease and no answer yet, or a grant.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        match self.phase {
            Phase::Leased | Phase::Asked | Phase::Granted => true,
            Phase::Idle
            | Phase::Ready
            | Phase::Refused
            | Phase::Failing
            | Phase::Doubting
            | Phase::Renewing
            | Phase::Following
            | Phase::Putting
            | Phase::Moving
            | Phase::Pointing => false,
        }
    }

    /// Whether its next step is a write, whose reply may be lost.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self.phase {
            Phase::Idle | Phase::Leased | Phase::Asked => false,
            Phase::Ready
            | Phase::Granted
            | Phase::Refused
            | Phase::Failing
            | Phase::Doubting
            | Phase::Renewing
            | Phase::Following
            | Phase::Putting
            | Phase::Moving
            | Phase::Pointing => true,
        }
    }
}
