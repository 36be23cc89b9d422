//! Refusals: one of them ends nothing.

use crate::{
    bug::Bug,
    configuration::Configuration,
    item::{Cause, Item, Lease, Spare, Status},
    state::State,
    step::free,
    worker::Worker,
};

/// *Dead?*: a spare takes the place of what is refused; without one it is suspect, then ended.
pub(crate) fn refused(here: &Configuration, state: &mut State, who: u8) {
    let worker = state.worker(who);
    let item = &mut state.item;
    if here.lacks(Bug::RefusalKills) && !item.is_deleted() {
        item.status = Status::Ended(Cause::Revoked);
        item.lease = Lease::Free;
        return state.set_worker(who, Worker::IDLE);
    }
    let is_unmoved = item.is_leased_to(who, worker.incarnation, worker.epoch)
        && item.committed == worker.base
        && item.is_usable();
    if !is_unmoved {
        return free(state, who);
    }
    item.lease = Lease::Free;
    item.attempts = item.attempts.saturating_sub(1);
    let is_confirmed = item.status == Status::Suspect;
    if let Some(spare) = item.newest_spare(false) {
        promote(here, item, spare, worker.epoch);
    } else if !is_confirmed {
        item.status = Status::Suspect;
    } else if let Some(spare) = item.newest_spare(true) {
        promote(here, item, spare, worker.epoch);
    } else {
        item.status = Status::Ended(match item.attempts > 0 {
            true => Cause::AnswerLost,
            false => Cause::Revoked,
        });
    }
    state.set_worker(who, Worker::IDLE);
}

/// Puts a spare in the place of what is refused. What is refused for the first time stays as a
/// spare: one refusal ends nothing. The epoch is the lease's, so that nobody takes what is refused for
/// newer.
fn promote(here: &Configuration, item: &mut Item, spare: Spare, epoch: u8) {
    let refused = item.displaced();
    item.drop_spare(spare.epoch);
    if !refused.is_suspect && !here.lacks(Bug::RefusedDropped) {
        item.keep(Spare {
            is_suspect: true,
            ..refused
        });
    }
    let epoch = match here.lacks(Bug::PromotedAsOld) {
        true => spare.epoch,
        false => epoch,
    };
    item.take(spare.token, (epoch, 0), here.in_vault());
    item.origin = spare.origin;
    item.attempts = u8::from(spare.is_in_doubt && !here.lacks(Bug::DoubtForgotten));
    if spare.is_suspect {
        item.status = Status::Suspect;
    }
}
