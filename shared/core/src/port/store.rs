//! What all stores have in common.

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be reached, was throttled or failed; the same call may work later.
    ///
    /// A write that ends so may have been applied.
    #[error("the store did not answer: {0}")]
    Unavailable(String),
    /// What it holds is not what this version can read.
    #[error("the store holds an item that can't be read: {0}")]
    Corrupt(&'static str),
}

/// What became of a conditional change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Done,
    /// Somebody else changed the thing first.
    Lost,
    /// The thing, or what it belongs to, does not exist.
    Gone,
}

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is removed.
    Done,
    /// Somebody else changed the thing first.
    Lost,
    /// The thing does not exist.
    Gone,
    /// So many instances still use it.
    InUse(u64),
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// After which id; from the start if `None`.
    pub after: Option<String>,
    /// How many at most, from 1.
    pub limit: u16,
}

/// A part of a list, in the order of ids.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The id after which the next page begins; `None` at the end.
    pub next: Option<String>,
}
