//! What all the tests ask for.

use latchkey_import::{Imported, Source, import, to_yaml};
use serde_json::Value;

/// The entries of a text, each of which must come back from YAML as it is.
pub(crate) fn entries(source: Source, text: &str) -> Vec<Imported> {
    let entries = import(source, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for entry in &entries {
        let yaml = to_yaml(&entry.definition);
        let again: Value =
            serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        assert_eq!(again, entry.definition, "{yaml}");
        assert!(
            entry
                .unsaid
                .iter()
                .all(|unsaid| !unsaid.at.is_empty() && !unsaid.why.is_empty()),
            "{entry:?}"
        );
    }
    entries
}

/// The entry of a name.
pub(crate) fn entry(entries: &[Imported], name: &str) -> Imported {
    let found = entries.iter().find(|entry| entry.name == name);
    found.unwrap_or_else(|| panic!("no {name}")).clone()
}

/// What the definition has at a path, `null` where it has nothing.
pub(crate) fn said(entry: &Imported, pointer: &str) -> Value {
    entry
        .definition
        .pointer(pointer)
        .cloned()
        .unwrap_or_default()
}

/// The entry is of this name and this YAML, and nothing is left out of it.
pub(crate) fn assert_says(entry: &Imported, name: &str, expected: &str) {
    assert_eq!(
        (yaml(entry).as_str(), entry.name.as_str()),
        (expected, name)
    );
    assert_eq!(entry.unsaid, []);
}

/// Where the things stand that were left out.
pub(crate) fn unsaid(entry: &Imported) -> Vec<&str> {
    entry
        .unsaid
        .iter()
        .map(|unsaid| unsaid.at.as_str())
        .collect()
}

/// The definition as YAML without its first line, which is short to compare.
pub(crate) fn yaml(entry: &Imported) -> String {
    let yaml = to_yaml(&entry.definition);
    yaml.split_once('\n')
        .map(|(_, rest)| rest.to_owned())
        .unwrap_or_default()
}
