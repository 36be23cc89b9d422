//! Definitions of real OAuth 2 providers, one file each.
//!
//! The files are YAML, for people; what is built in is one JSON text. A preset may start from
//! another (`preset`), as a sandbox does; [`resolved`] lays it over the one that it starts from.

mod lay;

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

pub use lay::lay_over;

/// How many presets may start from each other.
const DEEPEST: usize = 4;

static PRESETS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    // The build script has written it.
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/presets.json")))
        .unwrap_or_default()
});

/// The names of all presets, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.keys().map(String::as_str)
}

/// The definition of a preset, whole; `None` if there is no such preset.
#[must_use]
pub fn preset(name: &str) -> Option<Value> {
    resolved(PRESETS.get(name)?.clone()).ok()
}

/// There is no preset of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPreset(pub String);

/// A definition laid over the preset that it starts from, if it names one.
///
/// # Errors
/// [`UnknownPreset`] if there is none of that name.
pub fn resolved(mut definition: Value) -> Result<Value, UnknownPreset> {
    for _ in 0..DEEPEST {
        let Some(members) = definition.as_object_mut() else {
            return Ok(definition);
        };
        let name = match members.remove("preset") {
            None | Some(Value::Null) => return Ok(definition),
            Some(Value::String(name)) => name,
            Some(other) => return Err(UnknownPreset(other.to_string())),
        };
        let base = PRESETS.get(&name).cloned();
        definition = lay_over(base.ok_or(UnknownPreset(name))?, definition);
    }
    Err(UnknownPreset("a preset that starts from itself".to_owned()))
}

#[cfg(test)]
mod tests {
    use latchkey_core::{
        flow::preview::{Ask, preview as previewed},
        model::{
            definition::Definition,
            lint::{self, Severity},
            method::AuthMethod,
        },
    };

    use super::*;

    #[test]
    fn every_preset_is_free_of_errors_and_warnings() {
        let mut faults = Vec::new();
        for name in names() {
            let Some(preset) = preset(name) else {
                faults.push(format!(
                    "{name}: it starts from a preset that doesn't exist"
                ));
                continue;
            };
            let definition: Definition = match serde_json::from_value(preset) {
                Ok(definition) => definition,
                Err(error) => {
                    faults.push(format!("{name}: {error}"));
                    continue;
                }
            };
            for found in lint::lint(&definition, &[]) {
                if found.severity != Severity::Note {
                    let (code, at) = (found.code, found.pointer);
                    faults.push(format!("{name}: {code} {at} {}", found.detail));
                }
            }
            if definition.documentation_url.is_none() {
                faults.push(format!("{name}: it has no documentation link"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn there_are_presets_and_each_asks_for_no_more_than_it_must() {
        assert!(names().count() >= 250, "{}", names().count());
        let github = preset("github").unwrap();
        let definition: Definition = serde_json::from_value(github).unwrap();
        let method = AuthMethod::parse(&definition, &[]).unwrap();
        let lacks = method.lacks(&latchkey_core::model::method::MethodValues::default());
        assert_eq!(lacks, ["/values/client_id", "/values/client_secret"]);
    }

    #[test]
    fn the_kept_schema_is_true_and_every_file_names_it() {
        let kept: Value = serde_json::from_str(include_str!("../definition.schema.json")).unwrap();
        assert!(
            kept == latchkey_core::model::definition::json_schema(),
            "definition.schema.json is stale: run `cargo xtask schema`"
        );
        for name in names() {
            let path = format!("{}/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            let first = "# yaml-language-server: $schema=definition.schema.json\n";
            assert!(text.starts_with(first), "{name}");
        }
    }

    #[test]
    fn every_request_of_every_preset_can_be_previewed() {
        let (mut faults, nothing) = (Vec::new(), BTreeMap::new());
        for name in names() {
            let definition: Definition = serde_json::from_value(preset(name).unwrap()).unwrap();
            let ask = Ask {
                definition: &definition,
                inherited: &[],
                values: &nothing,
                callback: &nothing,
                response: None,
                callback_url: "https://latchkey.example/oauth/authenticate",
                now: "2026-01-01T00:00:00Z".parse().unwrap(),
            };
            let previewed = previewed(&ask).unwrap();
            for request in previewed.requests {
                if let Some(why) = request.error {
                    faults.push(format!("{name}: {}: {why}", request.name));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn the_page_of_the_linter_s_codes_is_true() {
        let kept = include_str!("../LINT.md");
        assert_eq!(
            kept,
            lint::page(),
            "LINT.md is stale: run `latchkey lint --codes > shared/presets/LINT.md`"
        );
    }

    #[test]
    fn an_unknown_preset_is_an_error() {
        let own = serde_json::json!({ "preset": "no-such-provider" });
        assert_eq!(
            resolved(own),
            Err(UnknownPreset("no-such-provider".to_owned()))
        );
    }
}
