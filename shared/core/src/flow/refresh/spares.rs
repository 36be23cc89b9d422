//! Spares and the secrets manager: a spare has all of its tokens in the item, since a version of the
//! secrets manager may be gone before it is asked for.

use std::borrow::Cow;

use tracing::warn;

use super::{Held, Refresh, RefreshError, keep::is_same_consent};
use crate::{
    flow::{open::open_tokens, seal::seal_whole},
    model::{
        grant::StoredGrant,
        instance::Instance,
        refresh_tokens::RefreshTokens,
        spare::{Spare, SpareAnswer, without_spare},
    },
    port::{Committed, KeepSpare, Spares, VaultError},
};

impl Refresh<'_> {
    /// Takes the refresh tokens of a grant that has just become a spare out of the secrets manager and
    /// into the item. That it could not be done is told in the log alone: the version may stay.
    pub(super) async fn take_in(&self, before: &Instance, grant: &StoredGrant) {
        if let Err(error) = self.try_take_in(before, grant).await {
            warn!(instance = %before.key.id, %error, "spare left in the secrets manager");
        }
    }

    async fn try_take_in(
        &self,
        before: &Instance,
        grant: &StoredGrant,
    ) -> Result<(), RefreshError> {
        let RefreshTokens::Version(_) = grant.refresh_tokens else {
            return Ok(());
        };
        let tokens = open_tokens(self.vault, self.clock, &before.key, grant).await?;
        let whole = seal_whole(self.vault, &before.key, grant, &tokens)?;
        let now = self.instances.find(&before.key).await?;
        let same = now.filter(|now| is_same_consent(before.incarnation, now));
        let Some(now) = same else {
            return Ok(());
        };
        let Some(kept) = now.spares.iter().find(|kept| kept.epoch == grant.epoch) else {
            return Ok(());
        };
        let whole = Spare {
            answer: SpareAnswer::Grant(Box::new(whole)),
            ..kept.clone()
        };
        // If others have changed the spares meanwhile the version has to do.
        self.add_spare(&now, whole).await.map(drop)
    }

    /// A lease over an instance as it is, without spares whose tokens are gone from the secrets manager;
    /// `None` if it has moved on.
    pub(super) async fn readable<'h>(
        &self,
        held: &Held<'h>,
    ) -> Result<Option<Held<'h>>, RefreshError> {
        let instance = &held.instance;
        let mut kept = instance.spares.clone();
        for grant in instance.spares.iter().filter_map(Spare::grant) {
            let RefreshTokens::Version(_) = grant.refresh_tokens else {
                continue;
            };
            let opened = open_tokens(self.vault, self.clock, &instance.key, grant).await;
            if let Err(VaultError::Missing) = opened {
                let epoch = grant.epoch;
                warn!(instance = %instance.key.id, epoch, "spare gone from the secrets manager");
                kept = without_spare(&kept, epoch);
            }
        }
        if kept.len() < instance.spares.len() {
            let keep = KeepSpare {
                key: &instance.key,
                incarnation: instance.incarnation,
                spares: Spares {
                    seen: &instance.spares,
                    kept: &kept,
                },
                revived: None,
            };
            if let Committed::Moved(_) = self.instances.keep_spare(keep).await? {
                return Ok(None);
            }
        }
        Ok(Some(Held {
            instance: Cow::Owned(Instance {
                spares: kept,
                ..instance.clone().into_owned()
            }),
            nonce: held.nonce.clone(),
            ..*held
        }))
    }
}
