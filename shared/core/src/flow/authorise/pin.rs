//! What an authorisation pins, so that nothing of it changes while somebody is at the provider.

use url::Url;

use super::AuthoriseError;
use crate::{
    flow::exchange::moment,
    model::{
        Secret,
        authorisation::Digest,
        definition::{Alphabet, Origin, Pkce, StateCarrier},
        method::AuthMethod,
        template::{Namespace, Reference, Template},
        url_template::UrlTemplate,
        values::KnownValues,
        variable::ValueMap,
    },
    port::{Clock, Entropy},
    protocol::{
        authorise_url::{authorise_url, challenge, scopes},
        dialect::{DialectError, url},
        scope::Scope,
    },
};

/// What an authorisation pins.
pub(in crate::flow) struct Pinned {
    pub(in crate::flow) authorise_url: Url,
    pub(in crate::flow) token_url: Option<Url>,
    pub(in crate::flow) redirect_uri: Url,
    pub(in crate::flow) scopes: Vec<String>,
    pub(in crate::flow) state: Secret,
    pub(in crate::flow) digest: Digest,
    pub(in crate::flow) verifier: Option<Secret>,
}

/// Makes everything that an authorisation depends on.
///
/// # Errors
/// [`AuthoriseError`] says what is missing or can't be.
pub(in crate::flow) fn pin(
    method: &AuthMethod,
    known: &KnownValues,
    callback_url: &str,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Pinned, AuthoriseError> {
    let plain = Scope::new(known, callback_url);
    let client_id = method.client.id.fill(&plain)?;
    let redirect_uri = redirect_uri(method, &plain)?;
    let scopes = scopes(&method.authorise, &plain);
    let joined = scopes.join(&method.authorise.scope_separator);
    let state = entropy.text(
        state_length(method, &plain)?,
        method.authorise.state_alphabet,
    );
    let redirect_uri = match method.authorise.state_carrier {
        StateCarrier::Query | StateCarrier::Cookie => redirect_uri,
        StateCarrier::RedirectUri => carrying(redirect_uri, &state),
    };
    let verifier = (method.authorise.pkce != Pkce::None)
        .then(|| entropy.letters_and_digits(method.authorise.verifier_length));
    let challenge = verifier
        .as_ref()
        .map(|verifier| challenge(method.authorise.pkce, verifier));
    let moment = moment(clock, entropy);
    let scope = Scope {
        client_id: Some(&client_id),
        redirect_uri: Some(redirect_uri.as_str()),
        state: Some(&state),
        scope: Some(&joined),
        code_challenge: challenge.as_deref(),
        moment: Some(&moment),
        ..plain
    };
    Ok(Pinned {
        authorise_url: authorise_url(&method.authorise, &scope, verifier.as_ref())?,
        token_url: pinned_token_url(method, &scope)?,
        digest: Digest::of(&state),
        state: state.clone(),
        redirect_uri,
        scopes,
        verifier,
    })
}

/// The redirect URI (RFC 6749 §3.1.2), without what an authorisation adds to it.
///
/// # Errors
/// [`AuthoriseError::Impossible`] if a value is missing, or it is not a URL.
pub(in crate::flow) fn redirect_uri(
    method: &AuthMethod,
    scope: &Scope<'_>,
) -> Result<Url, AuthoriseError> {
    Url::parse(&method.redirect_uri.fill(scope)?)
        .map_err(|_| AuthoriseError::Impossible("the callback URL is not a URL".to_owned()))
}

/// The token URL, if it depends on nothing that only the callback brings.
pub(in crate::flow) fn pinned_token_url(
    method: &AuthMethod,
    scope: &Scope<'_>,
) -> Result<Option<Url>, AuthoriseError> {
    let urls = &method.token.urls;
    let is_captured = |reference: &Reference| match reference.namespace {
        Namespace::Variable => depends_on_callback(method, &reference.key),
        Namespace::Step => true,
        Namespace::Client
        | Namespace::Flow
        | Namespace::Callback
        | Namespace::Token
        | Namespace::Request
        | Namespace::Moment => false,
    };
    if urls
        .iter()
        .flat_map(UrlTemplate::references)
        .any(is_captured)
    {
        return Ok(None);
    }
    match url(urls, scope) {
        Ok(url) => Ok(Some(url)),
        Err(DialectError::NoUrl) => {
            let lacks = vec!["/definition/token/url".to_owned()];
            Err(AuthoriseError::Incomplete(lacks))
        }
        Err(error) => Err(AuthoriseError::Impossible(error.to_string())),
    }
}

fn depends_on_callback(method: &AuthMethod, key: &str) -> bool {
    method.variable(key).is_some_and(|variable| {
        let map = variable.map.iter().flat_map(ValueMap::templates);
        variable.from == Origin::Callback
            || map.flat_map(Template::references).any(|reference| {
                &*reference.key != key && depends_on_callback(method, &reference.key)
            })
    })
}

/// The redirect URI with the state in it, for providers that return none of their own.
fn carrying(mut redirect_uri: Url, state: &Secret) -> Url {
    redirect_uri
        .query_pairs_mut()
        .append_pair("state", state.expose());
    redirect_uri
}

/// The length of the state: 128 bits need 22 letters and digits; fewer are good beside PKCE only.
///
/// # Errors
/// [`AuthoriseError::Impossible`] if it is not a number between the bounds.
pub(in crate::flow) fn state_length(
    method: &AuthMethod,
    scope: &Scope<'_>,
) -> Result<usize, AuthoriseError> {
    let enough = match method.authorise.state_alphabet {
        Alphabet::Alphanumeric => 22,
        Alphabet::Hex => 32,
        Alphabet::Digits => 39,
    };
    let least = match method.authorise.pkce {
        Pkce::None => enough,
        Pkce::S256 | Pkce::S256Hex | Pkce::Plain => 15,
    };
    let length = method
        .authorise
        .state_length
        .fill(scope)?
        .parse::<usize>()
        .ok();
    length
        .filter(|length| (least..=128).contains(length))
        .ok_or_else(|| {
            AuthoriseError::Impossible(format!(
                "the state length must be a number from {least} to 128"
            ))
        })
}
