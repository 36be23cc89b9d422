//! Ports that tell when they are asked and when they have answered.
//!
//! Each call is two points: one before anything of it is done, and one when it is done and nobody has
//! seen its answer yet. All ports are wrapped by the one macro below.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        Secret,
        authorisation::{Authorisation, Digest, Miss},
        breaker::Breaker,
        event::{Event, EventKey},
        grant::StoredGrant,
        health::MethodHealth,
        host::Host,
        id::{InstanceKey, MethodKey},
        instance::Instance,
        method::{FoundMethod, StoredMethod},
        sealed::{Place, Sealed},
        secret_version::SecretVersion,
    },
    port::{
        Authorisations, Commit, CommitLate, Committed, Condemn, Connect, Connected, Consents,
        Deletions, Due, DueInstance, DueInstances, Egress, Events, Fail, Healths, HoldOff, Hosts,
        KeepSpare, Kept, Leased, Leases, Methods, NewLease, NewVersion, Note, NoteUpkeep, Noted,
        Outbox, Page, PageAsk, Point, PointInstances, Posting, Postpone, Promote, PublishError,
        Queue, QueueError, ReadInstances, Renew, Seal, Secrets, SecretsError, SendError,
        StoreError, Take, Turned, Vault, VaultError, Warn, Window, WireAnswer, WireRequest,
    },
};

use crate::outside::Outside;

/// A port whose every call is told before and after.
pub struct Crashing<P: ?Sized> {
    /// The port itself.
    inner: Arc<P>,
    name: &'static str,
    outside: Arc<dyn Outside>,
}

impl<P: ?Sized> std::fmt::Debug for Crashing<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Crashing").field(&self.name).finish()
    }
}

impl<P: ?Sized> Crashing<P> {
    /// Wraps a port, which is known by a name from now on.
    #[must_use]
    pub fn new(name: &'static str, inner: Arc<P>, outside: &Arc<dyn Outside>) -> Self {
        Self {
            inner,
            name,
            outside: Arc::clone(outside),
        }
    }

    async fn around<F: Future>(&self, method: &str, call: F) -> F::Output {
        self.outside.reach(&before(self.name, method));
        let answer = call.await;
        self.outside.reach(&after(self.name, method));
        answer
    }
}

/// The point before a call.
#[must_use]
pub fn before(port: &str, method: &str) -> String {
    format!("{port}.{method} asked")
}

/// The point after a call.
#[must_use]
pub fn after(port: &str, method: &str) -> String {
    format!("{port}.{method} done")
}

macro_rules! crashing {
    ($($port:ident {
        $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {$(
        #[async_trait]
        impl<P: $port + ?Sized> $port for Crashing<P> {
            $(async fn $method(&self, $($argument: $type),*) -> $answer {
                let call = self.inner.$method($($argument),*);
                self.around(stringify!($method), call).await
            })*
        }
    )*};
}

crashing! {
    ReadInstances {
        find(key: &InstanceKey) -> Result<Option<Instance>, StoreError>;
    }
    PointInstances {
        point(point: Point<'_>) -> Result<bool, StoreError>;
    }
    Consents {
        connect(connect: Connect<'_>) -> Result<Connected, StoreError>;
    }
    NoteUpkeep {
        note(note: Note<'_>) -> Result<Noted, StoreError>;
    }
    Leases {
        lease(lease: NewLease<'_>) -> Result<Leased, StoreError>;
        renew(renew: Renew<'_>) -> Result<Leased, StoreError>;
        commit(commit: Commit<'_>) -> Result<Committed, StoreError>;
        commit_late(late: CommitLate<'_>) -> Result<Committed, StoreError>;
        keep_spare(keep: KeepSpare<'_>) -> Result<Committed, StoreError>;
        promote(promote: Promote<'_>) -> Result<(), StoreError>;
        fail(fail: Fail<'_>) -> Result<(), StoreError>;
        hold_off(hold: HoldOff<'_>) -> Result<(), StoreError>;
        postpone(postpone: Postpone<'_>) -> Result<(), StoreError>;
        condemn(condemn: Condemn<'_>) -> Result<bool, StoreError>;
        free(key: &InstanceKey, nonce: &str, last_send: Option<Timestamp>) -> Result<(), StoreError>;
        warn(warn: Warn<'_>) -> Result<bool, StoreError>;
    }
    Deletions {
        mark(key: &InstanceKey, now: Timestamp, due: Due, events: &[Event]) -> Result<Option<Instance>, StoreError>;
        forget(instance: &Instance) -> Result<(), StoreError>;
        purge(key: &InstanceKey) -> Result<(), StoreError>;
    }
    DueInstances {
        due(shard: u8, window: Window, page: &PageAsk) -> Result<Page<DueInstance>, StoreError>;
    }
    Methods {
        find(key: &MethodKey) -> Result<Option<FoundMethod>, StoreError>;
    }
    Healths {
        look(key: &MethodKey) -> Result<Option<StoredMethod>, StoreError>;
        turn(key: &MethodKey, seen: &MethodHealth, next: &MethodHealth, events: &[Event]) -> Result<Turned<Option<Box<StoredMethod>>>, StoreError>;
    }
    Hosts {
        breaker(host: &Host) -> Result<Option<Breaker>, StoreError>;
        turn(host: &Host, seen: Option<&Breaker>, next: &Breaker) -> Result<Turned<Option<Breaker>>, StoreError>;
        close(host: &Host, seen: &Breaker) -> Result<bool, StoreError>;
    }
    Outbox {
        overdue(shard: u8, now: Timestamp, page: &PageAsk) -> Result<Page<EventKey>, StoreError>;
        find(key: &EventKey) -> Result<Option<Event>, StoreError>;
        forget(key: &EventKey) -> Result<(), StoreError>;
    }
    Authorisations {
        take(state: &Digest, now: Timestamp) -> Result<Take, StoreError>;
        fail(state: &Digest, miss: Miss) -> Result<(), StoreError>;
        park(state: &Digest, grant: &StoredGrant) -> Result<(), StoreError>;
        find(state: &Digest) -> Result<Option<Authorisation>, StoreError>;
        complete(state: &Digest) -> Result<bool, StoreError>;
    }
    Secrets {
        keep(new: NewVersion<'_>) -> Result<Kept, SecretsError>;
        read(name: &str, version: &SecretVersion) -> Result<Option<Secret>, SecretsError>;
        restore(name: &str) -> Result<(), SecretsError>;
        delete(name: &str) -> Result<(), SecretsError>;
    }
    Egress {
        send(request: WireRequest) -> Result<WireAnswer, SendError>;
    }
    Events {
        publish(event: &Event) -> Result<(), PublishError>;
    }
    Queue {
        send(postings: &[Posting]) -> Result<(), QueueError>;
    }
}

#[async_trait]
impl<P: Seal + ?Sized> Seal for Crashing<P> {
    async fn warm(&self) -> Result<(), VaultError> {
        self.around("warm", self.inner.warm()).await
    }

    fn seal(&self, place: &Place, value: &Secret<Vec<u8>>) -> Result<Sealed, VaultError> {
        self.inner.seal(place, value)
    }

    fn is_current(&self, sealed: &Sealed) -> bool {
        self.inner.is_current(sealed)
    }
}

#[async_trait]
impl<P: Vault + ?Sized> Vault for Crashing<P> {
    async fn open(&self, place: &Place, sealed: &Sealed) -> Result<Secret<Vec<u8>>, VaultError> {
        self.around("open", self.inner.open(place, sealed)).await
    }

    fn secrets(&self) -> Option<&dyn Secrets> {
        self.inner.secrets()
    }
}
