//! Token requests: the `oauth2` crate in the middle, the dialect and the egress around it.
//!
//! The crate builds the standard request and reads the standard answer. The HTTP client that it is
//! given, [`Wire`], has the request re-expressed, sends it once, and turns the answer back. What
//! the crate says of an answer that it can't read is dropped: it could quote tokens.

use std::{borrow::Cow, sync::OnceLock, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, RevocationUrl,
    StandardRevocableToken, TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
};
use url::Url;

use crate::{
    model::{
        Secret,
        definition::ClientAuthentication,
        failure::FailureCode,
        grant::{Grant, Tokens},
        method::{AuthMethod, Request, Response, TokenRequest},
        url_template::UrlTemplate,
        values::KnownValues,
    },
    port::{Clock, Egress, SendError, WireAnswer},
    protocol::{
        dialect,
        refusal::{self, TokenFailure},
        scope::Scope,
        token_answer,
    },
};

/// A client at a provider, ready to ask.
pub(super) struct Client<'a> {
    pub(super) egress: &'a dyn Egress,
    pub(super) clock: &'a dyn Clock,
    pub(super) method: &'a AuthMethod,
    pub(super) values: &'a KnownValues,
    pub(super) callback_url: &'a str,
}

/// An authorisation code, with what proves that it is ours.
pub(super) struct Code<'a> {
    pub(super) code: &'a Secret,
    pub(super) verifier: Option<&'a Secret>,
    pub(super) redirect_uri: &'a Url,
    pub(super) scopes: &'a [String],
}

impl Client<'_> {
    /// Exchanges a code for tokens at a pinned URL (RFC 6749 §4.1.3).
    pub(super) async fn exchange_code(
        &self,
        token_url: &Url,
        code: Code<'_>,
    ) -> Result<Grant, TokenFailure> {
        let who = self.credentials()?;
        let scope = Scope {
            redirect_uri: Some(code.redirect_uri.as_str()),
            code: Some(code.code),
            ..self.scope(&who)
        };
        let wired = &[("grant_type", "grant_type")];
        let wire = self.wire(
            &self.method.token,
            token_url.clone(),
            wired,
            scope,
            self.method.timeout,
        );
        let client = client(&who).set_token_uri(TokenUrl::from_url(token_url.clone()));
        let redirect = RedirectUrl::from_url(code.redirect_uri.clone());
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.code.expose().clone()))
            .set_redirect_uri(Cow::Owned(redirect));
        if let Some(verifier) = code.verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()));
        }
        let answer = request.request_async(&wire).await;
        wire.grant(answer, &self.method.token.response, code.scopes)
    }

    /// Exchanges a refresh token for tokens (RFC 6749 §6). Where the answer brings no new refresh
    /// token, the one that was used stays.
    pub(super) async fn refresh(
        &self,
        tokens: &Tokens,
        scopes: &[String],
        limit: Duration,
    ) -> Result<Grant, TokenFailure> {
        let who = self.credentials()?;
        let refresh_token = tokens.refresh_token.as_ref().ok_or_else(impossible)?;
        let scope = self.token_scope(&who, tokens);
        let url = fill(self.method.refresh.request.url.as_ref(), &scope)?;
        let wired = &[("grant_type", "refresh_grant_type")];
        let wire = self.wire(&self.method.refresh, url.clone(), wired, scope, limit);
        let client = client(&who).set_token_uri(TokenUrl::from_url(url));
        let token = RefreshToken::new(refresh_token.expose().clone());
        let answer = client
            .exchange_refresh_token(&token)
            .request_async(&wire)
            .await;
        let mut grant = wire.grant(answer, &self.method.refresh.response, scopes)?;
        if grant.tokens.refresh_token.is_none() {
            grant.tokens.refresh_token = Some(refresh_token.clone());
        }
        Ok(grant)
    }

    /// Asks the provider to revoke the tokens: the refresh token, which ends the whole grant, or the
    /// access token where there is no other (RFC 7009 §2.1).
    pub(super) async fn revoke(
        &self,
        request: &Request,
        tokens: &Tokens,
    ) -> Result<(), TokenFailure> {
        let who = self.credentials()?;
        let scope = self.token_scope(&who, tokens);
        let url = fill(request.url.as_ref(), &scope)?;
        let wire = Wire {
            egress: self.egress,
            clock: self.clock,
            request,
            reads: None,
            url,
            wired: &[],
            scope,
            limit: self.method.timeout,
            asked_at: OnceLock::new(),
        };
        // The crate refuses plain http, which only loopback may have; where the request goes is the
        // wire's business.
        let stand_in = RevocationUrl::new("https://revocation.invalid/".to_owned())
            .map_err(|_| impossible())?;
        let client = client(&who).set_revocation_url(stand_in);
        let token = match &tokens.refresh_token {
            Some(token) => StandardRevocableToken::from(RefreshToken::new(token.expose().clone())),
            None => StandardRevocableToken::from(oauth2::AccessToken::new(
                tokens.access_token.expose().clone(),
            )),
        };
        let asked = client.revoke_token(token).map_err(|_| impossible())?;
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

    /// The tokens' own values beside the client's.
    fn token_scope<'s>(&'s self, who: &'s Credentials, tokens: &'s Tokens) -> Scope<'s> {
        Scope {
            access_token: Some(&tokens.access_token),
            refresh_token: tokens.refresh_token.as_ref(),
            ..self.scope(who)
        }
    }

    fn scope<'s>(&'s self, who: &'s Credentials) -> Scope<'s> {
        Scope {
            client_id: Some(&who.id),
            client_secret: who.secret.as_ref(),
            ..Scope::new(self.values, self.callback_url)
        }
    }

    fn credentials(&self) -> Result<Credentials, TokenFailure> {
        let scope = Scope::new(self.values, self.callback_url);
        let client = &self.method.client;
        let fill = |template: &crate::model::template::Template| {
            template.fill(&scope).map_err(|_| impossible())
        };
        let secret = client
            .secret
            .as_ref()
            .map(fill)
            .transpose()?
            .map(Secret::new);
        Ok(Credentials {
            id: fill(&client.id)?,
            secret,
            authentication: client.authentication,
        })
    }

    fn wire<'s>(
        &'s self,
        request: &'s TokenRequest,
        url: Url,
        wired: &'s [(&'s str, &'s str)],
        scope: Scope<'s>,
        limit: Duration,
    ) -> Wire<'s> {
        Wire {
            egress: self.egress,
            clock: self.clock,
            request: &request.request,
            reads: Some(&request.response),
            url,
            wired,
            scope,
            limit,
            asked_at: OnceLock::new(),
        }
    }
}

