//! What the binary does besides running the service: work on files, which needs no server, and answers
//! out of the store.

mod document;
mod export;
mod import;
mod instances;
mod line;
mod lint;
mod place;
mod preview;
mod source;
mod vault;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use latchkey_aws::{ConfigError, KeyringError};
use latchkey_core::{
    model::id::InstanceKey,
    port::{SecretsError, StoreError},
};

pub use self::{
    export::Export, import::Import, instances::Instances, lint::Lint, preview::Preview,
    vault::Vault,
};
use crate::{Options, print};

/// The command line: the service's options, or a command.
#[derive(Debug, Parser)]
#[command(
    name = "latchkey",
    version,
    about,
    args_conflicts_with_subcommands = true
)]
pub struct CommandLine {
    /// How the service runs.
    #[command(flatten)]
    pub options: Options,
    /// What to do instead of running it.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Writes definitions out of another system's descriptions of providers.
    Import(Import),
    /// Writes a definition, or an auth method as the API answers it, as YAML.
    Export(Export),
    /// Says what is wrong with definitions, and what is right and will bite.
    Lint(Lint),
    /// Shows every request of a definition as it would be sent, without a provider and without a secret.
    Preview(Preview),
    /// Answers what an operator asks of instances, out of the store.
    Instances(Instances),
    /// Changes the keys that seal, and the vault, while everybody works.
    Vault(Vault),
}

/// Why a command ended without its result.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A file can't be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A file isn't what the command reads.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The environment doesn't say where the store is.
    #[error("the store is not named; with --store it is a local server's: {0}")]
    Where(ConfigError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such instance.
    #[error("tenant {} has no instance {}", .0.tenant, .0.id)]
    NoInstance(InstanceKey),
    /// No keyring is named, or there is none.
    #[error(
        "there is no keyring: name its secret with --keyring-secret, or its file with --keyring-file"
    )]
    NoKeyring,
    /// The keyring can't be read.
    #[error(transparent)]
    Keyring(KeyringError),
    /// The secrets manager did not answer.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The result can't be printed.
    #[error("the result can't be printed: {0}")]
    Print(#[from] io::Error),
}

impl CommandError {
    fn file(path: &Path, why: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            why,
        }
    }

    fn content(path: &Path, why: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}

impl Command {
    /// Does it, and says on the standard error what there is to say.
    #[must_use]
    pub async fn run(&self) -> ExitCode {
        let done = match self {
            Self::Import(command) => command.run(),
            Self::Export(command) => command.run(),
            Self::Lint(command) => command.run(),
            Self::Preview(command) => command.run(),
            Self::Instances(command) => command.run().await,
            Self::Vault(command) => command.run().await,
        };
        done.unwrap_or_else(|error| {
            print::warn(&format!("latchkey: {error}"));
            ExitCode::from(2)
        })
    }
}
