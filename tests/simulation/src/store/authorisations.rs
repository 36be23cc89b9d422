//! Authorisations under way.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        authorisation::{Authorisation, Digest, Miss, Progress},
        grant::StoredGrant,
    },
    port::{Authorisations, BeginAuthorisations, StoreError, Take},
};

use super::MemoryStore;
use crate::line::Call;

const CALL: Call = Call::Authorisation;

#[async_trait]
impl BeginAuthorisations for MemoryStore {
    async fn put(&self, authorisation: &Authorisation) -> Result<(), StoreError> {
        self.call(CALL, |tables| {
            let state = authorisation.state.clone();
            tables
                .authorisations
                .entry(state)
                .or_insert_with(|| authorisation.clone());
        })
        .await
    }
}

#[async_trait]
impl Authorisations for MemoryStore {
    async fn take(&self, state: &Digest, now: Timestamp) -> Result<Take, StoreError> {
        self.call(CALL, |tables| {
            let Some(found) = tables.authorisations.get_mut(state) else {
                return Take::Unknown;
            };
            match found.progress {
                Progress::Open if found.expires_at > now => {
                    found.progress = Progress::Taken;
                    Take::Taken(Box::new(found.clone()))
                }
                Progress::Open => Take::Expired,
                Progress::Taken
                | Progress::Parked(_)
                | Progress::Completed(_)
                | Progress::Failed(_) => Take::Replayed(Box::new(found.clone())),
            }
        })
        .await
    }

    async fn fail(&self, state: &Digest, miss: Miss) -> Result<(), StoreError> {
        self.call(CALL, |tables| {
            let found = tables.authorisations.get_mut(state);
            if let Some(found) = found.filter(|found| found.progress == Progress::Taken) {
                found.progress = Progress::Failed(miss);
            }
        })
        .await
    }

    async fn park(&self, state: &Digest, grant: &StoredGrant) -> Result<(), StoreError> {
        let parked = Progress::Parked(Box::new(grant.clone()));
        let is_done = self.call(CALL, |tables| {
            let found = tables.authorisations.get_mut(state);
            let takes = |found: &&mut Authorisation| {
                found.progress == Progress::Taken || found.progress == parked
            };
            found
                .filter(takes)
                .map(|found| found.progress = parked.clone())
        });
        // A grant must not be dropped in silence.
        is_done
            .await?
            .ok_or_else(|| StoreError::Unavailable("the authorisation takes no grant".to_owned()))
    }

    async fn find(&self, state: &Digest) -> Result<Option<Authorisation>, StoreError> {
        self.call(CALL, |tables| tables.authorisations.get(state).cloned())
            .await
    }

    async fn complete(&self, state: &Digest) -> Result<bool, StoreError> {
        self.call(CALL, |tables| {
            let found = tables.authorisations.get_mut(state);
            found
                .and_then(|found| {
                    let Progress::Parked(grant) = &found.progress else {
                        return None;
                    };
                    found.progress = Progress::Completed(Some(grant.clone()));
                    Some(())
                })
                .is_some()
        })
        .await
    }
}
