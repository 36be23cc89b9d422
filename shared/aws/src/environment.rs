//! What a function is told by its environment, read once when it starts.

use std::{fmt, fs, io, sync::Arc};

use latchkey_core::{
    flow::{Deployment, Mode},
    model::Secret,
    port::{ApiKeys, Clock, Entropy, Events, Metrics, Queue, Secrets, Uncounted},
};
use url::Url;

use crate::{
    EmbeddedMetrics, EventBridgeEvents, EventSettings, FirstApiKey, Keyring, Keys, LogEvents,
    OneSecret, OsEntropy, QueueSettings, SealedVault, SecretsManager, SecretsSettings, SqsQueue,
    Store, StoreSettings, SystemClock,
};

/// Everything that a function wires itself from.
pub struct Environment {
    /// The stores.
    pub store: Store,
    /// Who may ask.
    pub callers: Arc<dyn ApiKeys>,
    /// The vault, by `LATCHKEY_VAULT`: `sealed`, `secrets-manager` for refresh tokens and auth methods' secrets, or
    /// `leaving-secrets-manager` while they move from there.
    pub vault: Arc<SealedVault>,
    /// Where events go, once somebody wants to put them there.
    pub events: EventsPlace,
    /// What operators watch: told by lines on the standard output if `LATCHKEY_STACK` names the stack, else nowhere.
    pub metrics: Arc<dyn Metrics>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The queue of the refresher's workers, once somebody wants to put anything there.
    pub queue: QueuePlace,
    /// Where we run.
    pub deployment: Deployment,
    /// `LATCHKEY_MODE`: `cloud`, `emulated` for an emulator of AWS on this machine, or `local` for a laptop.
    pub mode: Mode,
    /// `LATCHKEY_LOG`: which events are logged, as a `tracing` filter.
    pub log: String,
}

/// Where events go. A function that tells nothing has no client for it.
#[derive(Debug)]
pub struct EventsPlace {
    settings: EventSettings,
    aws: StoreSettings,
}

impl EventsPlace {
    /// The bus, or the log where there is none.
    #[must_use]
    pub fn connect(self) -> Arc<dyn Events> {
        let Self { settings, aws } = self;
        match &settings.bus {
            Some(bus) => Arc::new(EventBridgeEvents::new(
                bus,
                settings.endpoint.as_ref(),
                &aws,
            )),
            None => Arc::new(LogEvents),
        }
    }
}

/// Where the queue is, if there is one. A function that sends nothing there has no client for it.
#[derive(Debug)]
pub struct QueuePlace {
    settings: Option<QueueSettings>,
    aws: StoreSettings,
}

impl QueuePlace {
    /// The queue, if there is one.
    #[must_use]
    pub fn connect(self) -> Option<Arc<dyn Queue>> {
        let Self { settings, aws } = self;
        settings.map(|queue| -> Arc<dyn Queue> { Arc::new(SqsQueue::new(&queue, &aws)) })
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("deployment", &self.deployment)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// What is wrong with the environment: all of it, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not complete:\n{}", .0.join("\n"))]
pub struct EnvironmentError(Vec<String>);

impl Environment {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`EnvironmentError`] with everything that is missing or wrong.
    pub fn read() -> Result<Self, EnvironmentError> {
        Self::from_lookup(&variable)
    }

    /// Reads an environment.
    ///
    /// # Errors
    /// [`EnvironmentError`] with everything that is missing or wrong.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let mut faults = Vec::new();
        let settings = StoreSettings::from_lookup(lookup)
            .map_err(|error| faults.extend(error.0))
            .ok();
        let queue = QueueSettings::from_lookup(lookup)
            .map_err(|error| faults.extend(error.0))
            .ok();
        let secrets = SecretsSettings::from_lookup(lookup)
            .map_err(|error| faults.extend(error.0))
            .ok();
        let base_url = wanted(lookup, "LATCHKEY_BASE_URL", &mut faults, |text| {
            Url::parse(text).ok()
        });
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let keys = keys(lookup, settings.as_ref(), &clock, &mut faults);
        let mode = match lookup("LATCHKEY_MODE").as_deref() {
            None | Some("cloud") => Some(Mode::Cloud),
            Some("emulated") => Some(Mode::Emulated),
            Some("local") => Some(Mode::Local),
            Some(_) => {
                faults.push("LATCHKEY_MODE must be 'cloud', 'emulated' or 'local'".to_owned());
                None
            }
        };
        let events = EventSettings::from_lookup(lookup, mode.unwrap_or(Mode::Cloud))
            .map_err(|error| faults.extend(error.0))
            .ok();
        let (
            Some(settings),
            Some(secrets),
            Some(queue),
            Some(base_url),
            Some(keys),
            Some(mode),
            Some(events),
        ) = (settings, secrets, queue, base_url, keys, mode, events)
        else {
            return Err(EnvironmentError(faults));
        };
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let is_leaving = secrets.as_ref().is_some_and(|secrets| secrets.is_leaving);
        let vault = SealedVault::new(keys, Arc::clone(&entropy));
        let metrics: Arc<dyn Metrics> = match lookup("LATCHKEY_STACK") {
            Some(stack) => Arc::new(EmbeddedMetrics::new(stack, io::stdout())),
            None => Arc::new(Uncounted),
        };
        let secrets = secrets.map(|secrets| -> Arc<dyn Secrets> {
            let secrets = SecretsManager::new(&secrets, &settings);
            Arc::new(secrets.counted(Arc::clone(&metrics)))
        });
        let store = Store::new(&settings, Arc::clone(&clock));
        let keys: Arc<dyn ApiKeys> = store.api_keys.clone();
        Ok(Self {
            callers: api_keys(lookup, &settings, keys, &clock)?,
            store,
            vault: Arc::new(vault.with_secrets(secrets).leaving(is_leaving)),
            deployment: Deployment::new(&base_url)
                .telling_refreshes(events.refreshed)
                .warning_days_before(events.warning_days),
            events: EventsPlace {
                settings: events,
                aws: settings.clone(),
            },
            metrics,
            clock,
            entropy,
            queue: QueuePlace {
                settings: queue,
                aws: settings,
            },
            mode,
            log: lookup("LATCHKEY_LOG").unwrap_or_else(|| "info".to_owned()),
        })
    }
}

