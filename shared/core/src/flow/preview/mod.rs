//! Preview: every request of a definition as it would be sent, without a provider.
//!
//! # Why
//! A builder wants to see what goes on the wire before anybody connects, and what an answer would bring. Both must
//! be what the service really does, and neither may show a secret.
//!
//! # How it works
//! The flows' own code makes the requests, over an egress that keeps them and answers by itself. Secrets are not
//! masked afterwards, in whatever form they came out: they never go in. A stand-in takes the place of each before
//! anything is rendered, so that a digest, a signature or a Basic header is made of the stand-in. Keys that sign are
//! replaced by published ones.

mod answers;
mod extraction;
mod ports;
mod render;
mod stand_in;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, future::Future, time::Duration};

use futures_util::FutureExt as _;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use extraction::{Extraction, Found, Missing};
pub use render::{Named, Shown};
pub use stand_in::Assumed;

use self::{
    answers::Answers,
    ports::{Recorder, SampleClock, SampleEntropy},
    stand_in::StandIns,
};
use super::{
    authorise::{Pinned, pin},
    exchange::{Client, Code, Source, moment},
};
use crate::{
    model::{
        Secret,
        definition::{Definition, RefreshMode, Texts, VariableDefinition},
        fault::Faults,
        grant::Tokens,
        limits::Limits,
        method::{AuthMethod, Request},
        values::{GivenValues, KnownValues},
    },
    protocol::{
        authorise_url::scopes,
        dialect::apply,
        refusal::TokenFailure,
        scope::{Scope, Steps},
    },
};

/// What is to be previewed.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The definition.
    pub definition: &'a Definition,
    /// The connector's variables that it uses.
    pub inherited: &'a [VariableDefinition],
    /// Values of variables, whoever would give them: the builder, the user, or the provider.
    pub values: &'a GivenValues,
    /// Parameters of a callback.
    pub callback: &'a BTreeMap<String, Secret>,
    /// The body of an answer to the token request.
    pub response: Option<&'a Secret>,
    /// Our own callback URL.
    pub callback_url: &'a str,
    /// When the requests are made.
    pub now: Timestamp,
}

/// What would be sent, and what an answer would bring.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preview {
    /// Every request, in the order of the flow: `authorise`, `token` with the steps around it, `lookup.…`, `refresh`,
    /// `revoke`, and `use`, a caller's own request.
    pub requests: Vec<Rendered>,
    /// Further texts that a caller is given.
    pub values: Vec<Named>,
    /// What was taken where nobody gave a value, or in place of a secret.
    pub assumed: Vec<Assumed>,
    /// What the sample answer brings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Extraction>,
}

/// A request, or why it can't be made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Rendered {
    /// Which one.
    #[schema(example = "token")]
    pub name: String,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Shown>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Rendered {
    fn made(name: &str, request: Shown) -> Self {
        Self {
            name: name.to_owned(),
            request: Some(request),
            error: None,
        }
    }

    fn failed(name: &str, why: &dyn std::fmt::Display) -> Self {
        Self {
            name: name.to_owned(),
            request: None,
            error: Some(why.to_string()),
        }
    }
}

/// Renders everything that a definition says.
///
/// # Errors
/// The faults of the definition below `/definition`, of values below `/values`, and of the callback below `/callback`.
///
/// # Security
/// No secret among the values, and no token of the sample answer, is in what is returned, in any form.
pub fn preview(ask: &Ask<'_>) -> Result<Preview, Faults> {
    let definition = &undiscovered(ask.definition);
    let ask = &Ask { definition, ..*ask };
    let method = AuthMethod::parse(ask.definition, ask.inherited)
        .map_err(|faults| faults.under("/definition"))?;
    let mut stand_ins = StandIns::new(ask, &method)?;
    let response = ask.response.map(|sample| {
        let known = stand_ins.known(&method, ask.callback_url);
        let read = extraction::read(ask, &method, &known, sample, &stand_ins);
        stand_ins.take(read.captured);
        read.extraction
    });
    let values = stand_ins.known(&method, ask.callback_url);
    let stage = Stage {
        early: &stand_ins.known_early(&method, ask.callback_url),
        ask,
        method: &method,
        answers: Answers::new(ask.definition, &method, &stand_ins),
        clock: SampleClock(ask.now),
        recorder: Recorder::default(),
        values: &values,
    };
    let (requests, texts) = stage.play();
    Ok(Preview {
        requests,
        values: texts,
        assumed: stand_ins.assumed(),
        response,
    })
}

/// The definition with stand-ins for URLs that only the provider's metadata says, which saving reads.
fn undiscovered(definition: &Definition) -> Definition {
    let mut definition = definition.clone();
    if definition.discovery_url.is_some() {
        let (authorise, token) = (&mut definition.authorise.url, &mut definition.token.url);
        for (url, name) in [(authorise, "authorise"), (token, "token")] {
            if url.is_empty() {
                *url = Texts::one(&format!("https://filled-when-saved.invalid/{name}"));
            }
        }
    }
    definition
}

/// Everything that a performance without a provider needs.
struct Stage<'a> {
    ask: &'a Ask<'a>,
    method: &'a AuthMethod,
    answers: Answers<'a>,
    clock: SampleClock,
    recorder: Recorder,
    values: &'a KnownValues,
    /// The values at hand when people are sent to the provider.
    early: &'a KnownValues,
}

