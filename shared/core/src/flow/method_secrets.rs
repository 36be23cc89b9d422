//! The secrets of auth methods, in the secrets manager.
//!
//! A change is written to the item first, its new secrets sealed. Then all secrets of the method go to
//! the secrets manager as one version, and the item points there and forgets them. Until then what is
//! sealed counts and the version holds the rest, so that a crash between the two leaves nothing to mend.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tracing::warn;

use super::{
    keeping::{self, Again, Asked, Holder, KeepError},
    open::open_text,
};
use crate::{
    model::{
        Secret,
        id::MethodKey,
        method::{Apart, MethodValues, StoredMethod},
        secret_version::SecretVersion,
        values::GivenValues,
    },
    port::{Change, Clock, EditMethods, Secrets, SecretsError, StoreError, Vault, VaultError},
};

/// All secrets of an auth method, wherever they are.
pub(super) async fn open_secrets(
    vault: &dyn Vault,
    clock: &dyn Clock,
    stored: &StoredMethod,
) -> Result<GivenValues, VaultError> {
    let (key, values) = (&stored.key, &stored.values);
    let mut all = GivenValues::new();
    let apart = values.apart.as_ref().map(|apart| {
        let names = apart.names.iter();
        let names = names.filter(|name| !values.sealed.contains_key(*name));
        (&apart.version, names.collect::<Vec<_>>())
    });
    if let Some((version, names)) = apart.filter(|(_, names)| !names.is_empty()) {
        let name = StoredMethod::secret_name(key);
        let text = keeping::read(vault, clock, (&name, version), Asked::Often).await?;
        // The parser's own error could quote a secret.
        let mut there: BTreeMap<String, Secret> =
            serde_json::from_str(text.expose()).map_err(|_| VaultError::Refused)?;
        for name in names {
            let secret = there.remove(name).ok_or(VaultError::Refused)?;
            all.insert(name.clone(), secret);
        }
    }
    for (name, sealed) in &values.sealed {
        let place = StoredMethod::value_place(key, name);
        all.insert(name.clone(), open_text(vault, &place, sealed).await?);
    }
    Ok(all)
}

/// What it takes to keep auth methods' secrets where they belong.
pub(super) struct MethodSecrets<'a> {
    /// Auth methods.
    pub(super) methods: &'a dyn EditMethods,
    /// The vault.
    pub(super) vault: &'a dyn Vault,
    /// The clock.
    pub(super) clock: &'a dyn Clock,
}

impl MethodSecrets<'_> {
    /// Puts the secrets of a method that was just written where they belong: the method as it is then.
    ///
    /// That it could not be done is told in the log alone: what is sealed serves as well, and the next change tries
    /// again.
    pub(super) async fn tidy(
        &self,
        before: Option<&MethodValues>,
        method: StoredMethod,
    ) -> StoredMethod {
        let Some(secrets) = self.vault.secrets() else {
            return method;
        };
        let names = method.values.secret_names();
        let done = if names.is_empty() {
            // There is no secret any more, so there need be none.
            let had = before.is_some_and(|before| before.apart.is_some());
            let deleted = match had {
                true => self.delete(&method.key).await,
                false => Ok(()),
            };
            deleted.map(|()| None).map_err(KeepError::from)
        } else if before.is_some_and(|before| names == before.secret_names())
            && method.values.sealed.is_empty()
        {
            Ok(None)
        } else {
            Box::pin(self.put(secrets, &method)).await
        };
        match done {
            Ok(moved) => moved.unwrap_or(method),
            Err(error) => {
                warn!(method = %method.key.id, %error, "secrets left in the item");
                method
            }
        }
    }

    /// Puts all secrets of a method into the secrets manager, and has the item point there: the method as it is then;
    /// `None` if it has moved on.
    async fn put(
        &self,
        secrets: &dyn Secrets,
        method: &StoredMethod,
    ) -> Result<Option<StoredMethod>, KeepError> {
        let all = open_secrets(self.vault, self.clock, method).await?;
        let held = Held {
            methods: self.methods,
            method,
        };
        let version = keeping::keep(secrets, &held, &text(&all), Again::No).await?;
        Ok(version.map(|version| held.pointing_at(&version)))
    }

    /// Deletes the secret of an auth method that was removed, which may be restored for some days.
    ///
    /// # Errors
    /// [`SecretsError`] if it could not be done; it may be tried again.
    pub(super) async fn delete(&self, key: &MethodKey) -> Result<(), SecretsError> {
        match self.vault.archive() {
            Some(secrets) => secrets.delete(&StoredMethod::secret_name(key)).await,
            None => Ok(()),
        }
    }
}

/// Secrets as text, for the secrets manager.
fn text(secrets: &GivenValues) -> Secret {
    let exposed: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(name, secret)| (name.as_str(), secret.expose().as_str()))
        .collect();
    // Texts by text keys can always be written.
    Secret::new(serde_json::to_string(&exposed).unwrap_or_default())
}

/// An auth method with secrets that are to go to the secrets manager.
struct Held<'a> {
    methods: &'a dyn EditMethods,
    method: &'a StoredMethod,
}

impl Held<'_> {
    fn pointing_at(&self, version: &SecretVersion) -> StoredMethod {
        let values = &self.method.values;
        let names = values.secret_names().into_iter().map(str::to_owned);
        let apart = Apart {
            version: version.clone(),
            names: names.collect(),
        };
        let values = MethodValues {
            plain: values.plain.clone(),
            sealed: BTreeMap::new(),
            apart: Some(apart),
        };
        StoredMethod {
            values,
            ..self.method.clone()
        }
    }
}

#[async_trait]
impl Holder for Held<'_> {
    fn name(&self) -> String {
        StoredMethod::secret_name(&self.method.key)
    }

    fn version(&self, attempt: u32) -> SecretVersion {
        SecretVersion::of_method(&self.method.key, self.method.version, attempt)
    }

    fn instead_of(&self) -> Option<&SecretVersion> {
        let apart = self.method.values.apart.as_ref();
        apart.map(|apart| &apart.version)
    }

    async fn point(&self, version: &SecretVersion) -> Result<bool, StoreError> {
        let next = self.pointing_at(version);
        Ok(self.methods.move_secrets(self.method, &next).await? == Change::Done)
    }

    async fn is_there(&self) -> Result<bool, StoreError> {
        let now = self.methods.load(&self.method.key).await?;
        Ok(now.is_some_and(|now| now.version == self.method.version))
    }

    async fn is_over(&self) -> Result<bool, StoreError> {
        Ok(self.methods.load(&self.method.key).await?.is_none())
    }
}
