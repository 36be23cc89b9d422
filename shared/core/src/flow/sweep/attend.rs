//! One instance: what it wants, if it still wants it.

use tracing::warn;

use super::Sweep;
use crate::{
    flow::refresh::{RefreshError, Refreshed, Within},
    model::{
        failure::{Blame, FailureCode},
        grant::StoredGrant,
        host::Host,
        id::InstanceKey,
        instance::{Instance, State},
        message::{Adoption, Message},
    },
    port::Counted,
};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has been seen to; it need not come again.
    Done(Attended),
    /// The store or the vault did not answer.
    Failed,
    /// Its host had its share of the calls, and too many wait for it already. It stays due, for a
    /// later tick.
    Postponed,
    /// Too little time was left to begin.
    TooLate,
}

/// What became of a message for now.
pub(super) enum Seen {
    /// It has been seen to.
    To(Outcome),
    /// The host has its share of the calls. Nothing was done.
    Busy(Host),
}

/// What has been done for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attended {
    /// It was refreshed.
    Refreshed,
    /// A refresh failed in a way that passes; it is due again when it is worth trying.
    Failed,
    /// It needs a new consent.
    ReconnectRequired,
    /// Its user was warned that the connection will end.
    Warned,
    /// Its deletion was seen through.
    Deleted,
    /// An answer found its place.
    Adopted,
    /// An answer did not find its place yet, and is in the queue again.
    PutBack,
    /// Nothing: somebody else was at it, or it was not due after all.
    Left,
}

impl Sweep<'_> {
    /// Sees to a message, with what the caller has for a refresh.
    pub(super) async fn see_to(&self, message: &Message, within: Within<'_>) -> Seen {
        let seen = match message {
            Message::Attend { instance } => self.attend(instance, within).await,
            Message::Adopt(adoption) => self.adopt(adoption).await,
        };
        seen.unwrap_or_else(|error| {
            self.not_worked(message.instance(), &error);
            Seen::To(Outcome::Failed)
        })
    }

    /// Finds the place of an answer. The sooner the better: until then the instance has a token that
    /// may be spent.
    async fn adopt(&self, adoption: &Adoption) -> Result<Seen, RefreshError> {
        match Box::pin(self.refresh.adopt(adoption)).await {
            Ok(()) => Ok(Attended::Adopted.into()),
            Err(error) if self.refresh.put_back(adoption, &error).await => {
                self.not_worked(&adoption.instance, &error);
                Ok(Attended::PutBack.into())
            }
            Err(error) => Err(error),
        }
    }

    fn not_worked(&self, instance: &InstanceKey, error: &RefreshError) {
        warn!(instance = %instance.id, %error, "instance not worked");
        let failed = Counted::Failed(Blame::Ourselves);
        self.refresh.metrics.count(failed);
    }

    /// Does for one instance what it wants, if it still wants it.
    async fn attend(&self, key: &InstanceKey, within: Within<'_>) -> Result<Seen, RefreshError> {
        let Some(instance) = self.refresh.instances.find(key).await? else {
            return Ok(Attended::Left.into());
        };
        match &instance.state {
            State::Pending | State::ReconnectRequired { .. } => Ok(Attended::Left.into()),
            State::Deleted { .. } => {
                self.delete.finish(&instance).await?;
                Ok(Attended::Deleted.into())
            }
            State::Active(grant) | State::Suspect { grant, .. } => {
                self.attend_to(&instance, grant, within).await
            }
        }
    }

    /// Does for a connected instance what it wants, if it still wants it: one thing at a time.
    async fn attend_to(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        within: Within<'_>,
    ) -> Result<Seen, RefreshError> {
        let now = self.refresh.clock.now();
        if self.refresh.warn(instance, grant).await? {
            return Ok(Attended::Warned.into());
        }
        let schedule = instance.schedule_with(grant);
        if !grant.refreshable && !schedule.is_alive(now) {
            let code = FailureCode::NotRefreshable;
            self.refresh.ended(instance, grant, code).await?;
            return Ok(Attended::ReconnectRequired.into());
        }
        if !grant.refreshable || !self.wants_refresh(instance) {
            if !self.waits(instance) {
                self.refresh.not_due(instance, grant).await?;
            }
            return Ok(Attended::Left.into());
        }
        // Boxed, so that not every message has room for one.
        let refreshing = Box::pin(self.refresh.refresh_in(instance, within));
        Ok(match refreshing.await? {
            Refreshed::Renewed(..) => Attended::Refreshed.into(),
            Refreshed::Failed { .. } => Attended::Failed.into(),
            Refreshed::Ended(_) => Attended::ReconnectRequired.into(),
            Refreshed::Busy(host) => Seen::Busy(host),
            Refreshed::Paused(pause) => {
                self.refresh.postpone(instance, &pause).await?;
                Attended::Left.into()
            }
            Refreshed::Moved | Refreshed::Gone => Attended::Left.into(),
        })
    }

    /// Whether somebody is refreshing it, or nobody may yet.
    fn waits(&self, instance: &Instance) -> bool {
        let now = self.refresh.clock.now();
        let is_leased = instance.held_lease(now).is_some();
        let must_wait = instance
            .not_before
            .is_some_and(|not_before| now < not_before);
        is_leased || must_wait
    }

    /// The index may lag behind the item, and a message may be old: the item decides.
    fn wants_refresh(&self, instance: &Instance) -> bool {
        let now = self.refresh.clock.now();
        let due = instance
            .schedule()
            .and_then(|schedule| schedule.refresh_at());
        !self.waits(instance) && due.is_some_and(|due| due <= now)
    }
}

impl From<Attended> for Seen {
    fn from(attended: Attended) -> Self {
        Self::To(Outcome::Done(attended))
    }
}
