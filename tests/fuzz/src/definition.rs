//! A definition, as YAML or JSON: read, saved, linted and previewed.

use std::collections::BTreeMap;

use latchkey_core::{
    flow::preview::{Ask, preview},
    model::{definition::Definition, lint, method::AuthMethod},
};

use crate::{CALLBACK_URL, now};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(document) = latchkey_import::from_yaml(text) else {
        return;
    };
    let Ok(document) = latchkey_presets::resolved(document) else {
        return;
    };
    let Ok(definition) = serde_json::from_value::<Definition>(document) else {
        return;
    };
    let written = serde_json::to_value(&definition).expect("a definition can be written");
    let again = serde_json::from_value(written).expect("what is written can be read");
    assert!(definition == again, "a definition is read back as another");
    let findings = lint::lint(&definition, &[]);
    for finding in &findings {
        let known = lint::code(finding.code).is_some();
        assert!(known, "'{}' is in no table", finding.code);
    }
    if AuthMethod::parse(&definition, &[]).is_err() {
        assert!(!findings.is_empty(), "what is refused has a reason");
        return;
    }
    let nothing = BTreeMap::new();
    let previewed = preview(&Ask {
        definition: &definition,
        inherited: &[],
        values: &nothing,
        callback: &nothing,
        response: None,
        callback_url: CALLBACK_URL,
        now: now(),
    });
    assert!(previewed.is_ok(), "what can be saved can be previewed");
}