impl Stage<'_> {
    fn play(&self) -> (Vec<Rendered>, Vec<Named>) {
        let mut requests = Vec::new();
        let pinned = pin(
            self.method,
            self.early,
            self.ask.callback_url,
            &self.clock,
            &SampleEntropy,
        );
        let tokens = self.answers.tokens();
        match pinned {
            Ok(pinned) => {
                let url = pinned.authorise_url.clone();
                requests.push(Rendered::made("authorise", Shown::link(&url)));
                requests.extend(self.token(&pinned));
                requests.extend(self.lookups(&pinned, &tokens));
            }
            Err(error) => requests.push(Rendered::failed("authorise", &error)),
        }
        if self.method.refresh.mode != RefreshMode::None {
            requests.extend(self.refresh(&tokens));
        }
        if let Some(revoke) = &self.method.revoke {
            requests.extend(self.revoke(revoke, &tokens));
        }
        let (credential, texts) = self.credential(&tokens);
        requests.push(credential);
        (requests, texts)
    }

    fn client<'s>(&'s self, method: &'s AuthMethod) -> Client<'s> {
        Client {
            egress: &self.recorder,
            clock: &self.clock,
            entropy: &SampleEntropy,
            method,
            values: self.values,
            callback_url: self.ask.callback_url,
            warning: Duration::ZERO,
        }
    }

    fn token(&self, pinned: &Pinned) -> Vec<Rendered> {
        // Lookups go on where one fails, so they are made one by one.
        let method = AuthMethod {
            lookup: Vec::new(),
            ..self.method.clone()
        };
        let request = &self.method.token;
        self.recorder
            .expect(self.answers.plan("token", request, self.values));
        let (code, captured) = (Secret::from("CODE"), BTreeMap::new());
        let code = Code {
            code: self.method.callback.code_required.then_some(&code),
            state: &pinned.state,
            verifier: pinned.verifier.as_ref(),
            redirect_uri: &pinned.redirect_uri,
            scopes: &pinned.scopes,
            captured: &captured,
        };
        let client = self.client(&method);
        self.made(client.exchange_code(pinned.token_url.as_ref(), code))
    }

    fn lookups(&self, pinned: &Pinned, tokens: &Tokens) -> Vec<Rendered> {
        let client = self.client(self.method);
        let moment = moment(&self.clock, &SampleEntropy);
        let (code, joined) = (
            Secret::from("CODE"),
            pinned.scopes.join(&self.method.authorise.scope_separator),
        );
        let mut steps = Steps::default();
        let mut rendered = Vec::new();
        for step in &self.method.lookup {
            let scope = Scope {
                redirect_uri: Some(pinned.redirect_uri.as_str()),
                code: self.method.callback.code_required.then_some(&code),
                state: Some(&pinned.state),
                scope: Some(&joined),
                tokens: Some(tokens),
                steps: Some(&steps),
                moment: Some(&moment),
                ..Scope::new(self.values, self.ask.callback_url)
            };
            self.recorder
                .expect(vec![self.answers.step("lookup", step, self.values)]);
            rendered.extend(self.made(client.answer(step, &scope, None)));
            steps.insert(&step.id, self.answers.of_step(step, self.values));
        }
        rendered
    }

    fn refresh(&self, tokens: &Tokens) -> Vec<Rendered> {
        let request = &self.method.refresh.request;
        self.recorder
            .expect(self.answers.plan("refresh", request, self.values));
        let scope = Scope::new(self.values, self.ask.callback_url);
        let scopes = scopes(&self.method.authorise, &scope);
        let client = self.client(self.method);
        self.made(async {
            let source = Source::Provider(Limits::default());
            let brought = client.refresh(tokens, &scopes, None, source).await?;
            if let Some(rest) = brought.rest {
                let until = Timestamp::MAX;
                client.follow(rest, tokens, &scopes, None, until).await?;
            }
            Ok(())
        })
    }

    fn revoke(&self, request: &Request, tokens: &Tokens) -> Vec<Rendered> {
        let plan = self.answers.plan("revoke", request, self.values);
        self.recorder.expect(plan);
        let client = self.client(self.method);
        self.made(client.revoke(request, tokens))
    }

    /// What was sent while a flow ran, and where it stopped.
    fn made<T>(&self, flow: impl Future<Output = Result<T, TokenFailure>>) -> Vec<Rendered> {
        // Nothing in it waits: the recorder answers at once.
        let outcome = Box::pin(flow).now_or_never();
        let (sent, left) = self.recorder.finish();
        let mut rendered: Vec<_> = sent
            .iter()
            .map(|(name, wire)| Rendered::made(name, Shown::request(wire)))
            .collect();
        if let Some(Err(failure)) = outcome
            && let Some(name) = left.first()
        {
            let words = failure.words.unwrap_or_default();
            rendered.push(Rendered::failed(name, &words));
        }
        rendered
    }

    fn credential(&self, tokens: &Tokens) -> (Rendered, Vec<Named>) {
        let scope = Scope {
            tokens: Some(tokens),
            ..Scope::new(self.values, self.ask.callback_url)
        };
        let applied = match apply(self.method, scope) {
            Ok(applied) => applied,
            Err(error) => return (Rendered::failed("use", &error), Vec::new()),
        };
        let rendered = match Shown::applied(&applied) {
            Ok(request) => Rendered::made("use", request),
            Err(error) => Rendered::failed("use", &error),
        };
        let texts = applied.values.iter();
        let named = texts.map(|(name, value)| Named::new(name, value.expose()));
        (rendered, named.collect())
    }
}
