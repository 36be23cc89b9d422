use std::{
    process::Command,
    sync::{Mutex, PoisonError},
};

use crate::world::{MEMORY, STORE};

/// The modules whose ports the store in memory has.
const IN_MEMORY: [&str; 13] = [
    "authorisations::",
    "consents::",
    "deletions::",
    "due::",
    "hosts::",
    "instances::",
    "journals::",
    "leases::",
    "outbox::",
    "overview::",
    "renewals::",
    "spares::",
    "upkeep::",
];

/// These look at items as DynamoDB has them, or at its wire.
const OF_ITEMS: [&str; 11] = [
    "authorisations::an_authorisation_is_cleaned_up_a_day_after_its_end",
    "deletions::forgetting_takes_tokens_and_values_and_counts_out_once",
    "instances::an_item_that_cannot_be_read_is_corrupt",
    "journals::a_commit_keeps_the_version_or_takes_it_all_inside",
    "journals::a_deleted_instance_points_nowhere_and_forgets_its_journal",
    "journals::a_journal_gives_way_to_the_version_that_holds_it",
    "leases::a_condemned_instance_says_why_and_is_due_no_more",
    "leases::a_postponed_instance_is_due_later_and_can_be_leased_at_once",
    "outbox::a_write_whose_reply_is_lost_tells_once_all_the_same",
    "upkeep::a_note_changes_itself_and_when_the_instance_is_due_and_nothing_else",
    "upkeep::the_index_is_put_right_only_where_it_says_that_the_instance_was_due",
];

/// What simulations show holds for the product only if their store does what ours does.
#[test]
fn every_case_of_instances_holds_for_the_store_in_memory_too() {
    let skipped = OF_ITEMS.iter().flat_map(|name| ["--skip", name]);
    let outcome = Command::new(std::env::current_exe().unwrap())
        .args(IN_MEMORY)
        .args(skipped)
        .env(STORE, MEMORY)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{report}");
    assert!(report.contains("leases::a_lease_is_held_by_one_of_many ... ok"));
}

/// These are no store's: they ask both emulators themselves.
const OF_OTHERS: [&str; 5] = [
    "second_opinion::",
    "secrets::",
    "keys::",
    "queue::",
    "events::",
];

/// dynoxide and we could be wrong in the same way.
#[test]
fn every_case_of_the_store_holds_on_ministack_too() {
    every_case_holds_at(latchkey_emulators::ministack(), &[]);
}

/// So could MiniStack. moto is the slowest by far: it is asked what refreshing and consenting stand on.
#[test]
fn what_refreshing_stands_on_holds_on_moto_too() {
    const REFRESHING: [&str; 5] = [
        "consents::",
        "deletions::",
        "journals::",
        "leases::",
        "spares::",
    ];
    every_case_holds_at(latchkey_emulators::moto(), &REFRESHING);
}

/// One emulator at a time, and one case at a time: none may wait longer than our client does.
fn every_case_holds_at(endpoint: &str, cases: &[&str]) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let skipped = OF_OTHERS.iter().flat_map(|name| ["--skip", name]);
    let outcome = Command::new(std::env::current_exe().unwrap())
        .arg("--test-threads=1")
        .args(cases)
        .args(skipped)
        .env(STORE, endpoint)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{report}");
    assert!(report.contains("leases::a_lease_is_held_by_one_of_many ... ok"));
}
