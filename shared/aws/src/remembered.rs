//! What a process remembers of what it has read, for a while.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use latchkey_core::port::Clock;

/// How much is remembered of a kind.
const MOST: usize = 1000;

/// Values by their keys, each for so long at most.
pub(crate) struct Remembered<K, V> {
    clock: Arc<dyn Clock>,
    max_age: SignedDuration,
    values: Mutex<HashMap<K, (Timestamp, V)>>,
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    /// Nothing yet.
    pub(crate) fn new(clock: Arc<dyn Clock>, max_age: SignedDuration) -> Self {
        Self {
            clock,
            max_age,
            values: Mutex::default(),
        }
    }

    /// The time, to be remembered with what is going to be read.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is remembered, if it is young enough.
    pub(crate) fn recall(&self, key: &K) -> Option<V> {
        let now = self.now();
        let values = self.lock();
        let (asked_at, value) = values.get(key)?;
        self.is_young(*asked_at, now).then(|| value.clone())
    }

    /// Remembers what was asked for at a time.
    pub(crate) fn remember(&self, asked_at: Timestamp, key: K, value: V) {
        let mut values = self.lock();
        if values.len() >= MOST {
            values.retain(|_, (at, _)| self.is_young(*at, asked_at));
        }
        if values.len() >= MOST {
            values.clear();
        }
        values.insert(key, (asked_at, value));
    }

    /// Forgets what has changed.
    pub(crate) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn is_young(&self, at: Timestamp, now: Timestamp) -> bool {
        let age = now.duration_since(at);
        SignedDuration::ZERO <= age && age < self.max_age
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Timestamp, V)>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
