//! Everything that a moment of the model consists of.

use crate::{
    item::{Item, Lease, NOBODY},
    provider::{Provider, Token},
    vault::Vault,
    worker::{Phase, Worker},
};

/// How many workers there can be.
pub const MOST_WORKERS: usize = 3;

/// What has become of a connection, as only an onlooker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// Nothing happened that we could not help.
    Whole,
    /// A single-use provider's answer was lost: the one honest row of the table.
    AnswerLost,
    /// A single-use provider saw a token twice, because a worker slept past its lease or a request
    /// was long on its way, and revoked everything.
    Reused,
}

/// A moment of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The item.
    pub item: Item,
    /// The provider.
    pub provider: Provider,
    /// The secret; unused where tokens are sealed into the item.
    pub vault: Vault,
    /// The workers; those that there are not stay idle.
    pub workers: [Worker; MOST_WORKERS],
    /// The token of a request that is still on its way although nobody waits for its answer.
    pub orphan: Token,
    /// What has become of the connection.
    pub fate: Fate,
    /// How many false refusals the provider has given.
    pub glitches: u8,
    /// Whether the instance was ever deleted.
    pub deleted: bool,
    /// Whether a token was sent twice under one lease.
    pub called_twice: bool,
    /// Whether a commit took the place of a newer one.
    pub regressed: bool,
}

impl State {
    /// An instance whose user has consented.
    #[must_use]
    pub fn connected() -> Self {
        let provider = Provider::new();
        Self {
            item: Item::new(provider.first),
            provider,
            vault: Vault {
                current: provider.first,
                ..Vault::default()
            },
            workers: [Worker::IDLE; MOST_WORKERS],
            orphan: Token::NONE,
            fate: Fate::Whole,
            glitches: 0,
            deleted: false,
            called_twice: false,
            regressed: false,
        }
    }

    /// A worker.
    #[must_use]
    pub fn worker(&self, who: u8) -> Worker {
        let worker = self.workers.get(usize::from(who));
        worker.copied().unwrap_or(Worker::IDLE)
    }

    /// A worker as it is from now on. One that is idle has forgotten its nonce.
    pub fn set_worker(&mut self, who: u8, worker: Worker) {
        if let Some(slot) = self.workers.get_mut(usize::from(who)) {
            *slot = worker;
        }
        if worker.phase == Phase::Idle {
            match self.item.lease {
                Lease::Held(holder) if holder == who => self.item.lease = Lease::Held(NOBODY),
                Lease::Lapsed(holder) if holder == who => self.item.lease = Lease::Lapsed(NOBODY),
                Lease::Free | Lease::Held(_) | Lease::Lapsed(_) => {}
            }
        }
    }

    /// Whether the item's own token can be read: from the item or its journal, or by version.
    #[must_use]
    pub fn is_readable(&self, in_vault: bool) -> bool {
        !in_vault || self.item.has_journal() || self.vault.has(self.item.version)
    }

    /// Whether some token that the provider takes is in our hands: in the item, or with a worker
    /// who has an answer to keep.
    #[must_use]
    pub fn is_in_our_hands(&self, in_vault: bool) -> bool {
        let item = &self.item;
        let current = self.is_readable(in_vault) && self.provider.takes(item.token);
        let mut spares = item.spares.iter();
        let mut workers = self.workers.iter();
        current
            || spares.any(|spare| self.provider.takes(spare.token))
            || workers.any(|worker| worker.has_answer() && self.provider.takes(worker.answer))
    }

    /// The same moment, whatever the workers are called: they are all alike.
    #[must_use]
    pub fn renamed(&self) -> Self {
        let mut state = self.clone();
        let holder = |who: u8| usize::from(who);
        let mut named: [(Worker, usize); MOST_WORKERS] = [
            (self.worker(0), 0),
            (self.worker(1), 1),
            (self.worker(2), 2),
        ];
        named.sort_unstable();
        let [(a, _), (b, _), (c, _)] = named;
        state.workers = [a, b, c];
        let renamed = |who: u8| {
            let place = named.iter().position(|(_, old)| *old == holder(who));
            place
                .and_then(|place| u8::try_from(place).ok())
                .unwrap_or(NOBODY)
        };
        state.item.lease = match self.item.lease {
            Lease::Free => Lease::Free,
            Lease::Held(who) => Lease::Held(renamed(who)),
            Lease::Lapsed(who) => Lease::Lapsed(renamed(who)),
        };
        state
    }
}
