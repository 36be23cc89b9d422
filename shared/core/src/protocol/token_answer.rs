//! From a provider's answer to the standard one (RFC 6749 §5.1).

use std::collections::BTreeMap;

use http::header;
use jiff::Timestamp;
use oauth2::{TokenResponse as _, basic::BasicTokenResponse};
use serde_json::{Map, Value, json};

use super::{
    asked::Asked,
    authorise_url::split_scopes,
    expiry::{End, end, own_end},
    path,
    refusal::{self, TokenFailure},
    scope::Scope,
    wire::WireAnswer,
};
use crate::model::{
    Secret,
    definition::{AnswerFormat, ExpiryKind, Origin},
    failure::FailureCode,
    grant::{Grant, TokenSet, Tokens},
    method::{AuthMethod, Response, TokenPaths},
    template::{Template, Values},
    terms::Terms,
    values::KnownValues,
};

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The body of an answer that is a success, as the definition says.
///
/// # Errors
/// [`TokenFailure`] if it is an error, or can't be read.
pub fn read(
    answer: &WireAnswer,
    response: &Response,
    scope: &Scope<'_>,
    now: Timestamp,
) -> Result<Value, TokenFailure> {
    let body = parse(answer, response.format);
    let accepted = match response.statuses.as_slice() {
        [] => answer.status.is_success(),
        statuses => statuses.contains(&answer.status.as_u16()),
    };
    match body {
        Some(read) if accepted && !refusal::is_error(&read, response) => Ok(read),
        body => Err(refusal::failure(
            answer,
            response,
            body.as_ref(),
            scope,
            now,
        )),
    }
}

/// The answer as RFC 6749 §5.1 prescribes it, for the standard parser. `kept` is the access token that
/// stays where the answer brings none.
///
/// The standard parser refuses a 201, a form, and an answer without `token_type`, so all three are
/// made right here.
///
/// # Errors
/// [`TokenFailure`] if the answer brings no access token.
pub fn standard(
    answer: &WireAnswer,
    body: &Value,
    response: &Response,
    kept: Option<&Secret>,
    scope: &Scope<'_>,
    now: Timestamp,
) -> Result<http::Response<Vec<u8>>, TokenFailure> {
    let root = rooted(body, response);
    let paths = &response.tokens;
    let found = first(root, &paths.access_token, scope);
    let access_token = found.or_else(|| kept.map(|token| token.expose().clone()));
    let Some(access_token) = access_token else {
        let failure = refusal::failure(answer, response, Some(body), scope, now);
        return Err(missing_token(failure, &paths.access_token, scope));
    };
    if !can_be_sent(&access_token) {
        let failure = refusal::failure(answer, response, Some(body), scope, now);
        return Err(TokenFailure {
            words: Some("the access token is none that a header could carry".to_owned()),
            ..failure
        });
    }
    let mut members = Map::new();
    let mut member = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    member("token_type", json!(token_type(root, paths, scope)));
    if let Some(token) = first(root, &paths.refresh_token, scope) {
        member("refresh_token", Value::String(token));
    }
    if let Some(End::At(at)) = end(&paths.expiry, root, &access_token, Asked::at(now), scope) {
        let seconds = at.duration_since(now).as_secs().max(0);
        member("expires_in", json!(seconds));
    }
    member("access_token", Value::String(access_token));
    let scopes = scopes(root, &paths.scope, &response.scope_separator, scope);
    if !scopes.is_empty() {
        member("scope", Value::String(scopes.join(" ")));
    }
    let mut standard = http::Response::new(Value::Object(members).to_string().into_bytes());
    standard.headers_mut().insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(standard)
}

/// What an answer is read with, besides the answer.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The auth method.
    pub method: &'a AuthMethod,
    /// How the answer is read.
    pub response: &'a Response,
    /// The values that templates of paths can name.
    pub scope: &'a Scope<'a>,
    /// The values that are known.
    pub values: &'a KnownValues,
    /// When it was asked for.
    pub asked: Asked,
}

