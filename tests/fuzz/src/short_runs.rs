//! A short run of every target.

use std::{fs, path::Path};

use proptest::{prelude::*, sample::Index};

use super::TARGETS;

/// What is in a folder.
fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| fs::read(path).unwrap())
        .collect()
}

/// A change to an input: some bytes of it make way for others.
#[derive(Debug, Clone)]
struct Change {
    at: Index,
    away: usize,
    instead: Vec<u8>,
}

/// Bytes at random, and those that readers look for.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let word = prop::sample::select(WORDS.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    let instead = prop_oneof![word, prop::collection::vec(any::<u8>(), 0..4)];
    let change = (any::<Index>(), 0..8_usize, instead);
    let change = change.prop_map(|(at, away, instead)| Change { at, away, instead });
    prop::collection::vec(change, 0..6)
}

const WORDS: &[&str] = &[
    "",
    "{{",
    "}}",
    "{{a}}",
    " | ",
    "'",
    "\"",
    "\\",
    "\0",
    "\r\n",
    "..",
    "/",
    "?",
    "#",
    "@",
    ":",
    "&",
    "=",
    "%",
    "%2e",
    "[",
    "]",
    "{",
    "}",
    ",",
    "null",
    "true",
    "-1",
    "1e400",
    "18446744073709551616",
    "é",
    "\u{2028}",
    "\u{feff}",
    "xn--",
    "https://",
    "localhost",
    "{{client.secret}}",
    "{{token.access_token}}",
    " | sha256 | hex",
    "state",
    "code",
    "cursor",
    "limit",
    "access_token",
    "expires_in",
    "data",
    "a: &a",
    "*a",
    "<<: *a",
    "- ",
    ": ",
    "|\n",
];

fn changed(mut input: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let from = change.at.index(input.len() + 1);
        let to = input.len().min(from + change.away);
        input.splice(from..to, change.instead.iter().copied());
    }
    input
}

fn short_run(name: &str) {
    let target = TARGETS
        .into_iter()
        .find(|target| target.name == name)
        .unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = inputs(&here.join("corpus").join(name));
    assert!(!inputs.is_empty(), "{name} has no corpus");
    inputs.iter().for_each(|input| (target.run)(input));
    let seeds = target.seeds.map(|folder| here.join("../..").join(folder));
    inputs.extend(seeds.iter().flat_map(|folder| self::inputs(folder)));
    let config = ProptestConfig {
        cases: ProptestConfig::default().cases.max(500),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(which in any::<Index>(), changes in changes())| {
        (target.run)(&changed(which.get(&inputs).clone(), &changes));
    });
}

macro_rules! short_runs {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            short_run(stringify!($name));
        })*

        #[test]
        fn every_target_has_a_short_run() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
        }
    };
}

short_runs! { template definition token_answer callback paging import }
