//! When an instance is refreshed, and what else it wants and when.
//!
//! # How it works
//! Everything here is computed from what the instance's item holds, so that the index of due instances,
//! the sweep, a vend and what people are shown can't disagree. An instance that does not change is due
//! at one time, fixed by its id.

use jiff::{SignedDuration, Timestamp};

use super::{
    definition::RefreshPolicy, grant::StoredGrant, id::InstanceId, instance::Instance,
    terms::later, upkeep::Upkeep,
};

/// An access token that lives no longer than this is not handed out any more.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);
/// Assumed where neither the answer nor the definition says how long an access token lives.
const ASSUMED_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// An instance is idle when nobody has asked for two of its access tokens, or for a day.
const IDLE: SignedDuration = SignedDuration::from_hours(24);
/// Use is noticed once in this time, or once in an access token's life.
const NOTICED: SignedDuration = SignedDuration::from_hours(1);
/// A connection that ends sooner than this is not refreshed for its last access token to live longest.
const LAST_CHANCE: SignedDuration = SignedDuration::from_hours(24);

/// The part of a life after which what ends is renewed, in thousandths: from, and to.
const SHARE: (u64, u64) = (600, 850);
/// The same for the grant of a consent. A thousand instances made in one import are spread over the whole
/// of their lives by it; shares that all lie between 60 and 85 % would take eight lives to do so.
const FIRST_SHARE: (u64, u64) = (200, 850);

/// Where in its range an instance refreshes. Fixed for each: it is drawn from the id's random bits
/// (RFC 9562 §5.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter {
    /// In 2³² parts of the range.
    steady: u32,
    /// The same after a consent.
    first: u32,
}

impl Jitter {
    /// That of an instance.
    #[must_use]
    pub fn of(id: &InstanceId) -> Self {
        let hex = |from, to| {
            let digits = id.as_str().get(InstanceId::PREFIX.len()..)?.get(from..to)?;
            u32::from_str_radix(digits, 16).ok()
        };
        Self {
            steady: hex(24, 32).unwrap_or_default(),
            // The digit before holds the variant.
            first: hex(17, 24).unwrap_or_default() << 4,
        }
    }

    /// The share of `span` after which it is renewed.
    fn share(self, span: SignedDuration, is_first: bool) -> SignedDuration {
        let ((from, to), at) = match is_first {
            true => (FIRST_SHARE, self.first),
            false => (SHARE, self.steady),
        };
        let share = (u128::from(from) << 32) + u128::from(to - from) * u128::from(at);
        let millis = u128::try_from(span.as_millis()).unwrap_or_default() * share / (1000 << 32);
        SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// What an instance wants and when, with the grant that it has or is about to have.
#[derive(Debug, Clone, Copy)]
pub struct Schedule<'a> {
    grant: &'a StoredGrant,
    jitter: Jitter,
    upkeep: &'a Upkeep,
    is_warned: bool,
}

impl<'a> Schedule<'a> {
    /// That of a grant by which an instance is about to live.
    #[must_use]
    pub fn new(id: &InstanceId, grant: &'a StoredGrant, upkeep: &'a Upkeep) -> Self {
        Self {
            grant,
            jitter: Jitter::of(id),
            upkeep,
            is_warned: false,
        }
    }

