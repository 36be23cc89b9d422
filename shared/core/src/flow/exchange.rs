//! Token requests: the `oauth2` crate in the middle, the dialect and the egress around it.
//!
//! The crate builds the standard request and reads the standard answer. The HTTP client that it is
//! given, [`Wire`], has the request re-expressed, sends it once, and turns the answer back. What
//! the crate says of an answer that it can't read is dropped: it could quote tokens.

mod step;
mod wire;

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;
use oauth2::{
    AuthorizationCode, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    RevocationUrl, StandardRevocableToken, TokenUrl,
};
use url::Url;
use wire::{Stop, Wire};

use super::refresh::later;
use crate::{
    model::{
        Secret,
        definition::{ExpiryKind, KeepRefreshToken, RefreshMode},
        failure::FailureCode,
        grant::{Grant, StoredGrant, Tokens},
        host::Host,
        limits::Limits,
        method::{AuthMethod, Request},
        terms::Rules,
        values::KnownValues,
    },
    port::{Clock, Egress, Entropy},
    protocol::{
        client::Identity,
        dialect,
        moment::Moment,
        raw_answer::RawAnswer,
        refusal::TokenFailure,
        scope::{Scope, Steps},
    },
};

/// A client at a provider, ready to ask.
pub(super) struct Client<'a> {
    pub(super) egress: &'a dyn Egress,
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) method: &'a AuthMethod,
    pub(super) values: &'a KnownValues,
    pub(super) callback_url: &'a str,
    /// How long before its end a connection's user is warned, where the definition does not say.
    pub(super) warning: Duration,
}

/// An authorisation code, with what proves that it is ours.
#[derive(Clone, Copy)]
pub(super) struct Code<'a> {
    /// None where consent brings none.
    pub(super) code: Option<&'a Secret>,
    pub(super) state: &'a Secret,
    pub(super) verifier: Option<&'a Secret>,
    pub(super) redirect_uri: &'a Url,
    pub(super) scopes: &'a [String],
    /// What the callback brought.
    pub(super) captured: &'a std::collections::BTreeMap<String, Secret>,
}

/// Where the answer to a refresh comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The provider, asked once.
    Provider(Limits),
    /// An answer that came before and couldn't be read then.
    Kept(&'a RawAnswer),
}

/// What a refresh brought.
pub(super) struct Brought {
    /// The grant, as it is worth keeping at once.
    pub(super) grant: Grant,
    /// What is left to do then, if anything.
    pub(super) rest: Option<Box<Rest>>,
}

/// What the steps that follow a refresh need of it.
pub(super) struct Rest {
    /// The grant of the answer alone.
    grant: Grant,
    steps: Steps,
    moment: Moment,
    client_id: String,
    client_secret: Option<Secret>,
}

