//! The journal: what is still to be written into Secrets Manager.

use crate::{
    bug::Bug,
    configuration::Configuration,
    provider::Token,
    state::State,
    worker::{Phase, Then, Worker},
};

/// *Secrets Manager*: the three writes after the commit.
pub(crate) fn write_vault(here: &Configuration, state: &mut State, who: u8) {
    let mut worker = state.worker(who);
    let is_done = match worker.phase {
        Phase::Putting => {
            if here.lacks(Bug::LabelSeenLate) {
                worker.from = state.vault.current;
            }
            state.vault.put(worker.answer);
            worker.phase = Phase::Moving;
            return state.set_worker(who, worker);
        }
        Phase::Moving if !state.vault.promote(worker.answer, worker.from) => false,
        Phase::Moving if worker.then != Then::Commit => {
            worker.phase = Phase::Pointing;
            return state.set_worker(who, worker);
        }
        Phase::Moving => true,
        Phase::Pointing => point(state, &worker),
        Phase::Idle
        | Phase::Ready
        | Phase::Leased
        | Phase::Asked
        | Phase::Granted
        | Phase::Refused
        | Phase::Failing
        | Phase::Doubting
        | Phase::Renewing
        | Phase::Following => return,
    };
    worker.phase = match worker.then {
        Then::Rest => Phase::Idle,
        // Whatever becomes of the journal: the tokens are committed.
        Then::Follow => Phase::Following,
        Then::Ask if is_done => Phase::Leased,
        Then::Ask => Phase::Failing,
        Then::Commit => Phase::Granted,
    };
    worker.journal = 0;
    if worker.then == Then::Ask {
        worker.then = Then::Rest;
        worker.from = worker.answer;
        worker.answer = Token::NONE;
    }
    if worker.phase == Phase::Idle {
        worker = Worker::IDLE;
    }
    state.set_worker(who, worker);
}

/// Points the item to the version if its journal is still this one; whether it is so now.
fn point(state: &mut State, worker: &Worker) -> bool {
    let item = &mut state.item;
    if item.is_deleted() || item.incarnation != worker.incarnation || item.journal != worker.journal
    {
        return item.version == worker.answer && !item.has_journal();
    }
    item.version = worker.answer;
    item.journal = 0;
    true
}
