//! Steps: requests before and after the one that counts.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tracing::warn;

use super::{Client, impossible, rest_until, unmakeable, wire::not_answered};
use crate::{
    model::{
        failure::FailureCode,
        grant::Grant,
        method::{Request, Step},
        values::KnownValues,
    },
    protocol::{
        asked::Asked,
        client::Identity,
        dialect::{self, Draft},
        refusal::TokenFailure,
        scope::{Scope, Steps},
        token_answer::{self, Reader},
    },
};

impl Client<'_> {
    /// Makes steps in order; each sees the answers of those before it. All are over at `until`.
    pub(super) async fn make(
        &self,
        wanted: &[Step],
        scope: &Scope<'_>,
        steps: &mut Steps,
        until: Option<Timestamp>,
    ) -> Result<(), TokenFailure> {
        for step in wanted {
            let scope = Scope {
                steps: Some(steps),
                ..*scope
            };
            if let Some((answer, _)) = self.answer(step, &scope, until).await? {
                steps.insert(&step.id, answer);
            }
        }
        Ok(())
    }

    /// Makes the steps that follow a grant, and asks when its token ends where nothing else says so. All
    /// that is over at `until`.
    pub(super) async fn continue_with(
        &self,
        request: &Request,
        grant: &mut Grant,
        scope: &Scope<'_>,
        mut steps: Steps,
        until: Option<Timestamp>,
    ) -> Result<(), TokenFailure> {
        for step in &request.after {
            let (values, tokens) = (self.known(grant), grant.tokens.clone());
            let scope = Scope {
                variables: &values,
                tokens: Some(&tokens),
                steps: Some(&steps),
                ..*scope
            };
            let Some((answer, asked)) = self.answer(step, &scope, until).await? else {
                continue;
            };
            let reader = Reader {
                method: self.method,
                response: &step.request.response,
                scope: &scope,
                values: &values,
                asked,
            };
            if step.brings_tokens {
                reader.overlay(grant, &answer);
            } else {
                grant.tokens.captured.append(&mut reader.captured(&answer));
            }
            steps.insert(&step.id, answer);
        }
        if request.response.asks_for_expiry() {
            self.introspect(grant, scope, until).await;
        }
        Ok(())
    }

    /// Asks what else a credential needs. A lookup that fails leaves its variables without a value:
    /// the tokens work all the same.
    pub(super) async fn look_up(&self, grant: &mut Grant, scope: &Scope<'_>) {
        let mut steps = Steps::default();
        for step in &self.method.lookup {
            let (values, tokens) = (self.known(grant), grant.tokens.clone());
            let scope = Scope {
                variables: &values,
                tokens: Some(&tokens),
                steps: Some(&steps),
                ..*scope
            };
            match self.answer(step, &scope, None).await {
                Ok(Some((answer, _))) => steps.insert(&step.id, answer),
                Ok(None) => {}
                Err(failure) => warn!(step = %step.id, code = ?failure.code, "lookup failed"),
            }
        }
        let known = self.known(grant);
        for variable in &self.method.variables {
            if variable.from == crate::model::definition::Origin::Lookup
                && let Some(text) = steps.text(&variable.path)
            {
                match known.capture(variable, &text, self.callback_url) {
                    Ok(value) => drop(
                        grant
                            .tokens
                            .captured
                            .insert(variable.key.to_string(), value),
                    ),
                    Err(why) => warn!(variable = %variable.key, why, "looked up value refused"),
                }
            }
        }
    }

    /// Asks when the access token ends (RFC 7662 §2.1). Where that fails, the definition's own
    /// lifetime stands.
    async fn introspect(&self, grant: &mut Grant, scope: &Scope<'_>, until: Option<Timestamp>) {
        let Some(request) = &self.method.introspect else {
            return;
        };
        match self.try_introspect(request, grant, scope, until).await {
            Ok(ends_at) => {
                let main = &mut grant.tokens.main;
                main.expires_at = ends_at.or(main.expires_at);
            }
            Err(failure) => warn!(code = ?failure.code, "introspection failed"),
        }
    }

    async fn try_introspect(
        &self,
        request: &Request,
        grant: &Grant,
        scope: &Scope<'_>,
        until: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, TokenFailure> {
        let values = self.known(grant);
        let scope = Scope {
            variables: &values,
            tokens: Some(&grant.tokens),
            ..*scope
        };
        let url = dialect::url(&request.urls, &scope).map_err(|error| unmakeable(&error))?;
        let moment = scope.moment.ok_or_else(impossible)?;
        let identity: Identity = self.identity(request, &url, moment, &scope)?;
        let token = grant.tokens.main.access_token.expose();
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("client_id", &identity.id)
            .extend_pairs(
                identity
                    .secret
                    .iter()
                    .filter(|_| {
                        request.authentication
                            != crate::model::definition::ClientAuthentication::Basic
                    })
                    .map(|secret| ("client_secret", secret.expose().as_str())),
            )
            .finish();
        let standard = http::Request::new(body.into_bytes());
        let draft = Draft {
            request,
            url,
            wired: &[],
            identity: Some(&identity),
            limit: self.limit(until)?,
        };
        let wire = draft
            .express(Some(standard), &scope)
            .map_err(|error| unmakeable(&error))?;
        let answer = self.egress.send(wire).await;
        let answer = answer.map_err(|error| not_answered(&error))?;
        let now = self.clock.now();
        let read = token_answer::read(&answer, &request.response, &scope, now)?;
        let asked = Asked::of(&answer, now);
        Ok(token_answer::introspected(&read, &request.response, asked))
    }

    /// How long a request around a token request may take: as long as the method says, and never
    /// beyond `until`. Nothing is asked that could not be answered by then.
    fn limit(&self, until: Option<Timestamp>) -> Result<Duration, TokenFailure> {
        let timeout = self.method.timeout;
        let limit = until.map_or(timeout, |until| {
            rest_until(until, self.clock.now()).min(timeout)
        });
        if limit.is_zero() {
            return Err(TokenFailure {
                words: Some("the steps around the request took too long".to_owned()),
                ..TokenFailure::new(FailureCode::Unreachable, false)
            });
        }
        Ok(limit)
    }

    /// The answer to a step, and when it was asked; `None` if its condition doesn't hold.
    pub(in crate::flow) async fn answer(
        &self,
        step: &Step,
        scope: &Scope<'_>,
        until: Option<Timestamp>,
    ) -> Result<Option<(Value, Asked)>, TokenFailure> {
        if step
            .when
            .as_ref()
            .is_some_and(|condition| !scope.variables.holds(condition))
        {
            return Ok(None);
        }
        // A step authenticates as it says itself, and may name the client to do so.
        let client = &self.method.client;
        let id = client.id.fill(scope).map_err(|error| unmakeable(&error))?;
        let secret = client
            .secret
            .as_ref()
            .and_then(|secret| secret.fill(scope).ok());
        let secret = secret.map(crate::model::Secret::new);
        let scope = Scope {
            client_id: Some(&id),
            client_secret: secret.as_ref(),
            ..*scope
        };
        let draft = Draft {
            request: &step.request,
            url: dialect::url(&step.request.urls, &scope).map_err(|error| unmakeable(&error))?,
            wired: &[],
            identity: None,
            limit: self.limit(until)?,
        };
        let wire = draft
            .express(None, &scope)
            .map_err(|error| unmakeable(&error))?;
        let answer = self.egress.send(wire).await;
        let answer = answer.map_err(|error| not_answered(&error))?;
        let now = self.clock.now();
        let body = token_answer::read(&answer, &step.request.response, &scope, now)?;
        Ok(Some((body, Asked::of(&answer, now))))
    }

    /// What is known once a grant has brought its values.
    fn known(&self, grant: &Grant) -> KnownValues {
        let captured = &grant.tokens.captured;
        self.values.with(self.method, captured, self.callback_url)
    }
}
