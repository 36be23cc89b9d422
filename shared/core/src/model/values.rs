//! The values of variables: given by users and builders, filled in by defaults.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Secret,
    definition::{Condition, Origin},
    fault::{Faults, pointer_segment},
    method::AuthMethod,
    template::{Namespace, Reference, Template, Values},
    variable::Variable,
};

/// Values by the key of their variable.
pub type GivenValues = BTreeMap<String, Secret>;

/// The values that are there already, of one or several owners.
#[derive(Debug, Clone, Default)]
pub struct Present<'a> {
    plain: Vec<&'a BTreeMap<String, String>>,
    secret: BTreeSet<&'a str>,
}

impl<'a> Present<'a> {
    /// These and those of a further owner, who comes first.
    #[must_use]
    pub fn before(
        mut self,
        plain: &'a BTreeMap<String, String>,
        secret: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.plain.insert(0, plain);
        self.secret.extend(secret);
        self
    }

    /// The value of the variable `key`, if it may be read.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        let found = self.plain.iter().find_map(|values| values.get(key));
        found.map(String::as_str)
    }

    /// Whether the variable `key` has a value that may not be read.
    #[must_use]
    pub fn is_sealed(&self, key: &str) -> bool {
        self.secret.contains(key)
    }
}

/// Whether a person is asked for a variable, given what is filled in and what is there.
///
/// Its condition holds, and so do those of the variables that it asks about. What is sealed can't be looked at, and stands
/// in nobody's way.
#[must_use]
pub fn is_shown(
    method: &AuthMethod,
    variable: &Variable,
    given: &GivenValues,
    present: &Present<'_>,
) -> bool {
    let Some(condition) = &variable.visible_when else {
        return true;
    };
    let Some(asked) = method.variable(&condition.variable) else {
        return true;
    };
    // It is an earlier one, so this ends.
    if present.is_sealed(&asked.key) || !is_shown(method, asked, given, present) {
        return present.is_sealed(&asked.key);
    }
    let filled = given.get(&*asked.key).map(|value| value.expose().as_str());
    let filled = filled.filter(|text| !text.is_empty());
    let known = filled.or_else(|| present.text(&asked.key));
    let literal = || asked.default.as_ref().and_then(Template::literal);
    condition.holds(known.map(str::to_owned).or_else(literal).as_deref())
}

/// Checks what a user gave for the variables of a method; an empty text counts as not given.
///
/// With `complete`, everything required must have a value.
///
/// # Errors
/// Every fault, with pointers relative to the map of values.
pub fn check_user_values(
    method: &AuthMethod,
    given: &GivenValues,
    present: &Present<'_>,
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
                let uniform = variable.uniform(value.expose());
                faults.keep(pointer, "invalid_value", variable.check(&uniform));
            }
        }
    }
    if complete {
        for variable in questions(method)
            .filter(|variable| variable.required)
            .filter(|variable| is_shown(method, variable, given, present))
        {
            let has = |values: &GivenValues| {
                values
                    .get(&*variable.key)
                    .is_some_and(|value| !value.expose().is_empty())
            };
            let key = &*variable.key;
            let is_there = present.text(key).is_some() || present.is_sealed(key);
            if !has(given) && variable.default.is_none() && !is_there {
                let why = format!("'{}' is required", variable.label);
                faults.add(format!("/{}", variable.key), "missing", why);
            }
        }
    }
    faults.or(())
}

/// What a builder gave for a variable of a method, as it is kept.
///
/// # Errors
/// Why it can't be, with a pointer relative to the map of values.
pub fn builder_value(method: &AuthMethod, key: &str, given: &Secret) -> Result<Secret, Faults> {
    let pointer = format!("/{}", pointer_segment(key));
    let Some(variable) = method.variable(key) else {
        return Err(Faults::one(
            pointer,
            "unknown_variable",
            "the auth method has no such variable",
        ));
    };
    if variable.is_captured() {
        let why = "the provider brings this value";
        return Err(Faults::one(pointer, "not_asked", why));
    }
    if variable.map.is_some() {
        let why = "this value is made from others";
        return Err(Faults::one(pointer, "not_asked", why));
    }
    let value = variable.uniform(given.expose());
    match variable.check(&value) {
        Ok(()) => Ok(Secret::new(value)),
        Err(why) => Err(Faults::one(pointer, "invalid_value", why)),
    }
}

