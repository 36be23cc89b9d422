//! Secrets Manager.
//!
//! # How it works
//! A secret's versions are written once. Those without a staging label are cleaned up some day, so a
//! new version carries `AWSPENDING` until it is given `AWSCURRENT`; that label is moved away from the
//! version that is named, which is a compare-and-set. The version that loses it is `AWSPREVIOUS`, so
//! the last two are always there.

mod counting;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_secretsmanager::{
    Client,
    config::timeout::TimeoutConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        create_secret::CreateSecretError, describe_secret::DescribeSecretError,
        put_secret_value::PutSecretValueError,
    },
};
use latchkey_core::{
    model::{Secret, secret_version::SecretVersion},
    port::{Kept, Metrics, NewVersion, Secrets, SecretsError},
};

use self::counting::Counting;
use crate::{
    client::{ConfigError, StoreSettings, Wanted},
    write::kind,
};

pub(crate) const CURRENT: &str = "AWSCURRENT";
pub(crate) const PENDING: &str = "AWSPENDING";

const CONNECT: Duration = Duration::from_secs(1);
/// It is slower than the store, and no lease is held while it is asked.
const ATTEMPT: Duration = Duration::from_secs(2);
const OPERATION: Duration = Duration::from_secs(4);

/// Secrets Manager.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    prefix: String,
    recovery_days: u8,
    remembered: Arc<Mutex<HashMap<SecretVersion, Secret>>>,
}

/// How many versions are remembered.
const MOST_REMEMBERED: usize = 1000;

/// How Secrets Manager is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretsSettings {
    /// The endpoint, if it is not the region's own: https, or http to this machine.
    pub endpoint: Option<url::Url>,
    /// What the names of our secrets begin with, without the slash that follows.
    pub prefix: String,
    /// For how many days a deleted secret may be restored: 7 to 30.
    pub recovery_days: u8,
    /// Whether the deployment is leaving it: what is in it is read, and nothing is put there.
    pub is_leaving: bool,
}

impl SecretsSettings {
    /// For how many days a deleted secret may be restored, unless it is said otherwise.
    pub const RECOVERY_DAYS: u8 = 7;

    /// Reads the settings; `None` if the vault is to be the sealed one.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_lookup(
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let mut wanted = Wanted {
            lookup,
            faults: Vec::new(),
        };
        let is_leaving = match wanted.optional("LATCHKEY_VAULT").as_deref() {
            None | Some("sealed") => None,
            Some("secrets-manager") => Some(false),
            Some("leaving-secrets-manager") => Some(true),
            Some(_) => {
                let fault = "LATCHKEY_VAULT must be 'sealed', 'secrets-manager' or 'leaving-secrets-manager'";
                wanted.faults.push(fault.to_owned());
                None
            }
        };
        let settings = is_leaving.map(|is_leaving| Self {
            is_leaving,
            endpoint: endpoint(&mut wanted),
            prefix: wanted
                .optional("LATCHKEY_SECRET_PREFIX")
                .unwrap_or_else(|| "latchkey".to_owned()),
            recovery_days: recovery_days(&mut wanted),
        });
        if wanted.faults.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError(wanted.faults))
        }
    }

    /// A client where `store` is, with its credentials. Nothing is sent before the first call.
    #[must_use]
    pub fn client(&self, store: &StoreSettings) -> Client {
        client(store, self.endpoint.as_ref())
    }
}

/// The endpoint, by the names that AWS's own tools use, if it is not the region's own.
pub(crate) fn endpoint(wanted: &mut Wanted<'_>) -> Option<url::Url> {
    wanted.endpoint(&["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"])
}

/// A client where the store is, with its credentials.
pub(crate) fn client(store: &StoreSettings, endpoint: Option<&url::Url>) -> Client {
    let patient = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let config = store.sdk(endpoint).into_builder().timeout_config(patient);
    Client::new(&config.build())
}

fn recovery_days(wanted: &mut Wanted<'_>) -> u8 {
    let Some(text) = wanted.optional("LATCHKEY_SECRET_RECOVERY_DAYS") else {
        return SecretsSettings::RECOVERY_DAYS;
    };
    text.parse()
        .ok()
        .filter(|days| (7..=30).contains(days))
        .unwrap_or_else(|| {
            let fault = "LATCHKEY_SECRET_RECOVERY_DAYS must be a number from 7 to 30";
            wanted.faults.push(fault.to_owned());
            SecretsSettings::RECOVERY_DAYS
        })
}

