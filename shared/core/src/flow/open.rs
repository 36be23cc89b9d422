//! Opening the values that a request needs.

use std::collections::BTreeMap;

use super::{journal, method_secrets::open_secrets};
use crate::{
    model::{
        Secret,
        grant::{StoredGrant, Tokens},
        id::InstanceKey,
        instance::{Instance, StoredValues},
        method::{AuthMethod, StoredMethod},
        refresh_tokens::RefreshTokens,
        sealed::{Place, Sealed},
        values::{GivenValues, KnownValues},
    },
    port::{Clock, Vault, VaultError},
};

/// Whose values are opened.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) instance: &'a InstanceKey,
    /// What the user gave.
    pub(super) values: &'a StoredValues,
    /// What the provider brought.
    pub(super) captured: &'a GivenValues,
}

/// All values for requests in the name of an instance, secrets included.
pub(super) async fn known_values(
    vault: &dyn Vault,
    clock: &dyn Clock,
    (stored, method): (&StoredMethod, &AuthMethod),
    whose: Whose<'_>,
    callback_url: &str,
) -> Result<KnownValues, VaultError> {
    let users = |variable: &str| Instance::value_place(whose.instance, variable);
    let mut builder = plain_values(&stored.values.plain);
    builder.extend(open_secrets(vault, clock, stored).await?);
    let user = open_all(vault, &whose.values.plain, &whose.values.sealed, users).await?;
    Ok(KnownValues::resolve(
        method,
        &builder,
        &user,
        whose.captured,
        callback_url,
    ))
}

async fn open_all(
    vault: &dyn Vault,
    plain: &BTreeMap<String, String>,
    sealed: &BTreeMap<String, Sealed>,
    place: impl Fn(&str) -> Place,
) -> Result<GivenValues, VaultError> {
    let mut values = plain_values(plain);
    for (key, sealed) in sealed {
        values.insert(key.clone(), open_text(vault, &place(key), sealed).await?);
    }
    Ok(values)
}

/// The values that are no secrets.
pub(super) fn plain_values(plain: &BTreeMap<String, String>) -> GivenValues {
    plain
        .iter()
        .map(|(key, value)| (key.clone(), Secret::from(value.as_str())))
        .collect()
}

/// All tokens of a stored grant, its refresh tokens among them wherever they are.
pub(super) async fn open_tokens(
    vault: &dyn Vault,
    clock: &dyn Clock,
    key: &InstanceKey,
    grant: &StoredGrant,
) -> Result<Tokens, VaultError> {
    let place = Instance::tokens_place(key, grant.epoch);
    let tokens = Tokens::from_plaintext(&vault.open(&place, &grant.tokens).await?)
        .map_err(|_| VaultError::Refused)?;
    let text = match &grant.refresh_tokens {
        RefreshTokens::Inside => return Ok(tokens),
        RefreshTokens::Journal(journal) => {
            let place = Instance::refresh_place(key, journal.epoch);
            open_text(vault, &place, &journal.sealed).await?
        }
        RefreshTokens::Version(version) => journal::read(vault, clock, key, version).await?,
    };
    tokens
        .with_refresh_tokens(&text)
        .map_err(|_| VaultError::Refused)
}

/// Opens a sealed text.
pub(super) async fn open_text(
    vault: &dyn Vault,
    place: &Place,
    sealed: &Sealed,
) -> Result<Secret, VaultError> {
    let opened = vault.open(place, sealed).await?;
    String::from_utf8(opened.expose().clone())
        .map(Secret::new)
        .map_err(|_| VaultError::Refused)
}

/// The bytes of a text that is to be sealed.
pub(super) fn bytes(text: &Secret) -> Secret<Vec<u8>> {
    Secret::new(text.expose().as_bytes().to_vec())
}
