//! The larger run: `cargo xtask model`.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use latchkey_model::{check::check, configuration::larger};

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout();
    let mut states = 0;
    let mut is_sound = true;
    for configuration in larger() {
        let checked = check(configuration);
        writeln!(out, "{checked}")?;
        states += checked.states;
        is_sound &= checked.broken.is_empty() && checked.missing.is_empty();
    }
    writeln!(out, "{states:>11} states in all")?;
    Ok(match is_sound {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
