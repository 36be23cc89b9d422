//! Sealing what is to be kept.

use super::open::{bytes, open_tokens};
use crate::{
    model::{
        Secret,
        grant::{Grant, StoredGrant, Tokens},
        id::InstanceKey,
        instance::Instance,
        refresh_tokens::{Journal, RefreshTokens},
        sealed::Place,
        secret_version::SecretVersion,
    },
    port::{Clock, Vault, VaultError},
};

/// A grant as it is stored, all its tokens sealed for `place`.
pub(super) fn seal_grant(
    vault: &dyn Vault,
    grant: &Grant,
    epoch: u64,
    place: &Place,
) -> Result<StoredGrant, VaultError> {
    seal_tokens(vault, grant, &grant.tokens, epoch, place)
}

/// A grant as an instance keeps it: its refresh tokens in a journal if they belong in the secrets
/// manager, where `instead_of` is what they take the place of.
pub(super) fn seal_for(
    vault: &dyn Vault,
    key: &InstanceKey,
    epoch: u64,
    grant: &Grant,
    instead_of: Option<&SecretVersion>,
) -> Result<StoredGrant, VaultError> {
    let place = Instance::tokens_place(key, epoch);
    if vault.secrets().is_none() || !grant.tokens.has_refresh_token() {
        return seal_grant(vault, grant, epoch, &place);
    }
    let text = grant.tokens.refresh_text();
    let rest = grant.tokens.without_refresh_tokens();
    Ok(StoredGrant {
        refresh_tokens: journal(vault, key, epoch, &text, instead_of)?,
        ..seal_tokens(vault, grant, &rest, epoch, &place)?
    })
}

/// The same for a grant that a refresh brought. Refresh tokens that are the same as before stay where
/// they are: the secrets manager is not written for them.
pub(super) fn seal_after(
    vault: &dyn Vault,
    key: &InstanceKey,
    epoch: u64,
    grant: &Grant,
    (before, tokens): (&StoredGrant, &Tokens),
) -> Result<StoredGrant, VaultError> {
    let is_apart = match before.refresh_tokens {
        RefreshTokens::Inside => false,
        RefreshTokens::Journal(_) | RefreshTokens::Version(_) => vault.secrets().is_some(),
    };
    let parent = Some(before.epoch);
    if !is_apart || tokens.refresh_text().expose() != grant.tokens.refresh_text().expose() {
        let version = before.refresh_tokens.version();
        let sealed = seal_for(vault, key, epoch, grant, version)?;
        return Ok(StoredGrant { parent, ..sealed });
    }
    let place = Instance::tokens_place(key, epoch);
    let rest = grant.tokens.without_refresh_tokens();
    Ok(StoredGrant {
        parent,
        refresh_tokens: before.refresh_tokens.clone(),
        ..seal_tokens(vault, grant, &rest, epoch, &place)?
    })
}

/// A grant that is to be a spare, its tokens opened: all of it in the item, for a version of the
/// secrets manager may be gone before it is asked for.
pub(super) fn seal_whole(
    vault: &dyn Vault,
    key: &InstanceKey,
    grant: &StoredGrant,
    tokens: &Tokens,
) -> Result<StoredGrant, VaultError> {
    let place = Instance::tokens_place(key, grant.epoch);
    let plaintext = tokens.to_plaintext().map_err(|_| VaultError::Refused)?;
    Ok(StoredGrant {
        tokens: vault.seal(&place, &plaintext)?,
        refresh_tokens: RefreshTokens::Inside,
        ..grant.clone()
    })
}

/// A spare as it becomes the grant of another epoch: the place that it is sealed for tells the epoch,
/// and so does the version of the secrets manager that its refresh tokens go to.
pub(super) async fn seal_anew(
    vault: &dyn Vault,
    clock: &dyn Clock,
    key: &InstanceKey,
    (spare, epoch): (&StoredGrant, u64),
    instead_of: Option<&SecretVersion>,
) -> Result<StoredGrant, VaultError> {
    let tokens = open_tokens(vault, clock, key, spare).await?;
    let promoted = StoredGrant {
        epoch,
        parent: None,
        answered_under: Some(spare.answer_epoch()),
        ..spare.clone()
    };
    if vault.secrets().is_none() || !tokens.has_refresh_token() {
        return seal_whole(vault, key, &promoted, &tokens);
    }
    let rest = tokens.without_refresh_tokens();
    Ok(StoredGrant {
        refresh_tokens: journal(vault, key, epoch, &tokens.refresh_text(), instead_of)?,
        ..seal_whole(vault, key, &promoted, &rest)?
    })
}

/// Refresh tokens as a journal.
pub(super) fn journal(
    vault: &dyn Vault,
    key: &InstanceKey,
    epoch: u64,
    text: &Secret,
    instead_of: Option<&SecretVersion>,
) -> Result<RefreshTokens, VaultError> {
    let place = Instance::refresh_place(key, epoch);
    Ok(RefreshTokens::Journal(Journal {
        epoch,
        sealed: vault.seal(&place, &bytes(text))?,
        instead_of: instead_of.cloned(),
    }))
}

fn seal_tokens(
    vault: &dyn Vault,
    grant: &Grant,
    tokens: &Tokens,
    epoch: u64,
    place: &Place,
) -> Result<StoredGrant, VaultError> {
    let plaintext = tokens.to_plaintext().map_err(|_| VaultError::Refused)?;
    Ok(StoredGrant {
        epoch,
        parent: None,
        answered_under: None,
        tokens: vault.seal(place, &plaintext)?,
        refresh_tokens: RefreshTokens::Inside,
        refreshable: grant.refreshable,
        expires_at: grant.expires_at,
        terms: grant.terms.clone(),
        scopes: grant.scopes.clone(),
        received_at: grant.received_at,
    })
}
