//! A definition's parameters, laid over the standard ones.

use serde_json::{Map, Value};

use crate::model::{
    definition::{Encoding, JsonKind},
    method::{Overlay, Parameter},
    template::{Namespace, Reference, Template, Unfilled, Values},
    values::KnownValues,
};

/// A parameter as it goes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
    /// How it is written; as the rest if it doesn't say.
    pub(super) encode: Option<Encoding>,
    pub(super) kind: JsonKind,
}

impl Pair {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            encode: None,
            kind: JsonKind::Text,
        }
    }
}

/// Parameters as they go on the wire, in order.
pub(super) type Pairs = Vec<Pair>;

/// Which entries of an overlay are laid: those that sign the request come after all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    Signatures,
}

/// Lays `overlay` over `pairs`: an entry takes the place of the one with its name, or comes last;
/// one without a value removes it.
pub(super) fn lay(
    pairs: &mut Pairs,
    overlay: &Overlay,
    variables: &KnownValues,
    values: &dyn Values,
    turn: Turn,
) -> Result<(), Unfilled> {
    for (name, parameter) in overlay {
        let signs = parameter.as_ref().is_some_and(|p| is_signature(&p.value));
        if signs != (turn == Turn::Signatures) {
            continue;
        }
        let Some(parameter) = parameter else {
            pairs.retain(|present| *present.name != **name);
            continue;
        };
        let at = pairs.iter().position(|present| *present.name == **name);
        if parameter
            .when
            .as_ref()
            .is_some_and(|condition| !variables.holds(condition))
        {
            continue;
        }
        let made = made(name, parameter, values)?;
        match at {
            Some(at) => drop(pairs.splice(at..=at, made)),
            None => pairs.extend(made),
        }
    }
    Ok(())
}

/// What a parameter sends: nothing, one pair, or several.
fn made(name: &str, parameter: &Parameter, values: &dyn Values) -> Result<Pairs, Unfilled> {
    let filled = match parameter.kind {
        JsonKind::Json => parameter
            .value
            .fill_with(values, |value| inside_json(&value)),
        JsonKind::Text | JsonKind::Number | JsonKind::Boolean => parameter.value.fill(values),
    };
    let text = match filled {
        Ok(text) if text.is_empty() && parameter.omit_if_empty => return Ok(Pairs::new()),
        Ok(text) => text,
        Err(Unfilled::Missing(_)) if parameter.omit_if_empty => return Ok(Pairs::new()),
        Err(error) => return Err(error),
    };
    let pair = |value: &str| Pair {
        encode: parameter.encode,
        kind: parameter.kind,
        ..Pair::new(name, value)
    };
    Ok(match &parameter.repeat {
        None => vec![pair(&text)],
        Some(separator) => text
            .split(&**separator)
            .filter(|part| !part.is_empty())
            .map(pair)
            .collect(),
    })
}

/// Whether a template names the request that it is part of.
pub(super) fn is_signature(template: &Template) -> bool {
    template
        .references()
        .any(|reference| reference.namespace == Namespace::Request)
}

/// Gives the built-in parameter `name`, if it is there, the value of the default variable `variable`.
pub(super) fn wire(pairs: &mut Pairs, name: &str, variable: &str, values: &dyn Values) {
    let value = values.value(&Reference::variable(variable));
    if let (Some(value), Some(pair)) = (value, pairs.iter_mut().find(|pair| pair.name == name)) {
        pair.value = value.into_owned();
    }
}

/// Fills the templates of headers or credential parts.
pub(super) fn fill_all<N: Clone>(
    templates: &[(N, Template)],
    values: &dyn Values,
) -> Result<Vec<(N, String)>, Unfilled> {
    templates
        .iter()
        .map(|(name, template)| Ok((name.clone(), template.fill(values)?)))
        .collect()
}

/// Everything sorted by name, as it is signed.
pub(super) fn sorted<'a>(pairs: impl Iterator<Item = &'a Pair>) -> String {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_by(|left, right| left.name.cmp(&right.name));
    let texts: Vec<_> = pairs
        .into_iter()
        .map(|pair| format!("{}={}", pair.name, pair.value))
        .collect();
    texts.join("&")
}

/// The pairs as a query or a form.
pub(super) fn encoded(pairs: &[Pair], rest: Encoding) -> String {
    let texts: Vec<_> = pairs
        .iter()
        .map(|pair| {
            let encoding = pair.encode.unwrap_or(rest);
            format!(
                "{}={}",
                written(&pair.name, encoding),
                written(&pair.value, encoding)
            )
        })
        .collect();
    texts.join("&")
}

/// A text as it is written in a query or a form.
pub(super) fn written(text: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Form => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        Encoding::Rfc3986 => percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string(),
        Encoding::Raw => percent_encoding::utf8_percent_encode(text, RAW).to_string(),
    }
}

/// Everything but the unreserved characters (RFC 3986 §2.3).
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What would end the value, the query or the line, and what no query may have (RFC 3986 §3.4).
const RAW: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The pairs as a JSON object; one that comes several times is a list.
pub(super) fn json(pairs: &[Pair]) -> Result<Value, &str> {
    let mut members = Map::new();
    for pair in pairs {
        let value = json_value(pair).ok_or(pair.name.as_str())?;
        match members.get_mut(&pair.name) {
            None => drop(members.insert(pair.name.clone(), value)),
            Some(Value::Array(list)) if pair.kind != JsonKind::Json => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(Value::Object(members))
}

fn json_value(pair: &Pair) -> Option<Value> {
    match pair.kind {
        JsonKind::Text => Some(Value::String(pair.value.clone())),
        JsonKind::Number => pair
            .value
            .parse::<serde_json::Number>()
            .ok()
            .map(Value::Number),
        JsonKind::Boolean => pair.value.parse::<bool>().ok().map(Value::Bool),
        JsonKind::Json => serde_json::from_str(&pair.value).ok(),
    }
}

/// A text as it stands inside a JSON string.
fn inside_json(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}
