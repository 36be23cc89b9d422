//! Keeping what the provider answered, whatever has become of the instance meanwhile.

use std::{borrow::Cow, cmp::Ordering};

use tracing::{info, warn};

use super::{
    Held, Prepared, Refresh, RefreshError, Refreshed,
    follow::{Next, Unfinished},
    later,
};
use crate::{
    flow::{
        exchange::{Brought, Source},
        keeping::Again,
        retry,
        seal::{seal_after, seal_for, seal_whole},
    },
    model::{
        event::{Event, EventKind},
        grant::{Grant, StoredGrant},
        instance::{Instance, State},
        rotation::Rotation,
        spare::{Spare, SpareAnswer, with_spare, without_spare},
    },
    port::{
        Commit, CommitLate, Committed, Due, KeepSpare, NextLease, Spares, StoreError, VaultError,
    },
    protocol::raw_answer::RawAnswer,
};

/// Where an answer went that came when the instance had moved on.
pub(super) enum Settled {
    /// It is the instance's grant.
    Current,
    /// It is kept, or was already, or has been used.
    Kept,
    /// The instance is gone, or lives by another consent: nobody will use it.
    Homeless,
}

/// What an answer was made from.
pub(super) struct Origin<'a> {
    /// The grant whose refresh token was sent.
    pub(super) parent: &'a StoredGrant,
    /// The same, opened; `None` if it can't be any more.
    pub(super) prepared: Option<&'a Prepared>,
    /// The lease's nonce; `None` for an answer that was kept unread: its attempt is not in doubt any more.
    pub(super) nonce: Option<&'a str>,
}

impl<'a> Origin<'a> {
    fn of(held: &'a Held<'_>, prepared: &'a Prepared) -> Self {
        Self {
            parent: held.grant,
            prepared: Some(prepared),
            nonce: Some(&held.nonce),
        }
    }
}

