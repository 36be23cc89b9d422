//! The values of variables: given by users and builders, filled in by defaults.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Secret,
    definition::Origin,
    fault::{Faults, pointer_segment},
    method::AuthMethod,
    template::{Namespace, Reference, Values},
    variable::Variable,
};

/// Values by the key of their variable.
pub type GivenValues = BTreeMap<String, Secret>;

/// Checks what a user gave for the variables of a method; an empty text counts as not given.
///
/// With `complete`, everything required must have a value.
///
/// # Errors
/// Every fault, with pointers relative to the map of values.
pub fn check_user_values(
    method: &AuthMethod,
    given: &GivenValues,
    builder: &[&str],
    complete: bool,
) -> Result<(), Faults> {
    let mut faults = Faults::new();
    for (key, value) in given.iter().filter(|(_, value)| !value.expose().is_empty()) {
        let pointer = format!("/{}", pointer_segment(key));
        match method.variable(key) {
            None => faults.add(
                pointer,
                "unknown_variable",
                "the auth method has no such variable",
            ),
            Some(variable) if variable.from != Origin::User => {
                faults.add(
                    pointer,
                    "not_asked",
                    "this variable is not the user's to give",
                );
            }
            Some(variable) => {
                faults.keep(pointer, "invalid_value", variable.check(value.expose()));
            }
        }
    }
    if complete {
        for variable in questions(method).filter(|variable| variable.required) {
            let has = |values: &GivenValues| {
                values
                    .get(&*variable.key)
                    .is_some_and(|value| !value.expose().is_empty())
            };
            if !has(given) && variable.default.is_none() && !builder.contains(&&*variable.key) {
                let why = format!("'{}' is required", variable.label);
                faults.add(format!("/{}", variable.key), "missing", why);
            }
        }
    }
    faults.or(())
}

/// Checks what a builder gave for the variables of a method.
///
/// # Errors
/// Every fault, with pointers relative to the map of values.
pub fn check_builder_value(method: &AuthMethod, key: &str, value: &Secret) -> Result<(), Faults> {
    let pointer = format!("/{}", pointer_segment(key));
    let Some(variable) = method.variable(key) else {
        return Err(Faults::one(
            pointer,
            "unknown_variable",
            "the auth method has no such variable",
        ));
    };
    if variable.from == Origin::Callback {
        return Err(Faults::one(
            pointer,
            "not_asked",
            "the provider brings this value",
        ));
    }
    variable
        .check(value.expose())
        .map_err(|why| Faults::one(pointer, "invalid_value", why))
}

/// The variables that a user is asked for.
pub fn questions(method: &AuthMethod) -> impl Iterator<Item = &Variable> {
    method
        .variables
        .iter()
        .filter(|variable| variable.from == Origin::User)
}

/// All values that are known for one use of an auth method.
#[derive(Debug, Default)]
pub struct KnownValues(BTreeMap<Box<str>, Secret>);

impl KnownValues {
    /// Takes the user's value of each variable that is theirs to give, else the builder's, else the
    /// default; `callback_url` is the deployment's own.
    #[must_use]
    pub fn resolve(
        method: &AuthMethod,
        builder: &GivenValues,
        user: &GivenValues,
        callback_url: &str,
    ) -> Self {
        let mut known = Self::default();
        for variable in &method.variables {
            let key = &*variable.key;
            let users = (variable.from == Origin::User)
                .then(|| user.get(key))
                .flatten();
            let given = users
                .or_else(|| builder.get(key))
                .filter(|value| !value.expose().is_empty());
            let default = || {
                let template = variable.default.as_ref()?;
                template
                    .fill(&Defaults {
                        known: &known,
                        callback_url,
                    })
                    .ok()
                    .map(Secret::new)
            };
            if let Some(value) = given.cloned().or_else(default) {
                known.0.insert(key.into(), value);
            }
        }
        known
    }

    /// The value of the variable `key`.
    #[must_use]
    pub fn value_of(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.expose().as_str())
    }
}

/// What a default may name.
struct Defaults<'a> {
    known: &'a KnownValues,
    callback_url: &'a str,
}

impl Values for Defaults<'_> {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        match reference.namespace {
            Namespace::Variable => self.known.value_of(&reference.key).map(Cow::Borrowed),
            Namespace::Flow if &*reference.key == "callback_url" => {
                Some(Cow::Borrowed(self.callback_url))
            }
            Namespace::Flow | Namespace::Client | Namespace::Callback | Namespace::Token => None,
        }
    }
}
