//! The callback: from a provider's answer to a grant that is kept.
//!
//! The state is taken exactly once; the exchange is made exactly once, unless nothing was sent. The
//! person who finishes must be the one who began.

use std::sync::Arc;

use tracing::{info, warn};

use super::{
    Deployment,
    announce::Announce,
    exchange::{Client, Code},
    journal::Journals,
    keeping::Again,
    open::{Whose, known_values, open_text},
    retry::insist,
    seal::{seal_for, seal_grant},
};
use crate::{
    model::{
        Secret,
        authorisation::{Authorisation, Binding, Digest, Miss, Progress},
        event::{Event, EventKind, Moment},
        failure::FailureCode,
        grant::{Grant, StoredGrant, Tokens},
        id::InstanceKey,
        instance::{Instance, State},
        method::{AuthMethod, Callback},
        schedule::Schedule,
        upkeep::Upkeep,
        values::{GivenValues, KnownValues},
    },
    port::{
        Authorisations, Clock, Connect, Connected, Consents, Due, Egress, Entropy, Methods,
        StoreError, Take, Vault, VaultError,
    },
    protocol::{refusal::TokenFailure, scope::Scope},
};

pub use crate::protocol::callback::UnverifiedAnswer;

/// The browser that an answer comes with.
pub struct Browser<'a> {
    /// What it holds for an authorisation that is known by its state.
    pub holds: &'a (dyn Fn(&Digest) -> Option<Secret> + Send + Sync),
    /// The states that it keeps itself, of authorisations whose provider returns none.
    pub waits: Vec<Secret>,
}

impl std::fmt::Debug for Browser<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Browser")
            .field("waits", &self.waits.len())
            .finish_non_exhaustive()
    }
}

/// How many parameters of a callback are looked at as a state: its name is known only once it is found.
const MOST_CANDIDATES: usize = 8;

/// What became of an answer.
#[derive(Debug)]
pub enum Completion {
    /// The instance is connected.
    Connected(Box<Authorisation>),
    /// The grant waits for the platform's `complete`.
    Parked(Box<Authorisation>),
    /// It brought no grant.
    Missed(Box<Authorisation>, Miss),
    /// It was taken before and what became of it is not known: it may still be under way.
    Unfinished(Box<Authorisation>),
    /// It came too late.
    Expired,
    /// There is nothing like it, or the browser is not the one that began it.
    Unknown,
}

/// Why a callback could not be seen through.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault did not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The instance moves faster than we can write.
    #[error("the instance would not hold still")]
    Contended,
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Complete<'a> {
    /// Authorisations.
    pub authorisations: &'a dyn Authorisations,
    /// Instances.
    pub instances: &'a dyn Consents,
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

impl std::fmt::Debug for Complete<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Complete")
    }
}

