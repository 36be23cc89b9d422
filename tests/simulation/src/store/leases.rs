//! Leases, and what comes of them.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        failure::Failure,
        grant::StoredGrant,
        id::InstanceKey,
        instance::{Instance, Lease, State},
    },
    port::{
        Commit, CommitLate, Committed, Condemn, Fail, HoldOff, KeepSpare, Leased, Leases, NewLease,
        Postpone, Promote, Renew, Spares, StoreError, Warn,
    },
};

use super::{
    Bug, MemoryStore,
    tables::{
        Placing, Tables, is_connected, is_held_by, is_unmoved, is_usable, kept, kept_grant,
        kept_spares,
    },
};
use crate::line::Call;

const WRITE: Call = Call::WriteInstance;

#[async_trait]
impl Leases for MemoryStore {
    async fn lease(&self, lease: NewLease<'_>) -> Result<Leased, StoreError> {
        self.call(WRITE, |tables| tables.lease(&lease)).await
    }

    async fn renew(&self, renew: Renew<'_>) -> Result<Leased, StoreError> {
        self.call(WRITE, |tables| tables.renew(&renew)).await
    }

    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, StoreError> {
        self.call(WRITE, |tables| tables.commit(&commit)).await
    }

    async fn commit_late(&self, late: CommitLate<'_>) -> Result<Committed, StoreError> {
        self.call(WRITE, |tables| tables.commit_late(&late)).await
    }

    async fn keep_spare(&self, keep: KeepSpare<'_>) -> Result<Committed, StoreError> {
        self.call(WRITE, |tables| tables.keep_spare(&keep)).await
    }

    async fn promote(&self, promote: Promote<'_>) -> Result<(), StoreError> {
        self.call(WRITE, |tables| tables.promote(&promote)).await
    }

    async fn fail(&self, fail: Fail<'_>) -> Result<(), StoreError> {
        self.call(WRITE, |tables| tables.fail(&fail)).await
    }

    async fn postpone(&self, postpone: Postpone<'_>) -> Result<(), StoreError> {
        self.call(WRITE, |tables| {
            let holds = |now: &Instance| is_usable(now) && now.epoch == postpone.epoch;
            let due = Placing::At(Some(postpone.due));
            tables.change(postpone.key, &[], holds, |_| due);
        })
        .await
    }

    async fn hold_off(&self, hold: HoldOff<'_>) -> Result<(), StoreError> {
        self.call(WRITE, |tables| {
            let holds = |now: &Instance| {
                is_usable(now) && now.epoch == hold.epoch && is_held_by(now, hold.nonce)
            };
            tables.change(hold.key, &[], holds, |row| {
                row.instance.not_before = Some(kept(hold.not_before));
                Placing::At(Some(hold.due))
            });
        })
        .await
    }

    async fn condemn(&self, condemn: Condemn<'_>) -> Result<bool, StoreError> {
        self.call(WRITE, |tables| tables.condemn(&condemn)).await
    }

    async fn free(
        &self,
        key: &InstanceKey,
        nonce: &str,
        last_send: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.call(WRITE, |tables| tables.free(key, nonce, last_send))
            .await
    }

    async fn warn(&self, warn: Warn<'_>) -> Result<bool, StoreError> {
        self.call(WRITE, |tables| {
            let holds = |now: &Instance| {
                is_usable(now)
                    && is_unmoved(now, warn.incarnation, warn.base)
                    && now.lease.is_none()
                    && now.upkeep.warned != Some(warn.incarnation)
            };
            tables.change(warn.key, warn.events, holds, |row| {
                row.instance.upkeep.warned = Some(warn.incarnation);
                Placing::At(warn.due)
            })
        })
        .await
    }
}

impl Tables {
    fn lease(&mut self, lease: &NewLease<'_>) -> Leased {
        let is_open = self.breaks(Bug::NoLease);
        let holds = |now: &Instance| {
            let base = now.usable_grant().map(|grant| grant.epoch);
            let is_free = now
                .lease
                .as_ref()
                .is_none_or(|held| held.until < lease.lapsed_before);
            base == Some(lease.base)
                && (is_open || (now.epoch == lease.epoch && is_free))
                && now.not_before.is_none_or(|at| at <= lease.now)
        };
        let is_held = self.change(lease.key, &[], holds, |row| {
            let now = &mut row.instance;
            now.epoch = match is_open {
                true => now.epoch.max(lease.epoch + 1),
                false => lease.epoch + 1,
            };
            now.lease = Some(lease_of(lease.nonce, lease.until));
            now.last_send = Some(kept(lease.now));
            now.attempts += 1;
            Placing::Same
        });
        self.leased(lease.key, (lease.epoch, lease.base, lease.nonce), is_held)
    }

