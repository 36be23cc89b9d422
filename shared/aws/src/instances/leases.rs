//! Leases, and what comes of them.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        event::Event,
        id::InstanceKey,
        instance::{Instance, State},
    },
    port::{
        Commit, CommitLate, Committed, Condemn, Fail, HoldOff, KeepSpare, Leased, Leases, NewLease,
        Postpone, Promote, Renew, StoreError, Warn,
    },
};

use super::{
    DynamoInstances,
    item::{ACTIVE, RECONNECT_REQUIRED, SUSPECT, due, key, read},
    spares::{changing, seeing},
};
use crate::{
    expression::Expression,
    grant,
    item::{Item, Reader, json, number, text, time},
    write::Written,
};

#[async_trait]
impl Leases for DynamoInstances {
    async fn lease(&self, lease: NewLease<'_>) -> Result<Leased, StoreError> {
        let expression = usable()
            .when("#epoch = :seen_epoch AND #committed_epoch = :base")
            .when("attribute_not_exists(#lease_until) OR #lease_until < :lapsed_before")
            .when("attribute_not_exists(#not_before) OR #not_before <= :now")
            .value("seen_epoch", number(lease.epoch))
            .value("base", number(lease.base))
            .value("lapsed_before", time(lease.lapsed_before))
            .value("now", time(lease.now))
            .set("epoch", number(lease.epoch + 1))
            .set("lease_until", time(lease.until))
            .set("lease_nonce", text(lease.nonce))
            .set_to("last_send", ":now")
            .add("attempts", 1);
        let written = self.table.update(key(lease.key), &expression).await?;
        let wanted = (lease.epoch, lease.base, lease.nonce);
        self.leased(lease.key, wanted, written).await
    }

    async fn renew(&self, renew: Renew<'_>) -> Result<Leased, StoreError> {
        let expression = usable()
            .when("#epoch = :held_epoch AND #committed_epoch = :base AND #lease_nonce = :held")
            .value("held_epoch", number(renew.epoch))
            .value("base", number(renew.base))
            .value("held", text(renew.held))
            .set("epoch", number(renew.epoch + 1))
            .set("lease_until", time(renew.until))
            .set("lease_nonce", text(renew.nonce))
            .set("last_send", time(renew.now))
            .add("attempts", 1);
        let written = self.table.update(key(renew.key), &expression).await?;
        let wanted = (renew.epoch, renew.base, renew.nonce);
        self.leased(renew.key, wanted, written).await
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let expression = committing(&commit)
            .when("#epoch = :own_epoch")
            .value("own_epoch", number(commit.grant.epoch))
            .remove(&["attempts"]);
        let expression = match commit.next {
            None => expression.remove(&["lease_until", "lease_nonce"]),
            Some(next) => expression
                .set("epoch", number(commit.grant.epoch + 1))
                .set("lease_until", time(next.until))
                .set("lease_nonce", text(next.nonce)),
        };
        let written = self.change(commit.key, expression, commit.events).await?;
        committed(&commit, written)
    }

    async fn commit_late(&self, late: CommitLate<'_>) -> Result<Committed, StoreError> {
        let commit = &late.commit;
        let expression = match late.lease {
            Some(nonce) => freeing(committing(commit), nonce),
            None => committing(commit),
        };
        // One of a lease that is held meanwhile still counts.
        let written = if late.in_doubt {
            self.take_back(commit.key, expression, commit.events)
                .await?
        } else {
            self.change(commit.key, expression, commit.events).await?
        };
        committed(commit, written)
    }

    async fn keep_spare(&self, keep: KeepSpare<'_>) -> Result<Committed, StoreError> {
        let expression = match keep.revived {
            Some(at) => Expression::new()
                .when("#status = :reconnect_required")
                .value("reconnect_required", text(RECONNECT_REQUIRED))
                .set("status", text(SUSPECT))
                .set_all(due(Some(at))),
            None => usable(),
        };
        let expression = changing(expression, keep.spares)
            .when("#incarnation = :incarnation")
            .value("incarnation", number(keep.incarnation));
        match self.table.update(key(keep.key), &expression).await? {
            Written::Done(_) => Ok(Committed::Done),
            Written::Refused(now) => {
                let now = now.map(|now| read(Reader(&now))).transpose()?;
                Ok(Committed::Moved(now.map(Box::new)))
            }
        }
    }

