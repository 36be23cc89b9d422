//! API keys.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store::{Page, PageAsk, StoreError};
use crate::model::{
    api_key::ApiKey,
    authorisation::Digest,
    id::{KeyId, TenantId},
};

/// Finds API keys.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// The key with this digest, if there is one; it may have ended or been revoked.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn find(&self, digest: &Digest) -> Result<Option<ApiKey>, StoreError>;
}

/// Makes and revokes API keys.
#[async_trait]
pub trait EditApiKeys: Send + Sync {
    /// Adds a key, or puts it back as it was.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn put(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// The keys bound to a tenant (the operator's for `None`).
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn list(
        &self,
        tenant: Option<&TenantId>,
        page: &PageAsk,
    ) -> Result<Page<ApiKey>, StoreError>;

    /// Revokes a key of a tenant (the operator's for `None`), and says whether there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn revoke(
        &self,
        tenant: Option<&TenantId>,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
