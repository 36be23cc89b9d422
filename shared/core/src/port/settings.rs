//! What a tenant sets for everything of its own.

use async_trait::async_trait;

use super::store::StoreError;
use crate::model::{connector::Settings, id::TenantId};

/// Reads settings.
#[async_trait]
pub trait ReadSettings: Send + Sync {
    /// The tenant's settings; those of a new tenant if none were made.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn settings(&self, tenant: &TenantId) -> Result<Settings, StoreError>;

    /// What the tenant's settings were some seconds ago, if this process has read them then: nothing is asked.
    fn recent(&self, tenant: &TenantId) -> Option<Settings>;
}

/// Changes settings.
#[async_trait]
pub trait EditSettings: ReadSettings {
    /// Replaces the tenant's settings.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn put(&self, tenant: &TenantId, settings: &Settings) -> Result<(), StoreError>;
}
