//! What holds for whatever is put in: inverses and invariants, tried at random.
//!
//! Each tries 256 cases, or as many as `PROPTEST_CASES` says: `cargo xtask properties` makes a long run of them all.

mod answers;
mod callbacks;
mod templates;
mod urls;

use proptest::prelude::*;

/// As many cases as the environment says; a failure is fixed at once, and a test leaves no files in the source.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Texts that strangers write.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9.-]{0,12}",
        "[a-zé./%?#@:&=+;{}\\[\\]\"\\\\ \r\n\t\0|-]{0,16}",
    ]
}
