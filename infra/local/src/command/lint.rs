//! `latchkey lint`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use latchkey_core::model::lint::{self, Finding, Severity};
use serde_json::json;

use super::{CommandError, document::Document, line::line, source};
use crate::print;

/// Says what is wrong with definitions, and what is right and will bite. Ends with 0 if nothing is worse than a
/// warning, with 1 if there are errors, with 2 if a file can't be read.
#[derive(Debug, Args)]
pub struct Lint {
    /// Definitions, presets, or auth methods as the API takes or answers them, in YAML or JSON; `-` for the
    /// standard input.
    #[arg(required_unless_present = "codes", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How findings are printed.
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    format: Format,

    /// Whether warnings end the command with 1, too.
    #[arg(long)]
    deny_warnings: bool,

    /// Whether notes are printed: what is worth knowing, and often can't be helped.
    #[arg(long)]
    notes: bool,

    /// Prints all codes and what they mean, and ends.
    #[arg(long)]
    codes: bool,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each, for people and editors.
    Text,
    /// One JSON array.
    Json,
}

/// A finding, and the line that it is about, where that is known.
struct Found {
    line: Option<usize>,
    finding: Finding,
}

impl Lint {
    pub(super) fn run(&self) -> Result<ExitCode, CommandError> {
        if self.codes {
            print::out(lint::page().trim_end())?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut all = Vec::new();
        let mut unreadable = false;
        for file in &self.files {
            match look_at(file) {
                Ok(found) => all.extend(found.into_iter().map(|found| (file, found))),
                Err(error) => {
                    unreadable = true;
                    print::warn(&format!("latchkey: {error}"));
                }
            }
        }
        all.retain(|(_, found)| self.notes || found.finding.severity != Severity::Note);
        self.print(&all)?;
        let worst = all.iter().map(|(_, found)| found.finding.severity).min();
        Ok(ExitCode::from(match worst {
            _ if unreadable => 2,
            Some(Severity::Error) => 1,
            Some(Severity::Warning) if self.deny_warnings => 1,
            Some(Severity::Warning | Severity::Note) | None => 0,
        }))
    }

    fn print(&self, all: &[(&PathBuf, Found)]) -> Result<(), CommandError> {
        if self.format == Format::Json {
            let all: Vec<_> = all.iter().map(|(file, found)| json(file, found)).collect();
            return Ok(print::out(&format!("{:#}", json!(all)))?);
        }
        for (file, found) in all {
            print::out(&text(file, found))?;
        }
        Ok(())
    }
}

/// What is to be said of a file.
fn look_at(file: &Path) -> Result<Vec<Found>, CommandError> {
    let wrong = |why: String| CommandError::content(file, why);
    let text = source::read(file)?;
    let document = Document::read(&text).map_err(wrong)?;
    let findings: Vec<Finding> = match document.draft() {
        Ok(draft) => draft.lint(&document.connector),
        Err(problem) if problem.faults().is_empty() => {
            return Err(wrong(problem.words().to_owned()));
        }
        Err(problem) => problem
            .faults()
            .iter()
            .cloned()
            .map(Finding::from)
            .collect(),
    };
    let found = findings.into_iter().map(|mut finding| {
        finding.pointer = document.pointer(&finding.pointer).to_owned();
        Found {
            line: line(&text, &finding.pointer),
            finding,
        }
    });
    Ok(found.collect())
}

fn text(file: &Path, found: &Found) -> String {
    let finding = &found.finding;
    let line = found
        .line
        .map_or_else(String::new, |line| format!(":{line}"));
    let (file, severity) = (file.display(), finding.severity.word());
    let (pointer, code, detail) = (&finding.pointer, finding.code, &finding.detail);
    let mut text = format!("{file}{line}:{pointer}: {severity}[{code}]: {detail}");
    if !finding.help.is_empty() {
        text.push_str(&format!("\n  help: {}", finding.help));
    }
    text
}

fn json(file: &Path, found: &Found) -> serde_json::Value {
    let finding = &found.finding;
    json!({
        "file": file.display().to_string(),
        "line": found.line,
        "pointer": finding.pointer,
        "severity": finding.severity.word(),
        "code": finding.code,
        "detail": finding.detail,
        "help": finding.help,
    })
}
