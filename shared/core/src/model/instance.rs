//! Instances: one user's authenticated use of a connector.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    failure::Failure,
    grant::StoredGrant,
    id::{ConnectorId, InstanceKey, MethodId, MethodKey},
    sealed::{Place, PlaceKind, Sealed},
    spare::Spare,
    upkeep::Upkeep,
};

/// An instance. The writers of its parts are named, since who writes what is what keeps it whole.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What names it.
    pub key: InstanceKey,
    /// Its connector.
    pub connector: ConnectorId,
    /// Its auth method.
    pub method: MethodId,
    /// The name that people see.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The user's values; written with the consent that they led to.
    pub values: StoredValues,
    /// Which consent it lives by; a reconnect starts the next.
    pub incarnation: u64,
    /// One for each lease and consent; never used twice.
    pub epoch: u64,
    /// Who is refreshing it, if anyone.
    pub lease: Option<Lease>,
    /// Requests sent since the last commit whose fate is unknown.
    pub attempts: u32,
    /// When the last refresh was sent.
    pub last_send: Option<Timestamp>,
    /// No refresh before this time.
    pub not_before: Option<Timestamp>,
    /// Failures since the last commit.
    pub failures: u32,
    /// The last failure since the last commit.
    pub last_failure: Option<Failure>,
    /// Answers out of order, or unread; in the order of their epochs.
    pub spares: Vec<Spare>,
    /// Whether it was told that only a new consent helps, and not yet that this is no longer so.
    pub told_ended: bool,
    /// What callers tell of it, and what its user was told; not the protocol's.
    pub upkeep: Upkeep,
    /// What it can do.
    pub state: State,
}

impl Instance {
    /// One that nobody has consented to yet, without values.
    #[must_use]
    pub fn pending(
        key: InstanceKey,
        connector: ConnectorId,
        method: MethodId,
        name: String,
        created_at: Timestamp,
    ) -> Self {
        Self {
            key,
            connector,
            method,
            name,
            created_at,
            values: StoredValues::default(),
            incarnation: 0,
            epoch: 0,
            lease: None,
            attempts: 0,
            last_send: None,
            not_before: None,
            failures: 0,
            last_failure: None,
            spares: Vec::new(),
            told_ended: false,
            upkeep: Upkeep::default(),
            state: State::Pending,
        }
    }
}

/// The values that a user gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredValues {
    /// Those that may be read back.
    pub plain: BTreeMap<String, String>,
    /// The secret ones, each sealed.
    pub sealed: BTreeMap<String, Sealed>,
}

/// The exclusive right to refresh an instance for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Until when.
    pub until: Timestamp,
    /// Whose it is: random, known to its holder alone.
    pub nonce: String,
}

/// What an instance can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody has consented yet.
    Pending,
    /// Credentials can be vended.
    Active(StoredGrant),
    /// The provider has refused the grant once. It is asked again later: one refusal ends nothing.
    Suspect {
        /// The grant; its access token may still work.
        grant: StoredGrant,
        /// The refusal.
        cause: Failure,
    },
    /// Only a new consent helps.
    ReconnectRequired {
        /// The grant that it lived by.
        grant: StoredGrant,
        /// Why it ended.
        cause: Failure,
    },
    /// Deleted, and kept until nobody can be refreshing it any more.
    Deleted {
        /// The grant, until the provider has been told.
        grant: Option<StoredGrant>,
        /// When it was deleted.
        at: Timestamp,
    },
}

impl Instance {
    /// What names its auth method.
    #[must_use]
    pub fn method_key(&self) -> MethodKey {
        MethodKey {
            tenant: self.key.tenant.clone(),
            connector: self.connector.clone(),
            id: self.method.clone(),
        }
    }

    /// The lease that somebody holds at this time; one that has lapsed is nobody's.
    #[must_use]
    pub fn held_lease(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| now < lease.until)
    }

    /// Its grant, whatever its state.
    #[must_use]
    pub fn grant(&self) -> Option<&StoredGrant> {
        match &self.state {
            State::Pending => None,
            State::Active(grant)
            | State::Suspect { grant, .. }
            | State::ReconnectRequired { grant, .. } => Some(grant),
            State::Deleted { grant, .. } => grant.as_ref(),
        }
    }

    /// The same, to be changed.
    pub fn grant_mut(&mut self) -> Option<&mut StoredGrant> {
        match &mut self.state {
            State::Pending => None,
            State::Active(grant)
            | State::Suspect { grant, .. }
            | State::ReconnectRequired { grant, .. } => Some(grant),
            State::Deleted { grant, .. } => grant.as_mut(),
        }
    }

    /// Its grant, if it may be used and refreshed.
    #[must_use]
    pub fn usable_grant(&self) -> Option<&StoredGrant> {
        match &self.state {
            State::Active(grant) | State::Suspect { grant, .. } => Some(grant),
            State::Pending | State::ReconnectRequired { .. } | State::Deleted { .. } => None,
        }
    }

    /// Whether it keeps an answer that nobody could read yet.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        let mut spares = self.spares.iter();
        spares.any(|spare| spare.grant().is_none())
    }

    /// Where its sealed value of the variable `variable` belongs.
    #[must_use]
    pub fn value_place(key: &InstanceKey, variable: &str) -> Place {
        let id = format!("{}/{variable}", key.id);
        Place {
            tenant: key.tenant.clone(),
            kind: PlaceKind::InstanceValues,
            id,
            version: 0,
        }
    }

    /// Where the tokens that `epoch` produced belong.
    #[must_use]
    pub fn tokens_place(key: &InstanceKey, epoch: u64) -> Place {
        let id = key.id.to_string();
        Place {
            tenant: key.tenant.clone(),
            kind: PlaceKind::Tokens,
            id,
            version: epoch,
        }
    }

    /// Where the refresh tokens that `epoch` brought belong, on their way to the secrets manager.
    #[must_use]
    pub fn refresh_place(key: &InstanceKey, epoch: u64) -> Place {
        Place {
            kind: PlaceKind::RefreshTokens,
            ..Self::tokens_place(key, epoch)
        }
    }

    /// The name of its secret in the secrets manager. No instance ever has another's id, so none ever
    /// has another's secret.
    #[must_use]
    pub fn secret_name(key: &InstanceKey) -> String {
        format!("{}/{}", key.tenant, key.id)
    }

    /// Where the unread answer of `epoch` belongs.
    #[must_use]
    pub fn answer_place(key: &InstanceKey, epoch: u64) -> Place {
        Place {
            kind: PlaceKind::Answer,
            ..Self::tokens_place(key, epoch)
        }
    }

    /// A number fixed for each instance that spreads instances over shards (RFC 9562 ids end in random bits).
    #[must_use]
    pub fn spread_of(key: &InstanceKey) -> u8 {
        let id = key.id.as_str();
        let tail = id.get(id.len().saturating_sub(2)..).unwrap_or("0");
        u8::from_str_radix(tail, 16).unwrap_or(0)
    }
}
