//! Connect sessions.

use async_trait::async_trait;

use super::store::StoreError;
use crate::model::authorisation::{ConnectSession, Digest};

/// Keeps connect sessions under the digest of their token.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Adds a session.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn put(&self, session: &ConnectSession) -> Result<(), StoreError>;

    /// The session, if there is one; it may have ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn find(&self, token: &Digest) -> Result<Option<ConnectSession>, StoreError>;
}
