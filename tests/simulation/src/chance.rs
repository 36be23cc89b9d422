//! Chance, all of it from one seed.

use std::sync::Mutex;

use latchkey_core::port::Entropy;

use crate::timeline::lock;

/// Random numbers that are the same for the same seed.
#[derive(Debug)]
pub struct Chance(Mutex<fastrand::Rng>);

impl Chance {
    /// The numbers of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// Any number.
    pub fn number(&self) -> u64 {
        lock(&self.0).u64(..)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&self, end: usize) -> usize {
        lock(&self.0).usize(..end)
    }

    /// A number from `least` to `most`.
    pub fn between(&self, least: i64, most: i64) -> i64 {
        lock(&self.0).i64(least..=most)
    }

    /// Whether something happens that does so in so many of a thousand cases.
    pub fn permille(&self, share: u32) -> bool {
        lock(&self.0).u32(..1000) < share
    }

    /// One of these.
    pub fn of_all<T: Copy>(&self, all: &[T]) -> Option<T> {
        let place = lock(&self.0).usize(..all.len().max(1));
        all.get(place).copied()
    }
}

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        lock(&self.0).fill(bytes);
    }
}
