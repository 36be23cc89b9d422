//! Templates: what is parsed fills as it was written.

use std::borrow::Cow;

use latchkey_core::model::{
    definition::{Normalisation, VariableDefinition},
    template::{Reference, Template, Values},
    variable::Variable,
};
use proptest::prelude::*;

use super::{config, texts};

/// A part of a template, as it is meant.
#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Hole {
        /// What stands before and after the name.
        space: (String, String),
        qualified: bool,
        upper: bool,
        or: Option<String>,
    },
}

impl Part {
    fn written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Hole {
                space: (before, after),
                qualified,
                upper,
                or,
            } => {
                let name = if *qualified {
                    "variable.account"
                } else {
                    "account"
                };
                let upper = if *upper { " | upper" } else { "" };
                let or = or
                    .as_ref()
                    .map_or_else(String::new, |or| format!(" | default('{or}')"));
                format!("{{{{{before}{name}{or}{upper}{after}}}}}")
            }
        }
    }

    fn filled(&self, value: Option<&str>) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Hole { upper, or, .. } => {
                let text = value.or(or.as_deref())?;
                Some(if *upper {
                    text.to_uppercase()
                } else {
                    text.to_owned()
                })
            }
        }
    }
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let text = texts().prop_map(|text| Part::Text(text.replace('{', "(")));
    let space = || " {0,2}";
    let or = proptest::option::of("[^'{}]{0,6}");
    let hole = ((space(), space()), any::<bool>(), any::<bool>(), or).prop_map(
        |(space, qualified, upper, or)| Part::Hole {
            space,
            qualified,
            upper,
            or,
        },
    );
    proptest::collection::vec(prop_oneof![text, hole], 0..6)
}

struct Account(Option<String>);

impl Values for Account {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        let value = self
            .0
            .as_deref()
            .filter(|_| reference.is_variable("account"));
        value.map(Cow::Borrowed)
    }
}

fn normalisations() -> impl Strategy<Value = Vec<Normalisation>> {
    use Normalisation as N;
    proptest::sample::subsequence(
        vec![
            N::Trim,
            N::Lower,
            N::StripScheme,
            N::StripSlash,
            N::StripPath,
        ],
        0..=5,
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_template_fills_as_it_is_written(parts in parts(), value in proptest::option::of(texts())) {
        let written: String = parts.iter().map(Part::written).collect();
        let template = Template::parse(&written).unwrap();
        let expected: Option<String> = parts.iter().map(|part| part.filled(value.as_deref())).collect();
        prop_assert_eq!(template.fill(&Account(value)).ok(), expected);
    }

    #[test]
    fn a_text_without_holes_is_itself(text in texts()) {
        let text = text.replace('{', "{ ");
        prop_assert_eq!(Template::parse(&text).unwrap().literal(), Some(text));
    }

    #[test]
    fn a_value_is_never_read_as_a_template(value in texts()) {
        let template = Template::parse("{{account}}").unwrap();
        let value = format!("{{{{client.secret}}}}{value}");
        prop_assert_eq!(template.fill(&Account(Some(value.clone()))).unwrap(), value);
    }

    #[test]
    fn what_is_uniform_stays_as_it_is(
        given in texts(),
        around in 0..3_usize,
        normalise in normalisations(),
        suffix in proptest::option::of("[.a-z/]{1,4}"),
        prefix in proptest::option::of("[.a-z/]{1,4}"),
    ) {
        let given = format!(
            "{}{given}{}",
            prefix.as_deref().unwrap_or_default().repeat(around),
            suffix.as_deref().unwrap_or_default().repeat(around)
        );
        let variable = Variable::parse(&VariableDefinition { prefix, suffix, normalise, ..VariableDefinition::new("x") }).unwrap();
        let uniform = variable.uniform(&given);
        prop_assert_eq!(variable.uniform(&uniform), uniform);
    }
}
