//! The store in memory: what `latchkey-aws` keeps in DynamoDB, by the same conditions.
//!
//! The product has one store adapter (`architecture.md`), and this is not another: it is here so that
//! hundreds of thousands of schedules can be run in a minute. The contract tests of `shared/aws/tests/it`
//! hold it to what the adapter does.

mod authorisations;
mod instances;
mod leases;
mod others;
mod overview;
mod tables;
mod upkeep;

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use latchkey_core::{
    model::{
        id::{InstanceKey, MethodKey},
        instance::Instance,
        method::StoredMethod,
    },
    port::{Due, StoreError},
};

use self::tables::Tables;
use crate::{
    line::{Call, Line, Lost},
    timeline::lock,
};

/// A rule of the protocol that the store breaks, to show that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A lease is given whoever holds one.
    NoLease,
    /// What comes late and is the newest is dropped.
    LateDropped,
    /// What comes late and is not the newest is dropped.
    LoserDropped,
    /// What a late commit displaces is dropped.
    DisplacedDropped,
    /// A commit asks for nothing.
    LastWriteWins,
    /// The first refusal ends an instance.
    EndsAtOnce,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NoLease,
        Self::LateDropped,
        Self::LoserDropped,
        Self::DisplacedDropped,
        Self::LastWriteWins,
        Self::EndsAtOnce,
    ];
}

/// Sees each write to an instance.
pub trait Observe: Send + Sync {
    /// An instance was written: what it was before, and is now.
    fn wrote(&self, key: &InstanceKey, before: Option<&Instance>, after: Option<&Instance>);
}

/// The store in memory.
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    line: Arc<dyn Line>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl MemoryStore {
    /// An empty store at the end of a line.
    #[must_use]
    pub fn new(line: Arc<dyn Line>) -> Self {
        Self {
            tables: Arc::default(),
            line,
        }
    }

    /// Has every write to an instance seen.
    pub fn observe(&self, observer: Arc<dyn Observe>) {
        self.tables().observer = Some(observer);
    }

    /// Breaks a rule from now on.
    pub fn break_rule(&self, bug: Bug) {
        self.tables().bug = Some(bug);
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    /// A call, as it is made through the line; once more, perhaps, if it is lost there.
    async fn call<T>(&self, call: Call, made: impl Fn(&mut Tables) -> T) -> Result<T, StoreError> {
        loop {
            match self.try_call(call, &made).await {
                Err(Lost) if self.line.tries_again() => {}
                outcome => {
                    return outcome.map_err(|Lost| StoreError::Unavailable("lost".to_owned()));
                }
            }
        }
    }

    async fn try_call<T>(&self, call: Call, made: &impl Fn(&mut Tables) -> T) -> Result<T, Lost> {
        self.line.out(call).await?;
        let outcome = made(&mut self.tables());
        self.line.back(call).await?;
        Ok(outcome)
    }

    /// Puts an instance there, as it is, with when it is due.
    pub fn place(&self, instance: Instance, due: Option<Due>) {
        self.tables().put(instance, due);
    }

    /// Puts an auth method there, with however many instances it has.
    pub fn put_method(&self, method: StoredMethod) {
        let mut tables = self.tables();
        tables.methods.insert(method.key.clone(), Arc::new(method));
    }

    /// An auth method as it is, past the line.
    #[must_use]
    pub fn look_at_method(&self, key: &MethodKey) -> Option<StoredMethod> {
        let tables = self.tables();
        tables.methods.get(key).map(|method| (**method).clone())
    }

    /// Changes an auth method, as its builder does.
    pub fn edit_methods(&self, edit: impl Fn(&mut StoredMethod)) {
        for method in self.tables().methods.values_mut() {
            edit(Arc::make_mut(method));
        }
    }

    /// The instance as it is, past the line.
    #[must_use]
    pub fn look(&self, key: &InstanceKey) -> Option<Instance> {
        self.tables().instance(key)
    }

    /// The same for every instance.
    pub fn look_at_all(&self, mut look: impl FnMut(&Instance)) {
        for row in self.tables().rows.values() {
            look(&row.instance);
        }
    }

    /// How many instances are in the index of due ones.
    #[must_use]
    pub fn indexed(&self) -> usize {
        self.tables().due.iter().map(|shard| shard.len()).sum()
    }

    /// When the first instance is due, past the line.
    #[must_use]
    pub fn first_due(&self) -> Option<Timestamp> {
        let tables = self.tables();
        let firsts = tables.due.iter().filter_map(|shard| shard.first());
        let second = firsts.map(|(second, _)| *second).min()?;
        Timestamp::from_second(second).ok()
    }

    /// How many events are not published yet.
    #[must_use]
    pub fn pending_events(&self) -> usize {
        self.tables().events.len()
    }

    /// When an instance is due.
    #[must_use]
    pub fn due_of(&self, key: &InstanceKey) -> Option<Timestamp> {
        let tables = self.tables();
        let (_, second) = tables.rows.get(key)?.due?;
        Timestamp::from_second(second).ok()
    }
}
