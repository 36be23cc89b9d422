//! What may be wrong with an instance that wants no new consent, for whoever has to look after it.

use jiff::{SignedDuration, Timestamp};

use super::{
    failure::Blame,
    instance::{Instance, State},
    spare::SpareAnswer,
};

/// So many failures in a row are no accident.
const REPEATED: u32 = 3;

/// What may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It may be refreshed, is due, and nobody has come.
    Overdue {
        /// Since when somebody could have come.
        since: Timestamp,
    },
    /// Whoever held its lease has died, or was frozen.
    LeaseLapsed {
        /// When the lease ended.
        at: Timestamp,
    },
    /// The provider has refused the grant, and is asked once more.
    Suspect {
        /// When it refused.
        since: Timestamp,
    },
    /// Requests have been sent whose fate is unknown.
    InDoubt {
        /// How many.
        requests: u32,
    },
    /// It has failed several times in a row.
    Failing {
        /// How often.
        times: u32,
    },
    /// Its refresh tokens have not reached the secrets manager yet; they are in its own item.
    Journalled,
    /// The provider gave an answer that the definition can't read.
    Unread {
        /// The version of the auth method that could not.
        version: u64,
    },
}

impl Trouble {
    /// What is wrong with an instance now. It may be late by `patience`, and clocks may differ by `skew`.
    #[must_use]
    pub fn of(
        instance: &Instance,
        now: Timestamp,
        patience: SignedDuration,
        skew: SignedDuration,
    ) -> Vec<Self> {
        let Some(grant) = instance.usable_grant() else {
            return Vec::new();
        };
        let lease = instance.lease.as_ref().map(|lease| lease.until);
        let is_held = lease.is_some_and(|until| now < until);
        let lapsed = lease.filter(|until| later(*until, skew) < now);
        let since = instance
            .next_refresh_at()
            .filter(|since| later(*since, patience) < now && !is_held);
        let suspect = match &instance.state {
            State::Suspect { cause, .. } => Some(cause.at),
            State::Pending
            | State::Active(_)
            | State::ReconnectRequired { .. }
            | State::Deleted { .. } => None,
        };
        let requests = instance.attempts.saturating_sub(u32::from(is_held));
        let unread = instance.spares.iter().find_map(|spare| match spare.answer {
            SpareAnswer::Grant(_) => None,
            SpareAnswer::Raw { unread_by, .. } => Some(unread_by),
        });
        [
            since.map(|since| Self::Overdue { since }),
            lapsed.map(|at| Self::LeaseLapsed { at }),
            suspect.map(|since| Self::Suspect { since }),
            (requests > 0).then_some(Self::InDoubt { requests }),
            (instance.failures >= REPEATED).then_some(Self::Failing {
                times: instance.failures,
            }),
            grant.refresh_tokens.journal().map(|_| Self::Journalled),
            unread.map(|version| Self::Unread { version }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Who has to act; `None` if nobody has to yet.
    #[must_use]
    pub fn needs(self, instance: &Instance) -> Option<Blame> {
        match self {
            Self::Overdue { .. } | Self::LeaseLapsed { .. } => Some(Blame::Ourselves),
            Self::Suspect { .. } | Self::InDoubt { .. } | Self::Journalled => None,
            Self::Failing { .. } => Some(instance.last_failure.as_ref()?.code.blame()),
            Self::Unread { .. } => Some(Blame::Builder),
        }
    }
}

fn later(start: Timestamp, span: SignedDuration) -> Timestamp {
    start.saturating_add(span).unwrap_or(start)
}
