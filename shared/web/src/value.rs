//! Values of variables, as callers see them: secrets are written and never read back.

use std::collections::BTreeMap;

use latchkey_core::model::sealed::Sealed;
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
pub fn views(
    plain: &BTreeMap<String, String>,
    sealed: &BTreeMap<String, Sealed>,
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
    let sealed = sealed.keys().map(|key| {
        (
            key.clone(),
            ValueView {
                set: true,
                value: None,
            },
        )
    });
    plain.chain(sealed).collect()
}
