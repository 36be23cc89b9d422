//! `latchkey import`.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use latchkey_core::model::definition::json_schema;
use latchkey_import::{Imported, Source, detect, import, to_yaml};

use super::{CommandError, source};
use crate::print;

/// The file that every definition names as its schema.
const SCHEMA: &str = "definition.schema.json";

/// Writes definitions out of another system's descriptions of providers. What a description says and a definition
/// can't is named on the standard error.
#[derive(Debug, Args)]
pub struct Import {
    /// What to read; `-` for the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Whose form the files have; told from their content if it isn't given.
    #[arg(long, value_name = "SOURCE")]
    from: Option<From>,

    /// The directory that takes a file for each definition, and their schema; without it they are printed.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,

    /// Whether files that are there already are replaced.
    #[arg(long)]
    replace: bool,

    /// Whether anything that can't be said ends the command with 1.
    #[arg(long)]
    strict: bool,
}

/// Whose descriptions are read.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    /// A map of providers, as Nango's `providers.yaml`.
    Nango,
    /// A Power Platform connector's `apiProperties.json`.
    PowerPlatform,
    /// An authorisation server's metadata: OpenID Connect discovery or RFC 8414.
    Oidc,
    /// A Postman collection.
    Postman,
}

impl From {
    fn source(self) -> Source {
        match self {
            Self::Nango => Source::NangoProviders,
            Self::PowerPlatform => Source::PowerPlatform,
            Self::Oidc => Source::OpenIdDiscovery,
            Self::Postman => Source::Postman,
        }
    }
}

impl Import {
    pub(super) fn run(&self) -> Result<ExitCode, CommandError> {
        let mut whole = true;
        for file in &self.files {
            let entries = self.read(file)?;
            self.prepare()?;
            for entry in entries {
                whole &= entry.unsaid.is_empty();
                report(&entry);
                self.write(&entry)?;
            }
        }
        let failed = self.strict && !whole;
        Ok(ExitCode::from(u8::from(failed)))
    }

    fn read(&self, file: &Path) -> Result<Vec<Imported>, CommandError> {
        let wrong = |why: &str| CommandError::content(file, why);
        let text = source::read(file)?;
        let source = self.from.map(From::source).or_else(|| detect(&text));
        let source = source
            .ok_or_else(|| wrong("no source is known that writes this; --from says which it is"))?;
        import(source, &text).map_err(|error| wrong(&error.to_string()))
    }

    /// Makes the directory, with the schema that the definitions name.
    fn prepare(&self) -> Result<(), CommandError> {
        let Some(directory) = &self.to else {
            return Ok(());
        };
        fs::create_dir_all(directory).map_err(|why| CommandError::file(directory, why))?;
        let schema = directory.join(SCHEMA);
        fs::write(&schema, format!("{:#}\n", json_schema()))
            .map_err(|why| CommandError::file(&schema, why))
    }

    /// Writes the definition, if the entry is one.
    fn write(&self, entry: &Imported) -> Result<(), CommandError> {
        if entry.definition.is_null() {
            return Ok(());
        }
        let yaml = to_yaml(&entry.definition);
        let Some(directory) = &self.to else {
            return Ok(print::out(&format!("---\n{}", yaml.trim_end()))?);
        };
        let path = directory.join(format!("{}.yaml", entry.name));
        self.create(&path, &yaml)
            .map_err(|why| CommandError::file(&path, why))
    }

    fn create(&self, path: &Path, yaml: &str) -> io::Result<()> {
        let mut how = fs::OpenOptions::new();
        if self.replace {
            how.create(true).truncate(true);
        } else {
            how.create_new(true);
        }
        how.write(true).open(path)?.write_all(yaml.as_bytes())
    }
}

/// Names what the description says and the definition doesn't.
fn report(entry: &Imported) {
    let name = &entry.name;
    if entry.definition.is_null() {
        print::warn(&format!("{name}: left out"));
    }
    for unsaid in &entry.unsaid {
        print::warn(&format!("{name}: {}: {}", unsaid.at, unsaid.why));
    }
}
