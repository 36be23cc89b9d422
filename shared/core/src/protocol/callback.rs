//! What a provider sends people back with (RFC 6749 §4.1.2), before anything of it is believed.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq;

use super::scope::Scope;
use crate::model::{
    Secret,
    definition::{DigestAlgorithm, DigestEncoding, Origin},
    function::{Function, Value},
    method::{AuthMethod, Callback, Verify},
    values::KnownValues,
};

/// The parameters of a callback. Nothing of them is believed until the state is taken.
#[derive(Clone, Default)]
pub struct UnverifiedAnswer(Vec<(String, Secret)>);

/// Why an answer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// Its keyed digest is missing or wrong.
    #[error("its signature is missing or wrong")]
    Signature,
    /// A value that it must bring is missing, or is one that it may not bring.
    #[error("a value of it is missing or not one that it may have")]
    Value,
}

impl UnverifiedAnswer {
    /// The answer with these parameters.
    pub fn new(parameters: impl IntoIterator<Item = (String, String)>) -> Self {
        let secret = |(name, value): (String, String)| (name, Secret::new(value));
        Self(parameters.into_iter().map(secret).collect())
    }

    /// The parameter `name`; one that comes twice is not there (RFC 6749 §3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let mut found = self.0.iter().filter(|(present, _)| present == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) if !value.expose().is_empty() => Some(value),
            _ => None,
        }
    }

    /// Whether there is a parameter `name`, with whatever text and however often.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(present, _)| present == name)
    }

    /// The texts of a parameter that may carry a state: of every parameter, since what it is called
    /// is known only once the state has been found.
    pub fn state_candidates(&self) -> impl Iterator<Item = &Secret> {
        let named = |(name, _): &&(String, Secret)| name == "state";
        let plain = |value: &&Secret| {
            let text = value.expose();
            (15..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let first = self.0.iter().filter(named);
        let others = self.0.iter().filter(move |pair| !named(pair));
        first.chain(others).map(|(_, value)| value).filter(plain)
    }

    /// Checks what it must be signed with, and takes the values that it must bring.
    ///
    /// # Errors
    /// [`Unacceptable`] if anything is wrong with it.
    pub fn captured(
        &self,
        method: &AuthMethod,
        known: &KnownValues,
        scope: &Scope<'_>,
    ) -> Result<BTreeMap<String, Secret>, Unacceptable> {
        if let Some(verify) = &method.callback.verify {
            self.verify(verify, scope)?;
        }
        let mut captured = BTreeMap::new();
        for variable in &method.variables {
            // The code itself is the seed's own callback variable.
            if variable.from != Origin::Callback || &*variable.key == "oauth_authorised_code" {
                continue;
            }
            match self.get(&variable.path) {
                Some(value) => {
                    let value = known.capture(variable, value.expose(), scope.callback_url);
                    let value = value.map_err(|_| Unacceptable::Value)?;
                    captured.insert(variable.key.to_string(), value);
                }
                None if variable.required && variable.default.is_none() => {
                    return Err(Unacceptable::Value);
                }
                None => {}
            }
        }
        Ok(captured)
    }

    fn verify(&self, verify: &Verify, scope: &Scope<'_>) -> Result<(), Unacceptable> {
        let wrong = Unacceptable::Signature;
        let sent = self.get(&verify.parameter).ok_or(wrong)?.expose();
        let key = verify.key.fill(scope).map_err(|_| wrong)?;
        let mut covered: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| *name != *verify.parameter && !verify.except.contains(name))
            .collect();
        covered.sort_by(|(left, _), (right, _)| left.cmp(right));
        let texts: Vec<_> = covered
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect();
        let algorithm = match verify.algorithm {
            DigestAlgorithm::Sha256 => "sha256",
            DigestAlgorithm::Sha1 => "sha1",
            DigestAlgorithm::Sha512 => "sha512",
        };
        let (encoding, sent) = match verify.encoding {
            DigestEncoding::Hex => (Function::Hex, sent.to_ascii_lowercase()),
            DigestEncoding::Base64 => (Function::Base64, sent.clone()),
        };
        let expected = Function::Hmac
            .apply(Value::Text(texts.join("&")), &[algorithm.to_owned(), key])
            .and_then(|digest| encoding.apply(digest, &[]))
            .map_err(|_| wrong)?;
        match expected.as_bytes().ct_eq(sent.as_bytes()).into() {
            true => Ok(()),
            false => Err(wrong),
        }
    }
}

impl std::fmt::Debug for UnverifiedAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.0.iter().map(|(name, _)| name).collect();
        f.debug_tuple("UnverifiedAnswer").field(&names).finish()
    }
}

impl Callback {
    /// Whether an answer says that the person, or the provider in their name, said no.
    #[must_use]
    pub fn error<'a>(&self, answer: &'a UnverifiedAnswer) -> Option<&'a str> {
        let named = answer.get(&self.error).or_else(|| answer.get("error"));
        named.map(|error| error.expose().as_str())
    }
}
