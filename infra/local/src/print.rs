//! What the binary says to its terminal.

use std::io::{self, Write as _};

/// Prints a text and a line's end to the standard output.
///
/// # Errors
/// Nobody reads it any more.
pub fn out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a line to the standard error. Nobody is left to tell if this fails.
pub fn warn(line: &str) {
    writeln!(io::stderr(), "{line}").unwrap_or_default();
}
