//! Instances: who may do what to them.
//!
//! The refresh protocol lives by the conditions named here. Every write is one conditional write;
//! where it fails, the item as it is comes back with the failure, so that nothing is read twice.
//! What is to be told of a write is left pending in the [`Outbox`](super::Outbox) with it, or neither
//! is made. A write that tells nothing touches no other item.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    store::{Page, PageAsk, StoreError},
    upkeep::NoteUpkeep,
};
use crate::model::{
    event::Event,
    failure::Failure,
    grant::StoredGrant,
    id::{InstanceKey, TenantId},
    instance::{Instance, StoredValues},
    schedule::Schedule,
    secret_version::SecretVersion,
    spare::Spare,
};

/// How many shards the index of due instances has.
pub const SHARDS: u8 = 16;

/// The shard of an instance.
#[must_use]
pub fn shard(spread: u8) -> u8 {
    spread % SHARDS
}

/// Reads instances.
#[async_trait]
pub trait ReadInstances: Send + Sync {
    /// The instance, if there is one; strongly consistent. Deleted ones are found until purged.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn find(&self, key: &InstanceKey) -> Result<Option<Instance>, StoreError>;
}

/// What became of a new instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It is there, and counted at its auth method.
    Done,
    /// Its auth method does not exist.
    MethodGone,
}

/// Adds and lists instances.
#[async_trait]
pub trait Instances: ReadInstances {
    /// Adds an instance and counts it at its auth method, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn create(&self, instance: &Instance) -> Result<Creation, StoreError>;

    /// The tenant's instances, without those deleted; a page may be short.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn list(&self, tenant: &TenantId, page: &PageAsk) -> Result<Page<Instance>, StoreError>;
}

/// A journal that was seen through.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The consent that it lives by.
    pub incarnation: u64,
    /// The epoch that brought the refresh tokens in the journal.
    pub epoch: u64,
    /// The version of the instance's secret that holds them.
    pub version: &'a SecretVersion,
}

/// Points at refresh tokens in the secrets manager.
#[async_trait]
pub trait PointInstances: ReadInstances {
    /// Points at a version and forgets the journal, if the instance is not deleted, lives by the same
    /// consent and has this very journal; whether it points there.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn point(&self, point: Point<'_>) -> Result<bool, StoreError>;
}

/// A consent that is to take effect.
#[derive(Debug, Clone)]
pub struct Connect<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The epoch that the instance has; the grant's own is the next.
    pub epoch: u64,
    /// The consent that the instance lives by; it becomes the next.
    pub incarnation: u64,
    /// The grant.
    pub grant: &'a StoredGrant,
    /// The values that the consent was given for.
    pub values: &'a StoredValues,
    /// What is to be told of it.
    pub events: &'a [Event],
    /// When the instance wants attention next.
    pub due: Option<Due>,
}

/// What became of a consent.
#[derive(Debug)]
pub enum Connected {
    /// The instance lives by it, and lease, doubt and failures are gone: every older writer is out.
    Done,
    /// The instance has moved on since; here it is.
    Moved(Box<Instance>),
    /// The instance does not exist, or is deleted.
    Gone,
}

/// Lets consents take effect.
#[async_trait]
pub trait Consents: PointInstances {
    /// Lets a consent take effect if epoch and incarnation are as said and the instance is not deleted.
    ///
    /// Applied twice, the second is told [`Connected::Moved`] with the grant in place.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn connect(&self, connect: Connect<'_>) -> Result<Connected, StoreError>;
}

/// When and where an instance stands in the index of due instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The shard.
    pub shard: u8,
    /// The time.
    pub at: Timestamp,
}

impl Due {
    /// Where an instance stands that wants attention at a time.
    #[must_use]
    pub fn of(key: &InstanceKey, at: Timestamp) -> Self {
        Self {
            shard: shard(Instance::spread_of(key)),
            at,
        }
    }