    fn renew(&mut self, renew: &Renew<'_>) -> Leased {
        let holds = |now: &Instance| {
            let base = now.usable_grant().map(|grant| grant.epoch);
            base == Some(renew.base) && now.epoch == renew.epoch && is_held_by(now, renew.held)
        };
        let is_held = self.change(renew.key, &[], holds, |row| {
            let now = &mut row.instance;
            now.epoch = renew.epoch + 1;
            now.lease = Some(lease_of(renew.nonce, renew.until));
            now.last_send = Some(kept(renew.now));
            now.attempts += 1;
            Placing::Same
        });
        self.leased(renew.key, (renew.epoch, renew.base, renew.nonce), is_held)
    }

    /// What became of a lease. One that was taken by an earlier try of the same write, and is of no use
    /// any more, is freed.
    fn leased(
        &mut self,
        key: &InstanceKey,
        (epoch, base, nonce): (u64, u64, &str),
        is_held: bool,
    ) -> Leased {
        if is_held {
            return Leased::Held;
        }
        let Some(now) = self.instance(key) else {
            return Leased::Refused(None);
        };
        let has = now.usable_grant().map(|grant| grant.epoch);
        if has == Some(base) && now.epoch == epoch + 1 && is_held_by(&now, nonce) {
            return Leased::Held;
        }
        self.free(key, nonce, None);
        Leased::Refused(Some(Box::new(now)))
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Committed {
        let asks = !self.breaks(Bug::LastWriteWins);
        let holds = |now: &Instance| {
            is_connected(now)
                && (!asks || (may_commit(commit, now) && now.epoch == commit.grant.epoch))
        };
        let is_done = self.change(commit.key, commit.events, holds, |row| {
            let now = &mut row.instance;
            take(commit, now, None);
            now.lease = commit.next.map(|next| lease_of(next.nonce, next.until));
            if commit.next.is_some() {
                now.epoch = commit.grant.epoch + 1;
            }
            now.attempts = 0;
            Placing::At(commit.due)
        });
        self.committed(commit, is_done)
    }

    fn commit_late(&mut self, late: &CommitLate<'_>) -> Committed {
        let commit = &late.commit;
        if self.breaks(Bug::LateDropped) {
            return Committed::Done;
        }
        let drops = self.breaks(Bug::DisplacedDropped);
        let holds = |now: &Instance| {
            may_commit(commit, now) && late.lease.is_none_or(|nonce| is_held_by(now, nonce))
        };
        let is_done = self.change(commit.key, commit.events, holds, |row| {
            let now = &mut row.instance;
            take(commit, now, None);
            if drops {
                now.spares.clear();
            }
            if late.lease.is_some() {
                now.lease = None;
            }
            if late.in_doubt {
                now.attempts = now.attempts.saturating_sub(1);
            }
            Placing::At(commit.due)
        });
        self.committed(commit, is_done)
    }

    /// What became of a commit: no epoch comes twice, so what is there may be an earlier try's.
    fn committed(&self, commit: &Commit<'_>, is_done: bool) -> Committed {
        if is_done {
            return Committed::Done;
        }
        let now = self.instance(commit.key);
        let has = |now: &Instance| match &now.state {
            State::Active(grant) => grant.epoch == commit.grant.epoch,
            State::Pending
            | State::Suspect { .. }
            | State::ReconnectRequired { .. }
            | State::Deleted { .. } => false,
        };
        match now.as_ref().is_some_and(has) {
            true => Committed::Done,
            false => Committed::Moved(now.map(Box::new)),
        }
    }

    fn keep_spare(&mut self, keep: &KeepSpare<'_>) -> Committed {
        if self.breaks(Bug::LoserDropped) {
            return Committed::Done;
        }
        let holds = |now: &Instance| {
            let is_in_state = match keep.revived {
                Some(_) => matches!(now.state, State::ReconnectRequired { .. }),
                None => is_usable(now),
            };
            is_in_state && has_spares(keep.spares, now) && now.incarnation == keep.incarnation
        };
        let is_done = self.change(keep.key, &[], holds, |row| {
            let now = &mut row.instance;
            now.spares = kept_spares(keep.spares.kept);
            let Some(due) = keep.revived else {
                return Placing::Same;
            };
            if let State::ReconnectRequired { grant, cause } = now.state.clone() {
                now.state = State::Suspect { grant, cause };
            }
            Placing::At(Some(due))
        });
        match is_done {
            true => Committed::Done,
            false => Committed::Moved(self.instance(keep.key).map(Box::new)),
        }
    }

    fn promote(&mut self, promote: &Promote<'_>) {
        let commit = &promote.commit;
        let holds = |now: &Instance| {
            may_commit(commit, now) && is_usable(now) && is_held_by(now, promote.nonce)
        };
        let is_done = self.change(commit.key, &[], holds, |row| {
            let now = &mut row.instance;
            take(commit, now, promote.suspect.map(|(cause, _)| cause));
            if let Some((_, not_before)) = promote.suspect {
                now.not_before = Some(kept(not_before));
            }
            now.lease = None;
            now.attempts = u32::from(promote.in_doubt);
            Placing::At(commit.due)
        });
        if !is_done {
            self.free(commit.key, promote.nonce, None);
        }
    }

    fn fail(&mut self, fail: &Fail<'_>) {
        let ends = self.breaks(Bug::EndsAtOnce);
        let holds = |now: &Instance| {
            is_usable(now)
                && is_held_by(now, fail.nonce)
                && fail
                    .suspect
                    .is_none_or(|(incarnation, base)| is_unmoved(now, incarnation, base))
        };
        let is_done = self.change(fail.key, &[], holds, |row| {
            let now = &mut row.instance;
            now.lease = None;
            now.not_before = Some(kept(fail.not_before));
            now.last_failure = Some(fail.failure.clone());
            now.failures += 1;
            if !fail.in_doubt {
                now.attempts = now.attempts.saturating_sub(1);
                now.last_send = fail.last_send.map(kept);
            }
            if fail.suspect.is_some()
                && let Some(grant) = now.grant().cloned()
            {
                let cause = fail.failure.clone();
                now.state = match ends {
                    true => State::ReconnectRequired { grant, cause },
                    false => State::Suspect { grant, cause },
                };
            }
            Placing::At(Some(fail.due))
        });
        if !is_done {
            self.free(fail.key, fail.nonce, None);
        }
    }

    fn condemn(&mut self, condemn: &Condemn<'_>) -> bool {
        let holds = |now: &Instance| {
            is_usable(now)
                && is_unmoved(now, condemn.incarnation, condemn.base)
                && match condemn.held {
                    Some((nonce, spares)) => {
                        is_held_by(now, nonce) && now.spares == kept_spares(spares)
                    }
                    None => now
                        .lease
                        .as_ref()
                        .is_none_or(|lease| lease.until < condemn.cause.at),
                }
        };
        let is_done = self.change(condemn.key, condemn.events, holds, |row| {
            let now = &mut row.instance;
            if let Some(grant) = now.grant().cloned() {
                let cause = condemn.cause.clone();
                now.state = State::ReconnectRequired { grant, cause };
            }
            now.lease = None;
            now.not_before = None;
            Placing::At(None)
        });
        if let (false, Some((nonce, _))) = (is_done, condemn.held) {
            self.free(condemn.key, nonce, None);
        }
        is_done
    }

    /// Frees a lease and takes its attempt back.
    fn free(&mut self, key: &InstanceKey, nonce: &str, last_send: Option<Timestamp>) {
        let holds = |now: &Instance| is_held_by(now, nonce);
        self.change(key, &[], holds, |row| {
            row.instance.lease = None;
            row.instance.attempts = row.instance.attempts.saturating_sub(1);
            row.instance.last_send = last_send.map(kept).or(row.instance.last_send);
            Placing::Same
        });
    }
}

fn lease_of(nonce: &str, until: Timestamp) -> Lease {
    Lease {
        until: kept(until),
        nonce: nonce.to_owned(),
    }
}

/// What every commit asks for.
fn may_commit(commit: &Commit<'_>, now: &Instance) -> bool {
    is_connected(now)
        && is_unmoved(now, commit.incarnation, commit.base)
        && commit.spares.is_none_or(|spares| has_spares(spares, now))
}

fn has_spares(spares: Spares<'_>, now: &Instance) -> bool {
    now.spares == kept_spares(spares.seen)
}

/// What every commit writes; it is active from then on, or suspect for a cause.
fn take(commit: &Commit<'_>, now: &mut Instance, suspect: Option<&Failure>) {
    let grant: StoredGrant = kept_grant(commit.grant);
    now.state = match suspect {
        Some(cause) => State::Suspect {
            grant,
            cause: cause.clone(),
        },
        None => State::Active(grant),
    };
    if commit.next.is_none() {
        now.failures = 0;
        now.last_failure = None;
    }
    if suspect.is_none() {
        now.not_before = None;
    }
    if let Some(spares) = commit.spares {
        now.spares = kept_spares(spares.kept);
    }
}
