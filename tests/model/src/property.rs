//! What must hold at every moment, and what must be possible at some.

use stateright::Property;

use crate::{
    Refreshing,
    heal::heals,
    item::{Cause, Status},
    provider::Policy,
    state::{Fate, State},
};

/// A connection that works is in our hands, but for what nobody could help.
pub const NO_AVOIDABLE_LOSS: &str = "no avoidable loss";
/// No instance is ended that holds a token that works.
pub const NO_FALSE_DEATH: &str = "no false death";
/// An instance that has ended says truly why.
pub const TOLD_TRULY: &str = "told truly";
/// Nobody asks twice with one token under one lease.
pub const ONE_CALL: &str = "one call per token and lease";
/// What is deleted stays deleted.
pub const TOMBSTONE_KEPT: &str = "tombstone kept";
/// No commit takes the place of a newer one.
pub const NO_REGRESS: &str = "no regress";
/// The instance lives by its newest consent.
pub const NEW_CONSENT_KEPT: &str = "new consent kept";
/// From here, workers that go on and a sweep without faults heal all that can be healed.
pub const HEALED: &str = "healed by a fault-free sweep";

/// What must hold always.
#[must_use]
pub fn always() -> Vec<Property<Refreshing>> {
    vec![
        Property::always(ONE_CALL, |_, state: &State| !state.called_twice),
        Property::always(NO_REGRESS, |_, state: &State| !state.regressed),
        Property::always(TOMBSTONE_KEPT, |_, state: &State| {
            !state.deleted || state.item.is_deleted()
        }),
        Property::always(NEW_CONSENT_KEPT, |_, state: &State| has_new_consent(state)),
        Property::always(NO_AVOIDABLE_LOSS, |model: &Refreshing, state: &State| {
            is_kept(model, state)
        }),
        Property::always(NO_FALSE_DEATH, |model: &Refreshing, state: &State| {
            is_truly_dead(model, state)
        }),
        Property::always(TOLD_TRULY, |_, state: &State| is_told_truly(state)),
        Property::always(HEALED, |model: &Refreshing, state: &State| {
            heals(&model.0, state)
        }),
    ]
}

fn has_new_consent(state: &State) -> bool {
    let (item, provider) = (&state.item, &state.provider);
    item.is_deleted() || (item.incarnation == provider.consent && item.token >= provider.first)
}

fn is_kept(model: &Refreshing, state: &State) -> bool {
    state.deleted
        || state.provider.withdrawn
        || state.fate != Fate::Whole
        || state.is_in_our_hands(model.0.in_vault())
}

fn is_truly_dead(model: &Refreshing, state: &State) -> bool {
    let Status::Ended(_) = state.item.status else {
        return true;
    };
    let item = &state.item;
    let mut spares = item.spares.iter();
    !state.provider.takes(item.token)
        && !spares.any(|spare| state.provider.takes(spare.token))
        && (model.0.policy.is_single_use() || state.provider.withdrawn)
}

/// Whether what is said of an ended connection is so.
///
/// The provider's word is true if the user withdrew the consent, or the provider did because of a
/// token that came twice. That an answer was lost is true if one was, or if somebody who sleeps has
/// it; where the user has withdrawn the consent as well, either is.
#[must_use]
pub fn is_told_truly(state: &State) -> bool {
    let Status::Ended(cause) = state.item.status else {
        return true;
    };
    if state.provider.withdrawn {
        return true;
    }
    match cause {
        Cause::Revoked => state.fate == Fate::Reused,
        Cause::AnswerLost => {
            state.fate != Fate::Whole || state.workers.iter().any(|worker| worker.has_answer())
        }
    }
}

/// Something that the model must come by, so that what always holds does not hold for want of
/// anything happening.
pub const SUSPECTED: &str = "a grant is suspect";
/// See [`SUSPECTED`].
pub const ENDED: &str = "a connection ends";
/// See [`SUSPECTED`].
pub const SPARE_KEPT: &str = "a spare is kept";
/// See [`SUSPECTED`].
pub const IN_DOUBT: &str = "a second request goes out in doubt of the first";
/// See [`SUSPECTED`].
pub const JOURNAL_LEFT: &str = "a journal outlives its writer";
/// See [`SUSPECTED`].
pub const ANSWER_LOST: &str = "the one honest row";

/// What must be possible with a configuration.
#[must_use]
pub fn sometimes(model: &Refreshing) -> Vec<Property<Refreshing>> {
    let mut properties = vec![
        Property::sometimes(SUSPECTED, |_, state: &State| {
            state.item.status == Status::Suspect
        }),
        Property::sometimes(ENDED, |_, state: &State| {
            state.item.status == Status::Ended(Cause::Revoked)
        }),
        Property::sometimes(IN_DOUBT, |_, state: &State| state.item.attempts > 1),
    ];
    match model.0.policy {
        Policy::NoRotation => {}
        Policy::UntilUsed | Policy::Overlap => {
            properties.push(Property::sometimes(SPARE_KEPT, |_, state: &State| {
                state.item.newest_spare(false).is_some()
            }));
        }
        Policy::Strict | Policy::StrictFamily => {
            properties.push(Property::sometimes(ANSWER_LOST, |_, state: &State| {
                state.fate == Fate::AnswerLost
                    && state.item.status == Status::Ended(Cause::AnswerLost)
            }));
        }
    }
    if model.0.in_vault() {
        properties.push(Property::sometimes(JOURNAL_LEFT, |_, state: &State| {
            state.item.has_journal() && state.workers.iter().all(|worker| !worker.is_at_vault())
        }));
    }
    properties
}
