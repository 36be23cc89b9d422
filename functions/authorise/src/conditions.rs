//! Fields that are asked for under a condition.
//!
//! The page has no script. A field that depends on a choice or a box of the same page is hidden by a style, which the
//! policy allows by its digest, as soon as its condition doesn't hold; where a browser can't (`:has`), and where the
//! condition is on a text, the field stays in sight and says when it is needed.

use latchkey_core::model::{
    definition::{Condition, Origin, VariableType},
    method::AuthMethod,
    variable::Variable,
};

/// The conditions of the page that must hold for a variable to be asked for: its own, and those of what it asks about.
fn conditions<'a>(
    method: &'a AuthMethod,
    variable: &'a Variable,
) -> Vec<(&'a Condition, &'a Variable)> {
    let mut found = Vec::new();
    let mut next = variable.visible_when.as_ref();
    while let Some(condition) = next {
        let Some(asked) = method.variable(&condition.variable) else {
            break;
        };
        if asked.from == Origin::User {
            found.push((condition, asked));
        }
        // An earlier one, so this ends.
        next = asked.visible_when.as_ref();
    }
    found
}

/// When a field is needed, in words; nothing if it always is, or somebody else decides.
pub(crate) fn hint(method: &AuthMethod, variable: &Variable) -> Option<String> {
    let (condition, asked) = conditions(method, variable).into_iter().next()?;
    let words = |list: &[latchkey_core::model::definition::Scalar]| {
        let label = |value: &str| match (asked.kind, value) {
            (VariableType::Boolean, "true") => "ticked".to_owned(),
            (VariableType::Boolean, "false") => "not ticked".to_owned(),
            _ => {
                let choice = asked.choices.iter().find(|choice| choice.value == value);
                choice.map_or_else(|| value.to_owned(), |choice| choice.label().to_owned())
            }
        };
        let words: Vec<_> = list.iter().map(|value| label(&value.0)).collect();
        words.join(" or ")
    };
    let label = &asked.label;
    Some(
        match (condition.is.as_slice(), condition.is_not.as_slice()) {
            ([], []) => format!("Only if {label} is filled in."),
            ([], not) => format!("Only if {label} is not {}.", words(not)),
            (is, _) => format!("Only if {label} is {}.", words(is)),
        },
    )
}

/// The style that hides the fields whose conditions don't hold, and the hints of those that it looks after.
pub(crate) fn style<'a>(
    method: &'a AuthMethod,
    variables: impl Iterator<Item = &'a Variable>,
) -> String {
    let mut style = String::new();
    for variable in variables {
        let key = &variable.key;
        let conditions = conditions(method, variable);
        let selectors: Vec<_> = conditions
            .iter()
            .filter_map(|(condition, asked)| unmet(condition, asked))
            .collect();
        for selector in &selectors {
            style.push_str(&format!("form{selector} #q-{key}{{display:none}}"));
        }
        if !selectors.is_empty() && selectors.len() == conditions.len() {
            style.push_str(&format!(
                "@supports selector(:has(a)){{#w-{key}{{display:none}}}}"
            ));
        }
    }
    style
}

/// The selector of a form in which a condition doesn't hold; none where a style can't tell.
fn unmet(condition: &Condition, asked: &Variable) -> Option<String> {
    let field = format!("#v-{}", asked.key);
    match asked.kind {
        VariableType::Choice => {
            let values = asked
                .choices
                .iter()
                .map(|choice| choice.value.as_str())
                .chain([""]);
            let holds = |value: &&str| {
                condition.holds(Some(value).copied().filter(|value| !value.is_empty()))
            };
            let unmet: Vec<_> = values
                .filter(|value| !holds(value))
                .map(|value| format!("[value=\"{}\"]", escaped(value)))
                .collect();
            (!unmet.is_empty())
                .then(|| format!(":has({field} option:is({}):checked)", unmet.join(",")))
        }
        VariableType::Boolean => match (
            condition.holds(Some("true")),
            condition.holds(Some("false")),
        ) {
            (true, true) => None,
            (true, false) => Some(format!(":not(:has({field}:checked))")),
            (false, true) => Some(format!(":has({field}:checked)")),
            (false, false) => Some(String::new()),
        },
        VariableType::Text
        | VariableType::Secret
        | VariableType::Number
        | VariableType::Hostname
        | VariableType::Url
        | VariableType::Pem => None,
    }
}

/// A text in a string of CSS: all but letters and digits as escapes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            escaped.push(character);
        } else {
            escaped.push_str(&format!("\\{:x} ", u32::from(character)));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use latchkey_core::model::{definition::Definition, method::AuthMethod};
    use serde_json::{Value, json};

    use super::*;

    fn method(when: &Value) -> AuthMethod {
        let definition = json!({
            "name": "Shop",
            "variables": [
                { "key": "region", "label": "Region", "type": "choice", "from": "user",
                  "choices": [{ "value": "eu", "label": "Europe" }, "</style>", "us"] },
                { "key": "own", "label": "Own server", "type": "boolean", "from": "user",
                  "visible_when": { "variable": "region", "is": ["eu"] } },
                { "key": "name", "label": "Name", "from": "user" },
                { "key": "plan", "from": "builder" },
                { "key": "field", "from": "user", "visible_when": when },
            ],
        });
        let definition: Definition = serde_json::from_value(definition).unwrap();
        AuthMethod::parse(&definition, &[]).unwrap()
    }

    #[test]
    fn a_style_hides_what_is_not_asked_for_and_a_hint_says_when_it_is() {
        let hides = |selector: &str| format!("form{selector} #q-field{{display:none}}");
        let not_eu = ":has(#v-region option:is([value=\"\\3c \\2f style\\3e \"],[value=\"us\"],[value=\"\"]):checked)";
        let cases = [
            (
                json!({ "variable": "region", "is": ["eu"] }),
                vec![hides(not_eu)],
                Some("Only if Region is Europe."),
            ),
            (
                json!({ "variable": "region", "is_not": ["us"] }),
                vec![hides(
                    ":has(#v-region option:is([value=\"us\"],[value=\"\"]):checked)",
                )],
                Some("Only if Region is not us."),
            ),
            (
                json!({ "variable": "own", "is": [true] }),
                vec![hides(":not(:has(#v-own:checked))"), hides(not_eu)],
                Some("Only if Own server is ticked."),
            ),
            (
                json!({ "variable": "name" }),
                Vec::new(),
                Some("Only if Name is filled in."),
            ),
            (json!({ "variable": "plan" }), Vec::new(), None),
        ];
        for (when, selectors, words) in cases {
            let method = method(&when);
            let field = method.variable("field").unwrap();
            let style = style(&method, [field].into_iter());
            let quiet = "@supports selector(:has(a)){#w-field{display:none}}";
            let quiet = if selectors.is_empty() { "" } else { quiet };
            assert_eq!(style, format!("{}{quiet}", selectors.concat()), "{when}");
            assert!(!style.contains('<'));
            assert_eq!(hint(&method, field).as_deref(), words, "{when}");
        }
    }
}
