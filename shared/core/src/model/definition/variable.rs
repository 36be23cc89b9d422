//! Variables, as they are written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{parameter::Condition, scalar::Scalar};

/// A variable: a named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariableDefinition {
    /// The name that templates use.
    #[schema(example = "account")]
    pub key: String,
    /// The name that people see; the key if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A sentence that helps a person to find the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What kind of value it is.
    #[serde(rename = "type", default)]
    pub kind: VariableType,
    /// Who gives the value.
    #[serde(default)]
    pub from: Origin,
    /// Where a captured value is: the name of the callback's parameter, the dotted path in the answer,
    /// or, for a lookup, the step's id and then the path. The key if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value where nobody gives one: a template over earlier variables. Not for secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// Whether there must be a value.
    #[serde(default = "yes")]
    pub required: bool,
    /// The values to choose from, for the type `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// A regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// A regular expression that the whole value must not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_pattern: Option<String>,
    /// The hosts that a host or URL may be at; `*.example.com` for any below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// A template over earlier variables that the value must be the same as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// Shown before the field, and taken off a value that was pasted with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Shown after the field, and taken off a value that was pasted with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// How a given value is made uniform.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub normalise: Vec<Normalisation>,
    /// Asked only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_when: Option<Condition>,
    /// Whether the connect page keeps it out of sight until asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub advanced: bool,
    /// How the value is made from others; then nobody gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<MapDefinition>,
}

impl VariableDefinition {
    /// A text of the builder's that must have a value.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            label: None,
            help: None,
            kind: VariableType::Text,
            from: Origin::Builder,
            path: None,
            default: None,
            required: true,
            choices: Vec::new(),
            pattern: None,
            not_pattern: None,
            hosts: Vec::new(),
            equals: None,
            prefix: None,
            suffix: None,
            normalise: Vec::new(),
            visible_when: None,
            advanced: false,
            map: None,
        }
    }
}

/// The types of a variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableType {
    /// Any text.
    #[default]
    Text,
    /// A text that is written and never read back.
    Secret,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// One of `choices`.
    Choice,
    /// Host labels, without scheme or path.
    Hostname,
    /// An absolute `https` URL.
    Url,
    /// A private key in PEM (RFC 7468), which is never read back.
    Pem,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Fixed by the builder; users never see it.
    #[default]
    Builder,
    /// Asked of the user; a default may be changed.
    User,
    /// Brought by the provider to the callback.
    Callback,
    /// Captured from an answer to the token or the re-authenticate request.
    Token,
    /// Captured from the answer to a lookup.
    Lookup,
}

/// A value to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The value.
    pub value: String,
    /// What people read; the value if there is none.
    pub label: Option<String>,
}

/// How a given value is made uniform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// White space at both ends is taken off.
    Trim,
    /// Capital letters become small.
    Lower,
    /// `https://` or `http://` in front is taken off.
    StripScheme,
    /// Slashes at the end are taken off.
    StripSlash,
    /// Everything from the first slash after the host is taken off.
    StripPath,
}

/// A value made from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MapDefinition {
    /// A template over earlier variables, whose text is looked up.
    pub of: String,
    /// A template by text.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Scalar>)]
    pub cases: IndexMap<String, Scalar>,
    /// The template for every other text; without it there is no value then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
}

fn yes() -> bool {
    true
}
