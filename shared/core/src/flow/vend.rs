//! Handing out a credential that works.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{
    announce::end,
    open::{Whose, known_values},
    refresh::{Refresh, RefreshError, Refreshed, later},
};
use crate::{
    model::{
        Secret,
        credential_id::CredentialId,
        failure::{Blame, Failure, FailureCode},
        grant::{StoredGrant, Tokens},
        id::InstanceKey,
        instance::{Instance, State},
        method::AuthMethod,
        pause::{Pause, Paused},
        template::{Namespace, Template},
        url_template::UrlTemplate,
        values::KnownValues,
    },
    port::{Condemn, Counted, Due, Note, Noting, StoreError, VaultError},
    protocol::{
        dialect::{Applied, apply},
        scope::Scope,
    },
};

/// How long a caller waits for a refresh that somebody else makes, and after which none is begun for it: an invocation
/// lasts for this and a whole lease.
const PATIENCE: SignedDuration = SignedDuration::from_secs(24);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);
/// The same where nobody is at it, and it has to wait for longer.
const SELDOM: Duration = Duration::from_secs(1);

/// A credential: what a caller puts on its own requests to the provider.
#[derive(Debug)]
pub struct Credential {
    /// Names the tokens that it is made of.
    pub id: CredentialId,
    /// The instance that it is of.
    pub instance: Instance,
    /// The access token.
    pub access_token: Secret,
    /// How the access token is used, as the provider spells it.
    pub token_type: String,
    /// The access tokens of further sets, by name.
    pub token_sets: std::collections::BTreeMap<String, Secret>,
    /// The statuses of the provider's API that mean that the access token has ended.
    pub expired_statuses: Vec<u16>,
    /// Headers, query and body parameters to apply.
    pub applied: Applied,
    /// When the access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// The scopes granted.
    pub scopes: Vec<String>,
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum VendError {
    /// There is no such instance, or it is deleted.
    #[error("there is no such instance")]
    Gone,
    /// Nobody has consented yet.
    #[error("the instance is not connected yet")]
    NotConnected,
    /// Only a new consent helps.
    #[error("the user must reconnect")]
    ReconnectRequired(Failure),
    /// The access token has ended and the last refresh failed; it is tried again.
    #[error("the access token has ended and could not be refreshed")]
    Unavailable {
        /// What went wrong, if a refresh has failed.
        failure: Option<Failure>,
        /// What is paused as a whole, if that is why.
        paused: Option<Paused>,
        /// When it is tried next.
        at: Timestamp,
        /// How long that is from now.
        retry_after: Duration,
    },
    /// What the definition says of using a credential can't be filled.
    #[error("the credential can't be made from the definition and its values")]
    Impossible,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault did not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<RefreshError> for VendError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Store(error) => Self::Store(error),
            RefreshError::Vault(error) => Self::Vault(error),
        }
    }
}

