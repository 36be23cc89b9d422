//! Maps of parameters.

use http::{HeaderName, header};
use indexmap::IndexMap;

use super::Parser;
use crate::model::{
    definition::{Condition, Encoding, JsonKind, Parameter as Written, Parameters},
    fault::pointer_segment,
    method::{Overlay, Parameter, place::Place},
    template::Template,
};

const MOST_PARAMETERS: usize = 50;

impl Parser {
    pub(super) fn overlay(&mut self, pointer: &str, written: &Parameters, place: Place) -> Overlay {
        if written.len() > MOST_PARAMETERS {
            let why = "there are 50 parameters at most";
            self.faults.add(pointer, "too_many", why);
        }
        let entries = written.iter().map(|(name, parameter)| {
            let at = format!("{pointer}/{}", pointer_segment(name));
            self.name(&at, name);
            let parameter = parameter
                .as_ref()
                .map(|parameter| self.parameter(&at, parameter, place));
            (name.as_str().into(), parameter)
        });
        entries.collect()
    }

    fn parameter(&mut self, pointer: &str, written: &Written, place: Place) -> Parameter {
        let plain = |value| Parameter {
            value,
            when: None,
            omit_if_empty: false,
            encode: None,
            repeat: None,
            kind: JsonKind::Text,
        };
        let entry = match written {
            Written::Plain(text) => return plain(self.template(pointer, text, place)),
            Written::Entry(entry) => entry,
        };
        let value = self.template(&format!("{pointer}/value"), &entry.value.0, place);
        if let Some(condition) = &entry.when {
            self.condition(&format!("{pointer}/when"), condition);
        }
        if entry.repeat.as_deref().is_some_and(str::is_empty) {
            let why = "it needs something to split at";
            let pointer = format!("{pointer}/repeat");
            self.faults.add(pointer, "invalid_separator", why);
        }
        Parameter {
            when: entry.when.clone(),
            omit_if_empty: entry.omit_if_empty,
            encode: entry.encode,
            repeat: entry.repeat.as_deref().map(Into::into),
            kind: entry.kind,
            ..plain(value)
        }
    }

    pub(super) fn condition(&mut self, pointer: &str, condition: &Condition) {
        let declared = self
            .variables
            .iter()
            .any(|variable| *variable.key == *condition.variable);
        if !declared {
            let why = format!("no variable '{}' is declared", condition.variable);
            let pointer = format!("{pointer}/variable");
            self.faults.add(pointer, "undeclared_variable", why);
        }
    }

    pub(super) fn headers(
        &mut self,
        pointer: &str,
        written: &Parameters,
        place: Place,
    ) -> Vec<(HeaderName, Option<Parameter>)> {
        let overlay = self.overlay(pointer, written, place);
        let headers = overlay.into_iter().filter_map(|(name, parameter)| {
            let at = format!("{pointer}/{}", pointer_segment(&name));
            Some((self.header(&at, &name)?, parameter))
        });
        headers.collect()
    }

    pub(super) fn plain_headers(
        &mut self,
        pointer: &str,
        written: &IndexMap<String, String>,
        place: Place,
    ) -> Vec<(HeaderName, Template)> {
        let plain = self.plain(pointer, written, place);
        let headers = plain.into_iter().filter_map(|(name, template)| {
            let at = format!("{pointer}/{}", pointer_segment(&name));
            Some((self.header(&at, &name)?, template))
        });
        headers.collect()
    }

    /// A map whose values are templates and nothing more.
    pub(super) fn plain(
        &mut self,
        pointer: &str,
        written: &IndexMap<String, String>,
        place: Place,
    ) -> Vec<(Box<str>, Template)> {
        if written.len() > MOST_PARAMETERS {
            let why = "there are 50 entries at most";
            self.faults.add(pointer, "too_many", why);
        }
        let entries = written.iter().map(|(name, text)| {
            let at = format!("{pointer}/{}", pointer_segment(name));
            self.name(&at, name);
            (name.as_str().into(), self.template(&at, text, place))
        });
        entries.collect()
    }

    fn name(&mut self, pointer: &str, name: &str) {
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            let why = "a name has 1 to 200 bytes and no control characters";
            self.faults.add(pointer, "invalid_name", why);
        }
    }

    fn header(&mut self, pointer: &str, name: &str) -> Option<HeaderName> {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) if !is_transport_header(&name) => return Some(name),
            Ok(_) => {
                let why = "this header belongs to the transport";
                self.faults.add(pointer, "invalid_header", why);
            }
            Err(_) => {
                let why = "it is not a header name";
                self.faults.add(pointer, "invalid_header", why);
            }
        }
        None
    }
}

/// How a parameter is written where it doesn't say: as the rest.
impl Parameter {
    /// How it is written.
    #[must_use]
    pub fn encoding(&self, rest: Encoding) -> Encoding {
        self.encode.unwrap_or(rest)
    }
}

/// Headers that the HTTP client sets itself (RFC 9110 §7).
fn is_transport_header(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::COOKIE,
    ]
    .contains(name)
}
