//! Another system's description of a provider: a byte that says whose, and the text. A text that begins otherwise is
//! read as every source.

use latchkey_core::model::definition::Definition;
use latchkey_import::{Source, detect, from_yaml, import, to_yaml};

const SOURCES: [Source; 4] = [
    Source::NangoProviders,
    Source::PowerPlatform,
    Source::OpenIdDiscovery,
    Source::Postman,
];

pub(crate) fn run(bytes: &[u8]) {
    let (sources, text) = match bytes {
        [which @ 0..=3, text @ ..] => {
            let which = usize::from(*which);
            (SOURCES.get(which..=which).unwrap_or_default(), text)
        }
        text => (SOURCES.as_slice(), text),
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let _ = detect(text);
    for source in sources {
        for entry in import(*source, text).unwrap_or_default() {
            if entry.definition.is_null() {
                assert!(!entry.unsaid.is_empty(), "nothing is dropped in silence");
                continue;
            }
            let yaml = to_yaml(&entry.definition);
            let again = from_yaml(&yaml).expect("what is written can be read");
            assert_eq!(again, entry.definition);
            let read = serde_json::from_value::<Definition>(entry.definition);
            assert!(read.is_ok(), "{source:?}: {read:?}");
        }
    }
}
