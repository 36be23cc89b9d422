//! Update and condition expressions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::{Item, number};

/// What a write changes, on what condition, and the names and values that both use.
///
/// Attributes are named `#name` throughout, so that no reserved word matters, and their names are
/// found by that sign; values are `:name`.
#[derive(Clone, Default)]
pub(crate) struct Expression {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    condition: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
}

impl Expression {
    /// An empty expression.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Holds only if `condition` does, whatever else must hold.
    pub(crate) fn when(mut self, condition: &str) -> Self {
        let condition = self.named(condition);
        self.condition.push(condition);
        self
    }

    /// Says what `:name` stands for.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{name}"), value);
        self
    }

    /// Sets an attribute to a value.
    pub(crate) fn set(self, name: &str, value: AttributeValue) -> Self {
        self.set_to(name, &format!(":{name}")).value(name, value)
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
        self,
        attributes: [(&str, Option<AttributeValue>); N],
    ) -> Self {
        attributes
            .into_iter()
            .fold(self, |expression, (name, value)| {
                expression.set_if(name, value)
            })
    }

    /// Sets an attribute to what `formula` yields.
    pub(crate) fn set_to(mut self, name: &str, formula: &str) -> Self {
        let assignment = self.named(&format!("#{name} = {formula}"));
        self.set.push(assignment);
        self
    }

    /// Counts an attribute up, or down.
    pub(crate) fn add(mut self, name: &str, count: i64) -> Self {
        let addition = self.named(&format!("#{name} :add_{name}"));
        self.add.push(addition);
        self.value(&format!("add_{name}"), number(count))
    }

    /// Removes attributes.
    pub(crate) fn remove(mut self, names: &[&str]) -> Self {
        for name in names {
            let removal = self.named(&format!("#{name}"));
            self.remove.push(removal);
        }
        self
    }

    /// Whether the item has every value that this sets: a repeated write finds its own.
    pub(crate) fn is_applied_to(&self, item: &Item) -> bool {
        self.set.iter().all(|assignment| {
            let Some((name, value)) = assignment.split_once(" = ") else {
                return false;
            };
            let stored = self.names.get(name).and_then(|name| item.get(name));
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
        let texts = clauses
            .iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(clause, parts)| format!("{clause} {}", parts.join(", ")));
        texts.collect::<Vec<_>>().join(" ")
    }

    /// The text of the condition, if there is one.
    pub(crate) fn condition_text(&self) -> Option<String> {
        let parts: Vec<_> = self
            .condition
            .iter()
            .map(|part| format!("({part})"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(" AND "))
    }

    /// The names used, if any.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    /// The values used, if any.
    pub(crate) fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    /// Takes down the names in `text`.
    fn named(&mut self, text: &str) -> String {
        for part in text.split('#').skip(1) {
            let name: String = part
                .chars()
                .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                .collect();
            self.names.insert(format!("#{name}"), name);
        }
        text.to_owned()
    }
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
    }
}
