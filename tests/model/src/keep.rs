//! Keeping what the provider answered, whatever has become of the item meanwhile.

use crate::{
    bug::Bug,
    configuration::Configuration,
    item::{Item, Lease, Spare, Status},
    provider::Token,
    state::State,
    worker::{Phase, Then, Worker},
};

/// *Commit*, and all that the item may ask for if it has moved.
pub(crate) fn keep(here: &Configuration, state: &mut State, who: u8) {
    let mut worker = state.worker(who);
    if here.in_vault() && here.lacks(Bug::VaultFirst) && worker.then != Then::Commit {
        worker.then = Then::Commit;
        worker.phase = Phase::Putting;
        return state.set_worker(who, worker);
    }
    let in_vault = here.in_vault() && !here.lacks(Bug::VaultFirst);
    let item = &mut state.item;
    if item.status == Status::Purged && here.lacks(Bug::NoTombstone) {
        item.incarnation = worker.incarnation;
        item.epoch = worker.epoch;
        item.take(worker.answer, (worker.epoch, worker.base), in_vault);
    }
    // Nobody will use what a deleted instance or another consent is answered: it is revoked.
    if item.is_deleted()
        || (item.incarnation != worker.incarnation && !here.lacks(Bug::LastWriteWins))
    {
        return state.set_worker(who, Worker::IDLE);
    }
    let is_fenced = item.epoch != worker.epoch && here.lacks(Bug::LateDropped);
    let is_unmoved =
        item.committed == worker.base && (item.epoch == worker.epoch || here.lacks(Bug::NoLease));
    if is_unmoved || here.lacks(Bug::LastWriteWins) {
        keep_parent(here, item);
        item.take(worker.answer, (worker.epoch, worker.base), in_vault);
        item.incarnation = worker.incarnation;
        item.epoch = item.epoch.max(worker.epoch);
        item.attempts = 0;
        item.lease = match here.follows {
            true => Lease::Held(who),
            false => Lease::Free,
        };
        item.epoch += u8::from(here.follows);
    } else if !is_fenced && item.committed < worker.epoch {
        take_late(here, state, who, in_vault);
    } else if !is_fenced && item.committed > worker.epoch && !here.lacks(Bug::LoserDropped) {
        keep_spare(here, item, &worker);
    }
    let item = &mut state.item;
    if here.lacks(Bug::VaultFirst) && item.token == worker.answer {
        item.version = worker.answer;
    }
    let follows = item.is_leased_to(who, worker.incarnation, worker.epoch + 1);
    let next = Worker {
        is_alone: false,
        has_asked: false,
        token: Token::NONE,
        ..worker
    };
    let next = match (follows, item.has_journal() && item.token == worker.answer) {
        // The one whose answer it is sees its journal through.
        (false, true) => Worker {
            phase: Phase::Putting,
            then: Then::Rest,
            base: 0,
            journal: item.journal,
            ..next
        },
        (true, has_journal) => Worker {
            phase: match has_journal {
                true => Phase::Putting,
                false => Phase::Following,
            },
            then: Then::Follow,
            journal: item.journal,
            base: worker.epoch,
            epoch: worker.epoch + 1,
            ..next
        },
        (false, false) => Worker::IDLE,
    };
    state.set_worker(who, next);
}

/// What the answer was made from stays as a spare while another request's fate is unknown: where it
/// still works, it is what is left if that request ends what this one brought.
fn keep_parent(here: &Configuration, item: &mut Item) {
    let is_in_doubt = item.attempts > 1;
    if is_in_doubt && here.policy.has_siblings() && !here.lacks(Bug::ParentDropped) {
        item.keep(Spare {
            is_in_doubt: true,
            ..item.displaced()
        });
    }
}

/// The answer comes after a newer one. It is a spare, unless the newer one was made from it or from
/// what came after it: then it had been committed by an earlier try of ours, and is used. Nor is one that
/// is in the item already, where it has taken another's place or lost it again.
fn keep_spare(here: &Configuration, item: &mut Item, worker: &Worker) {
    if item.parent >= worker.epoch && !here.lacks(Bug::UsedKept) {
        return;
    }
    if item.has_answer(worker.epoch) && !here.lacks(Bug::PromotedKeptAgain) {
        return;
    }
    if !item.has_spare(worker.epoch) {
        item.keep(Spare {
            epoch: worker.epoch,
            origin: worker.epoch,
            token: worker.answer,
            is_suspect: false,
            is_in_doubt: false,
        });
    }
    if let Status::Ended(_) = item.status {
        item.status = Status::Suspect;
    }
}

/// The answer is late and yet the newest. What it displaces becomes a spare, unless it is what it
/// was made from.
fn take_late(here: &Configuration, state: &mut State, who: u8, in_vault: bool) {
    let worker = state.worker(who);
    let item = &mut state.item;
    let displaced = item.displaced();
    item.drop_spare(worker.epoch);
    if item.committed == worker.base {
        keep_parent(here, item);
    } else if !here.lacks(Bug::SiblingDropped) {
        item.keep(displaced);
    }
    item.take(worker.answer, (worker.epoch, worker.base), in_vault);
    item.attempts = item.attempts.saturating_sub(1);
    if item.is_leased_to(who, worker.incarnation, worker.epoch) {
        item.lease = Lease::Free;
    }
}