impl Refresh<'_> {
    /// Seals and commits a grant. Nothing is awaited between the answer and the commit.
    pub(super) async fn keep(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        Brought { grant, rest }: Brought,
    ) -> Result<Refreshed, RefreshError> {
        let (instance, epoch) = (&*held.instance, held.epoch());
        let (key, origin) = (&instance.key, Origin::of(held, prepared));
        let before = (held.grant, &prepared.tokens);
        let stored = seal_after(self.vault, key, epoch, &grant, before)?;
        let parent = self.parent_kept(instance, &origin, instance.attempts > 0)?;
        let kept = parent.map(|parent| with_spare(&instance.spares, parent));
        let spares = kept.as_ref().map(|kept| Spares {
            seen: &instance.spares,
            kept,
        });
        // What is not done is not told.
        let events = match rest {
            None => self.renewal(instance, &stored),
            Some(_) => Vec::new(),
        };
        let next = rest.map(|rest| {
            let nonce = self.entropy.secret().expose().clone();
            let since = self.clock.now();
            (rest, Next { nonce, since })
        });
        let whole = commit(instance, held.grant.epoch, &stored, &events);
        let until = |next: &Next| later(next.since, held.limits.lease(), 1);
        let whole = Commit {
            spares,
            due: next
                .as_ref()
                .map_or(whole.due, |(_, next)| Some(Due::of(key, until(next)))),
            next: next.as_ref().map(|(_, next)| NextLease {
                nonce: &next.nonce,
                until: until(next),
            }),
            ..whole
        };
        let committed = retry::insist(self.clock, || self.instances.commit(whole.clone())).await;
        if let Ok(Committed::Done) = committed {
            self.announce.announce(&events).await;
            let tidied = self.tidy(instance, &stored, Again::No).await;
            let Some((rest, next)) = next else {
                self.find_well(&prepared.found).await;
                return Ok(Refreshed::Renewed(Box::new(stored), Box::new(grant.tokens)));
            };
            let stored = tidied.map_or_else(|| stored.clone(), Cow::into_owned);
            let unfinished = Unfinished {
                stored,
                grant,
                rest,
            };
            // Boxed: few refreshes have anything to follow, or come too late.
            return Box::pin(self.follow(held, prepared, unfinished, next)).await;
        }
        // What an answer out of order holds is all in the item.
        let version = held.grant.refresh_tokens.version();
        let late = StoredGrant {
            parent: Some(held.grant.epoch),
            ..seal_for(self.vault, key, epoch, &grant, version)?
        };
        Box::pin(self.keep_elsewhere(held, prepared, late, grant, committed)).await
    }

    /// Keeps a grant that could not just be committed, or gives it back if nobody will use it.
    pub(super) async fn keep_elsewhere(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        late: StoredGrant,
        grant: Grant,
        committed: Result<Committed, StoreError>,
    ) -> Result<Refreshed, RefreshError> {
        let origin = Origin::of(held, prepared);
        let spare = Spare::of(late.clone());
        let renewed = |tokens| Refreshed::Renewed(Box::new(late), Box::new(tokens));
        Ok(
            match self.keep_late(held, &origin, spare, committed).await? {
                Some(Settled::Current) => {
                    let renewed = renewed(grant.tokens);
                    if let Refreshed::Renewed(late, _) = &renewed {
                        self.tidy(&held.instance, late, Again::No).await;
                    }
                    self.find_well(&prepared.found).await;
                    renewed
                }
                // It works, wherever it is kept.
                None => renewed(grant.tokens),
                Some(Settled::Kept) => Refreshed::Moved,
                Some(Settled::Homeless) => {
                    let key = &held.instance.key;
                    self.give_back(key, prepared, &grant.tokens).await;
                    Refreshed::Moved
                }
            },
        )
    }

    /// Keeps an answer that could not just be committed. Says where, if the instance has it; else it
    /// is in the queue.
    async fn keep_late(
        &self,
        held: &Held<'_>,
        origin: &Origin<'_>,
        spare: Spare,
        committed: Result<Committed, StoreError>,
    ) -> Result<Option<Settled>, RefreshError> {
        let settled = match committed {
            Ok(Committed::Done) => Ok(Settled::Current),
            Ok(Committed::Moved(now)) => {
                let incarnation = held.instance.incarnation;
                self.settle(incarnation, origin, &spare, now).await
            }
            Err(error) => Err(error.into()),
        };
        match settled {
            Ok(settled) => Ok(Some(settled)),
            Err(error) => self.hand_over(held, spare, error).await.map(|()| None),
        }
    }

    /// Keeps a success that could not be read, until the definition is mended.
    pub(super) async fn keep_raw(
        &self,
        held: &Held<'_>,
        prepared: &Prepared,
        raw: &RawAnswer,
    ) -> Result<(), RefreshError> {
        let place = Instance::answer_place(&held.instance.key, held.epoch());
        let plaintext = raw.to_plaintext().ok_or(VaultError::Refused)?;
        let spare = Spare {
            epoch: held.epoch(),
            is_refused: false,
            in_doubt: false,
            answer: SpareAnswer::Raw {
                sealed: self.vault.seal(&place, &plaintext)?,
                unread_by: prepared.found.version(),
            },
        };
        let seen = Some(Box::new(held.instance.clone().into_owned()));
        let origin = Origin::of(held, prepared);
        let committed = Ok(Committed::Moved(seen));
        self.keep_late(held, &origin, spare, committed).await?;
        Ok(())
    }

    /// Finds an answer's place by the instance as it is now. The provider isn't fenced, so an answer
    /// that comes late may hold the only token that works: the newest is the grant, and whatever it
    /// displaces becomes a spare.
    pub(super) async fn settle(
        &self,
        incarnation: u64,
        origin: &Origin<'_>,
        spare: &Spare,
        mut now: Option<Box<Instance>>,
    ) -> Result<Settled, RefreshError> {
        loop {
            let same = now
                .as_deref()
                .filter(|now| is_same_consent(incarnation, now));
            let Some((current, grant)) = same.and_then(|now| Some((now, now.grant()?))) else {
                return Ok(Settled::Homeless);
            };
            let mut answers = current.spares.iter().map(Spare::answer_epoch);
            let is_kept =
                answers.any(|kept| kept == spare.epoch) || grant.answer_epoch() == spare.epoch;
            let committed = match (&spare.answer, grant.epoch.cmp(&spare.epoch)) {
                (_, Ordering::Equal) => return Ok(Settled::Kept),
                (SpareAnswer::Grant(late), Ordering::Less) => {
                    match self.commit_late(current, grant, origin, late).await? {
                        Committed::Done => return Ok(Settled::Current),
                        moved @ Committed::Moved(_) => moved,
                    }
                }
                (SpareAnswer::Grant(_), Ordering::Greater)
                    if grant.parent.is_some_and(|parent| parent >= spare.epoch) =>
                {
                    // What came of it, or of a newer one, is in its place: it had been committed.
                    return Ok(Settled::Kept);
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
        origin: &Origin<'_>,
        late: &StoredGrant,
    ) -> Result<Committed, RefreshError> {
        let others = without_spare(&current.spares, late.epoch);
        let is_sibling = displaced.epoch != origin.parent.epoch;
        let left = match is_sibling {
            false => self.parent_kept(current, origin, current.attempts > 1)?,
            true => Some(spare_of(current, displaced.clone())),
        };
        let kept = match left {
            Some(spare) => with_spare(&others, spare),
            None => others,
        };
        let events = self.renewal(current, late);
        let own = current.lease.as_ref().map(|lease| lease.nonce.as_str());
        let late = CommitLate {
            commit: Commit {
                spares: Some(Spares {
                    seen: &current.spares,
                    kept: &kept,
                }),
                ..commit(current, displaced.epoch, late, &events)
            },
            in_doubt: origin.nonce.is_some(),
            lease: origin.nonce.filter(|nonce| own == Some(nonce)),
        };
        let write = || self.instances.commit_late(late.clone());
        let committed = retry::insist(self.clock, write).await?;
        if matches!(committed, Committed::Done) {
            self.announce.announce(&events).await;
            if is_sibling {
                self.take_in(current, displaced).await;
            }
        }
        Ok(committed)
    }

    /// What an answer was made from, as a spare, if it may still work and another request's fate is
    /// unknown: it is what is left if that request ends what this one brought.
    fn parent_kept(
        &self,
        instance: &Instance,
        origin: &Origin<'_>,
        in_doubt: bool,
    ) -> Result<Option<Spare>, VaultError> {
        let usable = origin.prepared.filter(|_| in_doubt);
        let Some(prepared) = usable.filter(|prepared| may_work_again(prepared.rotation())) else {
            return Ok(None);
        };
        let tokens = &prepared.tokens;
        let parent = seal_whole(self.vault, &instance.key, origin.parent, tokens)?;
        Ok(Some(Spare {
            in_doubt: true,
            ..spare_of(instance, parent)
        }))
    }

    /// What is to be told of a grant that a refresh has brought.
    pub(super) fn renewal(&self, instance: &Instance, grant: &StoredGrant) -> Vec<Event> {
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
    pub(super) async fn add_spare(
        &self,
        current: &Instance,
        spare: Spare,
    ) -> Result<Committed, RefreshError> {
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
            (*unread_by != prepared.found.version()).then_some((spare.epoch, sealed))
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
                let read = seal_for(self.vault, &instance.key, epoch, &read.grant, version)?;
                if epoch > grant.epoch {
                    // Its parent is the grant in its place, as nothing came between.
                    let read = StoredGrant {
                        parent: Some(grant.epoch),
                        ..read
                    };
                    let origin = Origin {
                        parent: grant,
                        prepared: Some(prepared),
                        nonce: None,
                    };
                    self.commit_late(instance, grant, &origin, &read).await?;
                } else {
                    self.add_spare(instance, Spare::of(read)).await?;
                }
            }
            Err(failure) => {
                warn!(instance = %instance.key.id, epoch, code = ?failure.code, "answer still unread");
                let answer = SpareAnswer::Raw {
                    sealed: sealed.clone(),
                    unread_by: prepared.found.version(),
                };
                let spare = Spare {
                    epoch,
                    is_refused: false,
                    in_doubt: false,
                    answer,
                };
                self.add_spare(instance, spare).await?;
            }
        }
        Ok(true)
    }
}

pub(super) fn commit<'c>(
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
        spares: None,
        events,
        due: Due::next(&instance.key, &instance.schedule_with(grant)),
        next: None,
    }
}

pub(super) fn is_same_consent(incarnation: u64, now: &Instance) -> bool {
    now.incarnation == incarnation && !matches!(now.state, State::Deleted { .. })
}

/// The grant of an instance as a spare. One that is suspect has been refused once; with one that others
/// ask with, a request may be on its way.
pub(super) fn spare_of(instance: &Instance, grant: StoredGrant) -> Spare {
    Spare {
        is_refused: !matches!(instance.state, State::Active(_)),
        in_doubt: instance.attempts > 0,
        ..Spare::of(grant)
    }
}

/// Whether a refresh token may work although it has been used.
fn may_work_again(rotation: Rotation) -> bool {
    match rotation {
        Rotation::UntilUsed | Rotation::Grace { .. } => true,
        Rotation::None | Rotation::SingleUse | Rotation::Unknown => false,
    }
}