impl Client<'_> {
    /// Exchanges a code for tokens (RFC 6749 §4.1.3), at the pinned URL if there is one.
    pub(super) async fn exchange_code(
        &self,
        pinned: Option<&Url>,
        code: Code<'_>,
    ) -> Result<Grant, TokenFailure> {
        let moment = moment(self.clock, self.entropy);
        let joined = code.scopes.join(&self.method.authorise.scope_separator);
        let mut steps = Steps::default();
        let scope = Scope {
            redirect_uri: Some(code.redirect_uri.as_str()),
            code: code.code,
            state: Some(code.state),
            scope: Some(&joined),
            moment: Some(&moment),
            ..Scope::new(self.values, self.callback_url)
        };
        let request = &self.method.token;
        self.make(&request.before, &scope, &mut steps, None).await?;
        let scope = Scope {
            steps: Some(&steps),
            ..scope
        };
        let url = match pinned {
            Some(url) => url.clone(),
            None => self.url(request, &scope)?,
        };
        let identity = self.identity(request, &url, &moment, &scope)?;
        let wire = Wire {
            wired: &[("grant_type", "grant_type")],
            limit: self.method.timeout,
            ..self.wire(request, url.clone(), &identity, with(scope, &identity))
        };
        let client = identity.standard().set_token_uri(TokenUrl::from_url(url));
        let answer = match code.code {
            Some(text) => {
                let redirect = RedirectUrl::from_url(code.redirect_uri.clone());
                let mut asked = client
                    .exchange_code(AuthorizationCode::new(text.expose().clone()))
                    .set_redirect_uri(Cow::Owned(redirect));
                if let Some(verifier) = code.verifier {
                    asked =
                        asked.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()));
                }
                asked.request_async(&wire).await
            }
            None => {
                client
                    .exchange_client_credentials()
                    .request_async(&wire)
                    .await
            }
        };
        let mut grant = wire.grant(answer, code.scopes)?;
        let mut captured = code.captured.clone();
        captured.append(&mut grant.tokens.captured);
        grant.tokens.captured = captured;
        let scope = Scope {
            steps: None,
            ..wire.scope
        };
        self.continue_with(request, &mut grant, &scope, steps.clone(), None)
            .await?;
        self.look_up(&mut grant, &scope).await;
        self.finished(grant, None)
    }

    /// Refreshes the token set that wants it most (RFC 6749 §6). What the answer doesn't bring stays.
    /// `before` is the grant whose tokens they are, if it is kept.
    ///
    /// Nothing is awaited once the answer has come: a refresh token may be usable once. While steps are
    /// to follow ([`Client::follow`]) the access token may be none that works yet, and counts as stale.
    pub(super) async fn refresh(
        &self,
        tokens: &Tokens,
        scopes: &[String],
        before: Option<&StoredGrant>,
        source: Source<'_>,
    ) -> Result<Brought, TokenFailure> {
        let refresh = &self.method.refresh;
        let set = match refresh.mode {
            RefreshMode::RefreshToken => tokens.most_due(),
            RefreshMode::AccessToken
            | RefreshMode::ClientCredentials
            | RefreshMode::Resign
            | RefreshMode::None => None,
        };
        let asking = with_main(tokens, set);
        let ended = asking
            .main
            .expires_at
            .is_some_and(|end| end <= self.clock.now());
        let started = self.clock.now();
        let (limits, again) = match source {
            Source::Provider(limits) => (limits, None),
            Source::Kept(answer) => (Limits::default(), Some(answer)),
        };
        if refresh.mode == RefreshMode::AccessToken && ended && again.is_none() {
            let words = "the access token had ended, and there is nothing else to ask with";
            return Err(TokenFailure {
                words: Some(words.to_owned()),
                ..TokenFailure::new(FailureCode::GrantRefused, false)
            });
        }
        let moment = moment(self.clock, self.entropy);
        let joined = scopes.join(&self.method.authorise.scope_separator);
        let mut steps = Steps::default();
        let redirect_uri = self.redirect_uri();
        let scope = Scope {
            redirect_uri: redirect_uri.as_deref(),
            scope: Some(&joined),
            tokens: Some(&asking),
            moment: Some(&moment),
            ..Scope::new(self.values, self.callback_url)
        };
        let request = &refresh.request;
        if again.is_none() {
            let until = later(started, limits.steps(), 1);
            let making = self.make(&request.before, &scope, &mut steps, Some(until));
            if let Err(failure) = making.await {
                // Only who has seen the refresh token can have used it up.
                let mut before = request.before.iter();
                let names_it = before.any(|step| step.request.names_refresh_token());
                let in_doubt = failure.in_doubt && names_it;
                return Err(TokenFailure {
                    in_doubt,
                    ..failure
                });
            }
        }
        let limit = rest_until(later(started, limits.call(), 1), self.clock.now());
        let scope = Scope {
            steps: Some(&steps),
            ..scope
        };
        let url = self.url(request, &scope)?;
        let identity = self.identity(request, &url, &moment, &scope)?;
        let wire = Wire {
            kept: refresh
                .keep_access_token
                .then_some(&asking.main.access_token),
            wired: &[("grant_type", "refresh_grant_type")],
            bare: matches!(refresh.mode, RefreshMode::AccessToken | RefreshMode::Resign),
            limit,
            again,
            ..self.wire(request, url.clone(), &identity, with(scope, &identity))
        };
        let client = identity.standard().set_token_uri(TokenUrl::from_url(url));
        let answer = match (refresh.mode, &asking.main.refresh_token) {
            (RefreshMode::RefreshToken, Some(token)) => {
                let token = RefreshToken::new(token.expose().clone());
                client
                    .exchange_refresh_token(&token)
                    .request_async(&wire)
                    .await
            }
            (RefreshMode::RefreshToken, None) | (RefreshMode::None, _) => {
                return Err(impossible());
            }
            (
                RefreshMode::AccessToken | RefreshMode::ClientCredentials | RefreshMode::Resign,
                _,
            ) => {
                client
                    .exchange_client_credentials()
                    .request_async(&wire)
                    .await
            }
        };
        let mut grant = wire.grant(answer, scopes)?;
        self.keep_refresh_token(&mut grant, &asking);
        let follows =
            set.is_none() && (!request.after.is_empty() || request.response.asks_for_expiry());
        let rest = follows.then(|| {
            Box::new(Rest {
                grant: grant.clone(),
                steps: steps.clone(),
                moment: moment.clone(),
                client_id: identity.id.clone(),
                client_secret: identity.secret.clone(),
            })
        });
        if rest.is_some() && !request.after.is_empty() {
            grant.tokens.main.expires_at = Some(grant.received_at);
        }
        let grant = self.whole(grant, (tokens, set), before)?;
        Ok(Brought { grant, rest })
    }

    /// Makes the steps that follow a refresh, and asks when its token ends where nothing else says so:
    /// the grant as it is then. `until` is when all that has to be over.
    pub(super) async fn follow(
        &self,
        rest: Box<Rest>,
        tokens: &Tokens,
        scopes: &[String],
        before: Option<&StoredGrant>,
        until: Timestamp,
    ) -> Result<Grant, TokenFailure> {
        let Rest {
            mut grant,
            steps,
            moment,
            client_id,
            client_secret,
        } = *rest;
        let joined = scopes.join(&self.method.authorise.scope_separator);
        let redirect_uri = self.redirect_uri();
        let scope = Scope {
            redirect_uri: redirect_uri.as_deref(),
            scope: Some(&joined),
            moment: Some(&moment),
            client_id: Some(&client_id),
            client_secret: client_secret.as_ref(),
            ..Scope::new(self.values, self.callback_url)
        };
        let request = &self.method.refresh.request;
        self.continue_with(request, &mut grant, &scope, steps, Some(until))
            .await?;
        self.whole(grant, (tokens, None), before)
    }

    /// What a refresh of one token set brought, with all that it left as it was.
    fn whole(
        &self,
        mut grant: Grant,
        (tokens, set): (&Tokens, Option<&str>),
        before: Option<&StoredGrant>,
    ) -> Result<Grant, TokenFailure> {
        self.keep_refresh_end(&mut grant, tokens, set, before);
        merge(&mut grant, tokens, set);
        self.finished(grant, before)
    }

    /// Asks the provider to revoke the tokens: the refresh token, which ends the whole grant, or the
    /// access token where there is no other (RFC 7009 §2.1).
    pub(super) async fn revoke(
        &self,
        request: &Request,
        tokens: &Tokens,
    ) -> Result<(), TokenFailure> {
        let moment = moment(self.clock, self.entropy);
        let mut steps = Steps::default();
        let redirect_uri = self.redirect_uri();
        let scope = Scope {
            redirect_uri: redirect_uri.as_deref(),
            tokens: Some(tokens),
            moment: Some(&moment),
            ..Scope::new(self.values, self.callback_url)
        };
        self.make(&request.before, &scope, &mut steps, None).await?;
        let scope = Scope {
            steps: Some(&steps),
            ..scope
        };
        let url = self.url(request, &scope)?;
        let identity = self.identity(request, &url, &moment, &scope)?;
        let wire = Wire {
            reads_tokens: false,
            limit: self.method.timeout,
            ..self.wire(request, url, &identity, with(scope, &identity))
        };
        // The crate refuses plain http, which only loopback may have; where the request goes is the
        // wire's business.
        let stand_in = RevocationUrl::new("https://revocation.invalid/".to_owned())
            .map_err(|error| unmakeable(&error))?;
        let client = identity.standard().set_revocation_url(stand_in);
        let token = match &tokens.main.refresh_token {
            Some(token) => StandardRevocableToken::from(RefreshToken::new(token.expose().clone())),
            None => StandardRevocableToken::from(oauth2::AccessToken::new(
                tokens.main.access_token.expose().clone(),
            )),
        };
        let asked = client
            .revoke_token(token)
            .map_err(|error| unmakeable(&error))?;
        match asked.request_async(&wire).await {
            Ok(()) => Ok(()),
            Err(RequestTokenError::Request(Stop(failure))) => Err(wire.clean(failure)),
            Err(
                RequestTokenError::ServerResponse(_)
                | RequestTokenError::Parse(..)
                | RequestTokenError::Other(_),
            ) => Err(TokenFailure::new(FailureCode::AnswerUnreadable, true)),
        }
    }

    /// The host that a refresh asks, if its own URL tells it with the values that are known yet.
    pub(super) fn named_host(&self) -> Option<Host> {
        let scope = Scope::new(self.values, self.callback_url);
        let url = self.url(&self.method.refresh.request, &scope).ok()?;
        Host::of(&url)
    }

    /// The host that a refresh asks; `None` if only the refresh itself can tell.
    pub(super) fn refresh_host(&self, tokens: &Tokens) -> Option<Host> {
        let scope = Scope {
            tokens: Some(tokens),
            ..Scope::new(self.values, self.callback_url)
        };
        let request = &self.method.refresh.request;
        // Where the answer to a step tells the URL, the step's own host is asked first.
        let steps = request.before.iter().map(|step| &step.request);
        let mut urls = std::iter::once(request)
            .chain(steps)
            .filter_map(|request| self.url(request, &scope).ok());
        Host::of(&urls.next()?)
    }

    fn redirect_uri(&self) -> Option<String> {
        let scope = Scope::new(self.values, self.callback_url);
        self.method.redirect_uri.fill(&scope).ok()
    }

    /// Where a request goes. The client may be named there.
    fn url(&self, request: &Request, scope: &Scope<'_>) -> Result<Url, TokenFailure> {
        let id = self
            .method
            .client
            .id
            .fill(scope)
            .map_err(|error| unmakeable(&error))?;
        let scope = Scope {
            client_id: Some(&id),
            ..*scope
        };
        dialect::url(&request.urls, &scope).map_err(|error| unmakeable(&error))
    }

    fn identity(
        &self,
        request: &Request,
        url: &Url,
        moment: &Moment,
        scope: &Scope<'_>,
    ) -> Result<Identity, TokenFailure> {
        Identity::new(&self.method.client, request, url, moment, scope)
            .map_err(|error| unmakeable(&error))
    }

    fn wire<'s>(
        &'s self,
        request: &'s Request,
        url: Url,
        identity: &'s Identity,
        scope: Scope<'s>,
    ) -> Wire<'s> {
        Wire::new(self, request, url, identity, scope)
    }

    /// A refresh token that stays ends when it would have, unless the answer says otherwise.
    fn keep_refresh_end(
        &self,
        grant: &mut Grant,
        tokens: &Tokens,
        set: Option<&str>,
        before: Option<&StoredGrant>,
    ) {
        let expiry = self.method.refresh.request.response.refresh_expiry.as_ref();
        let is_fixed = expiry.is_some_and(|expiry| expiry.kind == ExpiryKind::Fixed);
        let token = |tokens: &Tokens| {
            let token = tokens.main.refresh_token.as_ref();
            token.map(|token| token.expose().clone())
        };
        let stays = set.is_some() || token(&grant.tokens) == token(tokens);
        let said = grant.terms.refresh_ends_at.filter(|_| !is_fixed);
        if stays && (said.is_none() || set.is_some()) {
            grant.terms.refresh_ends_at = before.and_then(|before| before.terms.refresh_ends_at);
        }
    }

    fn keep_refresh_token(&self, grant: &mut Grant, old: &Tokens) {
        let (new, old) = (&mut grant.tokens.main, &old.main);
        match self.method.refresh.keep_refresh_token {
            KeepRefreshToken::Always => new.refresh_token.clone_from(&old.refresh_token),
            KeepRefreshToken::IfAbsent if new.refresh_token.is_none() => {
                new.refresh_token.clone_from(&old.refresh_token);
            }
            KeepRefreshToken::IfAbsent | KeepRefreshToken::Never => {}
        }
    }

    /// What follows from all parts of a grant. One that is too long to be kept is none.
    fn finished(
        &self,
        mut grant: Grant,
        before: Option<&StoredGrant>,
    ) -> Result<Grant, TokenFailure> {
        if grant.is_too_long() {
            return Err(TokenFailure {
                words: Some("the tokens are longer than can be kept".to_owned()),
                ..TokenFailure::new(FailureCode::AnswerUnreadable, true)
            });
        }
        let refresh = &self.method.refresh;
        grant.refreshable &= refresh.is_possible(&grant.tokens);
        grant.expires_at = grant.tokens.first_end();
        let rules = Rules {
            warning: refresh.rules.warning.or(Some(self.warning)),
            ..refresh.rules
        };
        grant.terms = rules.terms(&grant, before);
        Ok(grant)
    }
}