impl SecretsManager {
    /// Secrets Manager where `store` is, with its credentials. Nothing is sent before the first call.
    #[must_use]
    pub fn new(settings: &SecretsSettings, store: &StoreSettings) -> Self {
        Self {
            client: settings.client(store),
            prefix: settings.prefix.clone(),
            recovery_days: settings.recovery_days,
            remembered: Arc::default(),
        }
    }

    /// The same, with what its quotas are counted by told to `metrics`.
    #[must_use]
    pub fn counted(self, metrics: Arc<dyn Metrics>) -> Self {
        let config = self.client.config().to_builder();
        let config = config.interceptor(Counting(metrics)).build();
        Self {
            client: Client::from_conf(config),
            ..self
        }
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<SecretVersion, Secret>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// Makes the secret with its first version, which is the current one at once. Made again with the
    /// same version and value it is the same.
    async fn create(&self, new: NewVersion<'_>) -> Result<Made, SecretsError> {
        let request = self
            .client
            .create_secret()
            .name(self.full(new.name))
            .client_request_token(new.version.as_str())
            .secret_string(new.value.expose());
        match request.send().await {
            Ok(made) if made.version_id() == Some(new.version.as_str()) => Ok(Made::Current),
            // An emulator may give the version an id of its own.
            Ok(_) => Ok(Made::Exists),
            Err(error) => match error.as_service_error() {
                Some(CreateSecretError::ResourceExistsException(_)) => Ok(Made::Exists),
                Some(CreateSecretError::InvalidRequestException(_)) => Err(SecretsError::Deleted),
                Some(_) | None => Err(unavailable(&error)),
            },
        }
    }

    /// Puts a version beside the current one.
    async fn put(&self, new: NewVersion<'_>) -> Result<Put, SecretsError> {
        let request = self
            .client
            .put_secret_value()
            .secret_id(self.full(new.name))
            .client_request_token(new.version.as_str())
            .secret_string(new.value.expose())
            .version_stages(PENDING);
        let Err(error) = request.send().await else {
            return Ok(Put::There);
        };
        match error.as_service_error() {
            Some(PutSecretValueError::ResourceNotFoundException(_)) => Ok(Put::NoSecret),
            Some(PutSecretValueError::InvalidRequestException(_)) => Err(SecretsError::Deleted),
            Some(PutSecretValueError::ResourceExistsException(_)) => {
                match self.read(new.name, new.version).await? {
                    Some(there) if there.expose() == new.value.expose() => Ok(Put::There),
                    Some(_) => Ok(Put::Taken),
                    None => Err(unavailable(&error)),
                }
            }
            Some(_) | None => Err(unavailable(&error)),
        }
    }

    /// Moves the label of the current version, if it is where the caller says.
    async fn make_current(&self, new: NewVersion<'_>) -> Result<Kept, SecretsError> {
        let request = self
            .client
            .update_secret_version_stage()
            .secret_id(self.full(new.name))
            .version_stage(CURRENT)
            .move_to_version_id(new.version.as_str())
            .set_remove_from_version_id(new.instead_of.map(|version| version.as_str().to_owned()));
        let Err(error) = request.send().await else {
            return Ok(Kept::Done);
        };
        let stages = self.stages(new.name).await?.unwrap_or_default();
        let mut current = stages.into_iter().filter(|(_, stage)| stage == CURRENT);
        match current.next().map(|(version, _)| version) {
            Some(current) if current == *new.version => Ok(Kept::Done),
            Some(current) if Some(&current) != new.instead_of => Ok(Kept::Elsewhere(current)),
            // It is where the caller says: something else is wrong, or what we see is old.
            Some(_) | None => Err(unavailable(&error)),
        }
    }

    /// The secret's versions with their labels, one label each; `None` if there is no secret.
    async fn stages(
        &self,
        name: &str,
    ) -> Result<Option<Vec<(SecretVersion, String)>>, SecretsError> {
        let request = self.client.describe_secret().secret_id(self.full(name));
        match request.send().await {
            Ok(described) => {
                let versions = described.version_ids_to_stages.into_iter().flatten();
                let labels = versions.flat_map(|(id, stages)| {
                    let version = SecretVersion::stored(&id);
                    stages
                        .into_iter()
                        .map(move |stage| (version.clone(), stage))
                });
                Ok(Some(labels.collect()))
            }
            Err(error) => match error.as_service_error() {
                Some(DescribeSecretError::ResourceNotFoundException(_)) => Ok(None),
                Some(_) | None => Err(unavailable(&error)),
            },
        }
    }
}

/// What became of a secret that was to be made.
enum Made {
    /// Its version is the current one.
    Current,
    /// There is one already.
    Exists,
}

/// What became of a version that was to be put.
enum Put {
    There,
    Taken,
    NoSecret,
}

impl std::fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretsManager")
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn keep(&self, new: NewVersion<'_>) -> Result<Kept, SecretsError> {
        if new.again
            && let Some(stages) = self.stages(new.name).await?
        {
            let is = |wanted| {
                stages
                    .iter()
                    .any(|(version, stage)| version == new.version && stage == wanted)
            };
            if is(CURRENT) {
                return Ok(Kept::Done);
            }
            if is(PENDING) {
                return self.make_current(new).await;
            }
        }
        if new.instead_of.is_none()
            && let Made::Current = self.create(new).await?
        {
            return Ok(Kept::Done);
        }
        match self.put(new).await? {
            Put::There => self.make_current(new).await,
            Put::Taken => Ok(Kept::Taken),
            Put::NoSecret => match self.create(new).await? {
                Made::Current => Ok(Kept::Done),
                Made::Exists => Err(SecretsError::Unavailable("not seen yet".to_owned())),
            },
        }
    }

