//! Every state of every configuration.

use latchkey_model::{
    bug::Bug,
    check::check,
    configuration::{Configuration, in_ci},
    provider::Policy,
    vault::VaultKind,
};

use crate::say;

/// What the design asks for.
const FEWEST: usize = 9_000_000;

#[test]
fn nothing_is_lost_that_could_be_kept_in_nine_million_states() {
    let mut states = 0;
    for configuration in in_ci() {
        let checked = check(configuration);
        say(&checked);
        states += checked.states;
        assert!(checked.broken.is_empty(), "{checked}");
        // With two leases an instance does not come by everything; with three it must.
        assert!(
            checked.missing.is_empty() || configuration.leases < 3,
            "{checked}"
        );
    }
    say(format!("{states:>11} distinct states in all"));
    assert!(states >= FEWEST, "only {states} states");
}

#[test]
fn while_no_answer_is_lost_spares_alone_keep_the_connection() {
    for policy in [Policy::UntilUsed, Policy::Overlap] {
        let checked = check(Configuration {
            is_displacing: true,
            loses_answers: false,
            without: &[Bug::ParentDropped],
            ..Configuration::new(2, policy, VaultKind::Sealed, 3)
        });
        assert!(checked.broken.is_empty(), "{checked}");
    }
}
