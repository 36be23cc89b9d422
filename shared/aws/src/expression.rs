//! Update and condition expressions.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::{self, Write as _},
};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::{Item, number};

/// What a write changes, on what condition, and the values that both use.
///
/// Attributes are named `#name` throughout, so that no reserved word matters, and their names are
/// found by that sign; values are `:name`.
#[derive(Clone, Default)]
pub(crate) struct Expression {
    set: String,
    add: String,
    remove: String,
    condition: String,
    values: Item,
}

impl Expression {
    /// An empty expression.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Holds only if `condition` does, whatever else must hold.
    pub(crate) fn when(mut self, condition: &str) -> Self {
        append(&mut self.condition, " AND ", format_args!("({condition})"));
        self
    }

    /// Says what `:name` stands for.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert([":", name].concat(), value);
        self
    }

    /// Sets an attribute to a value.
    pub(crate) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        append(&mut self.set, ", ", format_args!("#{name} = :{name}"));
        self.value(name, value)
    }

    /// Sets an attribute to a value, or removes it if there is none.
    pub(crate) fn set_if(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(&[name]),
        }
    }

    /// Sets attributes to values, or removes those that have none.
    pub(crate) fn set_all<const N: usize>(
        mut self,
        attributes: [(&str, Option<AttributeValue>); N],
    ) -> Self {
        self.values.reserve(N);
        attributes
            .into_iter()
            .fold(self, |expression, (name, value)| {
                expression.set_if(name, value)
            })
    }

    /// Sets an attribute to what `formula` yields.
    pub(crate) fn set_to(mut self, name: &str, formula: &str) -> Self {
        append(&mut self.set, ", ", format_args!("#{name} = {formula}"));
        self
    }

    /// Counts an attribute up, or down.
    pub(crate) fn add(mut self, name: &str, count: i64) -> Self {
        append(&mut self.add, ", ", format_args!("#{name} :add_{name}"));
        self.value(&["add_", name].concat(), number(count))
    }

    /// Removes attributes.
    pub(crate) fn remove(mut self, names: &[&str]) -> Self {
        for name in names {
            append(&mut self.remove, ", ", format_args!("#{name}"));
        }
        self
    }

    /// Whether the item has every value that this sets: a repeated write finds its own. One that sets what a
    /// formula yields does not.
    pub(crate) fn is_applied_to(&self, item: &Item) -> bool {
        let mut assignments = self.set.split_terminator(", ");
        assignments.all(|assignment| {
            let Some((name, value)) = assignment.split_once(" = ") else {
                return false;
            };
            let stored = name.strip_prefix('#').and_then(|name| item.get(name));
            stored.is_some() && stored == self.values.get(value)
        })
    }

    /// The text of the update.
    pub(crate) fn update_text(&self) -> String {
        let clauses = [
            ("SET", &self.set),
            ("ADD", &self.add),
            ("REMOVE", &self.remove),
        ];
        let mut text = String::new();
        for (clause, parts) in clauses.iter().filter(|(_, parts)| !parts.is_empty()) {
            append(&mut text, " ", format_args!("{clause} {parts}"));
        }
        text
    }

    /// The text of the condition, if there is one.
    pub(crate) fn condition_text(&self) -> Option<String> {
        (!self.condition.is_empty()).then(|| self.condition.clone())
    }

    /// The names used, if any.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        let texts = [&self.set, &self.add, &self.remove, &self.condition];
        let parts = texts.iter().flat_map(|text| text.split('#').skip(1));
        let is_other = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
        let names: BTreeSet<&str> = parts
            .filter_map(|part| part.split(is_other).next())
            .collect();
        let named = names
            .iter()
            .map(|name| (["#", name].concat(), (*name).to_owned()));
        (!names.is_empty()).then(|| named.collect())
    }

    /// The values used, if any.
    pub(crate) fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// Adds a part to a list of them.
fn append(list: &mut String, separator: &str, part: fmt::Arguments<'_>) {
    if !list.is_empty() {
        list.push_str(separator);
    }
    // A string takes all that is written to it.
    list.write_fmt(part).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{item, text};

    #[test]
    fn an_expression_names_all_that_it_uses() {
        let expression = Expression::new()
            .when("attribute_exists(#id) AND #state = :seen")
            .when("#size < :most OR #free = :seen")
            .value("seen", text("a"))
            .value("most", number(1))
            .set("state", text("b"))
            .set_to("epoch", "#epoch + :most")
            .add("count", -1)
            .remove(&["lease", "nonce"]);
        assert_eq!(
            expression.update_text(),
            "SET #state = :state, #epoch = #epoch + :most ADD #count :add_count REMOVE #lease, #nonce"
        );
        assert_eq!(
            expression.condition_text().as_deref(),
            Some("(attribute_exists(#id) AND #state = :seen) AND (#size < :most OR #free = :seen)")
        );
        let mut names: Vec<_> = expression.names().unwrap().into_values().collect();
        names.sort();
        let used = [
            "count", "epoch", "free", "id", "lease", "nonce", "size", "state",
        ];
        assert_eq!(names, used);
        assert_eq!(expression.values().unwrap().len(), 4);
    }

    #[test]
    fn a_repeated_write_finds_its_own_values() {
        let expression = Expression::new().set("a", text("1")).set("b", text("2"));
        let stored = item([("a", text("1")), ("b", text("2")), ("c", text("3"))]);
        assert!(expression.is_applied_to(&stored));
        assert!(!expression.is_applied_to(&item([("a", text("1"))])));
        assert!(!expression.is_applied_to(&item([("a", text("1")), ("b", text("3"))])));
        let formula = expression.set_to("c", "if_not_exists(#c, :c)");
        assert!(!formula.is_applied_to(&stored));
    }
}
