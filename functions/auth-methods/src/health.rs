//! The health of an auth method, as builders see it.

use jiff::Timestamp;
use latchkey_core::model::{failure::Failure, method::StoredMethod};
use serde::Serialize;
use utoipa::ToSchema;

/// How an auth method is, since when, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MethodHealthView {
    /// How it is.
    status: MethodStatus,
    /// Since when, if not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    /// When a quarantine ends, if no other grant is refused until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    quarantined_until: Option<Timestamp>,
    /// When one of its instances is tried next during a quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_probe_at: Option<Timestamp>,
}

/// How an auth method is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MethodStatus {
    /// Nothing is known to be wrong with it.
    Ok,
    /// The provider refuses its client, or its answers can't be read. Its instances keep what they
    /// have, and are tried slowly until one works.
    Faulty,
    /// Too many of its instances look dead at once to be believed: none of them changes its status,
    /// and one is tried every five minutes until one works.
    Quarantined,
}

impl MethodHealthView {
    /// How a method is now.
    pub(crate) fn of(method: &StoredMethod, now: Timestamp) -> Self {
        let well = Self {
            status: MethodStatus::Ok,
            since: None,
            failure: None,
            quarantined_until: None,
            next_probe_at: None,
        };
        let health = &method.health;
        match (health.quarantined(now), health.fault(method.version)) {
            (Some(quarantine), _) => Self {
                status: MethodStatus::Quarantined,
                since: Some(quarantine.since),
                failure: Some(quarantine.cause.clone()),
                quarantined_until: Some(quarantine.until),
                next_probe_at: Some(quarantine.probe_at),
            },
            (None, Some(faulty)) => Self {
                status: MethodStatus::Faulty,
                since: Some(faulty.failure.at),
                failure: Some(faulty.failure.clone()),
                ..well
            },
            (None, None) => well,
        }
    }
}
