//! Authorisation requests (RFC 6749 §4.1.1, RFC 7636 §4.3).

use crate::{
    ledger::Consent,
    params::{Params, Repeated},
    return_address::ReturnAddress,
    scope::Scopes,
    settings::{RedirectUri, Settings},
    token_text::Digest,
};

/// A request that can be put to the user.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest<'a> {
    pub(crate) consent: Consent,
    pub(crate) return_address: ReturnAddress<'a>,
}

/// What is wrong with a request.
#[derive(Debug)]
pub(crate) enum Fault<'a> {
    /// Nobody can be sent back, because it is not known to whom (RFC 6749 §4.1.2.1).
    Page(&'static str),
    /// The client is told, by way of the browser.
    Redirect(ReturnAddress<'a>, ErrorCode),
}

/// The errors of RFC 6749 §4.1.2.1 that a request can earn here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    InvalidRequest(&'static str),
    UnsupportedResponseType,
    InvalidScope,
    AccessDenied,
    ServerError,
}

impl<'a> AuthorizationRequest<'a> {
    /// Checks a request: first whether it may be answered at all, then the rest.
    pub(crate) fn read(query: &str, settings: &'a Settings) -> Result<Self, Fault<'a>> {
        if query.len() > QUERY_LIMIT {
            return Err(Fault::Page("The request is too long."));
        }
        let params = Params::parse(query.as_bytes());
        client_id(&params, settings)?;
        let (redirect_uri, redirect_uri_was_given) = redirect_uri(&params, settings)?;
        let state = params.optional("state");
        let known_state = state.ok().flatten().map(str::to_owned);
        let return_address = ReturnAddress::new(redirect_uri, known_state, &settings.issuer);
        let demand = state.map_err(ErrorCode::from).and_then(|_| demand(&params));
        match demand {
            Ok((scopes, code_challenge)) => {
                let client_id = settings.client_id.clone();
                let redirect_uri = redirect_uri.text.clone();
                let consent = Consent {
                    client_id,
                    scopes,
                    redirect_uri,
                    redirect_uri_was_given,
                    code_challenge,
                };
                Ok(Self {
                    consent,
                    return_address,
                })
            }
            Err(code) => Err(Fault::Redirect(return_address, code)),
        }
    }
}

fn client_id(params: &Params, settings: &Settings) -> Result<(), Fault<'static>> {
    let client_id = params.optional("client_id");
    let client_id = client_id.map_err(|_| Fault::Page("client_id is given more than once."))?;
    match client_id {
        Some(known) if known == settings.client_id => Ok(()),
        Some(_) => Err(Fault::Page(
            "No app with this client_id is registered here.",
        )),
        None => Err(Fault::Page(
            "The request does not say which app it is from: client_id is missing.",
        )),
    }
}

/// Compares character for character (RFC 9700 §2.1). It may be left out only when there is no choice
/// (RFC 6749 §3.1.2.3).
fn redirect_uri<'a>(
    params: &Params,
    settings: &'a Settings,
) -> Result<(&'a RedirectUri, bool), Fault<'static>> {
    let given = params.optional("redirect_uri");
    let given = given.map_err(|_| Fault::Page("redirect_uri is given more than once."))?;
    let registered = &settings.redirect_uris;
    match (given, registered.as_slice()) {
        (None, [only]) => Ok((only, false)),
        (None, _) => Err(Fault::Page("redirect_uri is missing.")),
        (Some(given), _) => registered
            .iter()
            .find(|uri| uri.text == given)
            .map(|uri| (uri, true))
            .ok_or(Fault::Page(
                "The redirect_uri is not one that the app has registered.",
            )),
    }
}

fn demand(params: &Params) -> Result<(Scopes, Digest), ErrorCode> {
    match params.optional("response_type")? {
        Some("code") => {}
        Some(_) => return Err(ErrorCode::UnsupportedResponseType),
        None => return Err(ErrorCode::InvalidRequest("response_type is missing")),
    }
    let code_challenge = code_challenge(params)?;
    let scopes = match params.optional("scope")? {
        Some(scope) => Scopes::parse(scope).map_err(|_| ErrorCode::InvalidScope)?,
        None => Scopes::all(),
    };
    Ok((scopes, code_challenge))
}

/// RFC 7636 §4.3; required, and by S256 only (RFC 9700 §2.1.1).
fn code_challenge(params: &Params) -> Result<Digest, ErrorCode> {
    // RFC 7636 §4.4.1 has words for the two errors that are ours to make.
    let challenge = params.optional("code_challenge")?;
    let challenge = challenge.ok_or(ErrorCode::InvalidRequest("code challenge required"))?;
    if params.optional("code_challenge_method")? != Some("S256") {
        return Err(ErrorCode::InvalidRequest(
            "transform algorithm not supported, use S256",
        ));
    }
    Digest::parse(challenge).map_err(|_| ErrorCode::InvalidRequest("code_challenge is malformed"))
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
pub(crate) fn is_code_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

impl ErrorCode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
        }
    }

    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) => description,
            Self::UnsupportedResponseType => "use the response type code",
            Self::InvalidScope => "use the scopes profile:read and orders:read",
            Self::AccessDenied => "the user said no",
            Self::ServerError => "the demo provider failed, its log says why",
        }
    }
}

impl From<Repeated> for ErrorCode {
    fn from(_: Repeated) -> Self {
        Self::InvalidRequest("a parameter is given more than once")
    }
}

/// Longer than any honest request, however long its state.
const QUERY_LIMIT: usize = 8 * 1024;
