//! OAuth 2 on the wire, as pure functions: the authorise URL, requests, and reading answers.
//!
//! The `oauth2` crate builds the request that RFC 6749 prescribes and reads the answer that it
//! prescribes. The [`dialect`] stands between it and the provider: it re-expresses the standard
//! request as this provider wants it, and turns this provider's answer back into the standard one.
//! A plain provider passes through byte for byte.

pub mod asked;
pub mod authorise_url;
pub mod callback;
pub mod client;
pub mod dialect;
mod expiry;
mod header;
pub mod metadata;
pub mod moment;
mod overlay;
pub mod path;
pub mod raw_answer;
pub mod refusal;
pub mod scope;
pub mod token_answer;
pub mod wire;

#[cfg(test)]
mod tests;
