//! `latchkey export`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use latchkey_import::{from_yaml, to_yaml};
use serde_json::Value;

use super::{CommandError, source};
use crate::print;

/// Writes a definition as YAML, its fields in the order of the language's reference.
#[derive(Debug, Args)]
pub struct Export {
    /// A definition, or an auth method as the API answers it, in JSON or YAML; `-` for the standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
}

impl Export {
    pub(super) fn run(&self) -> Result<ExitCode, CommandError> {
        let wrong = |why: &str| CommandError::content(&self.file, why);
        let document =
            from_yaml(&source::read(&self.file)?).map_err(|error| wrong(&error.to_string()))?;
        let definition = definition(document)
            .ok_or_else(|| wrong("there is no definition in it, nor is it one"))?;
        print::out(to_yaml(&definition).trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The definition within an auth method, or the document itself.
fn definition(document: Value) -> Option<Value> {
    let Value::Object(mut members) = document else {
        return None;
    };
    match members.remove("definition") {
        Some(definition) => definition.is_object().then_some(definition),
        None => ["authorise", "preset"]
            .iter()
            .any(|field| members.contains_key(*field))
            .then_some(Value::Object(members)),
    }
}
