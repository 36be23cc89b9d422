//! What is checked, and within which bounds.

use std::fmt;

use crate::{bug::Bug, provider::Policy, vault::VaultKind};

/// One thing to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// How many workers refresh the instance.
    pub workers: u8,
    /// The provider.
    pub policy: Policy,
    /// The vault.
    pub vault: VaultKind,
    /// How many leases are taken, at most.
    pub leases: u8,
    /// How often the user reconnects, at most.
    pub reconnects: u8,
    /// How many false refusals the provider gives, at most.
    pub glitches: u8,
    /// Whether an answer to a token that was asked with before ends the tokens of its other answers.
    pub is_displacing: bool,
    /// Whether answers can be lost, on their way or with a worker that dies.
    pub loses_answers: bool,
    /// Whether steps follow a refresh, whose results are committed under the lease of another epoch.
    pub follows: bool,
    /// The rules that are left out.
    pub without: &'static [Bug],
}

impl Configuration {
    /// The protocol as it should be.
    #[must_use]
    pub fn new(workers: u8, policy: Policy, vault: VaultKind, leases: u8) -> Self {
        Self {
            workers,
            policy,
            vault,
            leases,
            reconnects: 1,
            glitches: 1,
            is_displacing: false,
            loses_answers: true,
            follows: false,
            without: &[],
        }
    }

    /// Whether Secrets Manager holds the refresh tokens.
    #[must_use]
    pub fn in_vault(&self) -> bool {
        self.vault == VaultKind::SecretsManager
    }

    /// Whether a rule is left out.
    #[must_use]
    pub fn lacks(&self, bug: Bug) -> bool {
        self.without.contains(&bug)
    }
}

/// What CI checks: two workers and three leases, and three workers and two leases, each with every
/// provider and both vaults.
///
/// Steps after each refresh, whose states are many, without Secrets Manager only.
#[must_use]
pub fn in_ci() -> Vec<Configuration> {
    let mut all = every(2, 3);
    all.extend(every(3, 2));
    let steps = every(2, 3).into_iter().map(following);
    all.extend(steps.filter(|with_steps| !with_steps.in_vault()));
    all
}

/// The same with steps after each refresh, which take a lease of their own.
fn following(plain: Configuration) -> Configuration {
    Configuration {
        follows: true,
        ..plain
    }
}

/// What `cargo xtask model` checks: three leases for three workers, and four for two, and with steps what CI leaves out.
#[must_use]
pub fn larger() -> Vec<Configuration> {
    let mut all = every(3, 3);
    all.extend(every(2, 4));
    let steps = every(2, 3).into_iter().map(following);
    all.extend(steps.filter(Configuration::in_vault));
    all
}

/// Every provider with both vaults; those that may displace an answer's siblings once more, doing so.
fn every(workers: u8, leases: u8) -> Vec<Configuration> {
    let mut all = Vec::new();
    for vault in VaultKind::ALL {
        for policy in Policy::ALL {
            let plain = Configuration::new(workers, policy, vault, leases);
            all.push(plain);
            if policy.has_siblings() {
                all.push(Configuration {
                    is_displacing: true,
                    ..plain
                });
            }
        }
    }
    all
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workers,
            policy,
            vault,
            leases,
            ..
        } = self;
        write!(
            f,
            "{workers} workers, {leases} leases, {policy:?}, {vault:?}"
        )?;
        if self.is_displacing {
            write!(f, ", displacing")?;
        }
        if !self.loses_answers {
            write!(f, ", no answer lost")?;
        }
        if self.follows {
            write!(f, ", steps follow")?;
        }
        match self.without {
            [] => Ok(()),
            bugs => write!(f, ", {bugs:?}"),
        }
    }
}
