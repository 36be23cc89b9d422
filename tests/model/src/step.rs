//! A worker's steps: each is one await of the real one.
//!
//! A step either is a write of the item or of the vault, or a sending; what the worker decides, it
//! decides by the item that the write's condition was checked against. So a compare-and-set loop is
//! one step here: its last round.

use crate::{
    bug::Bug,
    configuration::Configuration,
    item::{Item, Lease, Spare},
    journal::write_vault,
    keep::keep,
    provider::{Answer, Token},
    refuse::refused,
    state::{Fate, State},
    worker::{Phase, Then, Worker},
};

/// Whether a worker finds something to do. `bounded` keeps to the number of leases.
#[must_use]
pub fn may_begin(here: &Configuration, state: &State, bounded: bool) -> bool {
    let item = &state.item;
    let is_free = match item.lease {
        Lease::Free | Lease::Lapsed(_) => true,
        Lease::Held(_) => here.lacks(Bug::NoLease),
    };
    item.is_usable() && is_free && (!bounded || has_leases(here, item))
}

/// Whether there may be another lease.
#[must_use]
pub fn has_leases(here: &Configuration, item: &Item) -> bool {
    item.epoch.saturating_sub(item.incarnation) < here.leases
}

/// Reads the item, and the token. `stale` is what a lagging label shows, with [`Bug::ReadByLabel`].
pub fn begin(here: &Configuration, state: &mut State, who: u8, stale: bool) {
    let item = state.item;
    let token = if !here.in_vault() || item.has_journal() {
        item.token
    } else if here.lacks(Bug::ReadByLabel) {
        match stale {
            true => state.vault.previous,
            false => state.vault.current,
        }
    } else if state.vault.has(item.version) {
        item.version
    } else {
        Token::NONE
    };
    if token == Token::NONE {
        return;
    }
    let worker = Worker {
        phase: Phase::Ready,
        incarnation: item.incarnation,
        base: item.committed,
        epoch: item.epoch + 1,
        token,
        from: match here.in_vault() {
            true => state.vault.current,
            false => Token::NONE,
        },
        ..Worker::IDLE
    };
    state.set_worker(who, worker);
}

/// Takes a worker's next step.
pub fn step(here: &Configuration, state: &mut State, who: u8) {
    match state.worker(who).phase {
        Phase::Idle => {}
        Phase::Ready => lease(here, state, who),
        Phase::Leased => send(state, who),
        Phase::Asked => answer(here, state, who),
        Phase::Granted => keep(here, state, who),
        Phase::Refused => refused(here, state, who),
        Phase::Failing | Phase::Doubting => free(state, who),
        Phase::Renewing => renew(state, who),
        Phase::Following => follow(here, state, who),
        Phase::Putting | Phase::Moving | Phase::Pointing => write_vault(here, state, who),
    }
}

/// *Lease*: one conditional write. An earlier try of it is known by its nonce.
fn lease(here: &Configuration, state: &mut State, who: u8) {
    let worker = state.worker(who);
    let item = &mut state.item;
    let has_moved = item.committed != worker.base && !here.lacks(Bug::LeaseByEpoch);
    if item.is_leased_to(who, worker.incarnation, worker.epoch) {
        if has_moved {
            return free(state, who);
        }
    } else if !here.lacks(Bug::NoLease) {
        let is_free = match item.lease {
            Lease::Free | Lease::Lapsed(_) => true,
            Lease::Held(_) => false,
        };
        if !item.is_usable() || item.epoch + 1 != worker.epoch || has_moved || !is_free {
            return state.set_worker(who, Worker::IDLE);
        }
        item.epoch = worker.epoch;
        item.lease = Lease::Held(who);
        item.attempts += 1;
    }
    hold(state, who, worker);
}

/// The worker has its lease.
fn hold(state: &mut State, who: u8, mut worker: Worker) {
    worker.is_alone = is_alone(state, &worker);
    worker.phase = Phase::Leased;
    if state.item.has_journal() {
        worker.journal = state.item.journal;
        worker.answer = state.item.token;
        worker.then = Then::Ask;
        worker.phase = Phase::Putting;
    }
    state.set_worker(who, worker);
}

