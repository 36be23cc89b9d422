//! The larger runs: `cargo xtask simulate`.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use latchkey_simulation::{
    line::Call,
    scenario::{hanging, herd::herd, idle::idle, outage::outage, year::year},
    sites::Condition,
};

fn main() -> ExitCode {
    let mut are_right = true;
    let mut say = |figures: &dyn std::fmt::Display, is_right: bool| {
        let mark = if is_right { "" } else { "WRONG: " };
        // Nobody is left to tell if this fails.
        writeln!(io::stdout(), "{mark}{figures}").unwrap_or_default();
        are_right &= is_right;
    };
    for condition in [
        Condition::Refusing,
        Condition::Unavailable,
        Condition::Hanging,
    ] {
        let outage = outage(2_000, condition);
        let is_right = outage.ended == 0 && outage.most <= 1 && outage.recovered <= 2.0;
        say(&outage, is_right);
    }
    let herd = herd(100_000, 6);
    say(&herd, herd.ended == 0 && herd.ratio() <= 1.3);
    for hanging in [hanging::spread(20_000, 6), hanging::at_once(20_000)] {
        say(&hanging, hanging.ratio() <= 1.2);
    }
    let idle = idle(1_000_000);
    say(&idle, idle.calls.get(&Call::QueryDue) == Some(&16));
    let year = year(10);
    let is_right = (year.wrongly_ended, year.unnoticed) == (0, 0);
    say(&year, is_right && (0.95..=1.05).contains(&year.ratio()));
    match are_right {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
