//! Hostile values in every place of a request: what a user, a builder or a provider writes there changes nothing else.
//!
//! Each value is sent in each context, as a harmless one is. What is compared is what a receiver would notice: two URL
//! parsers agree on where the request goes, the value arrives as it was given, and the rest is the same to the byte.
//! A value that can't stand in its place is refused. To see how much is tried:
//! `cargo test -p latchkey-core --test it hostile -- --nocapture`.

mod bodies;
mod clients;
pub(crate) mod judge;
pub(crate) mod request;
mod urls;
mod values;

use std::collections::BTreeSet;

use latchkey_core::model::method::AuthMethod;
use request::{Sent, Which, method, sent};
use serde_json::Value;

/// A place for a value.
struct Context {
    name: &'static str,
    method: AuthMethod,
    which: Which,
    /// The variable that has the value.
    key: &'static str,
    /// A value as it is meant.
    harmless: &'static str,
    /// Takes the value out of a request, if it is there as it was given.
    take: fn(&mut Sent, &str) -> Result<(), String>,
    /// Whether only values that the variable may have get this far.
    checked: bool,
    /// Whether there are values that can't stand here at all.
    refuses: bool,
}

impl Context {
    /// A place in a token request of the variable `x`, for a value that nothing has checked.
    fn new(
        name: &'static str,
        parts: &Value,
        take: fn(&mut Sent, &str) -> Result<(), String>,
    ) -> Self {
        Self {
            name,
            method: method(parts),
            which: Which::Token,
            key: "x",
            harmless: "acme",
            take,
            checked: false,
            refuses: false,
        }
    }

    fn may_refuse(self) -> Self {
        Self {
            refuses: true,
            ..self
        }
    }

    /// What becomes of a value: what is left of the request, or that it was refused.
    fn rest(&self, value: &str) -> Result<Option<Sent>, String> {
        let variable = self.method.variable(self.key).expect("a variable");
        if self.checked && variable.check(&variable.uniform(value)).is_err() {
            return Ok(None);
        }
        match sent(&self.method, self.which, self.key, value)? {
            Ok(mut sent) => {
                (self.take)(&mut sent, value)?;
                Ok(Some(sent))
            }
            Err(_) if self.refuses => Ok(None),
            Err(why) => Err(format!("it is refused: {why}")),
        }
    }

    /// Tries every value; what is wrong, and how many were sent.
    fn try_all(&self, values: &[String]) -> (Vec<String>, usize) {
        let harmless = self.rest(self.harmless);
        let Ok(Some(harmless)) = harmless else {
            panic!("{}: a harmless value: {harmless:?}", self.name);
        };
        let (mut faults, mut through) = (Vec::new(), 0);
        for value in values {
            let shown: String = value.chars().take(80).collect();
            match self.rest(value) {
                Ok(None) => {}
                Ok(Some(rest)) if rest == harmless => through += 1,
                Ok(Some(rest)) => {
                    faults.push(format!("{}: {shown:?}: the rest is {rest:?}", self.name))
                }
                Err(why) => faults.push(format!("{}: {shown:?}: {why}", self.name)),
            }
        }
        (faults, through)
    }
}

/// Tries every value in some contexts, and says how much that was.
fn try_all(contexts: &[Context]) {
    let values = values::values();
    let mut faults = Vec::new();
    for context in contexts {
        let (found, through) = context.try_all(&values);
        let refused = values.len() - found.len() - through;
        println!(
            "{}: {} values, {through} sent, {refused} refused",
            context.name,
            values.len()
        );
        faults.extend(found);
    }
    println!(
        "{} values × {} contexts = {}",
        values.len(),
        contexts.len(),
        values.len() * contexts.len()
    );
    let shown: Vec<_> = faults.iter().take(40).map(String::as_str).collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        shown.join("\n")
    );
}

/// Whether what was found is what was given.
fn same(found: Option<&str>, value: &str) -> Result<(), String> {
    match found {
        Some(found) if found == value => Ok(()),
        Some(found) => Err(format!(
            "it arrives as {:?}",
            found.chars().take(80).collect::<String>()
        )),
        None => Err("it is not there, or not alone".to_owned()),
    }
}

#[test]
fn there_are_at_least_two_thousand_hostile_values_and_no_two_are_the_same() {
    let values = values::values();
    assert!(values.len() >= 2000, "{}", values.len());
    let distinct: BTreeSet<_> = values.iter().collect();
    assert_eq!(distinct.len(), values.len());
}
