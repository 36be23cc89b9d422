//! The flows of the common crate over ports in memory and a virtual clock.
#![expect(clippy::print_stdout, reason = "tests say what they have measured")]

mod fleets;
mod schedules;
