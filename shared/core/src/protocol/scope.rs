//! What templates can name while a request is made.

use std::borrow::Cow;

use crate::model::{
    Secret,
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
    /// The access token.
    pub access_token: Option<&'a Secret>,
    /// The refresh token.
    pub refresh_token: Option<&'a Secret>,
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
            access_token: None,
            refresh_token: None,
        }
    }

    fn text(&self, reference: &Reference) -> Option<&'a str> {
        let open = |secret: Option<&'a Secret>| secret.map(|secret| secret.expose().as_str());
        match (reference.namespace, &*reference.key) {
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
            (Namespace::Token, "access_token") => open(self.access_token),
            (Namespace::Token, "refresh_token") => open(self.refresh_token),
            (Namespace::Client | Namespace::Flow | Namespace::Callback | Namespace::Token, _) => {
                None
            }
        }
    }
}

impl Values for Scope<'_> {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        self.text(reference).map(Cow::Borrowed)
    }
}
