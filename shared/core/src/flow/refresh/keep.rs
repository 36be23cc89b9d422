//! Keeping what the provider answered, whatever has become of the instance meanwhile.

use std::cmp::Ordering;

use tracing::{info, warn};

use super::{Held, Prepared, Refresh, RefreshError, Refreshed};
use crate::{
    flow::{
        exchange::Source,
        journal::Again,
        retry,
        seal::{seal_after, seal_for},
    },
    model::{
        event::{Event, EventKind},
        grant::{Grant, StoredGrant},
        instance::{Instance, State},
        spare::{Spare, SpareAnswer, with_spare, without_spare},
    },
    port::{Commit, Committed, Due, KeepSpare, Spares, VaultError},
    protocol::raw_answer::RawAnswer,
};

/// Where an answer went that came when the instance had moved on.
enum Settled {
    /// It is the instance's grant.
    Current,
    /// It is kept, or was already.
    Kept,
    /// The instance is gone, or lives by another consent: nobody will use it.
    Homeless,
}

impl Refresh<'_> {
    /// Seals and commits a grant. Nothing is awaited between the answer and the commit.
    pub(super) async fn keep(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        grant: Grant,
    ) -> Result<Refreshed, RefreshError> {
        let (key, epoch) = (&held.instance.key, held.epoch());
        let before = (held.grant, &prepared.tokens);
        let stored = seal_after(self.vault, key, epoch, &grant, before)?;
        let events = self.renewal(held.instance, &stored);
        let commit = commit(held.instance, held.grant.epoch, &stored, &events);
        let committed = retry::insist(self.clock, || self.instances.commit(commit.clone())).await?;
        let (settled, stored) = match committed {
            Committed::Done => {
                self.announce.announce(&events).await;
                (Settled::Current, stored)
            }
            Committed::Moved(now) => {
                // What an answer out of order holds is all in the item.
                let version = held.grant.refresh_tokens.version();
                let late = seal_for(self.vault, key, epoch, &grant, version)?;
                let spare = Spare::of(late.clone());
                let settling = self.settle(held.instance, held.grant.epoch, &spare, now);
                (settling.await?, late)
            }
        };
        Ok(match settled {
            Settled::Current => {
                self.tidy(held.instance, &stored, Again::No).await;
                self.find_well(prepared).await;
                Refreshed::Renewed(Box::new(stored), Box::new(grant.tokens))
            }
            Settled::Kept => Refreshed::Moved,
            Settled::Homeless => {
                self.give_back(held, prepared, &grant.tokens).await;
                Refreshed::Moved
            }
        })
    }

    /// Keeps a success that could not be read, until the definition is mended.
    pub(super) async fn keep_raw(
        &self,
        held: &Held<'_>,
        version: u64,
        raw: &RawAnswer,
    ) -> Result<(), RefreshError> {
        let place = Instance::answer_place(&held.instance.key, held.epoch());
        let plaintext = raw.to_plaintext().ok_or(VaultError::Refused)?;
        let spare = Spare {
            epoch: held.epoch(),
            answer: SpareAnswer::Raw {
                sealed: self.vault.seal(&place, &plaintext)?,
                unread_by: version,
            },
        };
        let seen = Some(Box::new(held.instance.clone()));
        self.settle(held.instance, held.grant.epoch, &spare, seen)
            .await?;
        Ok(())
    }

    /// Finds an answer's place by the instance as it is now. The provider isn't fenced, so an answer
    /// that comes late may hold the only token that works: the newest is the grant, and whatever it
    /// displaces becomes a spare.
    async fn settle(
        &self,
        then: &Instance,
        parent: u64,
        spare: &Spare,
        mut now: Option<Box<Instance>>,
    ) -> Result<Settled, RefreshError> {
        loop {
            let same = now.as_deref().filter(|now| is_same_consent(then, now));
            let Some((current, grant)) = same.and_then(|now| Some((now, now.grant()?))) else {
                return Ok(Settled::Homeless);
            };
            let is_kept = current.spares.iter().any(|kept| kept.epoch == spare.epoch);
            let committed = match (&spare.answer, grant.epoch.cmp(&spare.epoch)) {
                (_, Ordering::Equal) => return Ok(Settled::Kept),
                (SpareAnswer::Grant(late), Ordering::Less) => {
                    match self.commit_late(current, grant, parent, late).await? {
                        Committed::Done => return Ok(Settled::Current),
                        moved @ Committed::Moved(_) => moved,
                    }
                }
                _ if is_kept => return Ok(Settled::Kept),
                _ => self.add_spare(current, spare.clone()).await?,
            };
            match committed {
                Committed::Done => return Ok(Settled::Kept),
                Committed::Moved(next) => now = next,
            }
        }
    }

    /// Commits a late grant that is the newest. The grant in its place becomes a spare, unless it is
    /// the one that was used to get it.
    async fn commit_late(
        &self,
        current: &Instance,
        displaced: &StoredGrant,
        parent: u64,
        late: &StoredGrant,
    ) -> Result<Committed, RefreshError> {
        let others = without_spare(&current.spares, late.epoch);
        let kept = if displaced.epoch == parent {
            others
        } else {
            with_spare(&others, Spare::of(displaced.clone()))
        };
        let events = self.renewal(current, late);
        let commit = commit(current, displaced.epoch, late, &events);
        let spares = Spares {
            seen: &current.spares,
            kept: &kept,
        };
        let write = || self.instances.commit_late(commit.clone(), spares);
        let committed = retry::insist(self.clock, write).await?;
        if matches!(committed, Committed::Done) {
            self.announce.announce(&events).await;
        }
        Ok(committed)
    }

    /// What is to be told of a grant that a refresh has brought.
    fn renewal(&self, instance: &Instance, grant: &StoredGrant) -> Vec<Event> {
        let recovered = instance.told_ended.then_some(EventKind::Recovered {});
        let expires_at = grant.expires_at;
        let refreshed = self.deployment.tells_refreshes();
        let refreshed = refreshed.then_some(EventKind::Refreshed { expires_at });
        let kinds = recovered.into_iter().chain(refreshed);
        let now = self.clock.now();
        kinds
            .map(|kind| Event::of(instance, grant.epoch, now, kind))
            .collect()
    }

    /// Keeps a spare, in the place of another of its epoch.
    async fn add_spare(&self, current: &Instance, spare: Spare) -> Result<Committed, RefreshError> {
        let kept = with_spare(&current.spares, spare);
        let is_over = matches!(current.state, State::ReconnectRequired { .. });
        let keep = KeepSpare {
            key: &current.key,
            incarnation: current.incarnation,
            spares: Spares {
                seen: &current.spares,
                kept: &kept,
            },
            revived: is_over.then(|| Due::of(&current.key, self.clock.now())),
        };
        Ok(retry::insist(self.clock, || self.instances.keep_spare(keep.clone())).await?)
    }

    /// Reads the newest unread answer again if the definition has changed since. Says whether the
    /// instance has moved by it.
    pub(super) async fn read_again(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        prepared: &Prepared,
    ) -> Result<bool, RefreshError> {
        let unread = instance.spares.iter().rev().find_map(|spare| {
            let SpareAnswer::Raw { sealed, unread_by } = &spare.answer else {
                return None;
            };
            (*unread_by != prepared.version).then_some((spare.epoch, sealed))
        });
        let Some((epoch, sealed)) = unread else {
            return Ok(false);
        };
        let place = Instance::answer_place(&instance.key, epoch);
        let opened = self.vault.open(&place, sealed).await?;
        let raw = RawAnswer::from_plaintext(&opened).ok_or(VaultError::Refused)?;
        let client = self.client(prepared);
        let source = Source::Kept(&raw);
        match client
            .refresh(&prepared.tokens, &grant.scopes, Some(grant), source)
            .await
        {
            Ok(read) => {
                info!(instance = %instance.key.id, epoch, "answer read after all");
                let version = grant.refresh_tokens.version();
                let read = seal_for(self.vault, &instance.key, epoch, &read, version)?;
                if epoch > grant.epoch {
                    // Its parent is the grant in its place, as nothing came between.
                    self.commit_late(instance, grant, grant.epoch, &read)
                        .await?;
                } else {
                    self.add_spare(instance, Spare::of(read)).await?;
                }
            }
            Err(failure) => {
                warn!(instance = %instance.key.id, epoch, code = ?failure.code, "answer still unread");
                let answer = SpareAnswer::Raw {
                    sealed: sealed.clone(),
                    unread_by: prepared.version,
                };
                self.add_spare(instance, Spare { epoch, answer }).await?;
            }
        }
        Ok(true)
    }
}

fn commit<'c>(
    instance: &'c Instance,
    base: u64,
    grant: &'c StoredGrant,
    events: &'c [Event],
) -> Commit<'c> {
    Commit {
        key: &instance.key,
        incarnation: instance.incarnation,
        base,
        grant,
        events,
        due: Due::next(&instance.key, &instance.schedule_with(grant)),
    }
}

fn is_same_consent(then: &Instance, now: &Instance) -> bool {
    now.incarnation == then.incarnation && !matches!(now.state, State::Deleted { .. })
}
