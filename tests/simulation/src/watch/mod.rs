//! The onlooker: knows what happened everywhere, and says what may not have.

mod writing;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use latchkey_core::model::{
    grant::StoredGrant,
    id::InstanceKey,
    instance::{Instance, State},
};

use crate::{
    provider::{Account, Answer, Policy, Token},
    runtime::Current,
    timeline::{Timeline, lock},
    vault::PlainVault,
};

/// What became of a token that the provider has issued.
#[derive(Debug, Clone, Copy, Default)]
struct Issue {
    /// When it was asked for, if a consent brought it.
    sent_at: i64,
    /// The task that was given it, and when.
    holder: Option<usize>,
    given_at: i64,
    /// Since when it is in the store.
    kept_at: Option<i64>,
    /// Whether it is in the queue, or was.
    is_queued: bool,
    /// Whether everything that might have kept it was down.
    is_untaken: bool,
    /// Whoever had it is dead, or nobody ever had it.
    is_lost: bool,
}

impl Issue {
    /// Whether it is somewhere from where it finds its place.
    fn is_kept(&self) -> bool {
        self.kept_at.is_some() || self.is_queued
    }
}

/// A lease that was taken, and not yet used.
#[derive(Debug, Clone, Copy)]
struct Leased {
    epoch: u64,
    at: i64,
    until: i64,
}

#[derive(Debug, Default)]
struct Story {
    issued: BTreeMap<u32, Issue>,
    /// What came of a token that was used.
    children: BTreeMap<u32, Vec<u32>>,
    /// By task.
    leases: BTreeMap<usize, Leased>,
    /// Epochs that a request was made under.
    asked: BTreeSet<u64>,
    /// The consent that the instance lives by.
    consent: usize,
    is_reused: bool,
    /// Whether a token was used again while its successor was in the queue.
    is_overtaken: bool,
    is_deleted: bool,
}

struct Inner {
    left: u64,
    accounts: Vec<Account>,
    keys: Vec<InstanceKey>,
    stories: Vec<Story>,
    wrong: Vec<String>,
}

/// The providers' accounts, and what is known of them.
pub struct Watch {
    policy: Policy,
    timeline: Arc<Timeline>,
    current: Current,
    inner: Mutex<Inner>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

/// A request that is on its way to the provider.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// With which token.
    pub token: Token,
    /// Who asks, and under which lease.
    task: usize,
    lease: Leased,
}

impl Watch {
    /// Watches nobody yet.
    #[must_use]
    pub fn new(policy: Policy, timeline: &Arc<Timeline>, current: &Current) -> Self {
        Self {
            policy,
            timeline: Arc::clone(timeline),
            current: current.clone(),
            inner: Mutex::new(Inner {
                left: 0,
                accounts: Vec::new(),
                keys: Vec::new(),
                stories: Vec::new(),
                wrong: Vec::new(),
            }),
        }
    }

    /// Watches a user and their instance from now on; the token of the first consent.
    pub fn add(&self, key: &InstanceKey, is_displacing: bool) -> Token {
        let mut inner = lock(&self.inner);
        let mut account = Account::new(inner.accounts.len(), self.policy, is_displacing);
        let token = account.consent();
        inner.accounts.push(account);
        inner.keys.push(key.clone());
        let mut story = Story {
            consent: 1,
            ..Story::default()
        };
        let issue = story.issued.entry(token.number).or_default();
        issue.kept_at = Some(self.timeline.millis());
        inner.stories.push(story);
        token
    }

    /// The user of an account withdraws the consent.
    pub fn withdraw(&self, account: usize) {
        if let Some(account) = lock(&self.inner).accounts.get_mut(account) {
            account.withdraw();
        }
    }