impl Reader<'_> {
    /// The grant that a standard answer brings, with all that the standard one has no place for.
    #[must_use]
    pub fn grant(&self, answer: &BasicTokenResponse, body: &Value, asked_for: &[String]) -> Grant {
        let (response, asked) = (self.response, self.asked);
        let root = rooted(body, response);
        let access_token: Secret = answer.access_token().secret().as_str().into();
        let said = end(
            &response.tokens.expiry,
            root,
            access_token.expose(),
            asked,
            self.scope,
        );
        let expires_at = match said {
            Some(End::Never) => None,
            Some(End::At(at)) => Some(at),
            None => self.unsaid(access_token.expose()),
        };
        let main = TokenSet {
            refresh_token: answer
                .refresh_token()
                .map(|token| token.secret().as_str().into()),
            id_token: first(root, &response.tokens.id_token, self.scope).map(Secret::new),
            token_type: answer.token_type().as_ref().to_owned(),
            expires_at,
            access_token,
        };
        let refresh_ends_at = response.refresh_expiry.iter().find_map(|expiry| {
            let token = main.refresh_token.as_ref().map_or("", |t| t.expose());
            let ends = end(std::slice::from_ref(expiry), root, token, asked, self.scope)?;
            match ends {
                End::At(at) => Some(at),
                End::Never => None,
            }
        });
        let scopes = answer
            .scopes()
            .map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        Grant {
            refreshable: !matches!(said, Some(End::Never)),
            tokens: Tokens {
                main,
                sets: self.sets(root),
                captured: self.captured(body),
            },
            expires_at: None,
            terms: Terms {
                refresh_ends_at,
                ..Terms::default()
            },
            scopes: scopes.unwrap_or_else(|| asked_for.to_vec()),
            received_at: asked.at,
        }
    }

    /// When an access token ends of which the answer doesn't say it: by the definition, or by the token.
    fn unsaid(&self, access_token: &str) -> Option<Timestamp> {
        let asked = self.asked;
        let lifetime = self.response.lifetime;
        lifetime
            .map(|life| asked.at.saturating_add(life).unwrap_or(Timestamp::MAX))
            .or_else(|| own_end(access_token, asked))
    }

    /// The further token sets of an answer.
    #[must_use]
    pub fn sets(&self, root: &Value) -> BTreeMap<String, TokenSet> {
        let sets = self.response.sets.iter();
        sets.filter_map(|(name, paths)| Some((name.to_string(), self.set(root, paths)?)))
            .collect()
    }

    /// The tokens at some paths, if there is an access token.
    #[must_use]
    pub fn set(&self, root: &Value, paths: &TokenPaths) -> Option<TokenSet> {
        let access_token = first(root, &paths.access_token, self.scope)?;
        let said = end(&paths.expiry, root, &access_token, self.asked, self.scope);
        let secret = |paths: &[Template]| first(root, paths, self.scope).map(Secret::new);
        Some(TokenSet {
            refresh_token: secret(&paths.refresh_token),
            id_token: secret(&paths.id_token),
            token_type: token_type(root, paths, self.scope),
            expires_at: match said {
                Some(End::At(at)) => Some(at),
                Some(End::Never) => None,
                None => own_end(&access_token, self.asked),
            },
            access_token: Secret::new(access_token),
        })
    }

    /// The values of variables that an answer brings; what a variable may not be is left out.
    #[must_use]
    pub fn captured(&self, body: &Value) -> BTreeMap<String, Secret> {
        let variables = self.method.variables.iter();
        variables
            .filter(|variable| variable.from == Origin::Token)
            .filter_map(|variable| {
                let text = path::text(body, &variable.path)?;
                let callback_url = self.scope.callback_url;
                match self.values.capture(variable, &text, callback_url) {
                    Ok(value) => Some((variable.key.to_string(), value)),
                    Err(why) => {
                        tracing::warn!(variable = %variable.key, why, "captured value refused");
                        None
                    }
                }
            })
            .collect()
    }

    /// Lays the tokens of a later step's answer over those that came before.
    pub fn overlay(&self, grant: &mut Grant, body: &Value) {
        let root = rooted(body, self.response);
        if let Some(later) = self.set(root, &self.response.tokens) {
            let main = &mut grant.tokens.main;
            main.expires_at = later
                .expires_at
                .or_else(|| self.unsaid(later.access_token.expose()));
            main.access_token = later.access_token;
            main.refresh_token = later.refresh_token.or_else(|| main.refresh_token.take());
            main.id_token = later.id_token.or_else(|| main.id_token.take());
            main.token_type = later.token_type;
        }
        grant.tokens.sets.append(&mut self.sets(root));
        grant.tokens.captured.append(&mut self.captured(body));
    }
}

