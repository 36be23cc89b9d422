//! A vault whose keys are no secret, and a secrets manager that keeps what it must and no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use latchkey_core::{
    model::{
        Secret,
        sealed::{Place, Sealed},
        secret_version::SecretVersion,
    },
    port::{Kept, NewVersion, Seal, Secrets, SecretsError, Vault, VaultError},
};

use crate::{
    line::{Call, Line, Lost},
    timeline::lock,
};

/// Seals by writing the place in front of the value, so that it opens there alone.
pub struct PlainVault {
    line: Arc<dyn Line>,
    secrets: Option<MemorySecrets>,
}

impl std::fmt::Debug for PlainVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainVault")
    }
}

impl PlainVault {
    /// A vault at the end of a line; with a secrets manager for refresh tokens or without.
    #[must_use]
    pub fn new(line: Arc<dyn Line>, secrets: Option<MemorySecrets>) -> Self {
        Self { line, secrets }
    }

    /// What was sealed, wherever it belongs.
    #[must_use]
    pub fn peek(sealed: &Sealed) -> Option<&[u8]> {
        let bytes = sealed.as_bytes();
        let length = u16::from_le_bytes(bytes.get(..2)?.try_into().ok()?);
        bytes.get(2 + usize::from(length)..)
    }
}

#[async_trait]
impl Seal for PlainVault {
    async fn warm(&self) -> Result<(), VaultError> {
        let unavailable = |Lost| VaultError::Unavailable;
        self.line.out(Call::Keys).await.map_err(unavailable)?;
        self.line.back(Call::Keys).await.map_err(unavailable)
    }

    fn seal(&self, place: &Place, value: &Secret<Vec<u8>>) -> Result<Sealed, VaultError> {
        let place = place.associated_data();
        let length = u16::try_from(place.len()).map_err(|_| VaultError::Refused)?;
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(place);
        bytes.extend(value.expose());
        Ok(Sealed::new(bytes))
    }

    /// There is no key.
    fn is_current(&self, _: &Sealed) -> bool {
        true
    }
}

#[async_trait]
impl Vault for PlainVault {
    async fn open(&self, place: &Place, sealed: &Sealed) -> Result<Secret<Vec<u8>>, VaultError> {
        let bytes = sealed.as_bytes();
        let value = Self::peek(sealed).ok_or(VaultError::Refused)?;
        let stored = bytes.get(2..bytes.len() - value.len());
        match stored == Some(&*place.associated_data()) {
            true => Ok(Secret::new(value.to_vec())),
            false => Err(VaultError::Refused),
        }
    }

    fn secrets(&self) -> Option<&dyn Secrets> {
        self.secrets.as_ref().map(|secrets| secrets as &dyn Secrets)
    }
}

/// A secret: its versions, and who has which label. A version without a label is cleaned up at once,
/// which is allowed at any time.
#[derive(Debug, Default)]
struct Versions {
    versions: BTreeMap<String, String>,
    current: Option<String>,
    previous: Option<String>,
    pending: Option<String>,
    is_deleted: bool,
}

impl Versions {
    fn clean_up(&mut self) {
        let labelled: BTreeSet<_> = [&self.current, &self.previous, &self.pending]
            .into_iter()
            .flatten()
            .collect();
        self.versions
            .retain(|version, _| labelled.contains(version));
    }
}

/// A secrets manager in memory, whose writes take as many steps as those of `latchkey-aws`.
#[derive(Clone)]
pub struct MemorySecrets {
    line: Arc<dyn Line>,
    all: Arc<Mutex<BTreeMap<String, Versions>>>,
}

impl std::fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemorySecrets")
    }
}

enum Put {
    Made,
    Exists,
    NoSecret,
    Taken,
    Deleted,
}

impl MemorySecrets {
    /// An empty one at the end of a line.
    #[must_use]
    pub fn new(line: Arc<dyn Line>) -> Self {
        Self {
            line,
            all: Arc::default(),
        }
    }

    /// The value of a version, past the line.
    #[must_use]
    pub fn look(&self, name: &str, version: &SecretVersion) -> Option<String> {
        let all = lock(&self.all);
        let secret = all.get(name).filter(|secret| !secret.is_deleted)?;
        secret.versions.get(version.as_str()).cloned()
    }

