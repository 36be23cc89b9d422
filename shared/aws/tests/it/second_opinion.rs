use std::process::Command;

use crate::world::STORE;

/// dynoxide and we could be wrong in the same way.
#[test]
fn every_case_of_the_store_holds_on_ministack_too() {
    let outcome = Command::new(std::env::current_exe().unwrap())
        // Its one thread serves all: few cases at once, so that none waits longer than our client does.
        .args([
            "--test-threads=2",
            "--skip=second_opinion",
            "--skip=secrets",
            "--skip=events::",
        ])
        .env(STORE, latchkey_emulators::ministack())
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{report}");
    assert!(report.contains("leases::a_lease_is_held_by_one_of_many ... ok"));
}