impl Refresh<'_> {
    /// A credential whose access token is fresh, or lives `at_least` as long as the caller asks. A
    /// stale one is refreshed first; if somebody else is at it, their result is waited for, and
    /// never is a second refresh started.
    ///
    /// # Errors
    /// [`VendError`] says who has to act.
    pub async fn vend(
        &self,
        key: &InstanceKey,
        at_least: Option<SignedDuration>,
    ) -> Result<Credential, VendError> {
        let patience_ends = self
            .clock
            .now()
            .saturating_add(PATIENCE)
            .unwrap_or(Timestamp::MAX);
        let mut rounds = 0;
        loop {
            let instance = self.instances.find(key).await?.ok_or(VendError::Gone)?;
            let grant = active(&instance)?;
            let now = self.clock.now();
            let schedule = instance.schedule_with(grant);
            if schedule.is_fresh(now, at_least) {
                return self.credential(&instance, grant, None).await;
            }
            if !grant.refreshable {
                return match schedule.is_alive(now) {
                    true => self.credential(&instance, grant, None).await,
                    false => Err(self
                        .ended(&instance, grant, FailureCode::NotRefreshable)
                        .await?),
                };
            }
            let next = match now < patience_ends {
                true => self.next(&instance).await?,
                false => Next::Look(LOOK),
            };
            let failed = match next {
                // A refresh renews one token set: another may be stale still.
                Next::Renewed(grant, tokens)
                    if rounds < tokens.sets.len()
                        && !instance
                            .schedule_with(&grant)
                            .is_fresh(self.clock.now(), at_least) =>
                {
                    rounds += 1;
                    continue;
                }
                Next::Renewed(grant, tokens) => {
                    return self.credential(&instance, &grant, Some(*tokens)).await;
                }
                Next::Ended(cause) => return Err(VendError::ReconnectRequired(cause)),
                Next::Look(_) if now >= patience_ends => {
                    self.unavailable(None, None, later(self.clock.now(), SELDOM, 1))
                }
                Next::Look(_)
                    if schedule.is_alive(now)
                        && instance.lease.is_some()
                        && at_least.is_none()
                        && !schedule.is_rejected() =>
                {
                    // Never blocked by a lease while the token lives.
                    return self.credential(&instance, grant, None).await;
                }
                Next::Look(wait) => {
                    self.clock.sleep(wait).await;
                    continue;
                }
                Next::Failed { failure, at } => self.unavailable(failure, None, at),
                Next::Paused(pause) => {
                    self.unavailable(Some(pause.cause), Some(pause.whole), pause.until)
                }
            };
            return if schedule.is_alive(now) && at_least.is_none() {
                self.credential(&instance, grant, None).await
            } else {
                Err(failed)
            };
        }
    }

    /// What to do about a stale token: refresh it, unless somebody is at it or it must wait.
    async fn next(&self, instance: &Instance) -> Result<Next, VendError> {
        let now = self.clock.now();
        if instance.held_lease(now).is_some() {
            return Ok(Next::Look(LOOK));
        }
        if let Some(at) = instance.not_before.filter(|not_before| now < *not_before) {
            // Held off for as long as an answer may be in the queue: whoever failed has no lease.
            if instance.lease.is_some() {
                return Ok(Next::Look(SELDOM));
            }
            let failure = instance.last_failure.clone();
            return Ok(Next::Failed { failure, at });
        }
        // Boxed: every vend would have room for a refresh, and few make one.
        let refreshed = Box::pin(self.refresh(instance)).await;
        let refreshed =
            refreshed.inspect_err(|_| self.metrics.count(Counted::Failed(Blame::Ourselves)));
        Ok(match refreshed? {
            Refreshed::Renewed(grant, tokens) => Next::Renewed(grant, tokens),
            Refreshed::Moved | Refreshed::Busy(_) => Next::Look(LOOK),
            Refreshed::Paused(pause) => Next::Paused(pause),
            Refreshed::Gone => return Err(VendError::Gone),
            Refreshed::Ended(cause) => Next::Ended(cause),
            Refreshed::Failed { failure, wait } => Next::Failed {
                failure: Some(failure),
                at: later(self.clock.now(), wait, 1),
            },
        })
    }

    fn unavailable(
        &self,
        failure: Option<Failure>,
        paused: Option<Paused>,
        at: Timestamp,
    ) -> VendError {
        let wait = at.duration_since(self.clock.now());
        VendError::Unavailable {
            failure,
            paused,
            at,
            retry_after: Duration::try_from(wait).unwrap_or(LOOK),
        }
    }

    /// Notes that the instance is used. A note that is lost costs nothing: the next use is noticed in
    /// its place.
    async fn note_use(&self, instance: &Instance, grant: &StoredGrant, now: Timestamp) {
        let mut then = instance.clone();
        then.upkeep.used_at = Some(now);
        let note = Note {
            key: &instance.key,
            incarnation: instance.incarnation,
            epoch: grant.epoch,
            due: Due::next(&instance.key, &then.schedule_with(grant)),
            what: Noting::Used { at: now },
        };
        if let Err(error) = self.instances.note(note).await {
            warn!(instance = %instance.key.id, %error, "use not noted");
        }
    }

    /// Remembers that there is nothing left to refresh with.
    pub(super) async fn ended(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        code: FailureCode,
    ) -> Result<VendError, StoreError> {
        let cause = Failure {
            at: self.clock.now(),
            code,
            words: None,
        };
        let events = end(instance, instance.epoch, &cause);
        let condemn = Condemn {
            key: &instance.key,
            incarnation: instance.incarnation,
            base: grant.epoch,
            held: None,
            cause: &cause,
            events: &events,
        };
        if self.instances.condemn(condemn).await? {
            self.metrics.count(Counted::ReconnectRequired);
            self.announce.announce(&events).await;
        }
        Ok(VendError::ReconnectRequired(cause))
    }

    async fn credential(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        tokens: Option<Tokens>,
    ) -> Result<Credential, VendError> {
        let tokens = match tokens {
            Some(tokens) => tokens,
            None => {
                let place = Instance::tokens_place(&instance.key, grant.epoch);
                let opened = self.vault.open(&place, &grant.tokens).await?;
                Tokens::from_plaintext(&opened).map_err(|_| VaultError::Refused)?
            }
        };
        let stored = self
            .methods
            .find(&instance.method_key())
            .await?
            .ok_or(VendError::Impossible)?;
        let method = stored.parse().map_err(|_| VendError::Impossible)?;
        let values = if names_values(&method) {
            let callback_url = self.deployment.callback_url();
            known_values(
                self.vault,
                self.clock,
                (&stored, &method),
                Whose {
                    instance: &instance.key,
                    values: &instance.values,
                    captured: &tokens.captured,
                },
                callback_url,
            )
            .await?
        } else {
            KnownValues::default()
        };
        let scope = Scope {
            tokens: Some(&tokens),
            ..Scope::new(&values, self.deployment.callback_url())
        };
        let applied = apply(&method, scope).map_err(|_| VendError::Impossible)?;
        let now = self.clock.now();
        if instance.schedule_with(grant).notices_use(now) {
            self.note_use(instance, grant, now).await;
        }
        Ok(Credential {
            id: CredentialId::of(&instance.key, grant.epoch),
            instance: instance.clone(),
            access_token: tokens.main.access_token.clone(),
            token_type: tokens.main.token_type.clone(),
            token_sets: tokens
                .sets
                .into_iter()
                .map(|(name, set)| (name, set.access_token))
                .collect(),
            expired_statuses: method.credential.expired_statuses.clone(),
            applied,
            expires_at: grant.expires_at,
            scopes: grant.scopes.clone(),
        })
    }
}

