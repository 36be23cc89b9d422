//! Instances, as callers see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use latchkey_core::model::{
    failure::{Blame, Failure},
    id::{ConnectorId, InstanceId, MethodId},
    instance::{Instance, State},
    pause::{Pause, Paused},
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
    /// What happens next without anybody's doing, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// What is paused for all instances that share it, this one among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseView>,
    /// Who has to act, if anyone has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Blame>,
}

/// What happens next, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Next {
    /// What.
    pub action: Action,
    /// When, at the soonest.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A refresh.
    Refresh,
    /// The provider, which has refused the grant once, is asked a second time.
    Confirm,
    /// The token host, which fails again and again, is asked by one of all instances there.
    ProbeHost,
    /// The auth method, of which too many instances look dead at once to be believed, is tried with
    /// one of them.
    ProbeMethod,
}

impl Action {
    /// What happens next where something is paused, or after a failure.
    #[must_use]
    pub fn after(paused: Option<Paused>, failure: Option<&Failure>) -> Self {
        match (paused, failure.map(|failure| failure.code.blame())) {
            (Some(Paused::Host), _) => Self::ProbeHost,
            (Some(Paused::Method), _) => Self::ProbeMethod,
            (None, Some(Blame::User)) => Self::Confirm,
            (None, Some(Blame::Builder | Blame::Provider | Blame::Ourselves) | None) => {
                Self::Refresh
            }
        }
    }
}

/// Who has to act while there is hope for a grant, after a failure or where something is paused.
#[must_use]
pub fn needs(paused: Option<Paused>, failure: Option<&Failure>) -> Option<Blame> {
    match (paused, failure.map(|failure| failure.code.blame())) {
        (Some(Paused::Host), _) => Some(Blame::Provider),
        (Some(Paused::Method), _) => Some(Blame::Builder),
        // No user is bothered before the provider has said it twice.
        (None, Some(Blame::User) | None) => None,
        (None, blame) => blame,
    }
}

/// What is paused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PauseView {
    /// What.
    pub what: PausedWhole,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Why. Of a token host it is told without the provider's words, as they may be another tenant's.
    pub failure: Failure,
}

/// What is paused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PausedWhole {
    /// The token host: it fails again and again, and is asked once a minute.
    Host,
    /// The auth method: too many of its instances look dead at once to be believed. One is tried
    /// every five minutes, and none needs its user for it.
    AuthMethod,
}

impl From<Pause> for PauseView {
    fn from(pause: Pause) -> Self {
        let what = match pause.whole {
            Paused::Host => PausedWhole::Host,
            Paused::Method => PausedWhole::AuthMethod,
        };
        Self {
            what,
            since: pause.since,
            failure: pause.cause,
        }
    }
}

impl Health {
    /// The same, while something is paused that the instance needs.
    #[must_use]
    pub fn paused(mut self, pause: Pause) -> Self {
        self.next = self.next.map(|next| Next {
            action: Action::after(Some(pause.whole), None),
            at: next.at.max(pause.until),
        });
        self.needs = needs(Some(pause.whole), None);
        self.paused = Some(pause.into());
        self
    }
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
            values: views(
                &instance.values.plain,
                instance.values.sealed.keys().map(String::as_str),
            ),
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
            Status::Active | Status::Suspect => needs(None, failure.as_ref()),
            Status::ReconnectRequired => failure.as_ref().map(|failure| failure.code.blame()),
            Status::Deleted => None,
        };
        let next_refresh_at = instance.next_refresh_at();
        let next = next_refresh_at.map(|at| Next {
            action: match status {
                Status::Suspect => Action::Confirm,
                Status::Pending | Status::Active | Status::ReconnectRequired | Status::Deleted => {
                    Action::after(None, failure.as_ref())
                }
            },
            at,
        });
        Self {
            status,
            since,
            expires_at: grant.and_then(|grant| grant.expires_at),
            scopes: grant.map(|grant| grant.scopes.clone()).unwrap_or_default(),
            failures: instance.failures,
            failure,
            next_refresh_at,
            next,
            paused: None,
            needs,
        }
    }
}
