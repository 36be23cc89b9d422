//! What goes to the queue: answers that the store did not take, and reminders that come in time.
//!
//! # Why
//! An answer may hold the only token that works, and the store may be down when it comes: then the
//! queue keeps it, sealed, until a worker finds its place. And where a provider takes a used token for
//! a short while yet, whoever comes with the next tick may come too late.

use std::time::Duration;

use tracing::{error, info, warn};

use super::{
    Held, Refresh, RefreshError, Refreshed,
    keep::{Origin, Settled},
};
use crate::{
    model::{
        id::InstanceKey,
        instance::Instance,
        limits::Limits,
        message::{Adoption, Message},
        rotation::Rotation,
        spare::{Spare, SpareAnswer},
    },
    port::Posting,
};

/// Windows up to this are too short to wait for a tick of the schedule.
const SHORT: Duration = Duration::from_mins(2);
/// When an answer is looked after again whose place the store could not say. Whoever finds the
/// instance meanwhile leaves it alone for longer (`admit`).
const AGAIN: Duration = Duration::from_secs(2);
/// How often at most: some hours. Then the queue puts aside what can't be helped.
const MOST: u32 = 10_000;
/// A reminder comes when it may be acted upon, and not just before.
const MOMENT: Duration = Duration::from_secs(1);

impl Refresh<'_> {
    /// Hands an answer to the queue that the store did not take.
    ///
    /// # Errors
    /// The store's error, if there is no queue or it did not take the answer either. Then it is lost.
    pub(super) async fn hand_over(
        &self,
        held: &Held<'_>,
        answer: Spare,
        error: RefreshError,
    ) -> Result<(), RefreshError> {
        let (instance, epoch) = (&held.instance.key.id, answer.epoch);
        let adoption = Adoption {
            instance: held.instance.key.clone(),
            incarnation: held.instance.incarnation,
            parent: held.grant.clone(),
            nonce: held.nonce.clone(),
            answer,
            tries: 0,
        };
        let posting = Posting::now(Message::Adopt(Box::new(adoption)));
        let Some(queue) = self.queue else {
            error!(%instance, epoch, %error, "answer lost: the store did not take it, and there is no queue");
            return Err(error);
        };
        match queue.send(&[posting]).await {
            Ok(()) => {
                warn!(%instance, epoch, %error, "the store did not take the answer; it is in the queue");
                Ok(())
            }
            Err(untaken) => {
                error!(%instance, epoch, %error, %untaken, "answer lost: neither the store nor the queue took it");
                Err(error)
            }
        }
    }

    /// Puts an answer back into the queue whose place could not be found for this error, if that may be
    /// otherwise soon; whether the queue took it. The queue itself would keep it from everybody until it
    /// takes its worker for dead, which is minutes.
    pub async fn put_back(&self, adoption: &Adoption, error: &RefreshError) -> bool {
        let may_go = error.passes() && adoption.tries < MOST;
        let Some(queue) = self.queue.filter(|_| may_go) else {
            return false;
        };
        let adoption = Adoption {
            tries: adoption.tries + 1,
            ..adoption.clone()
        };
        let posting = Posting {
            message: Message::Adopt(Box::new(adoption)),
            delay: AGAIN,
        };
        queue.send(&[posting]).await.is_ok()
    }

    /// Finds the place of an answer that comes out of the queue, as of any that comes late. May be
    /// done twice.
    ///
    /// # Errors
    /// [`RefreshError`] if its place could not be found yet.
    pub async fn adopt(&self, adoption: &Adoption) -> Result<(), RefreshError> {
        let Adoption {
            instance: key,
            incarnation,
            parent,
            nonce,
            answer,
            tries: _,
        } = adoption;
        let (instance, epoch) = (&key.id, answer.epoch);
        let Some(now) = self.instances.find(key).await?.map(Box::new) else {
            info!(%instance, epoch, "answer out of the queue is nobody's any more");
            return Ok(());
        };
        let prepared = match self.prepared(&now, parent).await {
            Ok(prepared) => prepared,
            Err(error) if error.passes() => return Err(error),
            // What it was made from may be gone from the vault: then it is no spare, and that is all.
            Err(_) => None,
        };
        let origin = Origin {
            parent,
            prepared: prepared.as_ref(),
            nonce: Some(nonce),
        };
        let settling = self.settle(*incarnation, &origin, answer, Some(now.clone()));
        let settled = settling.await?;
        match settled {
            Settled::Current => info!(%instance, epoch, "answer out of the queue is the grant"),
            Settled::Kept => info!(%instance, epoch, "answer out of the queue is kept"),
            Settled::Homeless => {
                info!(%instance, epoch, "answer out of the queue is nobody's any more");
                self.give_back_answer(&now, answer).await?;
            }
        }
        Ok(())
    }

    /// Revokes what an answer brought, by what is known of the instance now.
    async fn give_back_answer(&self, now: &Instance, answer: &Spare) -> Result<(), RefreshError> {
        let SpareAnswer::Grant(grant) = &answer.answer else {
            return Ok(());
        };
        if let Some(prepared) = self.prepared(now, grant).await? {
            self.give_back(&now.key, &prepared, &prepared.tokens).await;
        }
        Ok(())
    }

    /// Sees to it that somebody looks after the instance inside a short window of grace, whatever
    /// becomes of this process. Where the commit comes, they find nothing to do. A window that ends
    /// before the lease does can't be used so.
    pub(super) async fn insure(&self, key: &InstanceKey, rotation: Rotation, limits: Limits) {
        if rotation
            .window()
            .is_some_and(|window| window <= SHORT && limits.fit(window))
        {
            self.post(key, limits.lapses_after()).await;
        }
    }

    /// Sees to it that a refresh that failed is tried again inside a short window of grace.
    pub(super) async fn remind(
        &self,
        key: &InstanceKey,
        rotation: Rotation,
        refreshed: &Refreshed,
    ) {
        let Refreshed::Failed { wait, .. } = refreshed else {
            return;
        };
        if rotation
            .window()
            .is_some_and(|window| window <= SHORT && *wait < window)
        {
            self.post(key, *wait + MOMENT).await;
        }
    }

    async fn post(&self, key: &InstanceKey, delay: Duration) {
        let Some(queue) = self.queue else {
            return;
        };
        let message = Message::Attend {
            instance: key.clone(),
        };
        if let Err(error) = queue.send(&[Posting { message, delay }]).await {
            warn!(instance = %key.id, %error, "reminder not sent");
        }
    }
}
