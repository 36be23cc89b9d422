//! Authorisations under way.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::StoreError;
use crate::model::{
    authorisation::{Authorisation, Digest, Miss},
    grant::StoredGrant,
};

/// Begins authorisations.
#[async_trait]
pub trait BeginAuthorisations: Send + Sync {
    /// Keeps an authorisation until some time after it ends.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn put(&self, authorisation: &Authorisation) -> Result<(), StoreError>;
}

/// What a state led to.
#[derive(Debug)]
pub enum Take {
    /// The authorisation, which is now this caller's alone.
    Taken(Box<Authorisation>),
    /// The authorisation, which somebody has taken before.
    Replayed(Box<Authorisation>),
    /// Nothing any more: it ended unused.
    Expired,
    /// Nothing: no such state was ever issued, or it is long gone.
    Unknown,
}

/// Takes authorisations and sees them through.
#[async_trait]
pub trait Authorisations: Send + Sync {
    /// Takes the authorisation of a state. Of any number of callers, one is given
    /// [`Take::Taken`]: one conditional update decides, and it is not a removal, so that a replay
    /// can be told from an unknown state.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer. The state may have been taken all the same; the
    /// person starts again.
    async fn take(&self, state: &Digest, now: Timestamp) -> Result<Take, StoreError>;

    /// Remembers that a taken authorisation failed.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn fail(&self, state: &Digest, miss: Miss) -> Result<(), StoreError>;

    /// Keeps the grant of a taken authorisation until the platform completes it.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn park(&self, state: &Digest, grant: &StoredGrant) -> Result<(), StoreError>;

    /// The authorisation, if there is one, as strongly consistent read.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn find(&self, state: &Digest) -> Result<Option<Authorisation>, StoreError>;

    /// Turns a parked authorisation into a completed one, which keeps its grant; `false` if it is not
    /// parked.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn complete(&self, state: &Digest) -> Result<bool, StoreError>;
}
