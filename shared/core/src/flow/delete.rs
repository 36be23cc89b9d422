//! Deleting an instance: mark, revoke at the provider, forget, and purge once nobody can be at it.

use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::ToSchema;

use super::{
    Deployment,
    announce::Announce,
    exchange::Client,
    open::{Whose, known_values, open_tokens},
    refresh::{LEASE, SKEW},
};
use crate::{
    model::{
        event::{Event, EventKind, Moment},
        failure::Failure,
        id::InstanceKey,
        instance::{Instance, State},
    },
    port::{
        Clock, Deletions, Due, Egress, Entropy, Methods, SecretsError, StoreError, Vault,
        VaultError,
    },
};

/// What the provider said to a revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Revocation {
    /// It confirmed: the tokens work no more (RFC 7009 §2.2).
    Confirmed,
    /// It did not; the tokens may work until they end by themselves.
    Unconfirmed {
        /// Why.
        #[serde(flatten)]
        failure: Failure,
    },
    /// The auth method has no revocation URL.
    NotSupported,
    /// There was nothing to revoke.
    Nothing,
}

/// Why an instance could not be deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// There is no such instance.
    #[error("there is no such instance")]
    Gone,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Delete<'a> {
    /// Instances.
    pub instances: &'a dyn Deletions,
    /// Auth methods.
    pub methods: &'a dyn Methods,
    /// The vault.
    pub vault: &'a dyn Vault,
    /// The way out.
    pub egress: &'a dyn Egress,
    /// Telling others.
    pub announce: Announce<'a>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// Where we run.
    pub deployment: &'a Deployment,
}

impl std::fmt::Debug for Delete<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delete")
    }
}

impl Delete<'_> {
    /// Deletes an instance and says whether the provider confirmed that its tokens are revoked.
    ///
    /// # Errors
    /// [`DeleteError::Gone`] if there is none; [`DeleteError::Store`] if it could not be marked. What
    /// is marked is seen through by the refresher.
    pub async fn delete(&self, key: &InstanceKey) -> Result<Revocation, DeleteError> {
        let now = self.clock.now();
        let due = Due::of(key, after_lease(now));
        let found = self.instances.find(key).await?;
        let found = found.filter(|found| !matches!(found.state, State::Deleted { .. }));
        let Some(found) = found else {
            return Err(DeleteError::Gone);
        };
        // It happens once, whatever else happens at the same time.
        let once = Moment {
            incarnation: 0,
            epoch: 0,
        };
        let told = EventKind::Disconnected {};
        let event = Event::of_instance(key, &found.method_key(), once, now, told);
        let events = std::slice::from_ref(&event);
        let instance = self
            .instances
            .mark(key, now, due, events)
            .await?
            .ok_or(DeleteError::Gone)?;
        self.announce.announce(events).await;
        let revocation = self.revoke(&instance).await;
        self.instances.forget(&instance).await?;
        if let Err(error) = self.delete_secret(&instance).await {
            warn!(instance = %key.id, %error, "secret left for the refresher to delete");
        }
        Ok(revocation)
    }

    /// Sees a marked instance through: what is left of it after a crash, and its removal.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer; the next sweep tries again.
    pub async fn finish(&self, instance: &Instance) -> Result<(), StoreError> {
        let State::Deleted { grant, at } = &instance.state else {
            return Ok(());
        };
        if grant.is_some() {
            self.revoke(instance).await;
        }
        self.instances.forget(instance).await?;
        // Once more at the end: who was at it when it was marked may have made the secret since.
        self.delete_secret(instance)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        if after_lease(*at) <= self.clock.now() {
            self.instances.purge(&instance.key).await?;
        }
        Ok(())
    }

    /// Deletes the instance's secret, if it can have one. Its tokens are revoked and forgotten by then.
    async fn delete_secret(&self, instance: &Instance) -> Result<(), SecretsError> {
        match self.vault.archive() {
            Some(secrets) if instance.incarnation > 0 => {
                secrets.delete(&Instance::secret_name(&instance.key)).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn revoke(&self, instance: &Instance) -> Revocation {
        if instance.grant().is_none() {
            return Revocation::Nothing;
        }
        match self.try_revoke(instance).await {
            Ok(revocation) => revocation,
            Err(RevokeError::Store(_) | RevokeError::Vault(_)) => {
                let code = crate::model::failure::FailureCode::RequestImpossible;
                Revocation::Unconfirmed {
                    failure: Failure {
                        at: self.clock.now(),
                        code,
                        words: None,
                    },
                }
            }
        }
    }

    async fn try_revoke(&self, instance: &Instance) -> Result<Revocation, RevokeError> {
        let stored = self.methods.find(&instance.method_key()).await?;
        let Some(stored) = stored else {
            return Ok(Revocation::NotSupported);
        };
        let Ok(method) = stored.parse() else {
            return Ok(Revocation::NotSupported);
        };
        let (Some(request), Some(grant)) = (&method.revoke, instance.grant()) else {
            return Ok(Revocation::NotSupported);
        };
        // The provider may take spares for living grants of their own.
        let spares = instance.spares.iter().filter_map(|spare| spare.grant());
        let mut failed = None;
        for grant in std::iter::once(grant).chain(spares) {
            let tokens = match open_tokens(self.vault, self.clock, &instance.key, grant).await {
                // Of a spare whose version is gone nothing is left to revoke.
                Err(VaultError::Missing) if Some(grant) != instance.grant() => continue,
                opened => opened?,
            };
            let values = known_values(
                self.vault,
                self.clock,
                (&stored, &method),
                Whose {
                    instance: &instance.key,
                    values: &instance.values,
                    captured: &tokens.captured,
                },
                self.deployment.callback_url(),
            )
            .await?;
            let client = Client {
                egress: self.egress,
                clock: self.clock,
                entropy: self.entropy,
                method: &method,
                values: &values,
                callback_url: self.deployment.callback_url(),
                warning: self.deployment.warning(),
            };
            if let Err(failure) = client.revoke(request, &tokens).await {
                failed.get_or_insert_with(|| Failure {
                    at: self.clock.now(),
                    code: failure.code,
                    words: failure.words,
                });
            }
        }
        Ok(match failed {
            None => Revocation::Confirmed,
            Some(failure) => Revocation::Unconfirmed { failure },
        })
    }
}

/// When nobody can hold a lease any more that was taken before `start`.
fn after_lease(start: jiff::Timestamp) -> jiff::Timestamp {
    start.saturating_add(LEASE + SKEW).unwrap_or(start)
}

#[derive(Debug, thiserror::Error)]
enum RevokeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}
