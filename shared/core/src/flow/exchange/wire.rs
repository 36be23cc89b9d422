//! The HTTP client that the `oauth2` crate is given.

use std::{sync::OnceLock, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use oauth2::{
    AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError, basic::BasicTokenResponse,
};
use serde_json::Value;
use url::Url;

use super::{Client, impossible, unmakeable};
use crate::{
    model::{Secret, failure::FailureCode, grant::Grant, method::Request},
    port::{NotSent, SendError, WireAnswer, WireRequest},
    protocol::{
        asked::Asked,
        client::Identity,
        dialect::Draft,
        raw_answer::RawAnswer,
        refusal::TokenFailure,
        scope::Scope,
        token_answer::{self, Reader},
    },
};

/// The HTTP client of one request.
pub(super) struct Wire<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) request: &'a Request,
    pub(super) url: Url,
    pub(super) identity: &'a Identity,
    pub(super) scope: Scope<'a>,
    /// Built-in parameters whose value is that of a default variable.
    pub(super) wired: &'a [(&'a str, &'a str)],
    /// Whether the standard request's own parameters are left out.
    pub(super) bare: bool,
    /// Whether the answer brings tokens; otherwise its status says all.
    pub(super) reads_tokens: bool,
    /// The access token that stays where the answer brings none.
    pub(super) kept: Option<&'a Secret>,
    pub(super) limit: Duration,
    /// An answer that has come already, which is read again instead of asking.
    pub(super) again: Option<&'a RawAnswer>,
    /// The body of an answer that was read.
    pub(super) body: OnceLock<Value>,
    /// The answer as received, and when it was asked for.
    pub(super) received: OnceLock<(Asked, WireAnswer)>,
}

/// Why the standard parser never sees an answer.
#[derive(Debug, thiserror::Error)]
#[error("the request brought no standard answer")]
pub(super) struct Stop(pub(super) TokenFailure);

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = Stop;
    type Future = BoxFuture<'c, Result<HttpResponse, Stop>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { self.send(request).await.map_err(Stop) })
    }
}

impl<'a> Wire<'a> {
    pub(super) fn new(
        client: &'a Client<'a>,
        request: &'a Request,
        url: Url,
        identity: &'a Identity,
        scope: Scope<'a>,
    ) -> Self {
        Self {
            client,
            request,
            url,
            identity,
            scope,
            wired: &[],
            bare: false,
            reads_tokens: true,
            kept: None,
            limit: client.method.timeout,
            again: None,
            body: OnceLock::new(),
            received: OnceLock::new(),
        }
    }

    /// The answer to a request: the provider's, or one that has come already.
    async fn answered(&self, request: WireRequest) -> Result<WireAnswer, TokenFailure> {
        match self.again {
            None => self.client.egress.send(request).await,
            Some(again) => return again.answer(self.client.clock.now()).ok_or_else(impossible),
        }
        .map_err(|error| not_answered(&error))
    }

    async fn send(&self, mut standard: HttpRequest) -> Result<HttpResponse, TokenFailure> {
        if self.bare {
            *standard.body_mut() = only(standard.body(), CLIENT);
        } else if !self.reads_tokens {
            // The hint only speeds a look-up (RFC 7009 §2.1), and some providers refuse what they
            // don't know.
            *standard.body_mut() = only(standard.body(), &["token", "client_id", "client_secret"]);
        }
        let draft = Draft {
            request: self.request,
            url: self.url.clone(),
            wired: self.wired,
            identity: Some(self.identity),
            limit: self.limit,
        };
        let request = draft
            .express(Some(standard), &self.scope)
            .map_err(|error| unmakeable(&error))?;
        let answer = self.answered(request).await?;
        let now = self.client.clock.now();
        let response = &self.request.response;
        if !self.reads_tokens {
            return match answer.body.expose().is_empty() && answer.status.is_success() {
                true => Ok(HttpResponse::new(Vec::new())),
                false => self.accepted(&answer, now),
            };
        }
        let asked = match self.again {
            Some(again) => again.asked(),
            None => Asked::of(&answer, now),
        };
        let (_, answer) = self.received.get_or_init(|| (asked, answer));
        let body = token_answer::read(answer, response, &self.scope, now)?;
        let body = self.body.get_or_init(|| body);
        token_answer::standard(answer, body, response, self.kept, &self.scope, now)
    }

