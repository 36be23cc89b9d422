//! Definitions out of other systems' descriptions of OAuth 2 providers.
//!
//! Each source is read field by field, and what it says is written in the definition language. Nothing is dropped
//! silently: what the language can't say, and what this crate doesn't know, is named in [`Imported::unsaid`].

mod discovery;
mod document;
mod error;
mod fields;
mod guard;
mod host;
mod name;
mod nango;
mod order;
mod parameters;
mod pattern;
mod postman;
mod power_platform;
mod template;
mod variables;
mod yaml;

use serde_json::Value;

pub use error::ImportError;
pub use yaml::{parse as from_yaml, to_yaml};

/// Whose descriptions of providers are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// A map of provider templates, as in Nango's `providers.yaml`.
    NangoProviders,
    /// The `apiProperties.json` of a Power Platform connector.
    PowerPlatform,
    /// The metadata of an authorisation server: `OpenID` Connect discovery or RFC 8414.
    OpenIdDiscovery,
    /// A Postman collection, version 2 or 2.1.
    Postman,
}

/// One entry of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// A name for a file, in kebab-case and without an ending.
    pub name: String,
    /// The definition, its fields in the order of the language's reference. It is `null` where the entry is no
    /// authorisation-code flow; `unsaid` then says what it is.
    pub definition: Value,
    /// What the source says and the definition doesn't.
    pub unsaid: Vec<Unsaid>,
}

/// Something that the source says and the definition doesn't, or not quite.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsaid {
    /// Where it stands: a path of keys, in a map of providers from the entry on.
    pub at: String,
    /// Why it isn't in the definition, or what to look at.
    pub why: String,
}

/// Reads a text as what the source says it is.
///
/// # Errors
/// The text isn't of that form, or describes no authorisation-code flow at all.
pub fn import(source: Source, text: &str) -> Result<Vec<Imported>, ImportError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut imported = match source {
        Source::NangoProviders => nango::import(text),
        Source::PowerPlatform => power_platform::import(text),
        Source::OpenIdDiscovery => discovery::import(text),
        Source::Postman => postman::import(text),
    }?;
    if imported.iter().all(|entry| entry.definition.is_null()) {
        return Err(ImportError::nothing(&imported));
    }
    name::tell_apart(&mut imported);
    Ok(imported)
}

/// Tells which source a text comes from.
#[must_use]
pub fn detect(text: &str) -> Option<Source> {
    let text = text.trim_start_matches('\u{feff}');
    let document = serde_json::from_str(text)
        .ok()
        .or_else(|| yaml::parse(text).ok())?;
    [
        Source::OpenIdDiscovery,
        Source::Postman,
        Source::PowerPlatform,
        Source::NangoProviders,
    ]
    .into_iter()
    .find(|source| looks_like(*source, &document))
}

fn looks_like(source: Source, document: &Value) -> bool {
    match source {
        Source::NangoProviders => nango::looks_like(document),
        Source::PowerPlatform => power_platform::looks_like(document),
        Source::OpenIdDiscovery => discovery::looks_like(document),
        Source::Postman => postman::looks_like(document),
    }
}
