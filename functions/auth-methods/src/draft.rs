//! Auth methods that are looked at before they are saved.

use std::collections::BTreeMap;

use latchkey_core::{
    flow::define::{check_size, check_state_length},
    model::{
        Secret,
        definition::{Definition, VariableDefinition},
        fault::Faults,
        id::ConnectorId,
        lint::{Finding, Severity, errors, lint_parsed},
        method::AuthMethod,
        values::{GivenValues, builder_value},
    },
};
use latchkey_web::Problem;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::presets::written_out;

/// An auth method to look at, as a builder would send it to be saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The provider's flow, as data; with `preset` it says only what differs.
    pub definition: Definition,
    /// The builder's own values of variables. They are checked, and kept nowhere.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub values: BTreeMap<String, Option<Secret>>,
    /// The connector whose variables `connector_variables` names.
    #[serde(default)]
    pub connector: Option<ConnectorId>,
}

impl Draft {
    /// Reads a draft whose definition may start from a preset.
    ///
    /// # Errors
    /// A problem that says where the document goes wrong.
    pub fn read(document: Value) -> Result<Self, Problem> {
        written_out(document)
    }

    /// What can be said of it, with pointers into the document, given the connector's variables.
    #[must_use]
    pub fn lint(&self, connector: &[VariableDefinition]) -> Vec<Finding> {
        let inherited = self.definition.inherited(connector);
        let method = match AuthMethod::parse(&self.definition, &inherited) {
            Ok(method) => method,
            Err(faults) => return errors(faults.under("/definition")),
        };
        let mut findings = errors(self.faults(&method));
        let said = lint_parsed(&self.definition, &inherited, &method).into_iter();
        findings.extend(said.map(|found| found.under("/definition")));
        findings
    }

    /// What saving would refuse besides the definition itself: its size, and values.
    fn faults(&self, method: &AuthMethod) -> Faults {
        let mut faults = check_size(&self.definition).err().unwrap_or_default();
        let mut given = GivenValues::new();
        for (key, value) in &self.values {
            let Some(value) = value.as_ref().filter(|value| !value.expose().is_empty()) else {
                continue;
            };
            match builder_value(method, key, value) {
                Ok(value) => drop(given.insert(key.clone(), value)),
                Err(found) => faults.extend(found.under("/values")),
            }
        }
        // Where we run is no matter for a length.
        if let Err(found) = check_state_length(method, &given, "https://latchkey.invalid/") {
            faults.extend(found);
        }
        faults
    }
}

/// Whether what was found lets a definition be saved.
pub(crate) fn is_savable(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.severity != Severity::Error)
}
