//! Where the sealed vault has its keyring from: at hand, or out of a secret when it is first needed.
//!
//! A keyring that is rotated reaches every process: one that meets a key that it does not know reads the secret again,
//! and all do so every hour, so that what they seal is sealed with the current key.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use latchkey_core::port::{Clock, VaultError};
use ring::aead::LessSafeKey;
use tracing::warn;

use crate::{keyring::Keyring, one_secret::OneSecret};

/// How long a keyring is used before the secret is read again.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// How long is waited after the secret could not be read because it is old, or was read for want of a key.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// The vault's keys.
#[derive(Debug)]
pub struct Keys {
    known: RwLock<Option<Known>>,
    source: Option<Source>,
}

#[derive(Debug, Clone)]
struct Known {
    keyring: Arc<Keyring>,
    /// When the secret may be read again because it is old, and for want of a key.
    stale_at: Timestamp,
    patient_until: Timestamp,
}

struct Source {
    secret: OneSecret,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.secret.fmt(f)
    }
}

impl From<Keyring> for Keys {
    /// Keys that are at hand for good.
    fn from(keyring: Keyring) -> Self {
        let known = Known {
            keyring: Arc::new(keyring),
            stale_at: Timestamp::MAX,
            patient_until: Timestamp::MAX,
        };
        Self {
            known: RwLock::new(Some(known)),
            source: None,
        }
    }
}

impl Keys {
    /// Keys out of a secret, read when they are first needed.
    #[must_use]
    pub fn of_secret(secret: OneSecret, clock: Arc<dyn Clock>) -> Self {
        Self {
            known: RwLock::new(None),
            source: Some(Source { secret, clock }),
        }
    }

    /// Sees to it that there is a keyring, and that it is not old.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] if there is none and it can't be read.
    pub async fn warm(&self) -> Result<(), VaultError> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        match self.known() {
            None => self.read(source).await,
            Some(known) if source.clock.now() < known.stale_at => Ok(()),
            Some(known) => {
                if self.read(source).await.is_err() {
                    warn!("the keyring can't be read; the one at hand goes on being used");
                    let stale_at = later(&*source.clock, PATIENCE);
                    self.keep(Known { stale_at, ..known });
                }
                Ok(())
            }
        }
    }

    /// The keyring, if there is one yet.
    #[must_use]
    pub fn keyring(&self) -> Option<Arc<Keyring>> {
        self.known().map(|known| known.keyring)
    }

    /// The key with an id, which may have been made since the keyring was read.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`] if there is none, [`VaultError::Unavailable`] if there is no keyring.
    pub async fn find(&self, id: &str) -> Result<LessSafeKey, VaultError> {
        self.warm().await?;
        let known = self.known().ok_or(VaultError::Unavailable)?;
        if let Some(key) = known.keyring.key(id) {
            return Ok(key);
        }
        if let Some(source) = &self.source
            && source.clock.now() >= known.patient_until
        {
            let patient_until = later(&*source.clock, PATIENCE);
            self.keep(Known {
                patient_until,
                ..known
            });
            self.read(source).await?;
        }
        let keyring = self.keyring().ok_or(VaultError::Unavailable)?;
        keyring.key(id).ok_or(VaultError::UnknownKey)
    }

    async fn read(&self, source: &Source) -> Result<(), VaultError> {
        let text = source.secret.read().await.map_err(|error| {
            warn!(%error, "keyring");
            VaultError::Unavailable
        })?;
        let keyring = text.ok_or(VaultError::Unavailable).and_then(|text| {
            Keyring::parse(&text).map_err(|error| {
                warn!(%error, "keyring");
                VaultError::Unavailable
            })
        })?;
        self.keep(Known {
            keyring: Arc::new(keyring),
            stale_at: later(&*source.clock, FRESH),
            patient_until: self
                .known()
                .map_or(Timestamp::MIN, |known| known.patient_until),
        });
        Ok(())
    }

    fn keep(&self, known: Known) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    fn known(&self) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

fn later(clock: &dyn Clock, after: SignedDuration) -> Timestamp {
    clock.now().saturating_add(after).unwrap_or(Timestamp::MAX)
}
