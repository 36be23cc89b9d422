//! One secret that the deployment has made: the keyring, or the first API key.

use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use latchkey_core::{model::Secret, port::SecretsError};

use crate::{
    client::{ConfigError, StoreSettings, Wanted},
    secrets::{client, endpoint, unavailable},
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
        use GetSecretValueError as Error;
        let request = self.client.get_secret_value().secret_id(&self.id);
        match request.send().await {
            Ok(found) => Ok(found.secret_string.map(Secret::new)),
            Err(error) => match error.as_service_error() {
                Some(Error::ResourceNotFoundException(_) | Error::InvalidRequestException(_)) => {
                    Ok(None)
                }
                Some(_) | None => Err(unavailable(&error)),
            },
        }
    }
}
