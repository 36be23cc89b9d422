//! A parameter with more to say than its value, as it is written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    parameter::{Condition, Encoding, JsonKind},
    scalar::Scalar,
};

/// A parameter with more to say than its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The template.
    pub value: Scalar,
    /// Sent only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Left out if the text is empty or a value of it is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omit_if_empty: bool,
    /// How it is written in a URL or form; as the rest of the request if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encode: Option<Encoding>,
    /// Splits the text here, and sends the name once for each part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// What it is in a JSON body.
    #[serde(rename = "as", default, skip_serializing_if = "is_default")]
    pub kind: JsonKind,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
