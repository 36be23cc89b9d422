//! From a provider's answer to the standard one (RFC 6749 §5.1).

use http::header;
use jiff::Timestamp;
use oauth2::{TokenResponse as _, basic::BasicTokenResponse};
use serde_json::{Map, Value, json};

use super::{
    authorise_url::split_scopes,
    path,
    refusal::{self, TokenFailure},
    scope::Scope,
    wire::WireAnswer,
};
use crate::model::{
    failure::FailureCode,
    grant::{Grant, Tokens},
    method::Response,
    template::Template,
};

/// The answer as RFC 6749 §5.1 prescribes it, for the standard parser.
///
/// The standard parser refuses a 201, a form, and an answer without `token_type`, so all three are
/// made right here.
///
/// # Errors
/// [`TokenFailure`] if the answer brings no access token.
pub fn standard(
    answer: &WireAnswer,
    response: &Response,
    scope: &Scope<'_>,
    now: Timestamp,
) -> Result<http::Response<Vec<u8>>, TokenFailure> {
    let read = parse(answer);
    let failed = || refusal::failure(answer.status, &answer.headers, read.as_ref(), now);
    if !answer.status.is_success() {
        return Err(failed());
    }
    let Some(body) = &read else {
        return Err(failed());
    };
    let at = |template: &Template| template.fill(scope).ok();
    let Some(access_token) = at(&response.access_token).and_then(|path| path::text(body, &path))
    else {
        return Err(missing_token(
            failed(),
            at(&response.access_token).as_deref(),
        ));
    };
    let mut members = Map::new();
    members.insert("access_token".to_owned(), Value::String(access_token));
    let token_type = path::text(body, "token_type").filter(|kind| !kind.is_empty());
    members.insert(
        "token_type".to_owned(),
        json!(token_type.as_deref().unwrap_or("bearer")),
    );
    if let Some(token) = at(&response.refresh_token)
        .and_then(|path| path::text(body, &path))
        .filter(|token| !token.is_empty())
    {
        members.insert("refresh_token".to_owned(), Value::String(token));
    }
    if let Some(seconds) =
        at(&response.expires_in).and_then(|path| seconds(path::find(body, &path)?))
    {
        members.insert("expires_in".to_owned(), json!(seconds));
    }
    let scopes = at(&response.scope)
        .map(|path| granted(path::find(body, &path), &response.scope_separator))
        .unwrap_or_default();
    if !scopes.is_empty() {
        members.insert("scope".to_owned(), Value::String(scopes.join(" ")));
    }
    let mut standard = http::Response::new(Value::Object(members).to_string().into_bytes());
    standard.headers_mut().insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(standard)
}

/// The grant that a standard answer brings. `asked_at` is when the request was sent.
#[must_use]
pub fn grant(
    answer: &BasicTokenResponse,
    response: &Response,
    asked_for: &[String],
    asked_at: Timestamp,
) -> Grant {
    let lifetime = answer.expires_in().or(response.lifetime);
    let expires_at =
        lifetime.map(|lifetime| asked_at.saturating_add(lifetime).unwrap_or(Timestamp::MAX));
    let scopes = answer
        .scopes()
        .map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
    Grant {
        tokens: Tokens {
            access_token: answer.access_token().secret().as_str().into(),
            refresh_token: answer
                .refresh_token()
                .map(|token| token.secret().as_str().into()),
            token_type: answer.token_type().as_ref().to_owned(),
        },
        expires_at,
        scopes: scopes.unwrap_or_else(|| asked_for.to_vec()),
        received_at: asked_at,
    }
}

/// Reads a body: JSON, or a form as some providers answer, whatever its content type says.
fn parse(answer: &WireAnswer) -> Option<Value> {
    let body = answer.body.expose();
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return value.is_object().then_some(value);
    }
    let text = std::str::from_utf8(body).ok()?;
    let is_form = text.contains('=') && !text.contains(['<', '{', '\n', ' ']);
    is_form.then(|| {
        let pairs = url::form_urlencoded::parse(text.trim().as_bytes());
        Value::Object(
            pairs
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        )
    })
}

/// An answer that says yes and brings nothing: the definition's key is named, the answer is not.
fn missing_token(mut failure: TokenFailure, path: Option<&str>) -> TokenFailure {
    if failure.code == FailureCode::AnswerUnreadable {
        failure.words = Some(format!(
            "the answer has no access token at '{}'",
            path.unwrap_or_default()
        ));
    }
    failure
}

/// A positive number of seconds, written as a number or a text; anything else says nothing.
fn seconds(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    /// A century: more than that is a mistake, and would overflow.
    const MOST: f64 = 3_155_760_000.0;
    if !(1.0..=MOST).contains(&seconds) {
        return None;
    }
    format!("{seconds:.0}").parse().ok()
}

fn granted(value: Option<&Value>, separator: &str) -> Vec<String> {
    match value {
        Some(Value::String(text)) => split_scopes(text, separator),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}
