//! Sealing what is to be kept.

use crate::{
    model::{
        grant::{Grant, StoredGrant},
        sealed::Place,
    },
    port::{Vault, VaultError},
};

/// A grant as it is stored, its tokens sealed for `place`.
pub(super) fn seal_grant(
    vault: &dyn Vault,
    grant: &Grant,
    epoch: u64,
    place: &Place,
) -> Result<StoredGrant, VaultError> {
    let plaintext = grant
        .tokens
        .to_plaintext()
        .map_err(|_| VaultError::Refused)?;
    Ok(StoredGrant {
        epoch,
        tokens: vault.seal(place, &plaintext)?,
        refreshable: grant.refreshable,
        expires_at: grant.expires_at,
        refresh_from: grant.refresh_from,
        refresh_ends_at: grant.refresh_ends_at,
        scopes: grant.scopes.clone(),
        received_at: grant.received_at,
    })
}