    /// A revocation is confirmed by its status (RFC 7009 §2.2), unless the definition knows better.
    fn accepted(&self, answer: &WireAnswer, now: Timestamp) -> Result<HttpResponse, TokenFailure> {
        match token_answer::read(answer, &self.request.response, &self.scope, now) {
            Err(failure)
                if !(answer.status.is_success()
                    && failure.code == FailureCode::AnswerUnreadable) =>
            {
                Err(failure)
            }
            Ok(_) | Err(_) => Ok(HttpResponse::new(Vec::new())),
        }
    }

    pub(super) fn grant(
        &self,
        answer: Result<BasicTokenResponse, oauth2::basic::BasicRequestTokenError<Stop>>,
        scopes: &[String],
    ) -> Result<Grant, TokenFailure> {
        match (answer, self.received.get().zip(self.body.get())) {
            (Ok(answer), Some(((asked, _), body))) => {
                let reader = Reader {
                    method: self.client.method,
                    response: &self.request.response,
                    scope: &self.scope,
                    values: self.client.values,
                    asked: *asked,
                };
                Ok(reader.grant(&answer, body, scopes))
            }
            (Err(RequestTokenError::Request(Stop(failure))), _) => {
                Err(self.with_raw(self.clean(failure)))
            }
            (Ok(_), None)
            | (
                Err(
                    RequestTokenError::ServerResponse(_)
                    | RequestTokenError::Parse(..)
                    | RequestTokenError::Other(_),
                ),
                _,
            ) => Err(self.with_raw(TokenFailure::new(FailureCode::AnswerUnreadable, true))),
        }
    }

    /// No success is dropped, even one that can't be read.
    fn with_raw(&self, failure: TokenFailure) -> TokenFailure {
        if failure.code != FailureCode::AnswerUnreadable {
            return failure;
        }
        let received = self.received.get();
        let raw = received.and_then(|(asked, answer)| RawAnswer::of(answer, *asked));
        TokenFailure {
            raw: raw.map(Box::new),
            ..failure
        }
    }

    /// Takes everything secret that was sent out of what came back.
    pub(super) fn clean(&self, failure: TokenFailure) -> TokenFailure {
        let scope = &self.scope;
        let tokens = scope.tokens.map(|tokens| &tokens.main);
        let sent = [
            scope.client_secret,
            scope.code,
            tokens.map(|set| &set.access_token),
            tokens.and_then(|set| set.refresh_token.as_ref()),
        ];
        failure.without(&sent.into_iter().flatten().collect::<Vec<_>>())
    }
}

/// What of a standard body says who the client is.
const CLIENT: &[&str] = &["client_id", "client_secret"];

/// Some of the parameters of a standard body.
fn only(body: &[u8], names: &[&str]) -> Vec<u8> {
    let pairs = url::form_urlencoded::parse(body).filter(|(name, _)| names.contains(&&**name));
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
        .into_bytes()
}

pub(super) fn not_answered(error: &SendError) -> TokenFailure {
    match error {
        SendError::Refused(_) => TokenFailure::new(FailureCode::DestinationRefused, false),
        SendError::NotSent(NotSent::Trust) => {
            TokenFailure::new(FailureCode::CertificateRefused, false)
        }
        SendError::NotSent(NotSent::Name | NotSent::Connection) => {
            TokenFailure::new(FailureCode::Unreachable, false)
        }
        SendError::InDoubt(_) => TokenFailure::new(FailureCode::AnswerLost, true),
    }
}