/// Who the provider knows us as.
struct Credentials {
    id: String,
    secret: Option<Secret>,
    authentication: ClientAuthentication,
}

/// The standard client (RFC 6749 §2.3.1).
fn client(who: &Credentials) -> BasicClient {
    let client =
        BasicClient::new(ClientId::new(who.id.clone())).set_auth_type(match who.authentication {
            ClientAuthentication::Basic => AuthType::BasicAuth,
            ClientAuthentication::Body | ClientAuthentication::None => AuthType::RequestBody,
        });
    match &who.secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().clone())),
        None => client,
    }
}

fn fill(url: Option<&UrlTemplate>, scope: &Scope<'_>) -> Result<Url, TokenFailure> {
    url.and_then(|url| url.fill(scope).ok())
        .ok_or_else(impossible)
}

fn impossible() -> TokenFailure {
    TokenFailure::new(FailureCode::RequestImpossible, false)
}

/// The HTTP client of one request.
struct Wire<'a> {
    egress: &'a dyn Egress,
    clock: &'a dyn Clock,
    request: &'a Request,
    /// How to find tokens in the answer; `None` where its status says all.
    reads: Option<&'a Response>,
    url: Url,
    wired: &'a [(&'a str, &'a str)],
    scope: Scope<'a>,
    limit: Duration,
    asked_at: OnceLock<Timestamp>,
}

/// Why the standard parser never sees an answer.
#[derive(Debug, thiserror::Error)]
#[error("the request brought no standard answer")]
struct Stop(TokenFailure);

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = Stop;
    type Future = BoxFuture<'c, Result<HttpResponse, Stop>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { self.send(request).await.map_err(Stop) })
    }
}

impl Wire<'_> {
    async fn send(&self, standard: HttpRequest) -> Result<HttpResponse, TokenFailure> {
        let (url, limit) = (self.url.clone(), self.limit);
        let request = dialect::express(standard, self.request, url, self.wired, &self.scope, limit)
            .map_err(|_| impossible())?;
        let answer = self
            .egress
            .send(request)
            .await
            .map_err(|error| not_answered(&error))?;
        let now = self.clock.now();
        self.asked_at.get_or_init(|| {
            let round_trip = jiff::SignedDuration::try_from(answer.round_trip).unwrap_or_default();
            now.saturating_sub(round_trip).unwrap_or(now)
        });
        match self.reads {
            Some(response) => token_answer::standard(&answer, response, &self.scope, now),
            None => accepted(&answer, now),
        }
    }

    fn grant(
        &self,
        answer: Result<BasicTokenResponse, oauth2::basic::BasicRequestTokenError<Stop>>,
        response: &Response,
        scopes: &[String],
    ) -> Result<Grant, TokenFailure> {
        let asked_at = self
            .asked_at
            .get()
            .copied()
            .unwrap_or_else(|| self.clock.now());
        match answer {
            Ok(answer) => Ok(token_answer::grant(&answer, response, scopes, asked_at)),
            Err(RequestTokenError::Request(Stop(failure))) => Err(self.clean(failure)),
            Err(
                RequestTokenError::ServerResponse(_)
                | RequestTokenError::Parse(..)
                | RequestTokenError::Other(_),
            ) => Err(TokenFailure::new(FailureCode::AnswerUnreadable, true)),
        }
    }

    /// Takes everything secret that was sent out of what came back.
    fn clean(&self, failure: TokenFailure) -> TokenFailure {
        let scope = &self.scope;
        let sent = [
            scope.client_secret,
            scope.code,
            scope.access_token,
            scope.refresh_token,
        ];
        failure.without(&sent.into_iter().flatten().collect::<Vec<_>>())
    }
}

/// A revocation is confirmed by its status alone (RFC 7009 §2.2).
fn accepted(answer: &WireAnswer, now: Timestamp) -> Result<HttpResponse, TokenFailure> {
    if answer.status.is_success() {
        return Ok(HttpResponse::new(Vec::new()));
    }
    let read = serde_json::from_slice(answer.body.expose()).ok();
    Err(refusal::failure(
        answer.status,
        &answer.headers,
        read.as_ref(),
        now,
    ))
}

fn not_answered(error: &SendError) -> TokenFailure {
    match error {
        SendError::Refused(_) => TokenFailure::new(FailureCode::DestinationRefused, false),
        SendError::NotSent(_) => TokenFailure::new(FailureCode::Unreachable, false),
        SendError::InDoubt(_) => TokenFailure::new(FailureCode::AnswerLost, true),
    }
}
