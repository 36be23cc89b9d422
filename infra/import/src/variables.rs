//! The variables of a definition while it is put together.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::{document::Document, name, template::wrap};

/// Who gives a variable its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Giver {
    Builder,
    User,
    Callback,
    Token,
}

impl Giver {
    fn word(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::User => "user",
            Self::Callback => "callback",
            Self::Token => "token",
        }
    }

    /// Whether the value comes out of a message, not from a person.
    pub(crate) fn captures(self) -> bool {
        matches!(self, Self::Callback | Self::Token)
    }
}

/// One variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) key: String,
    pub(crate) giver: Giver,
    /// Its fields but `key`, `from` and `required`.
    pub(crate) fields: Map<String, Value>,
    /// The source says that there may be no value.
    pub(crate) optional: bool,
    used: bool,
    /// Something can't be said without it.
    needed: bool,
}

impl Variable {
    pub(crate) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// A captured value that nothing needs may be missing; so may what the source calls optional.
    fn is_optional(&self) -> bool {
        if self.giver.captures() {
            !self.needed
        } else {
            self.optional
        }
    }

    fn into_value(self) -> Value {
        let mut out = Map::new();
        out.insert("key".to_owned(), self.key.clone().into());
        if self.giver != Giver::Builder {
            out.insert("from".to_owned(), self.giver.word().into());
        }
        if self.is_optional() {
            out.insert("required".to_owned(), false.into());
        }
        out.extend(self.fields);
        Value::Object(out)
    }
}

/// The variables by their names in the source, in order.
#[derive(Debug, Default)]
pub(crate) struct Variables(IndexMap<String, Variable>);

impl Variables {
    /// Declares a variable; one of the same name is replaced.
    pub(crate) fn declare(&mut self, name: &str, giver: Giver) -> &mut Variable {
        let key = self
            .0
            .get(name)
            .map_or_else(|| self.free_key(name), |old| old.key.clone());
        let fresh = Variable {
            key,
            giver,
            fields: Map::new(),
            optional: false,
            used: false,
            needed: false,
        };
        let entry = self.0.entry(name.to_owned()).insert_entry(fresh);
        entry.into_mut()
    }

    fn free_key(&self, name: &str) -> String {
        let taken = |key: &str| self.0.values().any(|variable| variable.key == key);
        name::free(&name::key(name), "_", taken)
    }

    /// Lets templates name a variable in another way; its key stays.
    pub(crate) fn rename(&mut self, name: &str, to: &str) {
        if let Some(variable) = self.0.shift_remove(name) {
            self.0.insert(to.to_owned(), variable);
        }
    }

    pub(crate) fn by_name(&mut self, name: &str) -> Option<&mut Variable> {
        self.0.get_mut(name)
    }

    pub(crate) fn by_key(&mut self, key: &str) -> Option<&mut Variable> {
        self.0.values_mut().find(|variable| variable.key == key)
    }

    /// The keys of those that are secret.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let is_secret = |variable: &&Variable| {
            variable
                .fields
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| matches!(kind, "secret" | "pem"))
        };
        self.0
            .values()
            .filter(is_secret)
            .map(|variable| variable.key.as_str())
    }

    /// The key of a variable that a template names. It is needed unless something stands in for it.
    pub(crate) fn refer(&mut self, name: &str, needed: bool) -> Option<String> {
        let variable = self.0.get_mut(name)?;
        variable.used = true;
        variable.needed |= needed;
        Some(variable.key.clone())
    }

    /// Writes the variables. What no request needs is for the caller, among `use.values`.
    pub(crate) fn write(self, document: &mut Document) {
        for variable in self.0.values().filter(|variable| !variable.used) {
            let key = &variable.key;
            let value = if variable.is_optional() {
                wrap(&format!("{key} | default('')"))
            } else {
                wrap(key)
            };
            document.put(&["use", "values", key], value);
        }
        if !self.0.is_empty() {
            let variables: Vec<Value> = self.0.into_values().map(Variable::into_value).collect();
            document.put(&["variables"], variables);
        }
    }
}
