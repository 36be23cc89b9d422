//! Who is asking: from an API key to a principal.

use jiff::Timestamp;

use crate::{
    model::{
        Secret,
        api_key::{ApiKey, Principal, Scope},
        authorisation::Digest,
        id::{KeyId, TenantId},
    },
    port::{ApiKeys, Entropy, StoreError},
};

/// What every API key begins with; lets scanners of leaked secrets know one.
pub const KEY_PREFIX: &str = "lk_";

/// The API key in an `Authorization` header (RFC 6750 §2.1).
#[must_use]
pub fn bearer(value: &str) -> Option<Secret> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::from(token.trim()))
}

/// The principal that an API key makes; `None` if it is unknown, ended or revoked.
///
/// The key is found by its digest, so nothing about a wrong key can be learnt from how long it takes.
///
/// # Errors
/// [`StoreError`] if it could not be found out.
pub async fn authenticate(
    keys: &dyn ApiKeys,
    key: &Secret,
    now: Timestamp,
) -> Result<Option<Principal>, StoreError> {
    if !key.expose().starts_with(KEY_PREFIX) || key.expose().len() > 100 {
        return Ok(None);
    }
    let found = keys.find(&Digest::of(key)).await?;
    let good =
        |key: &ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end);
    let principal = |key: ApiKey| Principal {
        key: key.id.to_string(),
        tenant: key.tenant,
        scopes: key.scopes,
    };
    Ok(found.filter(good).map(principal))
}

/// Makes an API key. The secret is shown once; only its digest is kept.
#[must_use]
pub fn new_key(
    entropy: &dyn Entropy,
    now: Timestamp,
    name: String,
    tenant: Option<TenantId>,
    scopes: impl IntoIterator<Item = Scope>,
    expires_at: Option<Timestamp>,
) -> (ApiKey, Secret) {
    let secret = Secret::new(format!("{KEY_PREFIX}{}", entropy.secret().expose()));
    let key = ApiKey {
        id: KeyId::new(now, &entropy.id()),
        digest: Digest::of(&secret),
        tenant,
        name,
        scopes: scopes.into_iter().collect(),
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    (key, secret)
}
