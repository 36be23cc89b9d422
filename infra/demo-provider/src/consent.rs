//! The authorisation endpoint (RFC 6749 §3.1): asks the user, and sends them back with the answer.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, header};

use crate::{
    Provider,
    ledger::{Consent, Deed},
    page::{self, STYLE},
    params::Params,
    refusal::Refusal,
    request::{AuthorizationRequest, ErrorCode, Fault},
    scope::Scope,
    token_text::{Digest, Token},
};

/// `GET /authorize`: the consent page.
pub(crate) async fn ask(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let request = match AuthorizationRequest::read(&query, &provider.settings) {
        Ok(request) => request,
        Err(fault) => return Ok(fault.into_response()),
    };
    // A browser that has been here before keeps its token, so that two open tabs both work.
    let form_token = match form_token(&headers) {
        Some(token) => token.to_owned(),
        None => Token::mint("")?.expose().to_owned(),
    };
    let page = page::render(
        StatusCode::OK,
        &ConsentPage {
            style: STYLE,
            client: &request.consent.client_id,
            destination: &request.return_address.host(),
            scopes: &request.consent.scopes.iter().collect::<Vec<_>>(),
            form_token: &form_token,
        },
    );
    // It sits on a path of its own; `Lax`, as people come here from other sites.
    let secure = if provider.settings.is_https() {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{FORM_COOKIE}={form_token}; Path=/authorize; Max-Age=600; HttpOnly; SameSite=Lax{secure}"
    );
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

/// `POST /authorize`: the user's answer to the consent page.
///
/// The form is sent to the URL of the page, so the request is in the query again, and checked again.
pub(crate) async fn decide(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    answer: Params,
) -> Response {
    let query = query.unwrap_or_default();
    let AuthorizationRequest {
        consent,
        return_address,
    } = match AuthorizationRequest::read(&query, &provider.settings) {
        Ok(request) => request,
        Err(fault) => return fault.into_response(),
    };
    if !came_from_our_page(&headers, &answer) {
        return page::error(
            StatusCode::FORBIDDEN,
            "This page has been open for too long, or your browser refused its cookie. Go back and try again.",
        );
    }
    let outcome = match answer.optional("decision") {
        Ok(Some("allow")) => allow(&provider, consent).await,
        Ok(Some("deny")) => deny(&provider).await,
        Ok(_) | Err(_) => {
            return page::error(
                StatusCode::BAD_REQUEST,
                "The answer was neither yes nor no.",
            );
        }
    };
    match outcome {
        Ok(code) => return_address.with_code(&code),
        Err(error) => return_address.with_error(error),
    }
}

async fn allow(provider: &Provider, consent: Consent) -> Result<Token, ErrorCode> {
    let code = Token::mint("dac_").map_err(|_| ErrorCode::ServerError)?;
    let issue = provider.store.change(move |ledger, now| {
        ledger.issue(&code, consent, now);
        code
    });
    issue.await.map_err(|_| ErrorCode::ServerError)
}

async fn deny(provider: &Provider) -> Result<Token, ErrorCode> {
    let record = provider
        .store
        .change(|ledger, now| ledger.record(Deed::Denied, now));
    record.await.map_err(|_| ErrorCode::ServerError)?;
    Err(ErrorCode::AccessDenied)
}

/// Whether the form carries the same token as the cookie, which no other site can read or set
/// (RFC 6749 §10.12 asks the authorisation endpoint too for protection from forged requests).
fn came_from_our_page(headers: &HeaderMap, answer: &Params) -> bool {
    match (form_token(headers), answer.optional("form_token")) {
        (Some(cookie), Ok(Some(field))) => Digest::of(cookie).matches(&Digest::of(field)).into(),
        (_, Ok(_) | Err(_)) => false,
    }
}

/// The token in the browser's cookie, if it looks like one of ours.
fn form_token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.split_once('='));
    let (_, token) = pairs.find(|(name, _)| name.trim() == FORM_COOKIE)?;
    let bytes = URL_SAFE_NO_PAD.decode(token.trim()).ok()?;
    (bytes.len() == 32).then_some(token.trim())
}

impl IntoResponse for Fault<'_> {
    fn into_response(self) -> Response {
        match self {
            Self::Page(message) => page::error(StatusCode::BAD_REQUEST, message),
            Self::Redirect(return_address, error) => return_address.with_error(error),
        }
    }
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    style: &'a str,
    client: &'a str,
    /// Where the answer is sent.
    destination: &'a str,
    scopes: &'a [Scope],
    form_token: &'a str,
}

/// Cookies know no ports, so the name tells it from those of other servers on a laptop.
const FORM_COOKIE: &str = "latchkey_demo_provider_form";
