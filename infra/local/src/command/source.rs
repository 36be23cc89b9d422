//! The text of a file, or of the standard input.

use std::{fs, io, path::Path};

use super::CommandError;

/// Reads a file; `-` is the standard input.
pub(super) fn read(path: &Path) -> Result<String, CommandError> {
    let text = if path.as_os_str() == "-" {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|why| CommandError::file(path, why))
}
