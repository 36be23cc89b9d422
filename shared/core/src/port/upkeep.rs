//! Notes beside the refresh protocol: what callers tell of an instance.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{instances::Due, store::StoreError};
use crate::model::{id::InstanceKey, instance::Instance, upkeep::Rejections};

/// A note about an instance.
#[derive(Debug, Clone)]
pub struct Note<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The consent that it lives by.
    pub incarnation: u64,
    /// The epoch whose tokens it has.
    pub epoch: u64,
    /// When the instance wants attention next, in the light of the note.
    pub due: Option<Due>,
    /// What is noted.
    pub what: Noting<'a>,
}

/// What is noted.
#[derive(Debug, Clone, Copy)]
pub enum Noting<'a> {
    /// A credential was had.
    Used {
        /// When.
        at: Timestamp,
    },
    /// The provider has rejected an access token.
    Rejected {
        /// What rejections had said.
        seen: &'a Rejections,
        /// What they say now.
        kept: &'a Rejections,
    },
    /// Nothing but when the instance is due, if the index says that it was due by now.
    NotDue {
        /// Now.
        now: Timestamp,
    },
}

/// What became of a note.
#[derive(Debug)]
pub enum Noted {
    /// It is noted.
    Done,
    /// It is not: the instance has moved on. Here it is, if it exists.
    Moved(Option<Box<Instance>>),
}

/// Notes what is no part of the refresh protocol: it touches no attribute of it but when the
/// instance is due.
#[async_trait]
pub trait NoteUpkeep: Send + Sync {
    /// Notes something if the instance is active or suspect, lives by the same consent and has the same
    /// tokens; and, for a rejection, if nobody has noted another.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn note(&self, note: Note<'_>) -> Result<Noted, StoreError>;
}
