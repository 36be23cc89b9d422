//! The process that is killed, and the larger run: `cargo xtask crashes`, of every pair or of one in so many.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use latchkey_crash::{
    process,
    run::{Pairs, all, different},
};

fn main() -> io::Result<ExitCode> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("process") {
        process::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let stride = argument.and_then(|argument| argument.parse().ok());
    let pairs = stride.map_or(Pairs::All, Pairs::OneIn);
    let program = std::env::current_exe()?;
    let program = program.to_string_lossy();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let report = all(&program, pairs, at_once, &|configuration, report| {
        // Nobody is left to tell if this fails.
        writeln!(io::stdout(), "{configuration} {report}").unwrap_or_default();
        for wrong in &report.wrong {
            writeln!(io::stdout(), "{wrong}").unwrap_or_default();
        }
    });
    let mut out = io::stdout().lock();
    for (flow, points) in &report.points {
        writeln!(out, "{flow:<10} {:>3} points", points.len())?;
    }
    writeln!(out, "{} different points", different(&report.points))?;
    for points in &report.committing {
        writeln!(out, "from answer to commit: {}", points.join(", "))?;
    }
    writeln!(out, "{report}")?;
    Ok(match report.wrong.as_slice() {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
