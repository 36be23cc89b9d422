//! The variables that every authorisation-code method has.

use crate::model::definition::{Origin, Scalar, VariableDefinition, VariableType};

/// The eleven variables that every authorisation-code method starts with.
#[must_use]
pub fn defaults() -> Vec<VariableDefinition> {
    let builder = |key: &str, label: &str, default: Option<&str>| VariableDefinition {
        label: Some(label.to_owned()),
        default: default.map(Scalar::from),
        ..VariableDefinition::new(key)
    };
    let number = |variable| VariableDefinition {
        kind: VariableType::Number,
        ..variable
    };
    let secret = |variable| VariableDefinition {
        kind: VariableType::Secret,
        ..variable
    };
    let optional = |variable| VariableDefinition {
        required: false,
        ..variable
    };
    let brought = |variable| VariableDefinition {
        from: Origin::Callback,
        ..variable
    };
    vec![
        number(builder("state_length", "State length", Some("32"))),
        optional(builder("scope", "Scope", None)),
        builder("client_id", "Client ID", None),
        secret(builder("client_secret", "Client secret", None)),
        builder(
            "response_authentication_token_key",
            "Response authentication token key",
            Some("access_token"),
        ),
        builder("grant_type", "Grant type", Some("authorization_code")),
        builder("response_type", "Response type", Some("code")),
        brought(builder(
            "oauth_authorised_code",
            "OAuth authorised code",
            None,
        )),
        builder(
            "callback_url",
            "Callback URL",
            Some("{{flow.callback_url}}"),
        ),
        builder(
            "refresh_grant_type",
            "Refresh grant type",
            Some("refresh_token"),
        ),
        builder(
            "response_refresh_token_key",
            "Response refresh token key",
            Some("refresh_token"),
        ),
    ]
}

/// The default variables that a builder has left out.
#[must_use]
pub fn missing_defaults(written: &[VariableDefinition]) -> Vec<VariableDefinition> {
    let mut missing = defaults();
    missing.retain(|default| written.iter().all(|variable| variable.key != default.key));
    missing
}
