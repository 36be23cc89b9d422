//! Leases, and what comes of them.

use async_trait::async_trait;
use latchkey_core::{
    model::instance::{Instance, State},
    port::{Commit, Committed, Condemn, Fail, Leased, Leases, NewLease, StoreError},
};

use super::{
    DynamoInstances,
    item::{ACTIVE, RECONNECT_REQUIRED, due, key, read},
};
use crate::{
    expression::Expression,
    grant,
    item::{Reader, json, number, text, time},
    write::Written,
};

#[async_trait]
impl Leases for DynamoInstances {
    async fn lease(&self, lease: NewLease<'_>) -> Result<Leased, StoreError> {
        let expression = Expression::new()
            .when("#status = :active AND #epoch = :seen_epoch")
            .when("attribute_not_exists(#lease_until) OR #lease_until < :lapsed_before")
            .when("attribute_not_exists(#not_before) OR #not_before <= :now")
            .value("active", text(ACTIVE))
            .value("seen_epoch", number(lease.epoch))
            .value("lapsed_before", time(lease.lapsed_before))
            .value("now", time(lease.now))
            .set("epoch", number(lease.epoch + 1))
            .set("lease_until", time(lease.until))
            .set("lease_nonce", text(lease.nonce))
            .set_to("last_send", ":now")
            .add("attempts", 1);
        let now = match self.table.update(key(lease.key), &expression).await? {
            Written::Done(_) => return Ok(Leased::Held),
            Written::Refused(None) => return Ok(Leased::Refused(None)),
            Written::Refused(Some(now)) => read(Reader(&now))?,
        };
        Ok(if is_ours(&lease, &now) {
            Leased::Held
        } else {
            Leased::Refused(Some(Box::new(now)))
        })
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let expression = committing(&commit)
            .when("#epoch = :own_epoch")
            .value("own_epoch", number(commit.grant.epoch))
            .remove(&["lease_until", "lease_nonce", "attempts"]);
        self.committed(&commit, &expression).await
    }

    async fn commit_late(&self, commit: Commit<'_>) -> Result<Committed, StoreError> {
        // Its own attempt is no longer in doubt; one of a lease that is held meanwhile still counts.
        let expression = committing(&commit).add("attempts", -1);
        self.committed(&commit, &expression).await
    }

    async fn fail(&self, fail: Fail<'_>) -> Result<(), StoreError> {
        let mut expression = Expression::new()
            .when("#lease_nonce = :nonce AND #status = :active")
            .value("nonce", text(fail.nonce))
            .value("active", text(ACTIVE))
            .set("not_before", time(fail.not_before))
            .set("last_failure", json(fail.failure))
            .set_all(due(Some(fail.due)))
            .add("failures", 1)
            .remove(&["lease_until", "lease_nonce"]);
        if !fail.in_doubt {
            // The lease counted it, so this does not fall below nothing.
            expression = expression.add("attempts", -1);
        }
        match self.table.update(key(fail.key), &expression).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn condemn(&self, condemn: Condemn<'_>) -> Result<(), StoreError> {
        let expression = Expression::new()
            .when("#status = :active AND #incarnation = :incarnation AND #committed_epoch = :base")
            .value("active", text(ACTIVE))
            .value("incarnation", number(condemn.incarnation))
            .value("base", number(condemn.base))
            .set("status", text(RECONNECT_REQUIRED))
            .set("cause", json(condemn.cause))
            .remove(&["lease_until", "lease_nonce", "not_before"])
            .set_all(due(None));
        let expression = match condemn.nonce {
            Some(nonce) => expression
                .when("#lease_nonce = :nonce")
                .value("nonce", text(nonce)),
            None => expression
                .when("attribute_not_exists(#lease_until) OR #lease_until < :noticed_at")
                .value("noticed_at", time(condemn.cause.at)),
        };
        match self.table.update(key(condemn.key), &expression).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

impl DynamoInstances {
    /// Commits, or says what there is instead.
    async fn committed(
        &self,
        commit: &Commit<'_>,
        expression: &Expression,
    ) -> Result<Committed, StoreError> {
        let now = match self.table.update(key(commit.key), expression).await? {
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
}

/// What every commit asks for and writes.
fn committing(commit: &Commit<'_>) -> Expression {
    Expression::new()
        .when("#status IN (:active, :reconnect_required)")
        .when("#incarnation = :incarnation AND #committed_epoch = :base")
        .value("active", text(ACTIVE))
        .value("reconnect_required", text(RECONNECT_REQUIRED))
        .value("incarnation", number(commit.incarnation))
        .value("base", number(commit.base))
        .set_to("status", ":active")
        .set_all(grant::attributes(commit.grant))
        .set_all(due(commit.due))
        .remove(&["not_before", "failures", "last_failure", "cause"])
}

/// Whether the lease had been taken by an earlier try of the same write.
fn is_ours(lease: &NewLease<'_>, now: &Instance) -> bool {
    let is_active = matches!(now.state, State::Active(_));
    let held = now.lease.as_ref();
    is_active && now.epoch == lease.epoch + 1 && held.is_some_and(|held| held.nonce == lease.nonce)
}

/// Whether the grant had been committed by an earlier try of the same write: no epoch comes twice.
fn has(commit: &Commit<'_>, now: &Instance) -> bool {
    match &now.state {
        State::Active(grant) => grant.epoch == commit.grant.epoch,
        State::Pending | State::ReconnectRequired { .. } | State::Deleted { .. } => false,
    }
}
