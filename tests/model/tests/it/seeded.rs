//! Each rule left out, and what that breaks.

use latchkey_model::{
    bug::Bug,
    check::look_for,
    configuration::Configuration,
    property::{
        HEALED, NEW_CONSENT_KEPT, NO_AVOIDABLE_LOSS, NO_FALSE_DEATH, NO_REGRESS, ONE_CALL,
        TOMBSTONE_KEPT,
    },
    provider::Policy,
    vault::VaultKind,
};

use crate::say;

/// The smallest place where most rules are needed.
fn with(policy: Policy, without: &'static [Bug]) -> Configuration {
    Configuration {
        without,
        ..Configuration::new(2, policy, VaultKind::Sealed, 3)
    }
}

fn in_vault(configuration: Configuration) -> Configuration {
    Configuration {
        vault: VaultKind::SecretsManager,
        ..configuration
    }
}

fn displacing(configuration: Configuration) -> Configuration {
    Configuration {
        is_displacing: true,
        ..configuration
    }
}

/// Fails unless a story breaks this very property.
fn breaks(configuration: Configuration, property: &'static str) {
    let checked = look_for(configuration, property);
    let found = checked.broken.iter().find(|(name, _)| *name == property);
    let steps = found.map_or(0, |(_, story)| story.lines().count());
    assert!(steps > 0, "'{property}' holds: {configuration}");
    say(format!(
        "{configuration}: '{property}' is broken in {steps} steps"
    ));
}

#[test]
fn without_a_lease_a_token_is_asked_with_twice() {
    let configuration = with(Policy::StrictFamily, &[Bug::NoLease]);
    breaks(configuration, ONE_CALL);
    breaks(configuration, NO_AVOIDABLE_LOSS);
}

#[test]
fn a_lease_shorter_than_the_call_loses_the_connection() {
    breaks(
        with(Policy::StrictFamily, &[Bug::ShortLease]),
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn a_late_answer_dropped_loses_the_connection() {
    breaks(with(Policy::Strict, &[Bug::LateDropped]), NO_AVOIDABLE_LOSS);
}

/// The kept parent would make up for it, so that it is left out too; `holds.rs` shows that nothing
/// is lost here for want of the parent alone.
#[test]
fn a_loser_dropped_loses_the_connection() {
    breaks(
        Configuration {
            loses_answers: false,
            ..displacing(with(
                Policy::UntilUsed,
                &[Bug::LoserDropped, Bug::ParentDropped],
            ))
        },
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn a_refusal_that_always_kills_is_a_false_death() {
    breaks(with(Policy::Strict, &[Bug::RefusalKills]), NO_FALSE_DEATH);
    // And this without a provider that errs: the token had been replaced meanwhile.
    breaks(
        Configuration {
            glitches: 0,
            ..with(Policy::Strict, &[Bug::RefusalKills])
        },
        NO_FALSE_DEATH,
    );
}

#[test]
fn the_last_write_winning_is_a_regress_and_loses_the_new_consent() {
    let configuration = with(Policy::UntilUsed, &[Bug::LastWriteWins]);
    breaks(configuration, NO_REGRESS);
    breaks(configuration, NEW_CONSENT_KEPT);
}

#[test]
fn a_client_that_sends_again_by_itself_asks_with_a_token_twice() {
    breaks(with(Policy::Strict, &[Bug::SelfRetry]), ONE_CALL);
}

#[test]
fn without_a_tombstone_what_is_deleted_comes_back() {
    breaks(
        with(Policy::NoRotation, &[Bug::NoTombstone]),
        TOMBSTONE_KEPT,
    );
}

#[test]
fn a_displaced_sibling_dropped_loses_the_connection() {
    breaks(
        with(Policy::UntilUsed, &[Bug::SiblingDropped]),
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn the_vault_written_first_loses_the_connection() {
    breaks(
        in_vault(with(Policy::Strict, &[Bug::VaultFirst])),
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn the_vault_read_by_label_loses_the_connection() {
    breaks(
        in_vault(with(Policy::StrictFamily, &[Bug::ReadByLabel])),
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn a_lease_that_does_not_ask_for_the_tokens_seen_loses_the_connection() {
    breaks(
        with(Policy::StrictFamily, &[Bug::LeaseByEpoch]),
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn what_is_refused_once_and_dropped_for_a_spare_loses_the_connection() {
    breaks(
        with(Policy::Overlap, &[Bug::RefusedDropped]),
        NO_AVOIDABLE_LOSS,
    );
}

/// The provider takes the used token for stolen, and the sweep that asks with it ends everything.
#[test]
fn a_used_answer_taken_for_a_spare_is_not_healed() {
    breaks(with(Policy::StrictFamily, &[Bug::UsedKept]), HEALED);
}

#[test]
fn a_parent_dropped_in_doubt_loses_the_connection() {
    breaks(
        displacing(with(Policy::UntilUsed, &[Bug::ParentDropped])),
        NO_AVOIDABLE_LOSS,
    );
}

/// A request is still on its way with what was kept in doubt; the provider refuses what came of it, once and
/// falsely, and the request ends what the next one brings.
#[test]
fn a_doubt_forgotten_with_the_spare_that_it_was_about_loses_the_connection() {
    breaks(
        Configuration {
            leases: 4,
            ..displacing(with(Policy::UntilUsed, &[Bug::DoubtForgotten]))
        },
        NO_AVOIDABLE_LOSS,
    );
}

/// There is room for three spares: the same answer three times leaves none for what works.
#[test]
fn an_answer_kept_again_after_it_took_anothers_place_loses_the_connection() {
    breaks(
        Configuration {
            leases: 5,
            ..displacing(with(Policy::UntilUsed, &[Bug::PromotedKeptAgain]))
        },
        NO_AVOIDABLE_LOSS,
    );
}

#[test]
fn a_spare_with_its_old_epoch_is_a_regress_and_is_not_healed() {
    let configuration = displacing(with(Policy::UntilUsed, &[Bug::PromotedAsOld]));
    breaks(configuration, NO_REGRESS);
    breaks(configuration, HEALED);
}

#[test]
fn a_label_seen_late_is_not_healed() {
    let configuration = in_vault(with(Policy::UntilUsed, &[Bug::LabelSeenLate]));
    breaks(
        Configuration {
            workers: 3,
            ..configuration
        },
        HEALED,
    );
}

/// The steps' result has the refresh token that a later refresh has used meanwhile.
#[test]
fn what_followed_a_refresh_kept_as_a_spare_is_not_healed() {
    breaks(
        Configuration {
            follows: true,
            leases: 5,
            ..with(Policy::StrictFamily, &[Bug::FollowerKept])
        },
        HEALED,
    );
}
