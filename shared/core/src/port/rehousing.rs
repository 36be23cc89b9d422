//! What an operator needs who moves everything from one key, or vault, to another: all there is, of all tenants.

use async_trait::async_trait;

use super::{
    instances::Leases,
    methods::EditMethods,
    store::{Page, PageAsk, StoreError},
};
use crate::model::{instance::Instance, method::StoredMethod};

/// Goes through all instances, and changes how what is in them is sealed.
#[async_trait]
pub trait RehouseInstances: Leases {
    /// All instances, in no order; a page may be empty.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn every(&self, page: &PageAsk) -> Result<Page<Instance>, StoreError>;

    /// Puts what `next` has sealed in the place of what `seen` has, and where its refresh tokens are, if all of that is
    /// still as seen. Nothing else is changed. Says whether `next` is what is there.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn reseal(&self, seen: &Instance, next: &Instance) -> Result<bool, StoreError>;
}

/// Goes through all auth methods.
#[async_trait]
pub trait RehouseMethods: EditMethods {
    /// All auth methods, in no order; a page may be empty.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn every(&self, page: &PageAsk) -> Result<Page<StoredMethod>, StoreError>;
}