    async fn read(
        &self,
        name: &str,
        version: &SecretVersion,
    ) -> Result<Option<Secret>, SecretsError> {
        use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError as Error;
        let request = self
            .client
            .get_secret_value()
            .secret_id(self.full(name))
            .version_id(version.as_str());
        match request.send().await {
            Ok(found) => Ok(found.secret_string.map(Secret::new)),
            Err(error) => match error.as_service_error() {
                Some(Error::ResourceNotFoundException(_)) => Ok(None),
                Some(Error::InvalidRequestException(_)) => Err(SecretsError::Deleted),
                Some(_) | None => Err(unavailable(&error)),
            },
        }
    }

    async fn recall(
        &self,
        name: &str,
        version: &SecretVersion,
    ) -> Result<Option<Secret>, SecretsError> {
        if let Some(known) = self.remembered().get(version) {
            return Ok(Some(known.clone()));
        }
        let found = self.read(name, version).await?;
        if let Some(text) = &found {
            let mut remembered = self.remembered();
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(version.clone(), text.clone());
        }
        Ok(found)
    }

    async fn restore(&self, name: &str) -> Result<(), SecretsError> {
        let request = self.client.restore_secret().secret_id(self.full(name));
        let restored = request.send().await.map_err(|error| unavailable(&error));
        restored.map(drop)
    }

    async fn delete(&self, name: &str) -> Result<(), SecretsError> {
        use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError as Error;
        let request = self
            .client
            .delete_secret()
            .secret_id(self.full(name))
            .recovery_window_in_days(self.recovery_days.into());
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // There is none, or it is going to be deleted already.
                Some(Error::ResourceNotFoundException(_) | Error::InvalidRequestException(_)) => {
                    Ok(())
                }
                Some(_) | None => Err(unavailable(&error)),
            },
        }
    }
}

pub(crate) fn unavailable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> SecretsError {
    SecretsError::Unavailable(kind(error).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Option<SecretsSettings>, ConfigError> {
        SecretsSettings::from_lookup(&|name| {
            let found = values.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_vault_is_sealed_unless_it_is_said_otherwise() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("LATCHKEY_VAULT", "sealed")]), Ok(None));
        let settings = read(&[("LATCHKEY_VAULT", "secrets-manager")]).unwrap();
        let standard = SecretsSettings {
            endpoint: None,
            prefix: "latchkey".to_owned(),
            recovery_days: 7,
            is_leaving: false,
        };
        assert_eq!(settings, Some(standard));
    }

    #[test]
    fn all_faults_are_reported_together() {
        let vault = ("LATCHKEY_VAULT", "secrets-manager");
        for days in ["6", "31", "many"] {
            let days = ("LATCHKEY_SECRET_RECOVERY_DAYS", days);
            let endpoint = ("AWS_ENDPOINT_URL", "http://secrets.example");
            let ConfigError(faults) = read(&[vault, days, endpoint]).unwrap_err();
            assert_eq!(faults.len(), 2, "{faults:?}");
        }
        assert!(read(&[("LATCHKEY_VAULT", "moon")]).is_err());
    }
}
