//! What may happen next.

use crate::{
    bug::Bug,
    configuration::Configuration,
    item::{Item, Lease, Status},
    provider::{Answer, Policy, Token},
    state::{Fate, State},
    step::{begin, has_leases, may_begin, step},
    worker::{Phase, Then, Worker},
};

/// One thing that happens. Time passes as it likes: what must wait may wait for ever or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A message is delivered, once more perhaps, or a caller asks: a worker reads the item.
    Begin(u8),
    /// The same, and the vault's label lags; only with [`Bug::ReadByLabel`].
    BeginBehind(u8),
    /// A worker takes its next step, or the provider answers it.
    Step(u8),
    /// A worker's write is applied and the reply is lost: it writes again.
    ReplyLost(u8),
    /// The provider refuses a token that it should take.
    RefuseFalsely(u8),
    /// Nothing could be sent, or the provider was too busy to act.
    NotSent(u8),
    /// The request or its answer is lost; the worker gives up at the call's hard limit.
    GiveUp(u8),
    /// A worker dies, and somebody takes its place.
    Crash(u8),
    /// A worker that got no answer keeps its lease for a quiet while, to ask again.
    Again(u8),
    /// The client sends the request again; only with [`Bug::SelfRetry`].
    SendAgain(u8),
    /// The provider acts on a request that nobody waits for any more.
    Straggle,
    /// The lease lapses. Whoever holds it has slept, for it outlives the call.
    Lapse,
    /// The provider's window for the old token closes.
    CloseWindow,
    /// The user withdraws the consent.
    Withdraw,
    /// The user consents anew.
    Reconnect,
    /// The instance is deleted.
    Delete,
    /// The deleted instance is removed.
    Purge,
}

/// All that may happen next.
pub fn possible(here: &Configuration, state: &State, actions: &mut Vec<Action>) {
    let item = &state.item;
    for who in 0..here.workers {
        of_worker(here, state, who, actions);
    }
    let mut may = |is_possible: bool, action: Action| {
        if is_possible {
            actions.push(action);
        }
    };
    may(state.orphan != Token::NONE, Action::Straggle);
    may(is_held(item), Action::Lapse);
    may(may_close(here, state), Action::CloseWindow);
    may(
        !state.provider.withdrawn && !state.deleted,
        Action::Withdraw,
    );
    let reconnects = item.incarnation.saturating_sub(1);
    may(
        !state.deleted && reconnects < here.reconnects,
        Action::Reconnect,
    );
    may(!state.deleted, Action::Delete);
    may(item.status == Status::Deleted, Action::Purge);
}

fn of_worker(here: &Configuration, state: &State, who: u8, actions: &mut Vec<Action>) {
    let worker = state.worker(who);
    if worker.phase == Phase::Idle {
        if may_begin(here, state, true) {
            actions.push(Action::Begin(who));
            if here.lacks(Bug::ReadByLabel) && !state.item.has_journal() {
                actions.push(Action::BeginBehind(who));
            }
        }
        return;
    }
    actions.push(Action::Step(who));
    let may_lose = here.loses_answers || !(worker.phase == Phase::Asked || worker.has_answer());
    if may_lose {
        actions.push(Action::Crash(who));
    }
    if worker.writes() {
        actions.push(Action::ReplyLost(who));
    }
    match worker.phase {
        Phase::Leased => actions.push(Action::NotSent(who)),
        Phase::Asked => {
            if may_lose {
                actions.push(Action::GiveUp(who));
            }
            if state.glitches < here.glitches {
                actions.push(Action::RefuseFalsely(who));
            }
        }
        Phase::Granted | Phase::Refused if may_lose && worker.then == Then::Rest => {
            actions.push(Action::GiveUp(who));
        }
        Phase::Doubting => {
            if has_leases(here, &state.item) {
                actions.push(Action::Again(who));
            }
            if here.lacks(Bug::SelfRetry) {
                actions.push(Action::SendAgain(who));
            }
        }
        Phase::Idle
        | Phase::Ready
        | Phase::Granted
        | Phase::Refused
        | Phase::Failing
        | Phase::Renewing
        | Phase::Following
        | Phase::Putting
        | Phase::Moving
        | Phase::Pointing => {}
    }
}

fn is_held(item: &Item) -> bool {
    match item.lease {
        Lease::Held(_) => true,
        Lease::Free | Lease::Lapsed(_) => false,
    }
}

/// The window stays open while the item has nothing newer that works ([`Policy::Overlap`]).
fn may_close(here: &Configuration, state: &State) -> bool {
    let (item, provider) = (&state.item, &state.provider);
    let mut kept = item.spares.iter().map(|spare| spare.token);
    here.policy == Policy::Overlap
        && provider.parent != Token::NONE
        && (provider.live.has(item.token) || kept.any(|token| provider.live.has(token)))
}