    /// Where an instance stands by its schedule; nowhere if it wants nothing.
    #[must_use]
    pub fn next(key: &InstanceKey, schedule: &Schedule<'_>) -> Option<Self> {
        schedule.due_at().map(|at| Self::of(key, at))
    }
}

/// A lease that is asked for. The write is lease, intent, and proof that the store can take the
/// answer, in one.
#[derive(Debug, Clone)]
pub struct NewLease<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The epoch that the instance has; the lease takes the next.
    pub epoch: u64,
    /// The epoch whose tokens the instance has: a late commit changes them, and not the epoch.
    pub base: u64,
    /// Random; says whose lease it is.
    pub nonce: &'a str,
    /// Now.
    pub now: Timestamp,
    /// A lease that ended before this is over, clocks' differences included.
    pub lapsed_before: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
}

/// A lease that takes the place of the one that its holder has: another request is sent. As any lease
/// it is intent, and proof that the store can take the answer.
#[derive(Debug, Clone)]
pub struct Renew<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The epoch of the lease that is held; the new one takes the next.
    pub epoch: u64,
    /// The epoch whose tokens the instance has.
    pub base: u64,
    /// The nonce of the lease that is held.
    pub held: &'a str,
    /// The nonce of the new one.
    pub nonce: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
}

/// What became of a lease that was asked for.
#[derive(Debug)]
pub enum Leased {
    /// It is held.
    Held,
    /// It is not: the instance has no usable grant, has moved on, is leased, or must wait. Here it
    /// is, if it exists.
    Refused(Option<Box<Instance>>),
}

/// A refresh that brought a grant.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The consent that it was refreshed under.
    pub incarnation: u64,
    /// The epoch whose tokens it was made from.
    pub base: u64,
    /// The grant; its epoch is the lease's.
    pub grant: &'a StoredGrant,
    /// The change of its spares; `None` leaves them alone.
    pub spares: Option<Spares<'a>>,
    /// What is to be told of it.
    pub events: &'a [Event],
    /// When the instance wants attention next.
    pub due: Option<Due>,
    /// The lease that takes the place of the one that ends: its holder has more to do. Failures are
    /// remembered until that is done. Only [`Leases::commit`] heeds it.
    pub next: Option<NextLease<'a>>,
}

/// A lease of the epoch after a grant's own, taken with its commit.
#[derive(Debug, Clone, Copy)]
pub struct NextLease<'a> {
    /// Random; says whose lease it is.
    pub nonce: &'a str,
    /// Until when it holds.
    pub until: Timestamp,
}

/// The change of an instance's spares.
#[derive(Debug, Clone, Copy)]
pub struct Spares<'a> {
    /// Those that the instance has.
    pub seen: &'a [Spare],
    /// Those that it is to have.
    pub kept: &'a [Spare],
}

/// A grant that comes late but is the newest.
#[derive(Debug, Clone)]
pub struct CommitLate<'a> {
    /// The commit; `base` are the tokens that the instance has now.
    pub commit: Commit<'a>,
    /// Whether its own attempt still counts as one in doubt.
    pub in_doubt: bool,
    /// The nonce of its own lease, if the instance still has it.
    pub lease: Option<&'a str>,
}

/// A spare that takes the place of refused tokens.
#[derive(Debug, Clone)]
pub struct Promote<'a> {
    /// The commit; the grant is the spare's, and its epoch is the lease's.
    pub commit: Commit<'a>,
    /// The lease's nonce.
    pub nonce: &'a str,
    /// Whether a request with the spare may still be on its way: it counts as an attempt.
    pub in_doubt: bool,
    /// Why the spare is suspect itself, and no refresh before when; `None` if it has not been refused yet.
    pub suspect: Option<(&'a Failure, Timestamp)>,
}

/// An answer that comes too late to be the instance's grant.
#[derive(Debug, Clone)]
pub struct KeepSpare<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The consent that it was refreshed under.
    pub incarnation: u64,
    /// The spares, with that of the answer among them.
    pub spares: Spares<'a>,
    /// Where the instance's grant was thought to have ended: when it wants attention, for there is
    /// hope again.
    pub revived: Option<Due>,
}

