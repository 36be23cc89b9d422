//! The metrics, as CloudWatch knows them.

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Refreshes that brought a new grant.
    Refreshed,
    /// Refresh tokens that were refused and may be refused for good.
    FailedUser,
    /// Refreshes that failed for what a definition, or its client, is like.
    FailedBuilder,
    /// Refreshes that failed at a provider that is unwell, slow or throttles.
    FailedProvider,
    /// Refreshes that failed because the store, the vault or the queue did not answer.
    FailedOurselves,
    /// Connections that ended: their users have to come back.
    ReconnectRequired,
    /// Instances left for a later tick, as their host had its share of the calls.
    Postponed,
    /// For how long the most overdue instance has been due.
    OldestDueAge,
    /// Shards of the index of due instances that could not be read.
    UnreadShards,
    /// Hosts that were found with an open breaker.
    BreakersOpen,
    /// For how long the breaker of these has been open that was opened first.
    BreakerOpenAge,
    /// Breakers that were opened.
    BreakersOpened,
    /// Breakers that were closed.
    BreakersClosed,
    /// Auth methods that became faulty.
    MethodsFaulty,
    /// Auth methods that were quarantined.
    MethodsQuarantined,
    /// Secrets, and versions of secrets, that were written, or tried to be.
    VaultWrites,
    /// Requests that Secrets Manager refused as too many.
    VaultThrottles,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Refreshed,
        Self::FailedUser,
        Self::FailedBuilder,
        Self::FailedProvider,
        Self::FailedOurselves,
        Self::ReconnectRequired,
        Self::Postponed,
        Self::OldestDueAge,
        Self::UnreadShards,
        Self::BreakersOpen,
        Self::BreakerOpenAge,
        Self::BreakersOpened,
        Self::BreakersClosed,
        Self::MethodsFaulty,
        Self::MethodsQuarantined,
        Self::VaultWrites,
        Self::VaultThrottles,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refreshed => "Refreshed",
            Self::FailedUser => "FailedUser",
            Self::FailedBuilder => "FailedBuilder",
            Self::FailedProvider => "FailedProvider",
            Self::FailedOurselves => "FailedOurselves",
            Self::ReconnectRequired => "ReconnectRequired",
            Self::Postponed => "Postponed",
            Self::OldestDueAge => "OldestDueAge",
            Self::UnreadShards => "UnreadShards",
            Self::BreakersOpen => "BreakersOpen",
            Self::BreakerOpenAge => "BreakerOpenAge",
            Self::BreakersOpened => "BreakersOpened",
            Self::BreakersClosed => "BreakersClosed",
            Self::MethodsFaulty => "MethodsFaulty",
            Self::MethodsQuarantined => "MethodsQuarantined",
            Self::VaultWrites => "VaultWrites",
            Self::VaultThrottles => "VaultThrottles",
        }
    }

    /// What it is counted in, as CloudWatch spells it.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::OldestDueAge | Self::BreakerOpenAge => "Seconds",
            Self::Refreshed
            | Self::FailedUser
            | Self::FailedBuilder
            | Self::FailedProvider
            | Self::FailedOurselves
            | Self::ReconnectRequired
            | Self::Postponed
            | Self::UnreadShards
            | Self::BreakersOpen
            | Self::BreakersOpened
            | Self::BreakersClosed
            | Self::MethodsFaulty
            | Self::MethodsQuarantined
            | Self::VaultWrites
            | Self::VaultThrottles => "Count",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_listed_in_order() {
        assert!(Metric::ALL.is_sorted());
        let last = Metric::ALL.len() - 1;
        assert_eq!(Metric::ALL[last] as usize, last);
    }
}