impl Response {
    /// Whether the end of the access token has to be asked for.
    #[must_use]
    pub fn asks_for_expiry(&self) -> bool {
        let mut kinds = self.tokens.expiry.iter().map(|expiry| expiry.kind);
        kinds.any(|kind| kind == ExpiryKind::Introspect)
    }
}

/// When an introspected token ends (RFC 7662 §2.2).
#[must_use]
pub fn introspected(body: &Value, response: &Response, asked: Asked) -> Option<Timestamp> {
    let root = rooted(body, response);
    let seconds = path::text(root, "exp")?.parse::<i64>().ok()?;
    let at = asked.ours(Timestamp::from_second(seconds).ok()?)?;
    (at > asked.at).then_some(at)
}

/// The part of an answer that the paths to tokens start at.
fn rooted<'a>(body: &'a Value, response: &Response) -> &'a Value {
    let root = response.root.as_deref();
    root.and_then(|root| path::find(body, root)).unwrap_or(body)
}

/// The first text that is there and not empty.
fn first(answer: &Value, paths: &[Template], values: &dyn Values) -> Option<String> {
    paths
        .iter()
        .filter_map(|path| path::text(answer, &path.fill(values).ok()?))
        .find(|text| !text.is_empty())
}

/// Whether a token could stand in a header: RFC 6750 §2.1 allows no more than visible characters, and
/// some providers need more; line ends and NULs are nowhere taken.
fn can_be_sent(token: &str) -> bool {
    !token.contains(char::is_control) && !token.trim().is_empty()
}

fn token_type(root: &Value, paths: &TokenPaths, values: &dyn Values) -> String {
    first(root, &paths.token_type, values)
        .or_else(|| path::text(root, "token_type").filter(|kind| !kind.is_empty()))
        .unwrap_or_else(|| "bearer".to_owned())
}

fn scopes(root: &Value, paths: &[Template], separator: &str, values: &dyn Values) -> Vec<String> {
    paths
        .iter()
        .filter_map(|path| path::find(root, &path.fill(values).ok()?))
        .map(|value| granted(Some(value), separator))
        .find(|scopes| !scopes.is_empty())
        .unwrap_or_default()
}

/// Reads a body: JSON, or a form as some providers answer, whatever its content type says. A byte order
/// mark before it is none of it (RFC 8259 §8.1).
pub(super) fn parse(answer: &WireAnswer, format: AnswerFormat) -> Option<Value> {
    let body = answer.body.expose();
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if format != AnswerFormat::Form
        && let Ok(value) = serde_json::from_slice::<Value>(body)
    {
        return (value.is_object() || value.is_array()).then_some(value);
    }
    if format == AnswerFormat::Json {
        return None;
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
fn missing_token(
    mut failure: TokenFailure,
    paths: &[Template],
    values: &dyn Values,
) -> TokenFailure {
    if failure.code == FailureCode::AnswerUnreadable {
        let path = paths.first().and_then(|path| path.fill(values).ok());
        failure.words = Some(format!(
            "the answer has no access token at '{}'",
            path.unwrap_or_default()
        ));
    }
    failure
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
