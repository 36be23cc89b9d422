//! What is watched of each write to an instance.

use latchkey_core::model::{
    failure::FailureCode,
    id::InstanceKey,
    instance::{Instance, State},
};

use super::{Inner, Leased, Story, Watch, lost, token_of};
use crate::{
    provider::{Account, Policy},
    store::Observe,
    timeline::lock,
};

impl Observe for Watch {
    fn wrote(&self, key: &InstanceKey, before: Option<&Instance>, after: Option<&Instance>) {
        let now = self.timeline.millis();
        let task = self.current.task();
        let mut inner = lock(&self.inner);
        let Inner {
            accounts,
            keys,
            stories,
            wrong,
            ..
        } = &mut *inner;
        let Some(place) = keys.iter().position(|known| known == key) else {
            return;
        };
        let (Some(account), Some(story)) = (accounts.get(place), stories.get_mut(place)) else {
            return;
        };
        let mut writing = Writing {
            policy: self.policy,
            now,
            task,
            account,
            story,
            wrong,
        };
        writing.see(before, after);
    }
}

struct Writing<'a> {
    policy: Policy,
    now: i64,
    task: Option<usize>,
    account: &'a Account,
    story: &'a mut Story,
    wrong: &'a mut Vec<String>,
}

impl Writing<'_> {
    fn see(&mut self, before: Option<&Instance>, after: Option<&Instance>) {
        let was_deleted = before.is_some_and(is_deleted);
        let Some(after) = after else {
            if !was_deleted {
                self.wrong.push("removed without being deleted".to_owned());
            }
            return;
        };
        if is_deleted(after) {
            self.story.is_deleted = true;
            return;
        }
        if self.story.is_deleted {
            self.wrong.push("deleted, and written again".to_owned());
            return;
        }
        let Some(before) = before else {
            return;
        };
        self.see_lease(before, after);
        self.see_tokens(before, after);
        self.see_end(before, after);
    }

    fn see_lease(&mut self, before: &Instance, after: &Instance) {
        if let (Some(task), Some(lease)) = (self.task, &after.lease)
            && after.epoch > before.epoch
        {
            let leased = Leased {
                epoch: after.epoch,
                at: self.now,
                until: lease.until.as_millisecond(),
            };
            self.story.leases.insert(task, leased);
        }
    }

    fn see_tokens(&mut self, before: &Instance, after: &Instance) {
        let place = |instance: &Instance| {
            let epoch = instance.grant().map_or(0, |grant| grant.epoch);
            (instance.incarnation, epoch)
        };
        if place(after) < place(before) {
            self.wrong.push(format!(
                "{:?} took the place of {:?}",
                place(after),
                place(before)
            ));
        }
        let token = after.grant().and_then(token_of);
        let spares = after.spares.iter().filter_map(|spare| spare.grant());
        let all: Vec<_> = token
            .into_iter()
            .chain(spares.filter_map(token_of))
            .collect();
        for held in &all {
            if let Some(issue) = self.story.issued.get_mut(&held.number) {
                issue.kept_at = issue.kept_at.or(Some(self.now));
            }
        }
        let consent = token.map_or(0, |token| self.account.consent_of(token));
        if after.incarnation > before.incarnation {
            if consent < self.story.consent && self.is_known_older(consent) {
                self.wrong.push(format!(
                    "consent {consent} took the place of {}",
                    self.story.consent
                ));
            }
            self.story.consent = consent;
            self.story.is_reused = false;
        }
        if all
            .iter()
            .any(|held| self.account.consent_of(*held) != self.story.consent)
        {
            self.wrong.push("a token of another consent".to_owned());
        }
    }

    /// Whether it could be known that a consent is older than the one that is lived by: its code was
    /// exchanged before the other's was sent.
    fn is_known_older(&self, consent: usize) -> bool {
        let first = |consent| {
            let first = self.account.first_of(consent)?;
            self.story.issued.get(&first)
        };
        match (first(consent), first(self.story.consent)) {
            (Some(older), Some(newer)) => newer.sent_at > older.given_at,
            (None, _) | (_, None) => true,
        }
    }

    /// Nothing is ended that holds a token that works, and what ends says why.
    fn see_end(&mut self, before: &Instance, after: &Instance) {
        let State::ReconnectRequired { grant, cause } = &after.state else {
            return;
        };
        if matches!(before.state, State::ReconnectRequired { .. }) {
            return;
        }
        let spares = after.spares.iter().filter_map(|spare| spare.grant());
        let held = std::iter::once(grant).chain(spares).filter_map(token_of);
        let mut alive = held.filter(|token| self.account.takes(*token, self.now));
        if let Some(token) = alive.next() {
            self.wrong.push(format!("ended, and {token} works"));
        }
        let is_over = !self.account.stands(self.story.consent);
        let is_lost = lost(self.account, self.story);
        let is_lost = is_lost || self.story.is_reused;
        let is_true = is_over && is_refusal(cause.code)
            || self.story.is_reused && cause.code == FailureCode::GrantRefused
            || is_lost && cause.code == FailureCode::GrantLost;
        if !is_true {
            self.wrong
                .push(format!("ended as {:?}, which is not so", cause.code));
        }
        if !is_over && !self.policy.is_single_use() {
            self.wrong
                .push("ended, and could have been helped".to_owned());
        }
    }
}

fn is_refusal(code: FailureCode) -> bool {
    matches!(code, FailureCode::GrantRefused | FailureCode::GrantLost)
}

fn is_deleted(instance: &Instance) -> bool {
    matches!(instance.state, State::Deleted { .. })
}