    /// What went wrong so far.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        lock(&self.inner).wrong.clone()
    }

    /// Says that something went wrong.
    pub fn blame(&self, what: String) {
        lock(&self.inner).wrong.push(what);
    }

    /// A secret is left of a deleted instance.
    pub fn left(&self) {
        lock(&self.inner).left += 1;
    }

    /// How many secrets are left of deleted instances.
    #[must_use]
    pub fn are_left(&self) -> u64 {
        lock(&self.inner).left
    }

    /// A refresh is sent by whoever is being polled.
    pub fn sends(&self, token: Token) -> Asked {
        let task = self.current.task().unwrap_or(usize::MAX);
        let now = self.timeline.millis();
        let mut inner = lock(&self.inner);
        let Inner { stories, wrong, .. } = &mut *inner;
        let mut taken = Leased {
            epoch: 0,
            at: now,
            until: now,
        };
        if let Some(story) = stories.get_mut(token.account) {
            match story.leases.remove(&task) {
                None => wrong.push(format!("{token} sent without a lease, or twice under one")),
                Some(lease) => {
                    taken = lease;
                    if !story.asked.insert(lease.epoch) {
                        wrong.push(format!("{token} sent twice under lease {}", lease.epoch));
                    }
                    if now >= lease.until {
                        wrong.push(format!("{token} sent after lease {} lapsed", lease.epoch));
                    }
                }
            }
        }
        Asked {
            token,
            task,
            lease: taken,
        }
    }

    /// A refresh could not be sent after all: it may be sent again under the same lease.
    pub fn unsent(&self, asked: Asked) {
        if let Some(story) = lock(&self.inner).stories.get_mut(asked.token.account) {
            story.asked.remove(&asked.lease.epoch);
            story.leases.entry(asked.task).or_insert(asked.lease);
        }
    }

    /// The provider answers a refresh.
    pub fn ask(&self, asked: Asked) -> Answer {
        let Asked { token, lease, .. } = asked;
        let now = self.timeline.millis();
        let mut inner = lock(&self.inner);
        let Inner {
            accounts,
            stories,
            wrong,
            ..
        } = &mut *inner;
        let (Some(account), Some(story)) = (
            accounts.get_mut(token.account),
            stories.get_mut(token.account),
        ) else {
            return Answer::Refused;
        };
        let answer = account.ask(token, now);
        match answer {
            Answer::Granted(next) => {
                story.issued.insert(next.number, Issue::default());
                story
                    .children
                    .entry(token.number)
                    .or_default()
                    .push(next.number);
            }
            Answer::Revoked => {
                story.is_reused = true;
                let was_known = story.children.get(&token.number).into_iter().flatten();
                let kept = was_known.filter_map(|child| story.issued.get(child)?.kept_at);
                if kept.min().is_some_and(|kept_at| kept_at < lease.at) {
                    wrong.push(format!("{token} used again though its successor was kept"));
                }
                let was_known = story.children.get(&token.number).into_iter().flatten();
                let mut queued = was_known.filter_map(|child| story.issued.get(child));
                story.is_overtaken |= queued.any(|issue| issue.is_queued);
            }
            Answer::Refused => {}
        }
        answer
    }

    /// The provider exchanges a code that was sent at this time.
    pub fn exchange(&self, account: usize, sent_at: i64) -> Option<Token> {
        let mut inner = lock(&self.inner);
        let token = inner.accounts.get_mut(account)?.consent();
        let story = inner.stories.get_mut(account)?;
        let issue = Issue {
            sent_at,
            ..Issue::default()
        };
        story.issued.insert(token.number, issue);
        Some(token)
    }

    /// The provider is asked to revoke a token; what it came of ends.
    pub fn revoke(&self, token: Token) {
        let mut inner = lock(&self.inner);
        let Inner {
            accounts,
            stories,
            wrong,
            ..
        } = &mut *inner;
        let (Some(account), Some(story)) =
            (accounts.get_mut(token.account), stories.get(token.account))
        else {
            return;
        };
        let consent = account.consent_of(token);
        if account.stands(consent) {
            if !story.is_deleted && story.consent == consent {
                wrong.push(format!(
                    "{token} revoked by ourselves, though it is lived by"
                ));
            }
            account.withdraw();
        }
    }

    /// A token has reached whoever asked for it.
    pub fn delivered(&self, token: Token, task: Option<usize>) {
        if let Some(issue) = self.issue(&mut lock(&self.inner), token) {
            issue.holder = task;
            issue.given_at = self.timeline.millis();
        }
    }

    /// A token will never reach whoever asked for it.
    pub fn undelivered(&self, token: Token) {
        if let Some(issue) = self.issue(&mut lock(&self.inner), token) {
            issue.is_lost = true;
        }
    }

    /// A grant is in the queue; or neither the store nor the queue took it.
    pub fn queued(&self, grant: &StoredGrant, is_taken: bool) {
        let Some(token) = token_of(grant) else {
            return;
        };
        if let Some(issue) = self.issue(&mut lock(&self.inner), token) {
            match is_taken {
                true => issue.is_queued = true,
                false => issue.is_untaken = true,
            }
        }
    }

    fn issue<'i>(&self, inner: &'i mut Inner, token: Token) -> Option<&'i mut Issue> {
        let story = inner.stories.get_mut(token.account)?;
        story.issued.get_mut(&token.number)
    }

    /// A task has died, with all that it held.
    pub fn died(&self, task: usize) {
        for story in &mut lock(&self.inner).stories {
            for issue in story.issued.values_mut() {
                if issue.holder == Some(task) && !issue.is_kept() {
                    issue.is_lost = true;
                }
            }
        }
    }

    /// A task has come to its end: it may hold nothing that it has not kept, if it could.
    pub fn ended(&self, task: usize) {
        let mut inner = lock(&self.inner);
        let Inner {
            accounts,
            stories,
            wrong,
            ..
        } = &mut *inner;
        for (account, story) in accounts.iter().zip(stories.iter_mut()) {
            for (number, issue) in &mut story.issued {
                if issue.holder != Some(task) || issue.is_kept() || issue.is_lost {
                    continue;
                }
                issue.is_lost = true;
                let token = account.token(*number);
                let consent = account.consent_of(token);
                let is_homeless = story.is_deleted || story.consent != consent;
                if !issue.is_untaken && !is_homeless {
                    wrong.push(format!("{token} was answered and dropped"));
                }
            }
        }
    }

    /// What is wrong with how it all ended.
    pub fn judge(
        &self,
        look: &dyn Fn(&InstanceKey) -> Option<(Instance, bool)>,
        since: i64,
    ) -> Verdict {
        let mut inner = lock(&self.inner);
        let Inner {
            accounts,
            keys,
            stories,
            wrong,
            ..
        } = &mut *inner;
        let mut verdict = Verdict::default();
        let now = self.timeline.millis();
        for ((account, story), key) in accounts.iter().zip(stories.iter()).zip(keys.iter()) {
            match look(key) {
                None if story.is_deleted => verdict.settled += 1,
                None => wrong.push(format!("{} is gone", key.id)),
                Some((instance, is_readable)) => match &instance.state {
                    State::Deleted { .. } | State::Pending => {}
                    State::ReconnectRequired { .. } => {
                        verdict.settled += 1;
                        verdict.dead += 1;
                    }
                    State::Suspect { .. } => {}
                    State::Active(grant) => {
                        if grant.received_at.as_millisecond() >= since && instance.lease.is_none() {
                            verdict.settled += 1;
                            let token = token_of(grant);
                            let works = token.is_some_and(|token| account.takes(token, now));
                            if !works || !is_readable {
                                wrong.push(format!(
                                    "{} ends active without a token that works",
                                    key.id
                                ));
                            }
                        }
                    }
                },
            }
        }
        verdict.of = keys.len();
        verdict
    }

    /// How many connections were lost since an answer in the queue did not find its place in time.
    #[must_use]
    pub fn overtaken(&self) -> usize {
        let inner = lock(&self.inner);
        let overtaken = inner.stories.iter().filter(|story| story.is_overtaken);
        overtaken.count()
    }

    /// Whether a token is of a consent that stands.
    #[must_use]
    pub fn stands(&self, token: Token) -> bool {
        let inner = lock(&self.inner);
        let account = inner.accounts.get(token.account);
        account.is_some_and(|account| account.stands(account.consent_of(token)))
    }

    /// Whether an account's consent stands, and nothing happened that could not be helped.
    #[must_use]
    pub fn is_whole(&self, account: usize) -> bool {
        let inner = lock(&self.inner);
        let (Some(one), Some(story)) = (inner.accounts.get(account), inner.stories.get(account))
        else {
            return false;
        };
        one.stands(story.consent) && !story.is_reused && !story.is_deleted && !lost(one, story)
    }
}

/// How it all ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Instances that have come to an end of some kind since.
    pub settled: usize,
    /// Those that need a new consent.
    pub dead: usize,
    /// Of how many.
    pub of: usize,
}

/// Whether an answer of the consent that is lived by is lost, or not kept yet.
fn lost(account: &Account, story: &Story) -> bool {
    story.issued.iter().any(|(number, issue)| {
        let token = account.token(*number);
        issue.kept_at.is_none() && account.consent_of(token) == story.consent
    })
}

/// The token of a grant, whatever has become of its refresh token.
#[must_use]
pub fn token_of(grant: &StoredGrant) -> Option<Token> {
    Token::find("access-", PlainVault::peek(&grant.tokens)?)
}
