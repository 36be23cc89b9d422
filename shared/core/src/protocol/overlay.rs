//! A definition's parameters, laid over the standard ones.

use crate::model::{
    method::Overlay,
    template::{MissingValue, Namespace, Reference, Template, Values},
};

/// Parameters as they go on the wire, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// Lays `overlay` over `pairs`: an entry takes the place of the one with its name, or comes last;
/// one without a template removes it.
pub(super) fn lay(
    pairs: &mut Pairs,
    overlay: &Overlay,
    values: &dyn Values,
) -> Result<(), MissingValue> {
    for (name, template) in overlay {
        match template {
            None => pairs.retain(|(present, _)| **present != **name),
            Some(template) => put(pairs, name, template.fill(values)?),
        }
    }
    Ok(())
}

/// Gives the built-in parameter `name`, if it is there, the value of the default variable `variable`.
pub(super) fn wire(pairs: &mut Pairs, name: &str, variable: &str, values: &dyn Values) {
    let reference = Reference {
        namespace: Namespace::Variable,
        key: variable.into(),
    };
    if let (Some(value), true) = (
        values.value(&reference),
        pairs.iter().any(|(present, _)| present == name),
    ) {
        put(pairs, name, value.into_owned());
    }
}

/// Fills the templates of headers or credential parts.
pub(super) fn fill_all<N: Clone>(
    templates: &[(N, Template)],
    values: &dyn Values,
) -> Result<Vec<(N, String)>, MissingValue> {
    templates
        .iter()
        .map(|(name, template)| Ok((name.clone(), template.fill(values)?)))
        .collect()
}

fn put(pairs: &mut Pairs, name: &str, value: String) {
    match pairs.iter_mut().find(|(present, _)| present == name) {
        Some((_, present)) => *present = value,
        None => pairs.push((name.to_owned(), value)),
    }
}
