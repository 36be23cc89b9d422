//! The ledger as it is shared: changed by one at a time, saved before anyone hears of it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use jiff::Timestamp;

use crate::{
    ledger::Ledger,
    settings::{Clock, DemoError},
    state_file::StateFile,
};

/// The one ledger of a running provider, and the clock that it goes by.
pub(crate) struct Store {
    now: Clock,
    file: Option<StateFile>,
    /// Held by whoever changes the ledger, while the others go on reading.
    turn: Mutex<()>,
    current: RwLock<Arc<Ledger>>,
}

/// A change that could not be saved, and so did not happen. Its cause is in the log.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("save the ledger")]
pub(crate) struct NotSaved;

impl Store {
    pub(crate) fn open(now: Clock, state_file: Option<PathBuf>) -> Result<Arc<Self>, DemoError> {
        let file = state_file.map(StateFile::new);
        let ledger = file
            .as_ref()
            .map(StateFile::read)
            .transpose()?
            .unwrap_or_default();
        let (turn, current) = (Mutex::new(()), RwLock::new(Arc::new(ledger)));
        Ok(Arc::new(Self {
            now,
            file,
            turn,
            current,
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The ledger as it was when last saved.
    pub(crate) fn snapshot(&self) -> Arc<Ledger> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does `deed`, after what has expired was dropped, and saves what came of it.
    ///
    /// A refusal changes the ledger too, when it revokes a family; so whatever `deed` answers, the
    /// change is saved. Once begun it runs to its end, even if the client hangs up.
    ///
    /// # Errors
    /// [`NotSaved`] when the file can't be written: the ledger is as it was.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        deed: impl FnOnce(&mut Ledger, Timestamp) -> T + Send + 'static,
    ) -> Result<T, NotSaved> {
        let store = Arc::clone(self);
        let outcome = tokio::task::spawn_blocking(move || store.commit(deed)).await;
        let outcome = outcome.unwrap_or_else(|cause| Err(io::Error::other(cause)));
        outcome.map_err(|cause| {
            tracing::error!(%cause, "the demo provider could not save its state");
            NotSaved
        })
    }

    fn commit<T>(&self, deed: impl FnOnce(&mut Ledger, Timestamp) -> T) -> io::Result<T> {
        let _turn = self.take_turn();
        let (current, now) = (self.snapshot(), self.now());
        let mut next = Ledger::clone(&current);
        next.sweep(now);
        let outcome = deed(&mut next, now);
        if next != *current {
            if let Some(file) = &self.file {
                file.write(&next)?;
            }
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
        Ok(outcome)
    }

    /// A deed that panicked had changed only its own copy, so the lock is good all the same.
    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
