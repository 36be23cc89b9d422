//! What templates can name while a request is made.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use super::{moment::Moment, path};
use crate::model::{
    Secret,
    grant::{TokenSet, Tokens},
    template::{Namespace, Reference, Values},
    values::KnownValues,
};

/// The values of one request. What a request has no use for stays `None`.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The variables.
    pub variables: &'a KnownValues,
    /// The client id.
    pub client_id: Option<&'a str>,
    /// The client secret.
    pub client_secret: Option<&'a Secret>,
    /// The deployment's own callback URL.
    pub callback_url: &'a str,
    /// The redirect URI of this authorisation.
    pub redirect_uri: Option<&'a str>,
    /// The state of this authorisation.
    pub state: Option<&'a Secret>,
    /// The scopes asked for, joined.
    pub scope: Option<&'a str>,
    /// The PKCE challenge.
    pub code_challenge: Option<&'a str>,
    /// The authorisation code.
    pub code: Option<&'a Secret>,
    /// The tokens.
    pub tokens: Option<&'a Tokens>,
    /// The answers of earlier steps.
    pub steps: Option<&'a Steps>,
    /// What is drawn for this request.
    pub moment: Option<&'a Moment>,
}

/// The answers of steps, by the step's id.
#[derive(Clone, Default)]
pub struct Steps(BTreeMap<Box<str>, Value>);

impl Steps {
    /// Remembers an answer.
    pub fn insert(&mut self, step: &str, answer: Value) {
        self.0.insert(step.into(), answer);
    }

    /// The text at a path whose first part is the step's id.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        let (step, path) = path.split_once('.')?;
        path::text(self.0.get(step)?, path)
    }
}

/// Answers may hold tokens.
impl std::fmt::Debug for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'a> Scope<'a> {
    /// A scope with variables only.
    #[must_use]
    pub fn new(variables: &'a KnownValues, callback_url: &'a str) -> Self {
        Self {
            variables,
            client_id: None,
            client_secret: None,
            callback_url,
            redirect_uri: None,
            state: None,
            scope: None,
            code_challenge: None,
            code: None,
            tokens: None,
            steps: None,
            moment: None,
        }
    }

    fn text(&self, reference: &Reference) -> Option<Cow<'a, str>> {
        let open = |secret: Option<&'a Secret>| secret.map(|secret| secret.expose().as_str());
        let text = match (reference.namespace, &*reference.key) {
            // The seed's own name for the code.
            (Namespace::Variable, "oauth_authorised_code") | (Namespace::Callback, "code") => {
                open(self.code)
            }
            (Namespace::Variable, key) => self.variables.value_of(key),
            (Namespace::Client, "id") => self.client_id,
            (Namespace::Client, "secret") => open(self.client_secret),
            (Namespace::Flow, "callback_url") => Some(self.callback_url),
            (Namespace::Flow, "redirect_uri") => self.redirect_uri,
            (Namespace::Flow, "state") => open(self.state),
            (Namespace::Flow, "scope") => self.scope,
            (Namespace::Flow, "code_challenge") => self.code_challenge,
            (Namespace::Token, key) => token(self.tokens?, key),
            (Namespace::Step, path) => return self.steps?.text(path).map(Cow::Owned),
            (Namespace::Moment, key) => return self.moment?.text(key),
            (Namespace::Client | Namespace::Flow | Namespace::Callback | Namespace::Request, _) => {
                None
            }
        };
        text.map(Cow::Borrowed)
    }
}

/// The text of `access_token`, or of `NAME.access_token` of a further set.
fn token<'a>(tokens: &'a Tokens, key: &str) -> Option<&'a str> {
    let (set, key) = match key.split_once('.') {
        Some((name, key)) => (tokens.sets.get(name)?, key),
        None => (&tokens.main, key),
    };
    set_text(set, key)
}

fn set_text<'a>(set: &'a TokenSet, key: &str) -> Option<&'a str> {
    let open = |secret: &'a Secret| secret.expose().as_str();
    match key {
        "access_token" => Some(open(&set.access_token)),
        "refresh_token" => set.refresh_token.as_ref().map(open),
        "id_token" => set.id_token.as_ref().map(open),
        "token_type" => Some(&set.token_type),
        _ => None,
    }
}

impl Values for Scope<'_> {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        self.text(reference)
    }
}
