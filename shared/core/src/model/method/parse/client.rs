//! The client and how it shows who it is.

use std::time::Duration;

use super::Parser;
use crate::model::{
    definition::{
        AssertionDefinition, ClientAuthentication, Definition, RequestParts, SigningAlgorithm,
    },
    method::{Assertion, Client, place::Place},
};

const LONGEST_ASSERTION: u32 = 60 * 60 * 24 * 180;
const ASSERTION_LIFETIME: u32 = 300;

impl Parser {
    /// The client; parsed after the requests, which say whether its secret is sent.
    pub(super) fn client(&mut self, written: &Definition) -> Client {
        let client = &written.client;
        let id = self.template("/client/id", &client.id, Place::ClientId);
        let secret = self.template("/client/secret", &client.secret, Place::ClientSecret);
        let ways = ways(written);
        let has_secret = ways.iter().any(|way| way.has_secret());
        let is_sent = ways.iter().any(|way| {
            way.has_secret() && (*way != ClientAuthentication::Custom || self.names_client_secret)
        });
        if !is_sent {
            // What is not sent need not be given.
            for variable in &mut self.variables {
                if secret
                    .references()
                    .any(|reference| reference.is_variable(&variable.key))
                {
                    variable.required = false;
                }
            }
        }
        let signs = ways.iter().any(|way| way.signs());
        match (&client.assertion, signs) {
            (None, true) => {
                let why = "this way of authentication needs an assertion";
                self.faults.add("/client/assertion", "missing", why);
            }
            (Some(_), false) => {
                let why = "no request authenticates with an assertion";
                self.faults.add("/client/assertion", "unexpected", why);
            }
            (Some(_), true) | (None, false) => {}
        }
        Client {
            id,
            secret: has_secret.then_some(secret),
            basic_encoding: client.basic_encoding,
            assertion: client
                .assertion
                .as_ref()
                .map(|assertion| self.assertion(assertion, &ways)),
        }
    }

    fn assertion(
        &mut self,
        written: &AssertionDefinition,
        ways: &[ClientAuthentication],
    ) -> Assertion {
        let shared = written.algorithm == SigningAlgorithm::Hs256;
        if shared != ways.contains(&ClientAuthentication::ClientSecretJwt) {
            let why = "'client_secret_jwt' signs with HS256, the others with RS256, PS256 or ES256";
            self.faults
                .add("/client/assertion/algorithm", "unexpected", why);
        }
        if !shared && written.key.is_none() {
            let why = "it needs the private key to sign with";
            self.faults.add("/client/assertion/key", "missing", why);
        }
        let lifetime = written.lifetime_seconds.unwrap_or(ASSERTION_LIFETIME);
        if !(1..=LONGEST_ASSERTION).contains(&lifetime) {
            let why = "an assertion holds from a second to 180 days";
            self.faults
                .add("/client/assertion/lifetime_seconds", "out_of_range", why);
        }
        let mut part = |name: &str, text: &Option<String>| {
            let pointer = format!("/client/assertion/{name}");
            text.as_deref()
                .map(|text| self.template(&pointer, text, Place::Token))
        };
        Assertion {
            algorithm: written.algorithm,
            key: part("key", &written.key),
            key_id: part("key_id", &written.key_id),
            issuer: part("issuer", &written.issuer),
            subject: part("subject", &written.subject),
            audience: part("audience", &written.audience),
            lifetime: Duration::from_secs(u64::from(lifetime)),
            header: self.plain("/client/assertion/header", &written.header, Place::Token),
            claims: self.plain("/client/assertion/claims", &written.claims, Place::Token),
        }
    }
}

/// All ways in which requests authenticate.
fn ways(written: &Definition) -> Vec<ClientAuthentication> {
    let own = |parts: RequestParts<'_>| parts.authentication;
    [
        Some(written.client.authentication),
        own(written.token.parts()),
        own(written.refresh.parts()),
        written
            .revoke
            .as_ref()
            .and_then(|revoke| own(revoke.parts())),
        written
            .introspect
            .as_ref()
            .and_then(|introspect| own(introspect.parts())),
    ]
    .into_iter()
    .flatten()
    .collect()
}
