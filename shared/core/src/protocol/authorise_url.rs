//! The authorise URL (RFC 6749 §4.1.1).

use std::borrow::Cow;

use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    basic::BasicClient,
};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    overlay::{Pair, Pairs, Turn, encoded, lay, sorted, wire, written},
    scope::Scope,
};
use crate::model::{
    Secret,
    definition::{Encoding, ParameterOrder, Pkce, StateCarrier},
    method::Authorise,
    template::{Namespace, Reference, Template, Unfilled, Values},
    url_template::FillError,
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
    Parameter(#[from] Unfilled),
    /// The URL is too long for browsers and servers to agree on.
    #[error("the authorise URL is longer than 8,192 bytes")]
    TooLong,
}

const LONGEST: usize = 8192;

/// The scopes asked for, one by one: texts with several are taken apart.
#[must_use]
pub fn scopes(authorise: &Authorise, scope: &Scope<'_>) -> Vec<String> {
    listed(&authorise.scopes, &authorise.scope_separator, scope)
}

fn listed(templates: &[Template], separator: &str, scope: &Scope<'_>) -> Vec<String> {
    // An optional variable without a value asks for nothing.
    let texts = templates.iter().filter_map(|text| text.fill(scope).ok());
    let mut scopes: Vec<String> = Vec::new();
    for asked in texts.flat_map(|text| split_scopes(&text, separator)) {
        if !scopes.contains(&asked) {
            scopes.push(asked);
        }
    }
    scopes
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
    let base = base(authorise, scope)?;
    let standard = standard(&base, scope, verifier, authorise.pkce);
    let own = base.query_pairs().count();
    let pairs: Pairs = standard
        .query_pairs()
        .skip(own)
        .map(|(name, value)| Pair::new(name, value))
        .collect();

    let mut wanted = pairs.clone();
    wire(&mut wanted, "response_type", "response_type", scope);
    if let Some(joined) = scope.scope.filter(|joined| !joined.is_empty()) {
        wanted.push(Pair::new("scope", joined));
    }
    if authorise.state_carrier != StateCarrier::Query {
        wanted.retain(|pair| pair.name != "state");
    }
    for list in &authorise.scope_lists {
        let joined = listed(&list.scopes, &list.separator, scope).join(&list.separator);
        if !joined.is_empty() {
            wanted.push(Pair::new(&*list.parameter, joined));
        }
    }
    let (variables, query) = (scope.variables, &authorise.query);
    lay(&mut wanted, query, variables, scope, Turn::First)?;
    let signed = Signed {
        inner: scope,
        sorted: sorted(wanted.iter()),
    };
    lay(&mut wanted, query, variables, &signed, Turn::Signatures)?;
    if authorise.order == ParameterOrder::Sorted {
        wanted.sort_by(|left, right| left.name.cmp(&right.name));
    }

    let routed = base.fragment().is_some() || authorise.fragment.is_some();
    let untouched = wanted == pairs && authorise.encoding == Encoding::Form && !routed;
    let url = match untouched {
        true => standard,
        false => with_parameters(base, &wanted, authorise, scope)?,
    };
    if url.as_str().len() > LONGEST {
        Err(AuthoriseUrlError::TooLong)
    } else {
        Ok(url)
    }
}

/// The first authorise URL whose values are all there, with its route.
fn base(authorise: &Authorise, scope: &Scope<'_>) -> Result<Url, AuthoriseUrlError> {
    let mut failed = AuthoriseUrlError::NoUrl;
    for template in &authorise.urls {
        match template.fill(scope) {
            Ok(mut url) => {
                url.set_fragment(template.route());
                return Ok(url);
            }
            Err(error) => failed = error.into(),
        }
    }
    Err(failed)
}

/// The URL with its parameters: in its query, or behind the route of an application.
fn with_parameters(
    mut url: Url,
    pairs: &[Pair],
    authorise: &Authorise,
    scope: &Scope<'_>,
) -> Result<Url, AuthoriseUrlError> {
    let added = encoded(pairs, authorise.encoding);
    let join = |own: &str, with: &str| match (own.is_empty(), added.is_empty()) {
        (_, true) => own.to_owned(),
        (true, false) => added.clone(),
        (false, false) => format!("{own}{with}{added}"),
    };
    if let Some(route) = url.fragment() {
        let routed = join(route, "?");
        url.set_fragment(Some(&routed));
    } else {
        let query = join(url.query().unwrap_or_default(), "&");
        url.set_query((!query.is_empty()).then_some(&query));
    }
    if let Some(fragment) = &authorise.fragment {
        let fragment = fragment.fill_with(scope, |value| written(&value, Encoding::Rfc3986))?;
        let whole = url
            .fragment()
            .map_or_else(|| fragment.clone(), |routed| format!("{routed}#{fragment}"));
        url.set_fragment(Some(&whole));
    }
    Ok(url)
}

/// The URL as RFC 6749 §4.1.1 and RFC 7636 §4.3 prescribe it, without the scope.
fn standard(base: &Url, scope: &Scope<'_>, verifier: Option<&Secret>, pkce: Pkce) -> Url {
    let mut plain = base.clone();
    plain.set_fragment(None);
    let client = BasicClient::new(ClientId::new(
        scope.client_id.unwrap_or_default().to_owned(),
    ))
    .set_auth_uri(AuthUrl::from_url(plain));
    let redirect = scope
        .redirect_uri
        .and_then(|text| RedirectUrl::new(text.to_owned()).ok());
    let state = scope
        .state
        .map(|state| state.expose().clone())
        .unwrap_or_default();
    let mut request = client.authorize_url(|| CsrfToken::new(state));
    if let Some(redirect) = redirect {
        request = request.set_redirect_uri(Cow::Owned(redirect));
    }
    let Some(verifier) = verifier else {
        return request.url().0;
    };
    let text = PkceCodeVerifier::new(verifier.expose().clone());
    match pkce {
        Pkce::None => request.url().0,
        Pkce::S256 => {
            request
                .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&text))
                .url()
                .0
        }
        // The crate makes neither: what it makes of S256 is replaced.
        Pkce::Plain | Pkce::S256Hex => {
            let (mut url, method) = (request.url().0, challenge_method(pkce));
            url.query_pairs_mut()
                .append_pair("code_challenge", &challenge(pkce, verifier))
                .append_pair("code_challenge_method", method);
            url
        }
    }
}

fn challenge_method(pkce: Pkce) -> &'static str {
    match pkce {
        Pkce::Plain => "plain",
        Pkce::S256 | Pkce::S256Hex | Pkce::None => "S256",
    }
}

/// The PKCE challenge (RFC 7636 §4.2).
#[must_use]
pub fn challenge(pkce: Pkce, verifier: &Secret) -> String {
    let digest = || Sha256::digest(verifier.expose());
    match pkce {
        Pkce::Plain => verifier.expose().clone(),
        Pkce::S256Hex => digest().iter().map(|byte| format!("{byte:02x}")).collect(),
        Pkce::S256 | Pkce::None => {
            let text = PkceCodeVerifier::new(verifier.expose().clone());
            PkceCodeChallenge::from_code_verifier_sha256(&text)
                .as_str()
                .to_owned()
        }
    }
}

/// The values of an authorise URL that can also name its other parameters.
struct Signed<'a> {
    inner: &'a Scope<'a>,
    sorted: String,
}

impl Values for Signed<'_> {
    fn value(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        match (reference.namespace, &*reference.key) {
            (Namespace::Request, "sorted") => Some(Cow::Borrowed(&self.sorted)),
            _ => self.inner.value(reference),
        }
    }
}
