//! The operator's first API key, which the deployment has made: all that opens a system in which nobody has a key yet.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    flow::authenticate::KEY_PREFIX,
    model::{
        Secret,
        api_key::{ApiKey, Scope},
        authorisation::Digest,
        id::KeyId,
    },
    port::{ApiKeys, Clock, StoreError},
};

use crate::one_secret::OneSecret;

/// How long what the secret says is believed: as long as the key works on after the secret was deleted.
const BELIEVED: SignedDuration = SignedDuration::from_mins(1);

/// API keys, with one more that is in a secret.
///
/// The secret's text is what follows `lk_`. It is asked only for keys that are not in the store, once a minute at most.
pub struct FirstApiKey {
    keys: Arc<dyn ApiKeys>,
    secret: OneSecret,
    clock: Arc<dyn Clock>,
    known: RwLock<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    digest: Option<Digest>,
    until: Timestamp,
}

impl std::fmt::Debug for FirstApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FirstApiKey").field(&self.secret).finish()
    }
}

impl FirstApiKey {
    /// These keys, and the one in the secret.
    #[must_use]
    pub fn new(keys: Arc<dyn ApiKeys>, secret: OneSecret, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys,
            secret,
            clock,
            known: RwLock::new(None),
        }
    }

    async fn digest(&self) -> Result<Option<Digest>, StoreError> {
        let now = self.clock.now();
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known.filter(|known| now < known.until) {
            return Ok(known.digest);
        }
        let text = self.secret.read().await;
        let text = text.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let digest =
            text.map(|text| Digest::of(&Secret::new(format!("{KEY_PREFIX}{}", text.expose()))));
        let until = now.saturating_add(BELIEVED).unwrap_or(Timestamp::MAX);
        let known = Known {
            digest: digest.clone(),
            until,
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(digest)
    }
}

#[async_trait]
impl ApiKeys for FirstApiKey {
    async fn find(&self, digest: &Digest) -> Result<Option<ApiKey>, StoreError> {
        if let Some(found) = self.keys.find(digest).await? {
            return Ok(Some(found));
        }
        let is_first = self.digest().await?.as_ref() == Some(digest);
        Ok(is_first.then(|| ApiKey {
            id: KeyId::new(Timestamp::UNIX_EPOCH, &[0; 10]),
            digest: digest.clone(),
            tenant: None,
            name: "first".to_owned(),
            scopes: Scope::ALL.into_iter().collect(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            revoked_at: None,
        }))
    }
}
