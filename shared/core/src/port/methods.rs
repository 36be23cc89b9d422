//! Auth methods.

use async_trait::async_trait;

use super::store::{Change, Page, PageAsk, Removal, StoreError};
use crate::model::{
    id::{ConnectorId, MethodKey, TenantId},
    method::{FoundMethod, StoredMethod},
};

/// The auth methods a connector may have; bounds the transaction that removes it.
pub const MOST_METHODS: u16 = 50;

/// Reads auth methods for use.
#[async_trait]
pub trait Methods: Send + Sync {
    /// The auth method, if there is one. It may be some seconds old.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn find(&self, key: &MethodKey) -> Result<Option<FoundMethod>, StoreError>;
}

/// Reads and changes auth methods as builders do. All reads are strongly consistent.
#[async_trait]
pub trait EditMethods: Send + Sync {
    /// The auth method as it is now, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn load(&self, key: &MethodKey) -> Result<Option<StoredMethod>, StoreError>;

    /// A connector's auth methods.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn list(
        &self,
        tenant: &TenantId,
        connector: &ConnectorId,
        page: &PageAsk,
    ) -> Result<Page<StoredMethod>, StoreError>;

    /// Adds an auth method if its connector exists and has fewer than [`MOST_METHODS`]
    /// ([`Change::Lost`] otherwise).
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn create(&self, method: &StoredMethod) -> Result<Change, StoreError>;

    /// Replaces definition and values if the stored version is the one before `method.version`.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn update(&self, method: &StoredMethod) -> Result<Change, StoreError>;

    /// Moves secrets between item and secrets manager: what `next` says of them, and its version, take the place of
    /// what `seen` says if that is still so. What was moved already counts as moved.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn move_secrets(
        &self,
        seen: &StoredMethod,
        next: &StoredMethod,
    ) -> Result<Change, StoreError>;

    /// Removes an auth method that no instance uses.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn delete(&self, key: &MethodKey, version: Option<u64>) -> Result<Removal, StoreError>;
}
