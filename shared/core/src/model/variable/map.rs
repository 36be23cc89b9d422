//! Values made from others: a region chooses a host.

use crate::model::{
    definition::MapDefinition,
    fault::{Faults, pointer_segment},
    template::{Template, Values},
};

/// A value made from others.
#[derive(Debug, Clone)]
pub struct ValueMap {
    of: Template,
    cases: Vec<(Box<str>, Template)>,
    default: Option<Template>,
}

impl ValueMap {
    pub(super) fn parse(written: &MapDefinition, faults: &mut Faults) -> Option<Self> {
        let mut template = |pointer: String, text: &str| {
            faults.keep(pointer, "invalid_template", Template::parse(text))
        };
        let of = template("/map/of".to_owned(), &written.of);
        let cases: Vec<_> = written
            .cases
            .iter()
            .map(|(case, text)| {
                let pointer = format!("/map/cases/{}", pointer_segment(case));
                Some((Box::from(case.as_str()), template(pointer, &text.0)?))
            })
            .collect();
        let default = match &written.default {
            Some(text) => Some(template("/map/default".to_owned(), &text.0)?),
            None => None,
        };
        Some(Self {
            of: of?,
            cases: cases.into_iter().collect::<Option<_>>()?,
            default,
        })
    }

    /// Everything that it names.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        std::iter::once(&self.of).chain(self.results())
    }

    /// What its value can be.
    pub fn results(&self) -> impl Iterator<Item = &Template> {
        self.cases
            .iter()
            .map(|(_, template)| template)
            .chain(&self.default)
    }

    /// The value; `None` if a value that it is made from is missing, or no case fits.
    #[must_use]
    pub fn value(&self, values: &dyn Values) -> Option<String> {
        let of = self.of.fill(values).ok();
        let case = of
            .as_deref()
            .and_then(|of| self.cases.iter().find(|(case, _)| **case == *of))
            .map(|(_, template)| template);
        case.or(self.default.as_ref())?.fill(values).ok()
    }
}
