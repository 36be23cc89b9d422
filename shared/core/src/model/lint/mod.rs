//! The linter: what is wrong with a definition, and what is right by the language and will bite all the same.
//!
//! # Why
//! A definition is tried against a real provider late, and by somebody else. What can be told from it alone is told
//! when it is saved. A rule that fires on a right definition of a real provider is a wrong rule: every preset is
//! free of errors and warnings, which a test holds.
//!
//! # How it works
//! Errors are the faults of [`AuthMethod::parse`]; a definition that has any is not saved. Where there are none, the
//! rules of the other files look at the definition as written and as parsed: warnings are what will hardly be meant,
//! notes what is worth knowing and often cannot be helped. [`CODES`] is the table of all codes.

mod authorise;
mod codes;
mod credential;
mod parameters;
mod refresh;
mod requests;
mod subject;
#[cfg(test)]
mod tests;
mod values;
mod variables;

use serde::Serialize;
use utoipa::ToSchema;

pub use codes::{CODES, Code, code, page};
use subject::Subject;

use super::{
    definition::{Definition, VariableDefinition},
    fault::{Fault, Faults},
    method::AuthMethod,
};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It can't be saved.
    Error,
    /// It is hardly meant, and will bite.
    Warning,
    /// It is worth knowing; often the provider leaves no choice.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What the linter says of one place of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Which rule, as a stable word.
    #[schema(example = "unused_variable")]
    pub code: &'static str,
    /// Where, as a JSON Pointer (RFC 6901).
    #[schema(example = "/definition/variables/0")]
    pub pointer: String,
    /// Why, in a sentence; never a value.
    pub detail: String,
    /// What to do about it.
    pub help: &'static str,
}

impl Finding {
    /// The same, of a definition that sits inside another document.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

/// A fault is a finding that can't be saved.
impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        Self {
            severity: Severity::Error,
            code: fault.code,
            help: code(fault.code).map_or("", |code| code.help),
            pointer: fault.pointer,
            detail: fault.detail,
        }
    }
}

/// Everything that can be said of a definition, with the connector's variables that it uses: its errors, or, where
/// it has none, warnings and then notes. Pointers are relative to the definition.
#[must_use]
pub fn lint(written: &Definition, inherited: &[VariableDefinition]) -> Vec<Finding> {
    match AuthMethod::parse(written, inherited) {
        Ok(method) => lint_parsed(written, inherited, &method),
        Err(faults) => errors(faults),
    }
}

/// Faults as findings.
#[must_use]
pub fn errors(faults: Faults) -> Vec<Finding> {
    faults.into_vec().into_iter().map(Finding::from).collect()
}

/// What can be said of a definition that has no errors.
#[must_use]
pub fn lint_parsed(
    written: &Definition,
    inherited: &[VariableDefinition],
    method: &AuthMethod,
) -> Vec<Finding> {
    let mut subject = Subject::new(written, inherited, method);
    variables::check(&mut subject);
    authorise::check(&mut subject);
    parameters::check(&mut subject);
    requests::check(&mut subject);
    refresh::check(&mut subject);
    credential::check(&mut subject);
    values::check(&mut subject);
    let mut findings = subject.findings;
    findings.sort_by_key(|finding| finding.severity);
    findings
}