    /// When the access token ends, as far as anyone can say; `None` if it never does.
    ///
    /// A token that says nothing and can be refreshed is taken to live an hour, or as long as
    /// rejections have taught.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match (self.grant.expires_at, self.grant.refreshable) {
            (Some(expires_at), _) => Some(expires_at),
            (None, true) => Some(later(self.grant.received_at, self.lifetime())),
            (None, false) => None,
        }
    }

    /// Whether the access token has not ended yet.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|ends_at| now < ends_at)
    }

    /// Whether the access token is good for a caller: nobody has seen it rejected, and it lives
    /// `at_least`, or, where the caller asks for nothing, half a minute or a fifth of its whole life,
    /// whichever is less.
    ///
    /// Nobody can ask for more than nine tenths of its life: no refresh could bring that for long.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp, at_least: Option<SignedDuration>) -> bool {
        let longest = self.lifetime() / 10 * 9;
        let margin = at_least.map_or_else(|| self.margin(), |asked| asked.min(longest));
        let too_early = self.grant.terms.refresh_from.is_some_and(|from| now < from);
        let is_good = !self.is_rejected();
        self.ends_at().is_none_or(|ends_at| {
            (is_good && ends_at.duration_since(now) > margin) || (too_early && now < ends_at)
        })
    }

    /// Whether a caller has seen the access token rejected, and another can be had.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.grant.refreshable && self.upkeep.rejections.epoch == Some(self.grant.epoch)
    }

    /// When the access token is refreshed without anybody asking; `None` if never.
    ///
    /// That is at 60 to 85 % of its life, or, for one that a consent brought, at 20 to 85 %, and never
    /// later than the margin. While nobody uses the instance it is when the refresh token must be used
    /// to stay alive: at the same share of its life.
    #[must_use]
    pub fn refresh_at(&self) -> Option<Timestamp> {
        let (grant, terms) = (self.grant, &self.grant.terms);
        let ends_at = self.ends_at().filter(|_| grant.refreshable)?;
        let from = terms.refresh_from.unwrap_or(Timestamp::MIN);
        if self.is_rejected() {
            let rejected_at = self.upkeep.rejections.at;
            return rejected_at.map(|at| at.max(from));
        }
        let latest = later(ends_at, -self.margin());
        let eager = self.share_until(ends_at).min(latest).max(from);
        let eager = match terms.connection_ends_at {
            // A refresh shortly before brings the last access token, which may outlive the connection.
            Some(end) if end.duration_since(grant.received_at) >= LAST_CHANCE => {
                eager.min(self.share_until(end))
            }
            Some(_) | None => eager,
        };
        let is_eager = match terms.policy {
            RefreshPolicy::EagerWhileUsed => eager <= self.idle_from(),
            RefreshPolicy::KeepAlive => false,
            RefreshPolicy::AlwaysEager => true,
        };
        // When a connection ends that nobody uses, somebody has to find out.
        let kept = terms.use_by.map(|use_by| self.share_until(use_by));
        let kept = kept.into_iter().chain(terms.connection_ends_at).min();
        match (is_eager, kept) {
            (true, Some(kept)) => Some(eager.min(kept)),
            (true, None) => Some(eager),
            (false, kept) => kept,
        }
    }

    /// When the user is to be warned that the connection will end; `None` if that has happened, or
    /// nothing is known to end.
    #[must_use]
    pub fn warn_at(&self) -> Option<Timestamp> {
        self.grant.terms.warn_at.filter(|_| !self.is_warned)
    }

    /// When the instance wants attention: a refresh, a warning, or, if there is nothing to refresh
    /// with, the end of its access token. `None` if never.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let wanted = match self.grant.refreshable {
            true => self.refresh_at(),
            false => self.ends_at(),
        };
        wanted.into_iter().chain(self.warn_at()).min()
    }

    /// Whether use at this time is worth a write: it would change when the instance is refreshed.
    #[must_use]
    pub fn notices_use(&self, now: Timestamp) -> bool {
        let once_in = self.lifetime().max(NOTICED);
        self.grant.refreshable
            && self.grant.terms.policy == RefreshPolicy::EagerWhileUsed
            && now.duration_since(self.used_at()) >= once_in
    }

    /// How long the access token lives from the start.
    #[must_use]
    pub fn lifetime(&self) -> SignedDuration {
        match self.grant.expires_at {
            Some(expires_at) => expires_at
                .duration_since(self.grant.received_at)
                .max(SignedDuration::ZERO),
            None => {
                let taught = self.upkeep.rejections.taught(self.grant.received_at);
                taught.map_or(ASSUMED_LIFETIME, |taught| taught.min(ASSUMED_LIFETIME))
            }
        }
    }

    fn margin(&self) -> SignedDuration {
        MARGIN.min(self.lifetime() / 5)
    }

    /// The time, between the grant's coming and `end`, at which what ends then is renewed.
    fn share_until(&self, end: Timestamp) -> Timestamp {
        let is_first = {
            // The store keeps milliseconds.
            let consented_at = self.grant.consented_at().as_millisecond();
            consented_at == self.grant.received_at.as_millisecond()
        };
        let span = end.duration_since(self.grant.received_at);
        let span = span.max(SignedDuration::ZERO);
        later(self.grant.received_at, self.jitter.share(span, is_first))
    }

    /// When it was last used; a consent is a use.
    fn used_at(&self) -> Timestamp {
        let consented_at = self.grant.consented_at();
        self.upkeep
            .used_at
            .map_or(consented_at, |at| at.max(consented_at))
    }

    /// From when on it is idle unless it is used before.
    fn idle_from(&self) -> Timestamp {
        later(self.used_at(), IDLE.max(self.lifetime() * 2))
    }
}

impl Instance {
    /// What it wants and when, with the grant that it has; `None` if it has none.
    #[must_use]
    pub fn schedule(&self) -> Option<Schedule<'_>> {
        self.grant().map(|grant| self.schedule_with(grant))
    }

    /// What it wants and when, with this grant.
    #[must_use]
    pub fn schedule_with<'a>(&'a self, grant: &'a StoredGrant) -> Schedule<'a> {
        Schedule {
            is_warned: self.upkeep.warned == Some(self.incarnation),
            ..Schedule::new(&self.key.id, grant, &self.upkeep)
        }
    }

    /// When it is refreshed next without anybody asking, as things are; `None` if never.
    #[must_use]
    pub fn next_refresh_at(&self) -> Option<Timestamp> {
        let wanted = self.schedule_with(self.usable_grant()?).refresh_at()?;
        Some(
            self.not_before
                .map_or(wanted, |not_before| not_before.max(wanted)),
        )
    }
}

#[cfg(test)]
mod tests;