impl Complete<'_> {
    /// Takes the authorisation that an answer belongs to and sees it through.
    ///
    /// # Errors
    /// [`CompleteError`] if it could not be seen through; the person starts again.
    pub async fn callback(
        &self,
        answer: UnverifiedAnswer,
        browser: Browser<'_>,
    ) -> Result<Completion, CompleteError> {
        for state in answer.state_candidates().take(MOST_CANDIDATES) {
            let digest = Digest::of(state);
            let holds = (browser.holds)(&digest);
            match self.authorisations.take(&digest, self.clock.now()).await? {
                Take::Unknown => {}
                Take::Expired => return Ok(Completion::Expired),
                Take::Replayed(authorisation) if is_beginner(&authorisation, holds.as_ref()) => {
                    return self.result(authorisation).await;
                }
                Take::Replayed(_) => return Ok(Completion::Unknown),
                Take::Taken(authorisation) if is_beginner(&authorisation, holds.as_ref()) => {
                    return self.taken(authorisation, state, &answer).await;
                }
                Take::Taken(authorisation) => {
                    return self.missed(authorisation, Miss::OtherBrowser).await;
                }
            }
        }
        self.without_state(&answer, &browser.waits).await
    }

    /// Sees an authorisation through whose state was taken just now.
    pub(super) async fn taken(
        &self,
        authorisation: Box<Authorisation>,
        state: &Secret,
        answer: &UnverifiedAnswer,
    ) -> Result<Completion, CompleteError> {
        if authorisation.binding != Binding::Platform {
            return self.connected(authorisation, state, answer).await;
        }
        match self.granted(&authorisation, state, answer).await? {
            Ok(grant) => {
                let digest = &authorisation.state;
                let place = Authorisation::place(&authorisation.instance, digest, "tokens");
                let grant = seal_grant(self.vault, &grant, 0, &place)?;
                insist(self.clock, || self.authorisations.park(digest, &grant)).await?;
                Ok(Completion::Parked(authorisation))
            }
            Err(miss) => self.missed(authorisation, miss).await,
        }
    }

    /// The same, to the end: the consent takes effect.
    pub(super) async fn connected(
        &self,
        authorisation: Box<Authorisation>,
        state: &Secret,
        answer: &UnverifiedAnswer,
    ) -> Result<Completion, CompleteError> {
        let grant = match self.granted(&authorisation, state, answer).await? {
            Ok(grant) => grant,
            Err(miss) => return self.missed(authorisation, miss).await,
        };
        match self.connect(&authorisation, &grant).await? {
            Ok(()) => Ok(Completion::Connected(authorisation)),
            Err(miss) => self.missed(authorisation, miss).await,
        }
    }

    /// Completes a parked authorisation in the name of the platform, whose session with the person
    /// is what binds it. `None` if the tenant has no such authorisation, or it is not parked. May be called
    /// again when it is not known how it ended.
    ///
    /// # Errors
    /// [`CompleteError`] if it could not be seen through.
    pub async fn complete(
        &self,
        tenant: &crate::model::id::TenantId,
        state: &Digest,
    ) -> Result<Option<Result<InstanceKey, Miss>>, CompleteError> {
        let found = self
            .authorisations
            .find(state)
            .await?
            .filter(|found| found.instance.tenant == *tenant);
        let Some(authorisation) = found else {
            return Ok(None);
        };
        if authorisation.expires_at <= self.clock.now() {
            return Ok(None);
        }
        let parked = match &authorisation.progress {
            Progress::Parked(parked) if self.authorisations.complete(state).await? => parked,
            // Whoever completed it died before the instance had the grant, or is at it still.
            Progress::Completed(Some(parked)) if self.is_without(&authorisation).await? => parked,
            Progress::Open
            | Progress::Taken
            | Progress::Parked(_)
            | Progress::Completed(_)
            | Progress::Failed(_) => return Ok(None),
        };
        let place = Authorisation::place(&authorisation.instance, state, "tokens");
        let tokens = Tokens::from_plaintext(&self.vault.open(&place, &parked.tokens).await?)
            .map_err(|_| VaultError::Refused)?;
        let grant = Grant {
            tokens,
            refreshable: parked.refreshable,
            expires_at: parked.expires_at,
            terms: parked.terms.clone(),
            scopes: parked.scopes.clone(),
            received_at: parked.received_at,
        };
        Ok(Some(
            self.connect(&authorisation, &grant)
                .await?
                .map(|()| authorisation.instance),
        ))
    }

    /// Whether no consent has taken effect since an authorisation was begun.
    async fn is_without(&self, authorisation: &Authorisation) -> Result<bool, StoreError> {
        let now = self.instances.find(&authorisation.instance).await?;
        Ok(now.is_some_and(|now| now.incarnation == authorisation.incarnation))
    }

    /// Checks the answer and exchanges the code.
    async fn granted(
        &self,
        authorisation: &Authorisation,
        state: &Secret,
        answer: &UnverifiedAnswer,
    ) -> Result<Result<Grant, Miss>, CompleteError> {
        let Some((method, values)) = self.prepared(authorisation).await? else {
            return Ok(Err(Miss::Misconfigured));
        };
        if let Err(miss) = check(authorisation, &method.callback, answer) {
            return Ok(Err(miss));
        }
        let callback_url = self.deployment.callback_url();
        let plain = Scope::new(&values, callback_url);
        let secret = method.client.secret.as_ref();
        let secret = secret.and_then(|secret| secret.fill(&plain).ok());
        let secret = secret.map(Secret::new);
        let scope = Scope {
            client_secret: secret.as_ref(),
            ..plain
        };
        let captured = match answer.captured(&method, &values, &scope) {
            Ok(captured) => captured,
            Err(why) => {
                warn!(instance = %authorisation.instance.id, %why, "callback refused");
                return Ok(Err(Miss::Mismatch));
            }
        };
        let values = values.with(&method, &captured, callback_url);
        let code = Code {
            code: answer.get(&method.callback.code),
            state,
            verifier: None,
            redirect_uri: &authorisation.redirect_uri,
            scopes: &authorisation.scopes,
            captured: &captured,
        };
        let client = self.client(&method, &values);
        let exchanged = self.exchange(authorisation, &client, code).await?;
        Ok(exchanged.map_err(|failure| {
            warn!(
                instance = %authorisation.instance.id, auth_method = %authorisation.method,
                code = ?failure.code, words = failure.words.as_deref(), "exchange failed"
            );
            miss(&failure)
        }))
    }

    /// Exchanges the code once, at the pinned URL. What was not sent may be tried again.
    async fn exchange(
        &self,
        authorisation: &Authorisation,
        client: &Client<'_>,
        code: Code<'_>,
    ) -> Result<Result<Grant, TokenFailure>, CompleteError> {
        let verifier = match &authorisation.verifier {
            None => None,
            Some(sealed) => {
                let place =
                    Authorisation::place(&authorisation.instance, &authorisation.state, "verifier");
                Some(open_text(self.vault, &place, sealed).await?)
            }
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let code = Code {
                verifier: verifier.as_ref(),
                ..code
            };
            match client
                .exchange_code(authorisation.token_url.as_ref(), code)
                .await
            {
                Err(failure) if failure.code == FailureCode::Unreachable && tries < 2 => {}
                outcome => return Ok(outcome),
            }
        }
    }

    /// The auth method and all its values; `None` if it is gone or can't be read any more.
    async fn prepared(
        &self,
        authorisation: &Authorisation,
    ) -> Result<Option<(Arc<AuthMethod>, KnownValues)>, CompleteError> {
        self.vault.warm().await?;
        let Some(stored) = self.methods.find(&authorisation.method_key()).await? else {
            return Ok(None);
        };
        let Ok(method) = stored.parse() else {
            return Ok(None);
        };
        let (key, values) = (&authorisation.instance, &authorisation.values);
        let values = known_values(
            self.vault,
            self.clock,
            (&stored, &method),
            Whose {
                instance: key,
                values,
                captured: &GivenValues::new(),
            },
            self.deployment.callback_url(),
        )
        .await?;
        Ok(Some((method, values)))
    }

    fn client<'s>(&'s self, method: &'s AuthMethod, values: &'s KnownValues) -> Client<'s> {
        Client {
            egress: self.egress,
            clock: self.clock,
            entropy: self.entropy,
            method,
            values,
            callback_url: self.deployment.callback_url(),
            warning: self.deployment.warning(),
        }
    }

    /// Lets the consent take effect. Of two for one instance, the one that was given later wins: what
    /// it brought may have ended what the other did.
    async fn connect(
        &self,
        authorisation: &Authorisation,
        grant: &Grant,
    ) -> Result<Result<(), Miss>, CompleteError> {
        let key = &authorisation.instance;
        // A new instance has neither; an older one says what it has at the first try.
        let (mut epoch, mut incarnation) = (authorisation.incarnation, authorisation.incarnation);
        let mut version = None;
        for _ in 0..8 {
            let stored = seal_for(self.vault, key, epoch + 1, grant, version.as_ref())?;
            let due = Due::next(key, &Schedule::new(&key.id, &stored, &Upkeep::default()));
            let values = &authorisation.values;
            let event = Event::of_instance(
                key,
                &authorisation.method_key(),
                Moment {
                    incarnation: incarnation + 1,
                    epoch: epoch + 1,
                },
                self.clock.now(),
                EventKind::Connected {
                    reconnected: incarnation > 0,
                },
            );
            let events = std::slice::from_ref(&event);
            let connect = || {
                self.instances.connect(Connect {
                    key,
                    epoch,
                    incarnation,
                    grant: &stored,
                    values,
                    events,
                    due,
                })
            };
            match insist(self.clock, connect).await? {
                Connected::Done => {
                    self.announce.announce(events).await;
                    self.tidy(key, incarnation + 1, &stored, Again::No).await;
                    return Ok(Ok(()));
                }
                Connected::Moved(now)
                    if now
                        .grant()
                        .is_some_and(|grant| grant.tokens == stored.tokens) =>
                {
                    self.announce.announce(events).await;
                    self.tidy(key, incarnation + 1, &stored, Again::Yes).await;
                    return Ok(Ok(()));
                }
                Connected::Moved(now) if lives_by_later(&now, grant) => {
                    info!(instance = %key.id, "consent dropped: there is a later one");
                    return Ok(Ok(()));
                }
                // Another call has completed the same consent, and it may have been refreshed since.
                Connected::Moved(now)
                    if authorisation.binding == Binding::Platform
                        && now
                            .grant()
                            .is_some_and(|grant| grant.consented_at() == stored.consented_at()) =>
                {
                    return Ok(Ok(()));
                }
                Connected::Moved(now) => {
                    (epoch, incarnation) = (now.epoch, now.incarnation);
                    let grant = now.grant();
                    version = grant.and_then(|grant| grant.refresh_tokens.version().cloned());
                }
                Connected::Gone => {
                    self.give_back(authorisation, grant).await?;
                    return Ok(Err(Miss::InstanceGone));
                }
            }
        }
        Err(CompleteError::Contended)
    }

    /// Sees the journal of a consent's grant through.
    async fn tidy(&self, key: &InstanceKey, incarnation: u64, grant: &StoredGrant, again: Again) {
        let (instances, vault) = (self.instances, self.vault);
        let journals = Journals { instances, vault };
        journals.tidy(key, incarnation, grant, again).await;
    }

    /// Revokes what nobody will use.
    async fn give_back(
        &self,
        authorisation: &Authorisation,
        grant: &Grant,
    ) -> Result<(), CompleteError> {
        let Some((method, values)) = self.prepared(authorisation).await? else {
            return Ok(());
        };
        let captured = &grant.tokens.captured;
        let values = values.with(&method, captured, self.deployment.callback_url());
        if let Some(request) = &method.revoke
            && let Err(failure) = self
                .client(&method, &values)
                .revoke(request, &grant.tokens)
                .await
        {
            warn!(instance = %authorisation.instance.id, code = ?failure.code, "unused grant not revoked");
        }
        Ok(())
    }

    pub(super) async fn missed(
        &self,
        authorisation: Box<Authorisation>,
        miss: Miss,
    ) -> Result<Completion, CompleteError> {
        self.authorisations.fail(&authorisation.state, miss).await?;
        Ok(Completion::Missed(authorisation, miss))
    }

    /// What a page shows that is loaded again.
    pub(super) async fn result(
        &self,
        authorisation: Box<Authorisation>,
    ) -> Result<Completion, CompleteError> {
        match authorisation.progress {
            Progress::Failed(miss) => Ok(Completion::Missed(authorisation, miss)),
            Progress::Parked(_) | Progress::Completed(_) => Ok(Completion::Parked(authorisation)),
            Progress::Open | Progress::Taken => {
                let instance = self.instances.find(&authorisation.instance).await?;
                let connected = |instance: &Instance| {
                    matches!(instance.state, State::Active(_))
                        && instance.incarnation > authorisation.incarnation
                };
                if instance.as_ref().is_some_and(connected) {
                    Ok(Completion::Connected(authorisation))
                } else {
                    Ok(Completion::Unfinished(authorisation))
                }
            }
        }
    }
}