/// What became of a commit.
#[derive(Debug)]
pub enum Committed {
    /// The instance has the grant; lease, doubt and failures are gone, but for a next lease.
    Done,
    /// The instance has moved on since the lease; here it is, if it exists.
    Moved(Option<Box<Instance>>),
}

/// A refresh that brought none.
#[derive(Debug, Clone)]
pub struct Fail<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The lease's nonce.
    pub nonce: &'a str,
    /// What went wrong.
    pub failure: &'a Failure,
    /// No refresh before this time.
    pub not_before: Timestamp,
    /// Whether the provider may have acted on the request.
    pub in_doubt: bool,
    /// When the request before this one was sent. One that is not in doubt takes back that it was sent: when
    /// the last answer may have been lost is still to be told.
    pub last_send: Option<Timestamp>,
    /// Whether the provider has refused the grant: the tokens of this epoch, of this consent.
    pub suspect: Option<(u64, u64)>,
    /// When the instance wants attention next.
    pub due: Due,
}

/// Another time for an instance that is due and is left alone meanwhile.
#[derive(Debug, Clone)]
pub struct Postpone<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The epoch that the instance has.
    pub epoch: u64,
    /// When the instance wants attention next.
    pub due: Due,
}

/// A while in which an answer may yet come out of the queue: nobody knows what became of a lease that
/// has lapsed.
#[derive(Debug, Clone)]
pub struct HoldOff<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The epoch that the instance has.
    pub epoch: u64,
    /// The nonce of the lease.
    pub nonce: &'a str,
    /// No refresh before this time.
    pub not_before: Timestamp,
    /// When the instance wants attention next.
    pub due: Due,
}

/// A grant that has ended.
#[derive(Debug, Clone)]
pub struct Condemn<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The consent that it lived by.
    pub incarnation: u64,
    /// The epoch whose tokens are dead.
    pub base: u64,
    /// The lease's nonce, and the spares as seen; `None` where nobody holds a lease.
    pub held: Option<(&'a str, &'a [Spare])>,
    /// Why.
    pub cause: &'a Failure,
    /// What is to be told of it.
    pub events: &'a [Event],
}

/// A warning that a connection will end.
#[derive(Debug, Clone)]
pub struct Warn<'a> {
    /// The instance.
    pub key: &'a InstanceKey,
    /// The consent that it lives by; it is warned of its end once.
    pub incarnation: u64,
    /// The epoch whose tokens it has.
    pub base: u64,
    /// What is to be told.
    pub events: &'a [Event],
    /// When the instance wants attention next.
    pub due: Option<Due>,
}

