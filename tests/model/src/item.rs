//! The instance's item: the commit point, whichever vault is used.

use crate::provider::Token;

/// Whom a lease belongs to if its holder is no more.
pub const NOBODY: u8 = u8::MAX;

/// Why a connection is said to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The provider refuses the grant, and no request's fate was unknown.
    Revoked,
    /// "An answer was lost at …".
    AnswerLost,
}

/// `st`, and what only [`Status::Ended`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Credentials can be vended.
    Active,
    /// The provider has refused the grant once.
    Suspect,
    /// `reconnect_required`.
    Ended(Cause),
    /// Marked as deleted.
    Deleted,
    /// There is no item any more.
    Purged,
}

/// `lu` and `lo`: a nonce stands for its holder, the clock for what others can see of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lease {
    /// Nobody has one.
    Free,
    /// It holds.
    Held(u8),
    /// It ended beyond skew.
    Lapsed(u8),
}

/// One of `sp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spare {
    /// The epoch that it was asked for under; 0 where there is no spare.
    pub epoch: u8,
    /// The epoch of the answer that its token came by: another one if it had taken a place in between.
    pub origin: u8,
    /// Its token, sealed in the item.
    pub token: Token,
    /// Whether the provider has refused it once.
    pub is_suspect: bool,
    /// Whether a request with it, whose fate is unknown, may still be on its way.
    pub is_in_doubt: bool,
}

/// How many spares an item has.
pub const MOST_SPARES: usize = 3;
const NO_SPARE: Spare = Spare {
    epoch: 0,
    origin: 0,
    token: Token::NONE,
    is_suspect: false,
    is_in_doubt: false,
};

/// The item. Usage counters and the user's values are not modelled; times are not either, see
/// [`Lease`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// `st`.
    pub status: Status,
    /// `inc`.
    pub incarnation: u8,
    /// `ep`.
    pub epoch: u8,
    /// `ce`.
    pub committed: u8,
    /// The committed epoch that the current tokens were made from; 0 where that is not known.
    pub parent: u8,
    /// The epoch of the answer that the current tokens came by: an earlier one if a spare took the place
    /// of what was refused.
    pub origin: u8,
    /// `ct`, its refresh token.
    pub token: Token,
    /// `sp`, the newest first.
    pub spares: [Spare; MOST_SPARES],
    /// `lu`, `lo`.
    pub lease: Lease,
    /// `ia`.
    pub attempts: u8,
    /// `jr`: the epoch whose token is still to be written into Secrets Manager; 0 if none is.
    pub journal: u8,
    /// `ver`: the version that holds the token if there is no journal.
    pub version: Token,
}

impl Item {
    /// The item of a user who has consented once.
    #[must_use]
    pub fn new(token: Token) -> Self {
        Self {
            status: Status::Active,
            incarnation: 1,
            epoch: 1,
            committed: 1,
            parent: 0,
            origin: 1,
            token,
            spares: [NO_SPARE; MOST_SPARES],
            lease: Lease::Free,
            attempts: 0,
            journal: 0,
            version: token,
        }
    }

    /// What is left of an item once its tokens are forgotten. The incarnation stays, so that the
    /// model is not told a regress that is none.
    #[must_use]
    pub fn forgotten(self, status: Status) -> Self {
        Self {
            status,
            epoch: 0,
            committed: 0,
            origin: 0,
            version: Token::NONE,
            ..Self {
                incarnation: self.incarnation,
                ..Self::new(Token::NONE)
            }
        }
    }

    /// Whether there is a grant that may be refreshed.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        match self.status {
            Status::Active | Status::Suspect => true,
            Status::Ended(_) | Status::Deleted | Status::Purged => false,
        }
    }

    /// Whether it is deleted, or gone.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        match self.status {
            Status::Deleted | Status::Purged => true,
            Status::Active | Status::Suspect | Status::Ended(_) => false,
        }
    }

    /// Whether a lease with a nonce is this worker's: nonces are never used twice, nor are epochs.
    #[must_use]
    pub fn is_leased_to(&self, who: u8, incarnation: u8, epoch: u8) -> bool {
        let is_nonce = self.lease == Lease::Held(who) || self.lease == Lease::Lapsed(who);
        is_nonce && self.incarnation == incarnation && self.epoch == epoch
    }

    /// Keeps a spare; of more than [`MOST_SPARES`] the oldest goes.
    pub fn keep(&mut self, spare: Spare) {
        self.drop_spare(spare.epoch);
        let [a, b, c] = self.spares;
        let mut all = [spare, a, b, c];
        all.sort_by_key(|spare| std::cmp::Reverse(spare.epoch));
        let [a, b, c, _] = all;
        self.spares = [a, b, c];
    }

    /// Whether there is a spare of an epoch.
    #[must_use]
    pub fn has_spare(&self, epoch: u8) -> bool {
        self.spares.iter().any(|spare| spare.epoch == epoch)
    }

    /// Whether the answer of an epoch is in the item, whatever epoch its token has now.
    #[must_use]
    pub fn has_answer(&self, epoch: u8) -> bool {
        self.origin == epoch || self.spares.iter().any(|spare| spare.origin == epoch)
    }

    /// Drops the spare of an epoch.
    pub fn drop_spare(&mut self, epoch: u8) {
        for spare in &mut self.spares {
            if spare.epoch == epoch {
                *spare = NO_SPARE;
            }
        }
        self.spares
            .sort_by_key(|spare| std::cmp::Reverse(spare.epoch));
    }

    /// The newest spare of those that the provider has refused once, or has not.
    #[must_use]
    pub fn newest_spare(&self, is_suspect: bool) -> Option<Spare> {
        let mut spares = self.spares.iter();
        let found = spares.find(|spare| **spare != NO_SPARE && spare.is_suspect == is_suspect);
        found.copied()
    }

    /// Whether a token is still to be written into Secrets Manager.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.journal > 0
    }

    /// The current tokens as a spare.
    #[must_use]
    pub fn displaced(&self) -> Spare {
        Spare {
            epoch: self.committed,
            origin: self.origin,
            token: self.token,
            is_suspect: self.status != Status::Active,
            is_in_doubt: self.attempts > 0,
        }
    }

    /// Takes a token as the current one, with all that a commit writes but the lease and the doubt.
    pub fn take(&mut self, token: Token, (epoch, parent): (u8, u8), in_vault: bool) {
        self.status = Status::Active;
        if in_vault && self.token != token {
            self.journal = epoch;
        }
        self.token = token;
        self.committed = epoch;
        self.origin = epoch;
        self.parent = parent;
    }
}
