//! Every point alone, and a part of the pairs, for every provider and both vaults.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
};

use latchkey_crash::{
    crashing::{after, before},
    run::{Pairs, all, different},
};

/// What the design asks for.
const FEWEST_POINTS: usize = 40;
/// Of so many first points one is tried here in pairs, with as few second ones; all are by
/// `cargo xtask crashes`.
const STRIDE: usize = 8;

#[test]
fn nothing_is_lost_wherever_a_process_is_killed() {
    let program = env!("CARGO_BIN_EXE_latchkey-crash");
    let report = all(
        program,
        Pairs::OneIn(STRIDE),
        2,
        &|configuration, report| {
            say(format!("{configuration} {report}"));
        },
    );
    for (flow, points) in &report.points {
        say(format!("{flow:<10} {:>3} points", points.len()));
    }
    let points = different(&report.points);
    say(format!("{points} different points"));
    say(&report);
    for points in &report.committing {
        say(format!("from answer to commit: {}", points.join(", ")));
    }
    // One await, and that is the write itself.
    let expected = ["commit", "connect"].map(|write| {
        let points = [
            after("egress", "send"),
            before("instances", write),
            after("instances", write),
        ];
        points.to_vec()
    });
    assert_eq!(report.committing, BTreeSet::from(expected));
    assert_eq!(report.wrong, Vec::<String>::new());
    assert!(points >= FEWEST_POINTS, "only {points} points");
}

/// Prints what is to be seen of a run that succeeds, too.
fn say(line: impl std::fmt::Display) {
    // Nobody is left to tell if this fails.
    writeln!(io::stderr(), "{line}").unwrap_or_default();
}