/// *In doubt in a live worker*: the lease that it has kept becomes one of the next epoch, in one
/// conditional write that is intent and doubt as any lease is. An earlier try of it is known by its
/// nonce.
fn renew(state: &mut State, who: u8) {
    let mut worker = state.worker(who);
    let item = &mut state.item;
    let is_unmoved = item.is_usable() && item.committed == worker.base;
    let next = worker.epoch + 1;
    if item.is_leased_to(who, worker.incarnation, next) {
        worker.epoch = next;
        if !is_unmoved {
            worker.phase = Phase::Failing;
            state.set_worker(who, worker);
            return free(state, who);
        }
    } else if item.is_leased_to(who, worker.incarnation, worker.epoch) && is_unmoved {
        item.epoch = next;
        item.lease = Lease::Held(who);
        item.attempts += 1;
        worker.epoch = next;
    } else {
        worker.phase = Phase::Doubting;
        state.set_worker(who, worker);
        return free(state, who);
    }
    worker.has_asked = false;
    worker.is_late = item.lease == Lease::Lapsed(who);
    hold(state, who, worker);
}

/// *Steps that follow*: what they brought is committed under the lease that the refresh's commit
/// kept, the refresh token being the same. If anything has moved it is dropped: as a spare its token
/// would be one that somebody else may have used.
fn follow(here: &Configuration, state: &mut State, who: u8) {
    let worker = state.worker(who);
    let item = &mut state.item;
    let is_same_consent = item.incarnation == worker.incarnation && !item.is_deleted();
    if item.is_leased_to(who, worker.incarnation, worker.epoch) {
        item.lease = Lease::Free;
        if item.committed == worker.base && item.is_usable() {
            item.committed = worker.epoch;
            item.parent = worker.base;
        }
    } else if is_same_consent && item.committed > worker.epoch && here.lacks(Bug::FollowerKept) {
        item.keep(Spare {
            epoch: worker.epoch,
            origin: worker.epoch,
            token: worker.answer,
            is_suspect: false,
            is_in_doubt: false,
        });
    }
    state.set_worker(who, Worker::IDLE);
}

/// See [`Worker::is_alone`].
fn is_alone(state: &State, worker: &Worker) -> bool {
    let (item, provider) = (&state.item, &state.provider);
    let mut others = state.workers.iter();
    let mut spares = item.spares.iter();
    worker.token == item.token
        && !others.any(|other| other.is_asking() && !other.is_late && other.token == worker.token)
        && !spares.any(|spare| provider.takes(spare.token))
}

/// *Call*: the request goes out.
fn send(state: &mut State, who: u8) {
    let mut worker = state.worker(who);
    let mut others = state.workers.iter();
    state.called_twice |= others.any(|other| {
        other.has_asked
            && (other.incarnation, other.epoch, other.token)
                == (worker.incarnation, worker.epoch, worker.token)
    });
    worker.has_asked = true;
    worker.phase = Phase::Asked;
    state.set_worker(who, worker);
}

/// The provider acts on the request; its answer is on its way.
fn answer(here: &Configuration, state: &mut State, who: u8) {
    let mut worker = state.worker(who);
    worker.phase = match state
        .provider
        .ask(here.policy, here.is_displacing, worker.token)
    {
        Answer::Granted(token) => {
            worker.answer = token;
            Phase::Granted
        }
        Answer::Refused => Phase::Refused,
        Answer::Revoked => {
            if worker.is_late || worker.is_alone {
                state.fate = Fate::Reused;
            }
            Phase::Refused
        }
    };
    state.set_worker(who, worker);
}

/// *Otherwise*: the lease is freed if the nonce is ours; what added no doubt takes its attempt back.
pub(crate) fn free(state: &mut State, who: u8) {
    let worker = state.worker(who);
    let item = &mut state.item;
    if item.is_leased_to(who, worker.incarnation, worker.epoch) {
        item.lease = Lease::Free;
        if worker.phase != Phase::Doubting {
            item.attempts = item.attempts.saturating_sub(1);
        }
    }
    state.set_worker(who, Worker::IDLE);
}