/// Refreshes instances.
#[async_trait]
pub trait Leases: PointInstances + NoteUpkeep {
    /// Takes a lease if the instance is active or suspect, its epoch and tokens are as said, no lease
    /// holds, and it need not wait. A repeated write finds its own nonce and is told [`Leased::Held`], or,
    /// if the tokens have been replaced since, frees the lease and is told [`Leased::Refused`].
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer. The lease may be held; it lapses.
    async fn lease(&self, lease: NewLease<'_>) -> Result<Leased, StoreError>;

    /// Takes a lease in the place of the one that the caller holds, if that is still the instance's,
    /// lapsed or not, and its epoch and tokens are as said. The attempt before stays in doubt. A repeated
    /// write finds its own nonce, as [`Leases::lease`] does.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer. Either lease may be held; it lapses.
    async fn renew(&self, renew: Renew<'_>) -> Result<Leased, StoreError>;

    /// Commits a grant if the instance is not deleted, lives by the same consent, has the tokens
    /// that the refresh was made from, no later lease was taken, and the spares are as seen. Ends the
    /// lease, or takes the next with it.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn commit(&self, commit: Commit<'_>) -> Result<Committed, StoreError>;

    /// Commits a grant that comes late but is the newest, if the instance has the tokens of the base
    /// and its spares are as seen. Frees its own lease, and touches no other.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn commit_late(&self, late: CommitLate<'_>) -> Result<Committed, StoreError>;

    /// Keeps an answer as a spare if the instance is not deleted, lives by the same consent, and its
    /// spares are as seen. If its grant was thought to have ended, it is suspect from now on.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn keep_spare(&self, keep: KeepSpare<'_>) -> Result<Committed, StoreError>;

    /// Puts a spare's grant in the place of tokens that the provider refuses, if the lease is still
    /// the caller's and nothing has moved since it was taken. Frees the lease either way.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn promote(&self, promote: Promote<'_>) -> Result<(), StoreError>;

    /// Frees the lease and remembers the failure, if the lease is still the caller's. A refused
    /// grant becomes suspect; if it has been replaced meanwhile, the lease is freed and that is all.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the lease lapses.
    async fn fail(&self, fail: Fail<'_>) -> Result<(), StoreError>;

    /// Moves an instance in the index of due ones, and changes nothing else: a refresh that somebody
    /// asks for may be made at once. Does nothing if its epoch is another.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn postpone(&self, postpone: Postpone<'_>) -> Result<(), StoreError>;

    /// Has nobody refresh an instance for a while, if its epoch is as said and it still has this lease. Does
    /// nothing otherwise.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn hold_off(&self, hold: HoldOff<'_>) -> Result<(), StoreError>;

    /// Says that only a new consent helps, if nothing has moved; whether it was said. Frees the lease
    /// either way, if it is the caller's.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn condemn(&self, condemn: Condemn<'_>) -> Result<bool, StoreError>;

    /// Frees the lease, if it is still the caller's, and takes its attempt back: nothing was sent under
    /// it that is in doubt. `last_send` is when something was sent before it, if that is known.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the lease lapses.
    async fn free(
        &self,
        key: &InstanceKey,
        nonce: &str,
        last_send: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Remembers that a user was warned of the end of this consent, if its grant may be used, nothing
    /// has moved, no lease is held, and it has not been remembered before; whether it was remembered.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer; the write may have been applied.
    async fn warn(&self, warn: Warn<'_>) -> Result<bool, StoreError>;
}

/// A stretch of time in which instances have become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Those after this time only; all if there is none.
    pub after: Option<Timestamp>,
    /// Those up to this time.
    pub until: Timestamp,
}

/// An instance that wants attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueInstance {
    /// Which.
    pub key: InstanceKey,
    /// Since when, in whole seconds, and never earlier than it is.
    pub since: Timestamp,
}

/// Finds what is due, of all tenants.
#[async_trait]
pub trait DueInstances: Send + Sync {
    /// The instances in a shard that have become due in a window, the most overdue first. Eventually
    /// consistent.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn due(
        &self,
        shard: u8,
        window: Window,
        page: &PageAsk,
    ) -> Result<Page<DueInstance>, StoreError>;
}

/// Deletes instances, in three steps that may each be repeated.
#[async_trait]
pub trait Deletions: ReadInstances {
    /// Marks an instance as deleted: no lease, commit or consent succeeds any more. `due` is when
    /// the refresher looks after what is left; `events` is what is to be told of it. The instance as it
    /// is then; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn mark(
        &self,
        key: &InstanceKey,
        now: Timestamp,
        due: Due,
        events: &[Event],
    ) -> Result<Option<Instance>, StoreError>;

    /// Forgets the tokens and values of a marked instance and counts it out at its auth method, in
    /// one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn forget(&self, instance: &Instance) -> Result<(), StoreError>;

    /// Removes a marked instance whose tokens are forgotten.
    ///
    /// # Errors
    /// [`StoreError`] if the store can't answer.
    async fn purge(&self, key: &InstanceKey) -> Result<(), StoreError>;
}
