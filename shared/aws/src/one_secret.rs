//! One secret that the deployment has made: the keyring, or the first API key.

use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use jiff::Timestamp;
use latchkey_core::{model::Secret, port::SecretsError};

use crate::{
    client::{ConfigError, StoreSettings, Wanted},
    secrets::{CURRENT, PENDING, client, endpoint, unavailable},
};

/// A secret, by its ARN or name.
#[derive(Clone)]
pub struct OneSecret {
    client: Client,
    id: String,
}

impl std::fmt::Debug for OneSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OneSecret").field(&self.id).finish()
    }
}

impl OneSecret {
    /// The secret that a variable of the environment names; `None` if it names none. Nothing is sent before
    /// [`OneSecret::read`].
    ///
    /// # Errors
    /// [`ConfigError`] if the endpoint is wrong.
    pub fn from_lookup(
        lookup: &dyn Fn(&str) -> Option<String>,
        name: &str,
        aws: &StoreSettings,
    ) -> Result<Option<Self>, ConfigError> {
        let mut wanted = Wanted {
            lookup,
            faults: Vec::new(),
        };
        let Some(id) = wanted.optional(name) else {
            return Ok(None);
        };
        let endpoint = endpoint(&mut wanted);
        if wanted.faults.is_empty() {
            let client = client(aws, endpoint.as_ref());
            Ok(Some(Self { client, id }))
        } else {
            Err(ConfigError(wanted.faults))
        }
    }

    /// Its current text; `None` if there is none, or it is going to be deleted.
    ///
    /// # Errors
    /// [`SecretsError::Unavailable`] if it could not be read.
    pub async fn read(&self) -> Result<Option<Secret>, SecretsError> {
        let current = self.current().await?;
        Ok(current.map(|current| current.text))
    }

    /// Its current version; `None` if there is none, or it is going to be deleted.
    ///
    /// # Errors
    /// [`SecretsError::Unavailable`] if it could not be read.
    pub async fn current(&self) -> Result<Option<CurrentVersion>, SecretsError> {
        use GetSecretValueError as Error;
        let request = self.client.get_secret_value().secret_id(&self.id);
        // The default, which an emulator may have otherwise.
        let request = request.version_stage(CURRENT);
        match request.send().await {
            Ok(found) => {
                let made = found.created_date.and_then(|date| {
                    let milliseconds = date.to_millis().ok()?;
                    Timestamp::from_millisecond(milliseconds).ok()
                });
                let version = found.version_id.unwrap_or_default();
                Ok(found.secret_string.map(|text| CurrentVersion {
                    text: text.into(),
                    version,
                    made_at: made.unwrap_or(Timestamp::MAX),
                }))
            }
            Err(error) => match error.as_service_error() {
                Some(Error::ResourceNotFoundException(_) | Error::InvalidRequestException(_)) => {
                    Ok(None)
                }
                Some(_) | None => Err(unavailable(&error)),
            },
        }
    }

    /// Makes a text the current one if the version that was seen still is. Says whether it was; nothing is lost either way.
    ///
    /// # Errors
    /// [`SecretsError::Unavailable`] if it is not known whether it was done.
    pub async fn replace(
        &self,
        seen: &CurrentVersion,
        text: &Secret,
    ) -> Result<bool, SecretsError> {
        let put = self.client.put_secret_value().secret_id(&self.id);
        let put = put.secret_string(text.expose()).version_stages(PENDING);
        let put = put.send().await.map_err(|error| unavailable(&error))?;
        let next = put.version_id.unwrap_or_default();
        let moved = self
            .client
            .update_secret_version_stage()
            .secret_id(&self.id)
            .version_stage(CURRENT)
            .move_to_version_id(&next)
            .remove_from_version_id(&seen.version)
            .send()
            .await;
        let Err(error) = moved else {
            return Ok(true);
        };
        match self.current_id().await? {
            Some(now) if now == next => Ok(true),
            Some(now) if now != seen.version => Ok(false),
            Some(_) | None => Err(unavailable(&error)),
        }
    }

    /// Which version is the current one, as its labels say.
    async fn current_id(&self) -> Result<Option<String>, SecretsError> {
        let request = self.client.describe_secret().secret_id(&self.id);
        let found = request.send().await.map_err(|error| unavailable(&error))?;
        let mut versions = found.version_ids_to_stages.into_iter().flatten();
        let current = versions.find(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
        Ok(current.map(|(id, _)| id))
    }
}

/// The current version of a secret.
#[derive(Debug)]
pub struct CurrentVersion {
    /// Its text.
    pub text: Secret,
    /// When it was made; the end of time if that is not known.
    pub made_at: Timestamp,
    version: String,
}