    async fn promote(&self, promote: Promote<'_>) -> Result<(), StoreError> {
        let (commit, nonce) = (&promote.commit, promote.nonce);
        let expression = match promote.suspect {
            Some((cause, not_before)) => taking(commit)
                .set_to("status", ":suspect")
                .set("cause", json(cause))
                .set("not_before", time(not_before)),
            None => committing(commit),
        };
        let doubt = promote.in_doubt.then(|| number(1));
        let expression = freeing(expression, nonce)
            .when("#status <> :reconnect_required")
            .set_if("attempts", doubt);
        match self.table.update(key(commit.key), &expression).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(now) => self.free_if_held(commit.key, nonce, now.as_ref()).await,
        }
    }

    async fn fail(&self, fail: Fail<'_>) -> Result<(), StoreError> {
        let mut expression = freeing(usable(), fail.nonce)
            .set("not_before", time(fail.not_before))
            .set("last_failure", json(fail.failure))
            .set_all(due(Some(fail.due)))
            .add("failures", 1);
        if let Some((incarnation, base)) = fail.suspect {
            expression = unmoved(expression, incarnation, base)
                .set_to("status", ":suspect")
                .set("cause", json(fail.failure));
        }
        let written = if fail.in_doubt {
            self.table.update(key(fail.key), &expression).await?
        } else {
            let expression = expression.set_if("last_send", fail.last_send.map(time));
            self.take_back(fail.key, expression, &[]).await?
        };
        match written {
            Written::Done(_) => Ok(()),
            Written::Refused(now) => self.free_if_held(fail.key, fail.nonce, now.as_ref()).await,
        }
    }

    async fn postpone(&self, postpone: Postpone<'_>) -> Result<(), StoreError> {
        let expression = usable()
            .when("#epoch = :epoch")
            .value("epoch", number(postpone.epoch))
            .set_all(due(Some(postpone.due)));
        match self.table.update(key(postpone.key), &expression).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn hold_off(&self, hold: HoldOff<'_>) -> Result<(), StoreError> {
        let expression = usable()
            .when("#epoch = :epoch AND #lease_nonce = :nonce")
            .value("epoch", number(hold.epoch))
            .value("nonce", text(hold.nonce))
            .set("not_before", time(hold.not_before))
            .set_all(due(Some(hold.due)));
        match self.table.update(key(hold.key), &expression).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn condemn(&self, condemn: Condemn<'_>) -> Result<bool, StoreError> {
        let expression = unmoved(usable(), condemn.incarnation, condemn.base)
            .set("status", text(RECONNECT_REQUIRED))
            .set("cause", json(condemn.cause))
            .remove(&["lease_until", "lease_nonce", "not_before"])
            .set_all(due(None));
        let expression = match condemn.held {
            Some((nonce, spares)) => seeing(expression, spares)
                .when("#lease_nonce = :nonce")
                .value("nonce", text(nonce)),
            None => expression
                .when("attribute_not_exists(#lease_until) OR #lease_until < :noticed_at")
                .value("noticed_at", time(condemn.cause.at)),
        };
        match self.change(condemn.key, expression, condemn.events).await? {
            Written::Done(_) => Ok(true),
            Written::Refused(now) => {
                if let Some((nonce, _)) = condemn.held {
                    self.free_if_held(condemn.key, nonce, now.as_ref()).await?;
                }
                Ok(false)
            }
        }
    }

    async fn free(
        &self,
        leased: &InstanceKey,
        nonce: &str,
        last_send: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let expression = freeing(Expression::new(), nonce).set_if("last_send", last_send.map(time));
        match self.take_back(leased, expression, &[]).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn warn(&self, warn: Warn<'_>) -> Result<bool, StoreError> {
        let expression = unmoved(usable(), warn.incarnation, warn.base)
            .when("attribute_not_exists(#lease_until)")
            .when("attribute_not_exists(#warned) OR #warned <> :incarnation")
            .set_to("warned", ":incarnation")
            .set_all(due(warn.due));
        match self.change(warn.key, expression, warn.events).await? {
            Written::Done(_) => Ok(true),
            Written::Refused(_) => Ok(false),
        }
    }
}

impl DynamoInstances {
    /// What became of a lease over the epoch and tokens that were seen, with its nonce. One that was
    /// taken by an earlier try of the same write, and is of no use any more, is freed.
    async fn leased(
        &self,
        leased: &InstanceKey,
        (epoch, base, nonce): (u64, u64, &str),
        written: Written,
    ) -> Result<Leased, StoreError> {
        let item = match written {
            Written::Done(_) => return Ok(Leased::Held),
            Written::Refused(None) => return Ok(Leased::Refused(None)),
            Written::Refused(Some(item)) => item,
        };
        let now = read(Reader(&item))?;
        let held = now.lease.as_ref();
        let is_ours = now.usable_grant().is_some_and(|grant| grant.epoch == base)
            && now.epoch == epoch + 1
            && held.is_some_and(|held| held.nonce == nonce);
        if is_ours {
            return Ok(Leased::Held);
        }
        self.free_if_held(leased, nonce, Some(&item)).await?;
        Ok(Leased::Refused(Some(Box::new(now))))
    }

    /// Makes a change and takes an attempt back with it, if any is counted: whoever committed or
    /// promoted meanwhile has forgotten them all.
    async fn take_back(
        &self,
        changed: &InstanceKey,
        expression: Expression,
        events: &[Event],
    ) -> Result<Written, StoreError> {
        let counted = expression
            .clone()
            .when("#attempts > :none")
            .value("none", number(0))
            .add("attempts", -1);
        match self.change(changed, counted, events).await? {
            Written::Refused(Some(now)) if !has_attempts(&now)? => {
                self.change(changed, expression, events).await
            }
            written @ (Written::Done(_) | Written::Refused(_)) => Ok(written),
        }
    }

    /// Frees a lease whose holder has found that the instance, here as it is now, has moved on.
    async fn free_if_held(
        &self,
        key: &InstanceKey,
        nonce: &str,
        now: Option<&Item>,
    ) -> Result<(), StoreError> {
        match now
            .map(|now| Reader(now).text_if("lease_nonce"))
            .transpose()?
        {
            Some(Some(held)) if held == nonce => self.free(key, nonce, None).await,
            Some(_) | None => Ok(()),
        }
    }
}

/// What became of a commit.
fn committed(commit: &Commit<'_>, written: Written) -> Result<Committed, StoreError> {
    let now = match written {
        Written::Done(_) => return Ok(Committed::Done),
        Written::Refused(None) => return Ok(Committed::Moved(None)),
        Written::Refused(Some(now)) => read(Reader(&now))?,
    };
    Ok(if has(commit, &now) {
        Committed::Done
    } else {
        Committed::Moved(Some(Box::new(now)))
    })
}

/// Whether any attempt is counted.
fn has_attempts(item: &Item) -> Result<bool, StoreError> {
    let attempts: Option<u32> = Reader(item).number_if("attempts")?;
    Ok(attempts.is_some_and(|attempts| attempts > 0))
}

/// Holds only if there is a grant that may be used and refreshed.
pub(super) fn usable() -> Expression {
    Expression::new()
        .when("#status IN (:active, :suspect)")
        .value("active", text(ACTIVE))
        .value("suspect", text(SUSPECT))
}

/// Holds only if the instance lives by this consent and has the tokens of this epoch.
pub(super) fn unmoved(expression: Expression, incarnation: u64, base: u64) -> Expression {
    expression
        .when("#incarnation = :incarnation AND #committed_epoch = :base")
        .value("incarnation", number(incarnation))
        .value("base", number(base))
}

/// Frees the lease, and holds only if it is the one of this nonce.
fn freeing(expression: Expression, nonce: &str) -> Expression {
    expression
        .when("#lease_nonce = :nonce")
        .value("nonce", text(nonce))
        .remove(&["lease_until", "lease_nonce"])
}

/// What every commit asks for and writes.
fn committing(commit: &Commit<'_>) -> Expression {
    taking(commit)
        .set_to("status", ":active")
        .remove(&["not_before", "cause"])
}

/// The same without the state.
fn taking(commit: &Commit<'_>) -> Expression {
    let connected = Expression::new()
        .when("#status IN (:active, :suspect, :reconnect_required)")
        .value("active", text(ACTIVE))
        .value("suspect", text(SUSPECT))
        .value("reconnect_required", text(RECONNECT_REQUIRED));
    let expression = unmoved(connected, commit.incarnation, commit.base)
        .set_all(grant::attributes(commit.grant))
        .set_all(due(commit.due));
    let expression = match commit.next {
        None => expression.remove(&["failures", "last_failure"]),
        Some(_) => expression,
    };
    match commit.spares {
        Some(spares) => changing(expression, spares),
        None => expression,
    }
}

/// Whether the grant had been committed by an earlier try of the same write: no epoch comes twice.
fn has(commit: &Commit<'_>, now: &Instance) -> bool {
    match &now.state {
        State::Active(grant) => grant.epoch == commit.grant.epoch,
        State::Pending
        | State::Suspect { .. }
        | State::ReconnectRequired { .. }
        | State::Deleted { .. } => false,
    }
}
