//! Values of variables, as callers see them: secrets are written and never read back.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// The value of a variable.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ValueView {
    /// Whether there is one.
    pub set: bool,
    /// The value itself, unless it is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// All values, by the key of their variable.
#[must_use]
pub fn views<'a>(
    plain: &BTreeMap<String, String>,
    secret: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, ValueView> {
    let plain = plain.iter().map(|(key, value)| {
        (
            key.clone(),
            ValueView {
                set: true,
                value: Some(value.clone()),
            },
        )
    });
    let secret = secret.into_iter().map(|key| {
        (
            key.to_owned(),
            ValueView {
                set: true,
                value: None,
            },
        )
    });
    plain.chain(secret).collect()
}
