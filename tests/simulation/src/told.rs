//! What came of a schedule.

use std::fmt;

/// What came of a schedule.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Its seed.
    pub seed: u64,
    /// The provider and the vault.
    pub case: String,
    /// What may not have happened, if anything.
    pub wrong: Vec<String>,
    /// How many faults struck.
    pub faults: u64,
    /// How many tasks died.
    pub deaths: u64,
    /// Whether any task was frozen.
    pub freezes: bool,
    /// How many polls there were.
    pub polls: u64,
    /// How many instances needed a new consent in the end.
    pub dead: u64,
    /// How many secrets are left of deleted instances.
    pub left: u64,
    /// How many of the ended since an answer in the queue did not find its place in time: whoever had it from
    /// there was dead or frozen.
    pub overtaken: u64,
    /// All that happened, as one number: the same seed tells the same story.
    pub mark: i64,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {} ({}): {}",
            self.seed,
            self.case,
            self.wrong.join("; ")
        )
    }
}