/// The vault's keys, out of `LATCHKEY_KEYRING_SECRET` or `LATCHKEY_KEYRING_FILE`.
fn keys(
    lookup: &dyn Fn(&str) -> Option<String>,
    aws: Option<&StoreSettings>,
    clock: &Arc<dyn Clock>,
    faults: &mut Vec<String>,
) -> Option<Keys> {
    let secret = aws.map(|aws| OneSecret::from_lookup(lookup, "LATCHKEY_KEYRING_SECRET", aws));
    match secret.transpose() {
        Ok(Some(Some(secret))) => Some(Keys::of_secret(secret, Arc::clone(clock))),
        Ok(Some(None) | None) => wanted(lookup, "LATCHKEY_KEYRING_FILE", faults, |path| {
            Keyring::parse(&Secret::new(fs::read_to_string(path).ok()?)).ok()
        })
        .map(Keys::from),
        Err(error) => {
            faults.extend(error.0);
            None
        }
    }
}

/// Who may ask: the keys in the store, and the first of all, if `LATCHKEY_FIRST_KEY_SECRET` names its secret.
///
/// # Errors
/// [`EnvironmentError`] if the endpoint of secrets is wrong.
fn api_keys(
    lookup: &dyn Fn(&str) -> Option<String>,
    aws: &StoreSettings,
    keys: Arc<dyn ApiKeys>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn ApiKeys>, EnvironmentError> {
    match OneSecret::from_lookup(lookup, "LATCHKEY_FIRST_KEY_SECRET", aws) {
        Ok(None) => Ok(keys),
        Ok(Some(secret)) => Ok(Arc::new(FirstApiKey::new(keys, secret, Arc::clone(clock)))),
        Err(error) => Err(EnvironmentError(error.0)),
    }
}

/// A variable of the process's environment; an empty one counts as none.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the environment is read"
    )]
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn wanted<T>(
    lookup: &dyn Fn(&str) -> Option<String>,
    name: &str,
    faults: &mut Vec<String>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    match lookup(name) {
        None => faults.push(format!("{name} is missing")),
        Some(text) => match read(&text) {
            Some(value) => return Some(value),
            // The value itself could be a secret, or lead to one.
            None => faults.push(format!("{name} can't be used")),
        },
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let error = Environment::from_lookup(&|name| {
            ["LATCHKEY_MODE", "LATCHKEY_VAULT"]
                .contains(&name)
                .then(|| "moon".to_owned())
        })
        .unwrap_err();
        let text = error.to_string();
        for name in [
            "AWS_REGION",
            "LATCHKEY_BASE_URL",
            "LATCHKEY_KEYRING_FILE",
            "LATCHKEY_MODE",
            "LATCHKEY_VAULT",
        ] {
            assert!(text.contains(name), "{text}");
        }
    }
}
