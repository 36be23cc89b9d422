//! The nouns: ids, connectors, auth methods, variables, templates, instances, grants, secrets.

pub mod api_key;
pub mod authorisation;
pub mod breaker;
pub mod connector;
pub mod credential_id;
pub mod definition;
pub(crate) mod document;
pub mod event;
pub mod failure;
pub mod fault;
pub mod function;
pub mod grant;
pub mod health;
pub mod host;
pub mod id;
pub mod instance;
pub mod lint;
pub mod message;
pub mod method;
pub mod nearest;
pub mod pause;
pub mod refresh_tokens;
pub mod rotation;
pub mod schedule;
pub mod sealed;
mod secret;
pub mod secret_version;
pub mod spare;
pub mod template;
pub mod terms;
pub mod trouble;
pub mod upkeep;
pub mod url_template;
pub mod values;
pub mod variable;

pub use secret::Secret;
