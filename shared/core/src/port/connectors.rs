//! Connectors.

use async_trait::async_trait;

use super::store::{Change, Page, PageAsk, Removal, StoreError};
use crate::model::{
    connector::Connector,
    id::{ConnectorId, TenantId},
};

/// Keeps connectors. All reads are strongly consistent.
#[async_trait]
pub trait Connectors: Send + Sync {
    /// The connector, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn find(
        &self,
        tenant: &TenantId,
        id: &ConnectorId,
    ) -> Result<Option<Connector>, StoreError>;

    /// The tenant's connectors.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn list(&self, tenant: &TenantId, page: &PageAsk) -> Result<Page<Connector>, StoreError>;

    /// Adds a connector; its id is new.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn create(&self, connector: &Connector) -> Result<(), StoreError>;

    /// Replaces name and variables if the stored version is the one before `connector.version`.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn update(&self, connector: &Connector) -> Result<Change, StoreError>;

    /// Removes a connector with its auth methods, in one transaction, if no instance uses any.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn delete(
        &self,
        tenant: &TenantId,
        id: &ConnectorId,
        version: Option<u64>,
    ) -> Result<Removal, StoreError>;
}
