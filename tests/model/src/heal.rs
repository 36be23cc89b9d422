//! A fault-free end of every story: whoever is at work goes on, and a sweep comes until nothing changes.

use crate::{
    configuration::Configuration,
    item::{Cause, Lease, Status},
    property::is_told_truly,
    state::{Fate, MOST_WORKERS, State},
    step::{begin, may_begin, step},
    worker::Phase,
};

/// More rounds than any story needs: a token and three spares, each refused twice.
const ROUNDS: u8 = 16;
/// More steps than a worker needs.
const STEPS: u8 = 16;

/// Whether all is well in the end.
#[must_use]
pub fn heals(here: &Configuration, state: &State) -> bool {
    let mut state = state.clone();
    for who in (0..MOST_WORKERS).filter_map(|who| u8::try_from(who).ok()) {
        go_on(here, &mut state, who);
    }
    for _ in 0..ROUNDS {
        if let Lease::Held(who) = state.item.lease {
            state.item.lease = Lease::Lapsed(who);
        }
        if is_well(here, &state) {
            return true;
        }
        if !may_begin(here, &state, false) {
            return false;
        }
        begin(here, &mut state, 0, false);
        go_on(here, &mut state, 0);
    }
    false
}

fn go_on(here: &Configuration, state: &mut State, who: u8) {
    for _ in 0..STEPS {
        if state.worker(who).phase == Phase::Idle {
            return;
        }
        step(here, state, who);
    }
}

fn is_well(here: &Configuration, state: &State) -> bool {
    if state.deleted {
        return state.item.is_deleted();
    }
    let is_over = state.provider.withdrawn || state.fate != Fate::Whole;
    match state.item.status {
        Status::Active => {
            !is_over
                && state.provider.live.has(state.item.token)
                && state.is_readable(here.in_vault())
        }
        Status::Ended(cause) => {
            let is_row = state.fate == Fate::AnswerLost && !state.provider.withdrawn;
            is_over && is_told_truly(state) && (!is_row || cause == Cause::AnswerLost)
        }
        Status::Suspect | Status::Deleted | Status::Purged => false,
    }
}