/// The variables that a user is asked for.
pub fn questions(method: &AuthMethod) -> impl Iterator<Item = &Variable> {
    method
        .variables
        .iter()
        .filter(|variable| variable.from == Origin::User)
}

/// All values that are known for one use of an auth method.
#[derive(Debug, Clone, Default)]
pub struct KnownValues(BTreeMap<Box<str>, Secret>);

impl KnownValues {
    /// Takes the user's value of each variable that is theirs to give, else the builder's, else the
    /// default; of a captured one what the provider brought; `callback_url` is the deployment's own.
    #[must_use]
    pub fn resolve(
        method: &AuthMethod,
        builder: &GivenValues,
        user: &GivenValues,
        captured: &GivenValues,
        callback_url: &str,
    ) -> Self {
        let mut known = Self::default();
        for variable in &method.variables {
            let key = &*variable.key;
            let given = match variable.from {
                Origin::Builder => builder.get(key),
                Origin::User => user.get(key).or_else(|| builder.get(key)),
                Origin::Callback | Origin::Token | Origin::Lookup => captured.get(key),
            };
            let given = given
                .filter(|value| !value.expose().is_empty())
                .map(|value| Secret::new(variable.uniform(value.expose())));
            let made = || {
                let earlier = Earlier {
                    known: &known,
                    callback_url,
                };
                let made = match (&variable.map, &variable.default) {
                    (Some(map), _) => map.value(&earlier),
                    (None, Some(default)) => default.fill(&earlier).ok(),
                    (None, None) => None,
                };
                made.map(Secret::new)
            };
            if let Some(value) = given.or_else(made) {
                known.0.insert(key.into(), value);
            }
        }
        known
    }

    /// These values and what the provider has brought, with all that is made from it.
    #[must_use]
    pub fn with(&self, method: &AuthMethod, captured: &GivenValues, callback_url: &str) -> Self {
        let mut known = self.clone();
        for variable in &method.variables {
            let earlier = Earlier {
                known: &known,
                callback_url,
            };
            let value = match &variable.map {
                Some(map) => map.value(&earlier).map(Secret::new),
                None => captured.get(&*variable.key).cloned(),
            };
            if let Some(value) = value {
                known.0.insert(variable.key.clone(), value);
            }
        }
        known
    }

    /// What the provider has brought, if it is a value that the variable may have.
    ///
    /// # Errors
    /// The label of the variable and why it can't have the value.
    pub fn capture(
        &self,
        variable: &Variable,
        value: &str,
        callback_url: &str,
    ) -> Result<Secret, String> {
        let value = variable.uniform(value);
        variable.check(&value)?;
        let earlier = Earlier {
            known: self,
            callback_url,
        };
        match variable.equals.as_ref().map(|equals| equals.fill(&earlier)) {
            None => Ok(Secret::new(value)),
            Some(Ok(expected)) if expected == value => Ok(Secret::new(value)),
            Some(_) => Err("it is not the value that was asked for".to_owned()),
        }
    }

    /// Whether a condition holds.
    #[must_use]
    pub fn holds(&self, condition: &Condition) -> bool {
        condition.holds(self.value_of(&condition.variable))
    }

    /// The value of the variable `key`.
    #[must_use]
    pub fn value_of(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.expose().as_str())
    }
}

/// What a value that is made from others may name.
struct Earlier<'a> {
    known: &'a KnownValues,
    callback_url: &'a str,
}

impl Values for Earlier<'_> {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        match reference.namespace {
            Namespace::Variable => self.known.value_of(&reference.key).map(Cow::Borrowed),
            Namespace::Flow if &*reference.key == "callback_url" => {
                Some(Cow::Borrowed(self.callback_url))
            }
            Namespace::Flow
            | Namespace::Client
            | Namespace::Callback
            | Namespace::Token
            | Namespace::Step
            | Namespace::Request
            | Namespace::Moment => None,
        }
    }
}

impl Condition {
    /// Whether it holds for a value.
    #[must_use]
    pub fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return false };
        let among =
            |list: &[crate::model::definition::Scalar]| list.iter().any(|scalar| scalar.0 == value);
        (self.is.is_empty() || among(&self.is)) && !among(&self.is_not)
    }
}