/// The values of a request, the client's own among them.
fn with<'s>(scope: Scope<'s>, identity: &'s Identity) -> Scope<'s> {
    Scope {
        client_id: Some(&identity.id),
        client_secret: identity.secret.as_ref(),
        ..scope
    }
}

/// The tokens with a further set in the place of the main one.
fn with_main(tokens: &Tokens, set: Option<&str>) -> Tokens {
    let mut asking = tokens.clone();
    if let Some(set) = set.and_then(|name| tokens.sets.get(name)) {
        asking.main = set.clone();
    }
    asking
}

/// Puts what a refresh brought beside what was there.
fn merge(grant: &mut Grant, old: &Tokens, set: Option<&str>) {
    let mut tokens = old.clone();
    match set {
        Some(name) => drop(
            tokens
                .sets
                .insert(name.to_owned(), grant.tokens.main.clone()),
        ),
        None => {
            tokens.main = grant.tokens.main.clone();
            for (name, mut new) in std::mem::take(&mut grant.tokens.sets) {
                let before = tokens.sets.remove(&name);
                new.refresh_token = new
                    .refresh_token
                    .or_else(|| before.and_then(|before| before.refresh_token));
                tokens.sets.insert(name, new);
            }
        }
    }
    tokens.captured.append(&mut grant.tokens.captured);
    grant.tokens = tokens;
}

/// What is drawn for one request.
pub(super) fn moment(clock: &dyn Clock, entropy: &dyn Entropy) -> Moment {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    Moment {
        now: clock.now(),
        uuid: uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string(),
        random: entropy.letters_and_digits(crate::model::template::LONGEST_RANDOM),
    }
}

/// What is left of the time until `end`.
fn rest_until(end: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(now)).unwrap_or_default()
}

fn impossible() -> TokenFailure {
    TokenFailure::new(FailureCode::RequestImpossible, false)
}

/// Why a request can't be made, in words of ours that name values and never contain them.
fn unmakeable(error: &dyn std::fmt::Display) -> TokenFailure {
    TokenFailure {
        words: Some(error.to_string()),
        ..impossible()
    }
}
