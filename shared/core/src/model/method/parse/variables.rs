//! Variables: declared, inherited, always there.

use std::collections::BTreeSet;

use super::Parser;
use crate::model::{
    definition::{Definition, VariableDefinition},
    template::{Namespace, Template},
    variable::{Variable, missing_defaults},
};

const MOST_VARIABLES: usize = 100;

impl Parser {
    pub(super) fn inherit(&mut self, used: &[String], inherited: &[VariableDefinition]) {
        for (index, key) in used.iter().enumerate() {
            let pointer = format!("/connector_variables/{index}");
            match inherited.iter().find(|variable| variable.key == *key) {
                None => self.faults.add(
                    pointer,
                    "unknown_connector_variable",
                    "the connector has no such variable",
                ),
                Some(variable) => match Variable::parse(variable) {
                    Ok(variable) => self.variables.push(variable),
                    Err(faults) => self.faults.extend(faults.under(&pointer)),
                },
            }
        }
    }

    pub(super) fn declare(&mut self, written: &[VariableDefinition]) {
        if written.len() > MOST_VARIABLES {
            let why = "there are 100 variables at most";
            self.faults.add("/variables", "too_many", why);
        }
        let mut seen: BTreeSet<Box<str>> = self
            .variables
            .iter()
            .map(|variable| variable.key.clone())
            .collect();
        for (index, definition) in written.iter().enumerate() {
            let pointer = format!("/variables/{index}");
            match Variable::parse(definition) {
                Err(faults) => self.faults.extend(faults.under(&pointer)),
                Ok(variable) => {
                    if !seen.insert(variable.key.clone()) {
                        let why = "another variable has this key";
                        let pointer = format!("{pointer}/key");
                        self.faults.add(pointer, "duplicate_key", why);
                    }
                    self.variables.push(variable);
                }
            }
        }
        // The default variables are locked: they can be changed, but are always there.
        for definition in missing_defaults(written) {
            match Variable::parse(&definition) {
                Ok(variable) => self.variables.push(variable),
                Err(faults) => self.faults.extend(faults),
            }
        }
    }

    /// A value that is made from others is made from earlier ones only, so that filling them ends.
    pub(super) fn earlier(&mut self, written: &Definition) {
        let mut known: Vec<(Box<str>, bool)> = Vec::new();
        for variable in &self.variables {
            let at = written
                .variables
                .iter()
                .position(|definition| *definition.key == *variable.key);
            let pointer = at.map_or_else(String::new, |index| format!("/variables/{index}"));
            let parts = [("default", &variable.default), ("equals", &variable.equals)]
                .into_iter()
                .flat_map(|(part, template)| template.iter().map(move |t| (part, t)));
            let maps = variable.map.iter().flat_map(|map| map.templates());
            for (part, template) in parts.chain(maps.map(|template| ("map", template))) {
                for reference in template.references() {
                    let good = match reference.namespace {
                        Namespace::Variable => known.iter().any(|(key, secret)| {
                            *key == reference.key && (!secret || variable.is_secret())
                        }),
                        Namespace::Flow => &*reference.key == "callback_url",
                        Namespace::Client
                        | Namespace::Callback
                        | Namespace::Token
                        | Namespace::Step
                        | Namespace::Request
                        | Namespace::Moment => false,
                    };
                    if !good {
                        let why = format!(
                            "it can't use '{reference}': only earlier variables that are not secret"
                        );
                        let pointer = format!("{pointer}/{part}");
                        self.faults.add(pointer, "impossible_reference", why);
                    }
                }
            }
            known.push((variable.key.clone(), variable.is_secret()));
            if let Some(condition) = &variable.visible_when
                && !known.iter().any(|(key, _)| **key == *condition.variable)
            {
                let why = format!("no earlier variable '{}' is declared", condition.variable);
                let pointer = format!("{pointer}/visible_when/variable");
                self.faults.add(pointer, "undeclared_variable", why);
            }
        }
    }

    /// Whether the value of the variable `key` can only be one that the builder foresaw.
    pub(super) fn is_bounded(&self, key: &str) -> bool {
        let Some(variable) = self.variables.iter().find(|variable| &*variable.key == key) else {
            return false;
        };
        // Maps are made from earlier variables, so that this ends.
        let results = || variable.map.iter().flat_map(|map| map.results());
        variable.is_bounded()
            || (variable.map.is_some()
                && results()
                    .flat_map(Template::references)
                    .all(|reference| &*reference.key != key && self.is_bounded(&reference.key)))
    }
}