/// Whether the browser is the one that began; where the platform binds, it does so later.
fn is_beginner(authorisation: &Authorisation, cookie: Option<&Secret>) -> bool {
    match &authorisation.binding {
        Binding::Browser(digest) => cookie.is_some_and(|cookie| digest.matches(cookie)),
        Binding::Platform => true,
    }
}

/// Whether an instance lives by a consent whose code was exchanged after that of this grant. Its tokens
/// are not revoked then: there are providers that would end the later consent with them.
fn lives_by_later(now: &Instance, grant: &Grant) -> bool {
    let consented_at = now.usable_grant().and_then(|now| now.terms.consented_at);
    consented_at.is_some_and(|at| at > grant.received_at)
}

/// Whether the answer is one to this authorisation and says yes.
pub(super) fn check(
    authorisation: &Authorisation,
    callback: &Callback,
    answer: &UnverifiedAnswer,
) -> Result<(), Miss> {
    // RFC 9207 §2.4: compared as strings, errors included.
    let issuer = answer.get("iss").map(|issuer| issuer.expose());
    if let Some(expected) = &authorisation.issuer
        && issuer != Some(expected)
    {
        return Err(Miss::Mismatch);
    }
    match (callback.error(answer), answer.get(&callback.code)) {
        (Some("access_denied"), _) => Err(Miss::Denied),
        (Some(_), _) => Err(Miss::ProviderRefused),
        (None, Some(_)) => Ok(()),
        (None, None) if !callback.code_required => Ok(()),
        (None, None) => Err(Miss::Mismatch),
    }
}

fn miss(failure: &TokenFailure) -> Miss {
    match failure.code {
        FailureCode::GrantRefused
        | FailureCode::GrantLost
        | FailureCode::NotRefreshable
        | FailureCode::TokenRejected => Miss::CodeRefused,
        FailureCode::ClientRefused
        | FailureCode::RequestImpossible
        | FailureCode::AnswerUnreadable
        | FailureCode::DestinationRefused
        | FailureCode::CertificateRefused => Miss::Misconfigured,
        FailureCode::AnswerLost => Miss::AnswerLost,
        FailureCode::Unreachable | FailureCode::ProviderError | FailureCode::Throttled => {
            Miss::ProviderUnwell
        }
    }
}
