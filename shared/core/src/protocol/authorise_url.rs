//! The authorise URL (RFC 6749 §4.1.1).

use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    basic::BasicClient,
};
use url::Url;

use super::{
    overlay::{Pairs, lay, wire},
    scope::Scope,
};
use crate::model::{
    Secret, definition::Pkce, method::Authorise, template::MissingValue, url_template::FillError,
};

/// Why no authorise URL could be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthoriseUrlError {
    /// The definition has no authorise URL yet.
    #[error("the auth method has no authorise URL")]
    NoUrl,
    /// Its URL could not be filled.
    #[error(transparent)]
    Url(#[from] FillError),
    /// A parameter could not be filled.
    #[error(transparent)]
    Parameter(#[from] MissingValue),
    /// The URL is too long for browsers and servers to agree on.
    #[error("the authorise URL is longer than 8,192 bytes")]
    TooLong,
}

const LONGEST: usize = 8192;

/// The scopes asked for, one by one: texts with several are taken apart.
///
/// # Errors
/// A value that a scope names is missing.
pub fn scopes(authorise: &Authorise, scope: &Scope<'_>) -> Result<Vec<String>, MissingValue> {
    let mut scopes = Vec::new();
    for template in &authorise.scopes {
        // An optional variable without a value asks for nothing.
        let Ok(text) = template.fill(scope) else {
            continue;
        };
        scopes.extend(split_scopes(&text, &authorise.scope_separator));
    }
    Ok(scopes)
}

/// Takes a text of scopes apart at spaces and at the provider's separator.
pub(super) fn split_scopes(text: &str, separator: &str) -> Vec<String> {
    text.split(' ')
        .flat_map(|part| part.split(separator))
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The URL to which a person is sent.
///
/// `scope` must have the client id, the redirect URI, the state and the joined scopes.
///
/// # Errors
/// [`AuthoriseUrlError`] says what is missing.
pub fn authorise_url(
    authorise: &Authorise,
    scope: &Scope<'_>,
    verifier: Option<&Secret>,
) -> Result<Url, AuthoriseUrlError> {
    let base = authorise
        .url
        .as_ref()
        .ok_or(AuthoriseUrlError::NoUrl)?
        .fill(scope)?;
    let standard = standard(&base, scope, verifier, authorise.pkce);
    let own = base.query_pairs().count();
    let pairs: Pairs = standard
        .query_pairs()
        .skip(own)
        .map(|(name, value)| (name.into(), value.into()))
        .collect();

    let mut wanted = pairs.clone();
    wire(&mut wanted, "response_type", "response_type", scope);
    if let Some(joined) = scope.scope.filter(|joined| !joined.is_empty()) {
        wanted.push(("scope".to_owned(), joined.to_owned()));
    }
    lay(&mut wanted, &authorise.query, scope)?;

    let mut url = standard;
    if wanted != pairs {
        url = base;
        if !wanted.is_empty() {
            url.query_pairs_mut().extend_pairs(&wanted);
        }
    }
    if url.as_str().len() > LONGEST {
        Err(AuthoriseUrlError::TooLong)
    } else {
        Ok(url)
    }
}

/// The URL as RFC 6749 §4.1.1 and RFC 7636 §4.3 prescribe it, without the scope.
fn standard(base: &Url, scope: &Scope<'_>, verifier: Option<&Secret>, pkce: Pkce) -> Url {
    let client = BasicClient::new(ClientId::new(
        scope.client_id.unwrap_or_default().to_owned(),
    ))
    .set_auth_uri(AuthUrl::from_url(base.clone()));
    let redirect = scope
        .redirect_uri
        .and_then(|text| RedirectUrl::new(text.to_owned()).ok());
    let state = scope
        .state
        .map(|state| state.expose().clone())
        .unwrap_or_default();
    let mut request = client.authorize_url(|| CsrfToken::new(state));
    if let (Pkce::S256, Some(verifier)) = (pkce, verifier) {
        let verifier = PkceCodeVerifier::new(verifier.expose().clone());
        request =
            request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    }
    if let Some(redirect) = redirect {
        request = request.set_redirect_uri(std::borrow::Cow::Owned(redirect));
    }
    request.url().0
}
