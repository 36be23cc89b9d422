//! The clients of AWS's services, made lean.
//!
//! # Why
//! The SDK's defaults cost a cold start ten times what it needs: they decode every root certificate of
//! the system, ask a chain of credential providers, and gather entropy by jitter. A function has its
//! credentials in its environment and speaks to AWS alone, so it is given just those, and *ring*.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider,
        StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_types::SdkConfig;
use latchkey_core::model::Secret;
use url::{Host, Url};

use crate::{connections::Connections, tables::TableNames};

const CONNECT: Duration = Duration::from_secs(1);
const ATTEMPT: Duration = Duration::from_secs(1);
/// The refresh protocol counts on it: what is begun in time must end in time (`flow::refresh`).
const OPERATION: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;
/// AWS answers in milliseconds; the SDK's own first back-off is a second.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// Where the store is, and how we show who we are.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The AWS region.
    pub region: String,
    /// The endpoint, if it is not the region's own: https, or http to this machine.
    pub endpoint: Option<Url>,
    /// What requests are signed with.
    pub credentials: AwsCredentials,
    /// The names of the tables.
    pub tables: TableNames,
    /// The connections that all clients made with these settings share.
    pub connections: Connections,
}

/// What requests to AWS are signed with.
#[derive(Debug, Clone)]
pub struct AwsCredentials {
    /// The id of the access key.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token that goes with temporary keys.
    pub session_token: Option<Secret>,
}

/// What is wrong with the settings, all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

impl StoreSettings {
    /// Reads the settings by the names that AWS's own tools use, and `LATCHKEY_TABLE_…` for tables.
    /// An empty value counts as none. `AWS_CA_BUNDLE` names a file of certificates in PEM that are trusted in place of
    /// AWS's own.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut wanted = Wanted {
            lookup,
            faults: Vec::new(),
        };
        let settings = Self {
            region: wanted.text("AWS_REGION"),
            endpoint: wanted.endpoint(&["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]),
            credentials: AwsCredentials {
                access_key_id: wanted.text("AWS_ACCESS_KEY_ID"),
                secret_access_key: wanted.text("AWS_SECRET_ACCESS_KEY").into(),
                session_token: wanted.optional("AWS_SESSION_TOKEN").map(Secret::new),
            },
            tables: TableNames {
                connectors: wanted.text("LATCHKEY_TABLE_CONNECTORS"),
                instances: wanted.text("LATCHKEY_TABLE_INSTANCES"),
                hosts: wanted.text("LATCHKEY_TABLE_HOSTS"),
                authorisations: wanted.text("LATCHKEY_TABLE_AUTHORISATIONS"),
                api_keys: wanted.text("LATCHKEY_TABLE_API_KEYS"),
            },
            connections: wanted.connections(),
        };
        if wanted.faults.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError(wanted.faults))
        }
    }

    /// The settings of an emulator on this machine, which takes any credentials.
    #[must_use]
    pub fn local(endpoint: Url) -> Self {
        Self {
            region: "local".to_owned(),
            endpoint: Some(endpoint),
            credentials: AwsCredentials {
                access_key_id: "local".to_owned(),
                secret_access_key: "local".into(),
                session_token: None,
            },
            tables: TableNames::with_prefix("Latchkey"),
            connections: Connections::default(),
        }
    }

    /// A client with these settings. Nothing is sent before the first call.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.sdk(self.endpoint.as_ref()))
    }

    /// What the clients of all services are made of: the service's endpoint is the region's own unless
    /// one is given.
    pub(crate) fn sdk(&self, endpoint: Option<&Url>) -> SdkConfig {
        let credentials = &self.credentials;
        let session_token = credentials.session_token.as_ref();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                &credentials.access_key_id,
                credentials.secret_access_key.expose(),
                session_token.map(|token| token.expose().clone()),
                None,
                "latchkey",
            )))
            // The credentials are at hand: there is nothing to cache.
            .identity_cache(IdentityCache::no_cache())
            .http_client(self.connections.client())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(FIRST_BACKOFF),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(OPERATION)
                    .build(),
            )
            // Answers are small and every attempt has its limit.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(endpoint.map(Url::to_string));
        config.build()
    }
}

/// Reads settings and remembers what is missing.
pub(crate) struct Wanted<'a> {
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) faults: Vec<String>,
}

impl Wanted<'_> {
    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn connections(&mut self) -> Connections {
        const BUNDLE: &str = "AWS_CA_BUNDLE";
        let Some(path) = self.optional(BUNDLE) else {
            return Connections::default();
        };
        let told = std::fs::read(path).map_err(|error| format!("{BUNDLE} can't be read: {error}"));
        let made = told.and_then(|pem| {
            Connections::trusting(pem).map_err(|error| format!("{BUNDLE} {error}"))
        });
        made.unwrap_or_else(|fault| {
            self.faults.push(fault);
            Connections::default()
        })
    }

    pub(crate) fn endpoint(&mut self, names: &[&str]) -> Option<Url> {
        let (name, text) = names
            .iter()
            .find_map(|name| Some((name, self.optional(name)?)))?;
        let url = Url::parse(&text).ok().filter(is_endpoint);
        if url.is_none() {
            let rule = "must be an https URL, or http to this machine";
            self.faults.push(format!("{name} {rule}"));
        }
        url
    }
}

fn is_endpoint(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn complete() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "m4rker-secret"),
            ("AWS_SESSION_TOKEN", "m4rker-session"),
            ("LATCHKEY_TABLE_CONNECTORS", "c"),
            ("LATCHKEY_TABLE_INSTANCES", "i"),
            ("LATCHKEY_TABLE_HOSTS", "h"),
            ("LATCHKEY_TABLE_AUTHORISATIONS", "a"),
            ("LATCHKEY_TABLE_API_KEYS", "k"),
        ])
    }

    fn read(values: &BTreeMap<&str, &str>) -> Result<StoreSettings, ConfigError> {
        StoreSettings::from_lookup(&|name| values.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn all_faults_are_reported_together() {
        let values = BTreeMap::from([
            ("AWS_REGION", ""),
            ("AWS_ENDPOINT_URL", "http://store.example/"),
        ]);
        let ConfigError(faults) = read(&values).unwrap_err();
        assert_eq!(faults.len(), 9, "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("AWS_REGION")));
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains("AWS_ENDPOINT_URL "))
        );
    }

    #[test]
    fn an_endpoint_is_https_or_this_machine() {
        for (url, good) in [
            ("https://dynamodb.eu-central-1.amazonaws.com", true),
            ("http://127.0.0.1:8000", true),
            ("http://localhost:8000", true),
            ("http://[::1]:8000", true),
            ("http://169.254.169.254", false),
            ("http://localhost.example", false),
            ("ftp://127.0.0.1", false),
            ("not a url", false),
        ] {
            let mut values = complete();
            values.insert("AWS_ENDPOINT_URL_DYNAMODB", url);
            assert_eq!(read(&values).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn a_bundle_of_certificates_that_is_none_is_a_fault() {
        for path in [
            "/nowhere",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            let mut values = complete();
            values.insert("AWS_CA_BUNDLE", path);
            let ConfigError(faults) = read(&values).unwrap_err();
            assert!(faults[0].starts_with("AWS_CA_BUNDLE "), "{faults:?}");
        }
    }

    #[test]
    fn settings_do_not_print_credentials() {
        let settings = read(&complete()).unwrap();
        assert!(!format!("{settings:?} {:?}", settings.client()).contains("m4rker"));
    }
}
