//! Answers that nobody asked for: of people who began at the provider (`start: provider`).
//!
//! # Why
//! Marketplaces have people install an application on the provider's own pages, and send them to the platform with a code
//! then. There is no state, since nobody was sent; and no cookie, since the browser was never here.
//!
//! # How it works
//! The platform, at whose page the person arrives and in whose session they are, says which instance the answer is for.
//! That is what binds it, as it does where the platform completes what it began ([`Binding::Platform`]). An answer that
//! a stranger slips into somebody's browser (login CSRF, RFC 9700 §4.7) is the platform's to tell: it asks the person.
//! The code stands in for the state: it is taken once, so that handing an answer in twice exchanges it once.

use jiff::SignedDuration;

use super::{
    authorise::{AuthoriseError, complete, pinned_token_url, redirect_uri},
    complete::{Complete, CompleteError, Completion, check},
    open::{Whose, known_values},
};
use crate::{
    model::{
        Secret,
        authorisation::{Authorisation, Binding, Digest, Progress},
        definition::Start,
        id::InstanceKey,
        instance::{Instance, State},
        method::{AuthMethod, StoredMethod},
        values::GivenValues,
    },
    port::{BeginAuthorisations, StoreError, Take, VaultError},
    protocol::{authorise_url::scopes, callback::UnverifiedAnswer, scope::Scope},
};

/// How long what became of an answer is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

/// Why an answer that nobody asked for is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UnaskedError {
    /// The auth method has people begin here, so that its answers come to the callback.
    #[error("people begin here: the definition does not say `start: provider`")]
    BegunHere,
    /// It brings neither a code nor an error.
    #[error("the answer brings neither a code nor an error")]
    Empty,
    /// There is nothing to take it for, or something is missing there.
    #[error(transparent)]
    Authorise(#[from] AuthoriseError),
    /// It could not be seen through.
    #[error(transparent)]
    Complete(#[from] CompleteError),
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Unasked<'a> {
    /// Seeing an answer through.
    pub complete: Complete<'a>,
    /// Remembering it.
    pub authorisations: &'a dyn BeginAuthorisations,
}

impl std::fmt::Debug for Unasked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unasked")
    }
}

impl Unasked<'_> {
    /// Connects an instance with an answer that the platform hands in.
    ///
    /// # Errors
    /// [`UnaskedError`] says why it can't.
    pub async fn answer(
        &self,
        key: &InstanceKey,
        answer: &UnverifiedAnswer,
    ) -> Result<Completion, UnaskedError> {
        let found = self.complete.instances.find(key).await?;
        let instance = found
            .filter(|instance| !matches!(instance.state, State::Deleted { .. }))
            .ok_or(AuthoriseError::InstanceGone)?;
        let found = self.complete.methods.find(&instance.method_key()).await?;
        let stored = found.ok_or(AuthoriseError::MethodGone)?;
        let method = stored.parse().map_err(AuthoriseError::from)?;
        if method.authorise.start != Start::Provider {
            return Err(UnaskedError::BegunHere);
        }
        complete(&stored, &method)?;
        let code = answer.get(&method.callback.code);
        let name = code
            .or_else(|| answer.get(&method.callback.error))
            .ok_or(UnaskedError::Empty)?;
        let authorisation = self.pinned(instance, &stored, &method, name).await?;
        // What brings no grant is told each time; there is nothing to take.
        if let Err(miss) = check(&authorisation, &method.callback, answer) {
            return Ok(Completion::Missed(Box::new(authorisation), miss));
        }
        self.authorisations.put(&authorisation).await?;

        let (digest, now) = (&authorisation.state, self.complete.clock.now());
        match self.complete.authorisations.take(digest, now).await? {
            Take::Taken(taken) if taken.instance == *key => {
                Ok(self.complete.connected(taken, name, answer).await?)
            }
            Take::Replayed(taken) if taken.instance == *key => {
                Ok(self.complete.result(taken).await?)
            }
            Take::Expired => Ok(Completion::Expired),
            Take::Taken(_) | Take::Replayed(_) | Take::Unknown => Ok(Completion::Unknown),
        }
    }

    /// What an authorisation that was begun here would have pinned.
    async fn pinned(
        &self,
        instance: Instance,
        stored: &StoredMethod,
        method: &AuthMethod,
        name: &Secret,
    ) -> Result<Authorisation, UnaskedError> {
        let callback_url = self.complete.deployment.callback_url();
        let whose = Whose {
            instance: &instance.key,
            values: &instance.values,
            captured: &GivenValues::new(),
        };
        self.complete.vault.warm().await?;
        let (vault, clock) = (self.complete.vault, self.complete.clock);
        let known = known_values(vault, clock, (stored, method), whose, callback_url).await?;
        let plain = Scope::new(&known, callback_url);
        let redirect_uri = redirect_uri(method, &plain)?;
        let client_id = method
            .client
            .id
            .fill(&plain)
            .map_err(AuthoriseError::from)?;
        let scopes = scopes(&method.authorise, &plain);
        let scope = Scope {
            client_id: Some(&client_id),
            redirect_uri: Some(redirect_uri.as_str()),
            ..plain
        };
        let token_url = pinned_token_url(method, &scope)?;
        let now = self.complete.clock.now();
        Ok(Authorisation {
            state: Digest::of(name),
            connector: instance.connector,
            method: instance.method,
            method_version: stored.version,
            incarnation: instance.incarnation,
            instance: instance.key,
            token_url,
            redirect_uri,
            scopes,
            verifier: None,
            issuer: method.authorise.issuer.as_deref().map(str::to_owned),
            return_url: None,
            binding: Binding::Platform,
            values: instance.values,
            session: None,
            created_at: now,
            expires_at: now
                .saturating_add(REMEMBERED)
                .unwrap_or(jiff::Timestamp::MAX),
            progress: Progress::Open,
        })
    }
}

impl From<StoreError> for UnaskedError {
    fn from(error: StoreError) -> Self {
        Self::Complete(error.into())
    }
}

impl From<VaultError> for UnaskedError {
    fn from(error: VaultError) -> Self {
        Self::Complete(error.into())
    }
}
