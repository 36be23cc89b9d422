//! Token requests: the `oauth2` crate in the middle, the dialect and the egress around it.
//!
//! The crate builds the standard request and reads the standard answer. The HTTP client that it is
//! given, [`Wire`], has the request re-expressed, sends it once, and turns the answer back. What
//! the crate says of an answer that it can't read is dropped: it could quote tokens.

mod step;
mod wire;

use std::{borrow::Cow, time::Duration};

use oauth2::{
    AuthorizationCode, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    RevocationUrl, StandardRevocableToken, TokenUrl,
};
use tracing::warn;
use url::Url;
use wire::{Stop, Wire};

use crate::{
    model::{
        Secret,
        definition::{ExpiryKind, KeepRefreshToken, RefreshMode},
        failure::FailureCode,
        grant::{Grant, StoredGrant, Tokens},
        host::Host,
        method::{AuthMethod, Request},
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
    /// The provider, asked once and waited for no longer than this.
    Provider(Duration),
    /// An answer that came before and couldn't be read then.
    Kept(&'a RawAnswer),
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
        self.make(&request.before, &scope, &mut steps).await?;
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
        self.continue_with(request, &mut grant, &scope, steps.clone())
            .await?;
        self.look_up(&mut grant, &scope).await;
        Ok(self.finished(grant, None))
    }

    /// Refreshes the token set that wants it most (RFC 6749 §6). What the answer doesn't bring stays.
    /// `before` is the grant whose tokens they are, if it is kept.
    pub(super) async fn refresh(
        &self,
        tokens: &Tokens,
        scopes: &[String],
        before: Option<&StoredGrant>,
        source: Source<'_>,
    ) -> Result<Grant, TokenFailure> {
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
        let (limit, again) = match source {
            Source::Provider(limit) => (limit, None),
            Source::Kept(answer) => (Duration::ZERO, Some(answer)),
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
            self.make(&request.before, &scope, &mut steps).await?;
        }
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
        if set.is_none() {
            let scope = Scope {
                steps: None,
                ..wire.scope
            };
            // The answer is worth keeping whatever becomes of what follows it: a refresh token may
            // be usable once.
            if let Err(failure) = self
                .continue_with(request, &mut grant, &scope, steps.clone())
                .await
            {
                warn!(code = ?failure.code, words = failure.words.as_deref(), "a step after the refresh failed");
                grant.tokens.main.expires_at = Some(grant.received_at);
            }
        }
        self.keep_refresh_end(&mut grant, tokens, set, before);
        merge(&mut grant, tokens, set);
        Ok(self.finished(grant, before))
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
        self.make(&request.before, &scope, &mut steps).await?;
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

    /// What follows from all parts of a grant.
    fn finished(&self, mut grant: Grant, before: Option<&StoredGrant>) -> Grant {
        let refresh = &self.method.refresh;
        grant.refreshable &= refresh.is_possible(&grant.tokens);
        grant.expires_at = grant.tokens.first_end();
        grant.terms = refresh.rules.terms(&grant, before);
        grant
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
