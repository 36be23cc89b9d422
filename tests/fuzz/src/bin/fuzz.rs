//! libFuzzer's entry point: runs the target that `LATCHKEY_FUZZ` names.

#![no_main]

use std::sync::OnceLock;

use latchkey_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        #[expect(clippy::disallowed_methods, reason = "libFuzzer owns the command line")]
        let name = std::env::var("LATCHKEY_FUZZ").unwrap_or_default();
        let target = TARGETS.into_iter().find(|target| target.name == name);
        TARGET.get_or_init(|| target.expect("LATCHKEY_FUZZ names a target"));
    },
    |bytes: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(bytes);
        }
    }
);
