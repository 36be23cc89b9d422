//! What strangers send, and what must hold whatever they send.
//!
//! A target takes any bytes and fails if something doesn't hold. The same targets are driven in two ways: for a few
//! seconds in every test run, from the kept corpus (`corpus/TARGET`) and random changes to it; and for as long as one
//! likes by libFuzzer, guided by coverage, with `cargo xtask fuzz TARGET SECONDS`. What libFuzzer finds is kept in the
//! corpus, under a name that says what it was.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a target that finds something fails where it stands"
)]

mod callback;
mod definition;
mod import;
mod paging;
#[cfg(test)]
mod short_runs;
mod template;
mod token_answer;

/// Something that strangers send, and the code that reads it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its corpus too.
    pub name: &'static str,
    /// Reads some bytes, and panics if something doesn't hold.
    pub run: fn(&[u8]),
    /// Further inputs to begin with: a folder, seen from the project's root.
    pub seeds: Option<&'static str>,
}

/// Every target.
pub const TARGETS: [Target; 6] = [
    Target {
        name: "template",
        run: template::run,
        seeds: None,
    },
    Target {
        name: "definition",
        run: definition::run,
        seeds: Some("shared/presets"),
    },
    Target {
        name: "token_answer",
        run: token_answer::run,
        seeds: None,
    },
    Target {
        name: "callback",
        run: callback::run,
        seeds: None,
    },
    Target {
        name: "paging",
        run: paging::run,
        seeds: None,
    },
    Target {
        name: "import",
        run: import::run,
        seeds: Some("infra/import/tests/it/fixtures"),
    },
];

/// Where providers send people back to, for all targets.
const CALLBACK_URL: &str = "https://latchkey.example/oauth/authenticate";

/// When everything happens, for all targets.
fn now() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a point in time")
}