    /// Whether there is such a secret that is not going to be deleted.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let all = lock(&self.all);
        all.get(name).is_some_and(|secret| !secret.is_deleted)
    }

    async fn call<T>(
        &self,
        call: Call,
        made: impl FnOnce(&mut BTreeMap<String, Versions>) -> T,
    ) -> Result<T, SecretsError> {
        let lost = |Lost| SecretsError::Unavailable("lost".to_owned());
        self.line.out(call).await.map_err(lost)?;
        let outcome = made(&mut lock(&self.all));
        self.line.back(call).await.map_err(lost)?;
        Ok(outcome)
    }

    async fn create(&self, new: NewVersion<'_>) -> Result<Put, SecretsError> {
        self.call(Call::WriteSecret, |all| {
            let version = new.version.as_str();
            if let Some(secret) = all.get(new.name) {
                let is_same = secret.versions.get(version) == Some(new.value.expose());
                return match (secret.is_deleted, is_same) {
                    (true, _) => Put::Deleted,
                    (false, true) if secret.current.as_deref() == Some(version) => Put::Made,
                    (false, _) => Put::Exists,
                };
            }
            let secret = Versions {
                versions: BTreeMap::from([(version.to_owned(), new.value.expose().clone())]),
                current: Some(version.to_owned()),
                ..Versions::default()
            };
            all.insert(new.name.to_owned(), secret);
            Put::Made
        })
        .await
    }

    async fn put(&self, new: NewVersion<'_>) -> Result<Put, SecretsError> {
        self.call(Call::WriteSecret, |all| {
            let version = new.version.as_str();
            let Some(secret) = all.get_mut(new.name) else {
                return Put::NoSecret;
            };
            if secret.is_deleted {
                return Put::Deleted;
            }
            match secret.versions.get(version) {
                Some(there) if there == new.value.expose() => {}
                Some(_) => return Put::Taken,
                None => {
                    let value = new.value.expose().clone();
                    secret.versions.insert(version.to_owned(), value);
                }
            }
            secret.pending = Some(version.to_owned());
            secret.clean_up();
            Put::Made
        })
        .await
    }

    async fn make_current(&self, new: NewVersion<'_>) -> Result<Kept, SecretsError> {
        let moved = self.call(Call::WriteSecret, |all| {
            let version = new.version.as_str();
            let gone = || Err(SecretsError::Unavailable("no such version".to_owned()));
            let Some(secret) = all.get_mut(new.name) else {
                return gone();
            };
            if secret.is_deleted {
                return Err(SecretsError::Deleted);
            }
            if secret.current.as_deref() == Some(version) {
                return Ok(Kept::Done);
            }
            let seen = new.instead_of.map(SecretVersion::as_str);
            if secret.current.as_deref() != seen {
                let current = secret.current.as_deref().unwrap_or_default();
                return Ok(Kept::Elsewhere(SecretVersion::stored(current)));
            }
            if !secret.versions.contains_key(version) {
                return gone();
            }
            secret.previous = secret.current.replace(version.to_owned());
            secret.clean_up();
            Ok(Kept::Done)
        });
        moved.await?
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn keep(&self, new: NewVersion<'_>) -> Result<Kept, SecretsError> {
        if new.again {
            let version = Some(new.version.as_str());
            let (is_current, is_pending) = self
                .call(Call::ReadSecret, |all| {
                    let secret = all.get(new.name);
                    let is = |label: fn(&Versions) -> &Option<String>| {
                        secret.is_some_and(|secret| label(secret).as_deref() == version)
                    };
                    (is(|secret| &secret.current), is(|secret| &secret.pending))
                })
                .await?;
            if is_current {
                return Ok(Kept::Done);
            }
            if is_pending {
                return self.make_current(new).await;
            }
        }
        if new.instead_of.is_none() {
            match self.create(new).await? {
                Put::Made => return Ok(Kept::Done),
                Put::Deleted => return Err(SecretsError::Deleted),
                Put::Exists | Put::NoSecret | Put::Taken => {}
            }
        }
        match self.put(new).await? {
            Put::Made | Put::Exists => self.make_current(new).await,
            Put::Taken => Ok(Kept::Taken),
            Put::Deleted => Err(SecretsError::Deleted),
            Put::NoSecret => match self.create(new).await? {
                Put::Made => Ok(Kept::Done),
                Put::Exists | Put::NoSecret | Put::Taken | Put::Deleted => {
                    Err(SecretsError::Unavailable("not seen yet".to_owned()))
                }
            },
        }
    }

    async fn read(
        &self,
        name: &str,
        version: &SecretVersion,
    ) -> Result<Option<Secret>, SecretsError> {
        let read = self.call(Call::ReadSecret, |all| {
            let Some(secret) = all.get(name) else {
                return Ok(None);
            };
            match secret.is_deleted {
                true => Err(SecretsError::Deleted),
                false => Ok(secret.versions.get(version.as_str()).cloned()),
            }
        });
        Ok(read.await??.map(Secret::new))
    }

    async fn restore(&self, name: &str) -> Result<(), SecretsError> {
        self.call(Call::WriteSecret, |all| {
            if let Some(secret) = all.get_mut(name) {
                secret.is_deleted = false;
            }
        })
        .await
    }

    async fn delete(&self, name: &str) -> Result<(), SecretsError> {
        self.call(Call::WriteSecret, |all| {
            if let Some(secret) = all.get_mut(name) {
                secret.is_deleted = true;
            }
        })
        .await
    }
}