enum Next {
    Renewed(Box<StoredGrant>, Box<Tokens>),
    /// Somebody is at it, has just been, or may be yet: how soon to look again.
    Look(Duration),
    Failed {
        failure: Option<Failure>,
        at: Timestamp,
    },
    Paused(Pause),
    Ended(Failure),
}

pub(super) fn active(instance: &Instance) -> Result<&StoredGrant, VendError> {
    match &instance.state {
        State::Active(grant) | State::Suspect { grant, .. } => Ok(grant),
        State::Pending => Err(VendError::NotConnected),
        State::ReconnectRequired { cause, .. } => Err(VendError::ReconnectRequired(cause.clone())),
        State::Deleted { .. } => Err(VendError::Gone),
    }
}

/// Whether using a credential takes more than its token: then values have to be opened.
fn names_values(method: &AuthMethod) -> bool {
    let credential = &method.credential;
    let headers = credential.headers.iter().map(|(_, template)| template);
    let parameters = credential
        .query
        .iter()
        .chain(&credential.body)
        .chain(&credential.values)
        .map(|(_, template)| template);
    let base_url = credential.base_url.iter().flat_map(UrlTemplate::references);
    headers
        .chain(parameters)
        .flat_map(Template::references)
        .chain(base_url)
        .any(|reference| reference.namespace != Namespace::Token)
}
