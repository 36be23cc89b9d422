//! Latchkey's ports on AWS: everything that is kept, in DynamoDB; refresh tokens, in Secrets Manager;
//! the queue, in SQS; the sealed vault; the system's clock and randomness.
//!
//! One file for each port, named as the port is. [`Store::new`] makes all adapters of one client. The
//! same adapters run against DynamoDB in AWS and against an emulator on a laptop and in tests.

mod api_keys;
mod authorisations;
mod client;
mod clock;
mod connections;
mod connectors;
mod cursor;
mod entropy;
mod environment;
mod events;
mod expression;
mod first_key;
mod grant;
mod hosts;
mod instances;
mod item;
mod keyring;
mod keys;
pub mod log;
mod methods;
mod metrics;
mod one_secret;
mod outbox;
mod queue;
mod remembered;
mod secrets;
mod sessions;
mod settings;
mod store;
mod table;
mod tables;
mod vault;
mod write;

pub use api_keys::DynamoApiKeys;
pub use authorisations::DynamoAuthorisations;
pub use aws_sdk_dynamodb::Client;
pub use client::{AwsCredentials, ConfigError, StoreSettings};
pub use clock::SystemClock;
pub use connections::{Connections, NoCertificates};
pub use connectors::DynamoConnectors;
pub use entropy::OsEntropy;
pub use environment::{Environment, EnvironmentError, EventsPlace, QueuePlace, variable};
pub use events::{EventBridgeEvents, EventSettings, LogEvents};
pub use first_key::FirstApiKey;
pub use hosts::DynamoHosts;
pub use instances::DynamoInstances;
pub use keyring::{Keyring, KeyringError};
pub use keys::Keys;
pub use methods::DynamoMethods;
pub use metrics::{DIMENSION, EmbeddedMetrics, Metric, NAMESPACE};
pub use one_secret::{CurrentVersion, OneSecret};
pub use outbox::DynamoOutbox;
pub use queue::{QueueSettings, SqsQueue};
pub use secrets::{SecretsManager, SecretsSettings};
pub use sessions::DynamoSessions;
pub use settings::DynamoSettings;
pub use store::{MAX_AGE, Store};
pub use tables::{TableNames, create_missing};
pub use vault::SealedVault;
