//! Instances, as callers see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use latchkey_core::model::{
    failure::{Blame, Failure},
    grant::StoredGrant,
    id::{ConnectorId, InstanceId, MethodId},
    instance::{Instance, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::value::{ValueView, views};

/// An instance.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InstanceView {
    /// Its id; a reconnect keeps it.
    pub id: InstanceId,
    /// Its connector.
    pub connector: ConnectorId,
    /// Its auth method.
    pub auth_method: MethodId,
    /// The name that people see.
    pub name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The user's values.
    pub values: BTreeMap<String, ValueView>,
    /// How it is.
    pub health: Health,
}

/// How an instance is, since when, why, what happens next, and who has to act.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Health {
    /// What it can do.
    pub status: Status,
    /// Since when its tokens, or the lack of them, are as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// When its access token ends, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The scopes granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Refreshes that have failed since the last one that worked.
    pub failures: u32,
    /// What went wrong last, since the last refresh that worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it is refreshed next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_refresh_at: Option<Timestamp>,
    /// Who has to act, if anyone has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Blame>,
}

/// What an instance can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has consented yet.
    Pending,
    /// Credentials can be had.
    Active,
    /// The provider has refused the grant once. Credentials can be had while the access token lives;
    /// the provider is asked again at `next_refresh_at`.
    Suspect,
    /// Only a new consent helps.
    ReconnectRequired,
    /// It is being deleted.
    Deleted,
}

impl From<&Instance> for InstanceView {
    fn from(instance: &Instance) -> Self {
        Self {
            id: instance.key.id.clone(),
            connector: instance.connector.clone(),
            auth_method: instance.method.clone(),
            name: instance.name.clone(),
            created_at: instance.created_at,
            values: views(&instance.values.plain, &instance.values.sealed),
            health: instance.into(),
        }
    }
}

impl From<&Instance> for Health {
    fn from(instance: &Instance) -> Self {
        let grant = instance.grant();
        let (status, since, failure) = match &instance.state {
            State::Pending => (Status::Pending, None, None),
            State::Active(grant) => (
                Status::Active,
                Some(grant.received_at),
                instance.last_failure.clone(),
            ),
            State::Suspect { cause, .. } => (
                Status::Suspect,
                Some(cause.at),
                instance
                    .last_failure
                    .clone()
                    .or_else(|| Some(cause.clone())),
            ),
            State::ReconnectRequired { cause, .. } => (
                Status::ReconnectRequired,
                Some(cause.at),
                Some(cause.clone()),
            ),
            State::Deleted { at, .. } => (Status::Deleted, Some(*at), None),
        };
        let needs = match status {
            Status::Pending => Some(Blame::User),
            Status::Active | Status::ReconnectRequired => {
                failure.as_ref().map(|failure| failure.code.blame())
            }
            // Nobody has to act before the provider has said it twice.
            Status::Suspect | Status::Deleted => None,
        };
        Self {
            status,
            since,
            expires_at: grant.and_then(|grant| grant.expires_at),
            scopes: grant.map(|grant| grant.scopes.clone()).unwrap_or_default(),
            failures: instance.failures,
            failure,
            next_refresh_at: grant
                .filter(|_| matches!(status, Status::Active | Status::Suspect))
                .and_then(|grant| next(instance, grant)),
            needs,
        }
    }
}

fn next(instance: &Instance, grant: &StoredGrant) -> Option<Timestamp> {
    let due = grant
        .due_at(Instance::spread_of(&instance.key))
        .filter(|_| grant.refreshable)?;
    Some(
        instance
            .not_before
            .map_or(due, |not_before| not_before.max(due)),
    )
}
