//! The protocol holds, and without any of its rules it does not.

mod holds;
mod seeded;

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line, whether or not the test succeeds.
fn say(line: impl Display) {
    // Nobody is left to tell if this fails.
    writeln!(io::stderr(), "{line}").unwrap_or_default();
}
