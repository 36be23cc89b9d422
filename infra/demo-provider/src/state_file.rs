//! The ledger on disk: one JSON file, replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{ledger::Ledger, settings::DemoError};

/// Where the ledger is kept.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads what an earlier run has left; an empty ledger if there was none.
    pub(crate) fn read(&self) -> Result<Ledger, DemoError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ledger::default()),
            Err(error) => return Err(self.unreadable(error)),
        };
        // The version first: the ledger of another version need not parse as ours.
        let Version { v } =
            serde_json::from_slice(&text).map_err(|error| self.unreadable(error.into()))?;
        if v != VERSION {
            return Err(DemoError::StateVersion {
                path: self.path.clone(),
                version: v,
            });
        }
        let Stored { ledger } =
            serde_json::from_slice(&text).map_err(|error| self.unreadable(error.into()))?;
        Ok(ledger)
    }

    /// Writes a new file beside the old one and renames it, so that there is always a whole one.
    pub(crate) fn write(&self, ledger: &Ledger) -> io::Result<()> {
        let text = serde_json::to_vec(&Written { v: VERSION, ledger })?;
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut file = create_private(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        sync_directory(&self.path)
    }

    fn unreadable(&self, source: io::Error) -> DemoError {
        DemoError::StateFile {
            path: self.path.clone(),
            source,
        }
    }
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
struct Stored {
    ledger: Ledger,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    ledger: &'a Ledger,
}

const VERSION: u32 = 1;

/// Creates the file for its owner alone. One that a crash has left behind is removed first, lest its
/// mode be kept.
fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A rename outlives a power cut only when the directory is on disk too.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