/// What a thing that happens makes of a moment.
#[must_use]
pub fn after(here: &Configuration, state: &State, action: Action) -> State {
    let mut next = state.clone();
    match action {
        Action::Begin(who) => begin(here, &mut next, who, false),
        Action::BeginBehind(who) => begin(here, &mut next, who, true),
        Action::Step(who) => step(here, &mut next, who),
        Action::ReplyLost(who) => {
            step(here, &mut next, who);
            next.set_worker(who, state.worker(who));
        }
        Action::RefuseFalsely(who) => {
            next.glitches += 1;
            set_phase(&mut next, who, Phase::Refused);
        }
        Action::NotSent(who) => set_phase(&mut next, who, Phase::Failing),
        Action::GiveUp(who) => {
            abandon(&mut next, who);
            set_phase(&mut next, who, Phase::Doubting);
            forget_answer(&mut next, who);
            note_loss(here, &mut next, state.worker(who));
        }
        Action::Crash(who) => {
            abandon(&mut next, who);
            next.set_worker(who, Worker::IDLE);
            note_loss(here, &mut next, state.worker(who));
        }
        Action::Again(who) => set_phase(&mut next, who, Phase::Renewing),
        Action::SendAgain(who) => {
            next.called_twice = true;
            set_phase(&mut next, who, Phase::Asked);
        }
        Action::Straggle => straggle(here, &mut next),
        Action::Lapse => lapse(here, &mut next),
        Action::CloseWindow => next.provider.parent = Token::NONE,
        Action::Withdraw => next.provider.withdraw(),
        Action::Reconnect => reconnect(here, &mut next),
        Action::Delete => {
            next.deleted = true;
            next.item = next.item.forgotten(match here.lacks(Bug::NoTombstone) {
                true => Status::Purged,
                false => Status::Deleted,
            });
        }
        Action::Purge => next.item = next.item.forgotten(Status::Purged),
    }
    next.regressed |= is_regress(state, &next);
    next
}

fn set_phase(state: &mut State, who: u8, phase: Phase) {
    let worker = state.worker(who);
    state.set_worker(who, Worker { phase, ..worker });
}

fn forget_answer(state: &mut State, who: u8) {
    let worker = state.worker(who);
    let answer = Token::NONE;
    state.set_worker(who, Worker { answer, ..worker });
}

/// A request that was sent and not acted on may still be acted on.
fn abandon(state: &mut State, who: u8) {
    let worker = state.worker(who);
    if worker.phase == Phase::Asked && state.orphan == Token::NONE {
        state.orphan = worker.token;
    }
}

/// Whether what a worker took with it was the one thing that a single-use provider would take.
fn note_loss(here: &Configuration, state: &mut State, gone: Worker) {
    let was_the_answer = gone.has_answer()
        && state.provider.live.has(gone.answer)
        && !state.vault.has(gone.answer)
        && !state.is_in_our_hands(here.in_vault());
    if here.policy.is_single_use() && was_the_answer {
        state.fate = Fate::AnswerLost;
    }
}

/// Nobody waits for the answer.
fn straggle(here: &Configuration, state: &mut State) {
    let answer = state
        .provider
        .ask(here.policy, here.is_displacing, state.orphan);
    state.orphan = Token::NONE;
    match answer {
        Answer::Granted(_) if here.policy.is_single_use() => state.fate = Fate::AnswerLost,
        Answer::Revoked => state.fate = Fate::Reused,
        Answer::Granted(_) | Answer::Refused => {}
    }
}

fn lapse(here: &Configuration, state: &mut State) {
    let Lease::Held(who) = state.item.lease else {
        return;
    };
    state.item.lease = Lease::Lapsed(who);
    let mut worker = state.worker(who);
    if worker.phase != Phase::Idle && !here.lacks(Bug::ShortLease) {
        worker.is_late = true;
        state.set_worker(who, worker);
    }
}

/// *Reconnect*: the later consent wins, and every older writer is out.
fn reconnect(here: &Configuration, state: &mut State) {
    let token = state.provider.consent();
    let item = &mut state.item;
    let epoch = item.epoch + 1;
    *item = Item {
        incarnation: item.incarnation + 1,
        epoch,
        committed: epoch,
        origin: epoch,
        journal: match here.in_vault() {
            true => epoch,
            false => 0,
        },
        version: item.version,
        ..Item::new(token)
    };
    state.fate = Fate::Whole;
}

/// Whether a write put something older in the place of something newer.
fn is_regress(state: &State, next: &State) -> bool {
    let (before, after) = (&state.item, &next.item);
    !after.is_deleted()
        && (after.incarnation, after.committed) < (before.incarnation, before.committed)
}
