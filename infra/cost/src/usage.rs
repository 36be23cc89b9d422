//! How a deployment is used, and what that comes to.

use crate::{
    calls::{
        BATCH, BATCH_LOG_BYTES, IDLE_READ, INDEX_WRITES, INSTANCE_SHARDS, ITEM_KIB, MEMORY_GB,
        POINTING_WRITES, QUEUE_REQUESTS, READS, REQUEST_LOG_BYTES, SECONDS, SECRETS_CALLS, SHARDS,
        SHORT_SECONDS, WRITES,
    },
    prices, quotas,
};

/// Hours of a month.
const HOURS: f64 = 730.0;
const SECONDS_OF_MONTH: f64 = HOURS * 3600.0;
/// A refresh comes at 60 to 85 % of what it is to be before.
const SHARE: f64 = 0.725;
/// The share of instances that somebody uses: the others are kept alive.
const USED: f64 = 0.1;
/// Refresh tokens end after so many hours of disuse, where nobody says.
const IDLE_HOURS: f64 = 30.0 * 24.0;
const GB: f64 = 1e9;
const KIB: f64 = 1024.0;

/// Where refresh tokens are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vault {
    /// In the instances' items.
    Sealed,
    /// In Secrets Manager, and the provider sends a new one with every refresh.
    SecretsManager,
}

/// When instances are refreshed. Access tokens live an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// So that they don't end; a credential of one in ten is asked for every hour.
    KeepAlive,
    /// A tenth is used and refreshed in time, the others are kept alive.
    EagerWhileUsed,
    /// All, in time.
    AlwaysEager,
}

impl Policy {
    /// Refreshes of an instance in a month.
    fn refreshes(self) -> f64 {
        let eager = HOURS / SHARE;
        let idle = HOURS / (IDLE_HOURS * SHARE);
        match self {
            // Whoever asks finds the token ended.
            Self::KeepAlive => USED * HOURS + (1.0 - USED) * idle,
            Self::EagerWhileUsed => USED * eager + (1.0 - USED) * idle,
            Self::AlwaysEager => eager,
        }
    }
}

/// A deployment with so many instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deployment {
    pub(crate) instances: f64,
    pub(crate) vault: Vault,
    pub(crate) policy: Policy,
}

impl Deployment {
    /// US dollars a month.
    pub(crate) fn cost(&self) -> f64 {
        let refreshes = self.refreshes();
        let vended = self.instances * USED * HOURS;
        let stored = self.instances * ITEM_KIB * KIB / GB * prices::TABLE_GB;
        let secrets = match self.vault {
            Vault::Sealed => 0.0,
            Vault::SecretsManager => {
                self.instances * prices::SECRET + refreshes * SECRETS_CALLS * prices::SECRETS_CALL
            }
        };
        refreshes * self.refresh() + vended * vend() + HOURS * 60.0 * tick() + stored + secrets
    }

    /// The quota that it comes nearest to: its name, and how much of it is used.
    pub(crate) fn binding(&self) -> (&'static str, f64) {
        let a_second = self.refreshes() / SECONDS_OF_MONTH;
        let writes = self.writes() * a_second;
        let index = INDEX_WRITES * a_second / INSTANCE_SHARDS;
        let under_way = a_second / BATCH * SECONDS;
        let secrets = match self.vault {
            Vault::Sealed => (0.0, 0.0),
            Vault::SecretsManager => (self.instances, a_second),
        };
        [
            ("writes to the table", writes / quotas::TABLE_WRITES),
            (
                "writes to a shard of the index",
                index / quotas::PARTITION_WRITES,
            ),
            ("invocations under way", under_way / quotas::CONCURRENCY),
            ("secrets in a region", secrets.0 / quotas::SECRETS),
            (
                "writes to Secrets Manager",
                secrets.1 / quotas::SECRET_WRITES,
            ),
        ]
        .into_iter()
        .fold(
            ("", 0.0),
            |most, next| if next.1 > most.1 { next } else { most },
        )
    }

    fn refreshes(&self) -> f64 {
        self.instances * self.policy.refreshes()
    }

    /// Write units of a refresh, without the index.
    fn writes(&self) -> f64 {
        let pointing = match self.vault {
            Vault::Sealed => 0.0,
            Vault::SecretsManager => POINTING_WRITES,
        };
        (WRITES + pointing) * ITEM_KIB
    }

    fn refresh(&self) -> f64 {
        let table = (self.writes() + INDEX_WRITES) * prices::WRITE_UNIT + READS * prices::READ_UNIT;
        let batch = QUEUE_REQUESTS * prices::QUEUE_REQUEST
            + invocation(SECONDS)
            + BATCH_LOG_BYTES / GB * prices::LOG_GB;
        table + batch / BATCH
    }
}

/// A credential handed out: the request, its authorizer, the function, and one read each.
fn vend() -> f64 {
    let log = REQUEST_LOG_BYTES / GB * prices::LOG_GB;
    prices::API_REQUEST + 2.0 * (invocation(SHORT_SECONDS) + prices::READ_UNIT + log)
}

/// A tick that finds nothing.
fn tick() -> f64 {
    invocation(SHORT_SECONDS) + SHARDS * IDLE_READ * prices::READ_UNIT
}

fn invocation(seconds: f64) -> f64 {
    prices::INVOCATION + seconds * MEMORY_GB * prices::GB_SECOND
}
