//! Spares: token answers that came out of order, or that nobody could read (`refresh.md`, rules 2 and 5).

use serde::{Deserialize, Serialize};

use super::{grant::StoredGrant, sealed::Sealed};

/// How many spares an instance keeps; the oldest makes room.
pub const MOST_SPARES: usize = 3;

/// An answer that isn't an instance's current grant, and yet may hold the only token that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spare {
    /// The epoch of the lease that it was asked for under.
    pub epoch: u64,
    /// Whether the provider has refused it once. It is tried again when nothing else is left.
    pub is_refused: bool,
    /// Whether a request with it may still be on its way: nobody knows what came of one.
    #[serde(default)]
    pub in_doubt: bool,
    /// What it holds.
    pub answer: SpareAnswer,
}

impl Spare {
    /// A grant as a spare.
    #[must_use]
    pub fn of(grant: StoredGrant) -> Self {
        Self {
            epoch: grant.epoch,
            is_refused: false,
            in_doubt: false,
            answer: SpareAnswer::Grant(Box::new(grant)),
        }
    }
}

impl Spare {
    /// The epoch under which its answer came, which is another one if it has been the grant since.
    #[must_use]
    pub fn answer_epoch(&self) -> u64 {
        self.grant().map_or(self.epoch, StoredGrant::answer_epoch)
    }

    /// Its grant, if it is one that can be used at once.
    #[must_use]
    pub fn grant(&self) -> Option<&StoredGrant> {
        match &self.answer {
            SpareAnswer::Grant(grant) => Some(grant),
            SpareAnswer::Raw { .. } => None,
        }
    }
}

/// What a spare holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpareAnswer {
    /// A grant.
    Grant(Box<StoredGrant>),
    /// An answer as it was received, which the definition didn't tell how to read.
    Raw {
        /// The sealed answer.
        sealed: Sealed,
        /// The version of the auth method that couldn't read it.
        unread_by: u64,
    },
}

/// The spares with another one among them, in the order of their epochs. Of more than
/// [`MOST_SPARES`] the oldest goes.
#[must_use]
pub fn with_spare(spares: &[Spare], spare: Spare) -> Vec<Spare> {
    let mut kept: Vec<Spare> = spares
        .iter()
        .filter(|kept| kept.epoch != spare.epoch)
        .cloned()
        .collect();
    kept.push(spare);
    kept.sort_by_key(|spare| spare.epoch);
    let excess = kept.len().saturating_sub(MOST_SPARES);
    kept.drain(..excess);
    kept
}

/// The spares without that of an epoch.
#[must_use]
pub fn without_spare(spares: &[Spare], epoch: u64) -> Vec<Spare> {
    let others = spares.iter().filter(|spare| spare.epoch != epoch);
    others.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare(epoch: u64) -> Spare {
        let answer = SpareAnswer::Raw {
            sealed: Sealed::new(vec![1]),
            unread_by: 1,
        };
        Spare {
            epoch,
            is_refused: false,
            in_doubt: false,
            answer,
        }
    }

    #[test]
    fn the_newest_three_are_kept_in_order() {
        let mut spares = Vec::new();
        for (epoch, kept) in [
            (5, vec![5]),
            (3, vec![3, 5]),
            (5, vec![3, 5]),
            (9, vec![3, 5, 9]),
            (7, vec![5, 7, 9]),
            (1, vec![5, 7, 9]),
        ] {
            spares = with_spare(&spares, spare(epoch));
            let epochs: Vec<u64> = spares.iter().map(|spare| spare.epoch).collect();
            assert_eq!(epochs, kept, "after {epoch}");
        }
        assert_eq!(without_spare(&spares, 7).len(), 2);
    }
}
