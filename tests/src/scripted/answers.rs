//! Answers in the provider's own form.

use serde_json::{Value, json};

use super::{
    codec,
    expected::{Blame, Kind, field},
    json,
    scene::{Known, Scene},
};

/// How a response is declared, with what it inherits.
pub(super) fn response<'a>(known: &'a Known, kind: Kind, request: &'a Value) -> &'a Value {
    field(known, kind, request, "response").unwrap_or(&Value::Null)
}

/// An answer on its way out.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    /// An answer of another kind than the provider's own.
    pub(super) fn plain(status: u16, content_type: &str, body: &str) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    /// An answer with a value, written as the response is declared.
    pub(super) fn of(response: &Value, status: u16, body: &Value) -> Self {
        if json::member(response, "format").as_deref() == Some("form") {
            let pairs: Vec<_> = body
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str(), json::text(value).unwrap_or_default()))
                .collect();
            let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            let form = codec::write_form(pairs);
            return Self::plain(status, "application/x-www-form-urlencoded", &form);
        }
        Self::plain(status, "application/json", &body.to_string())
    }
}

/// The answer of a success: the status and the marks that the definition wants, besides a body.
pub(super) fn success(response: &Value, mut body: Value) -> Answer {
    mark_success(response, &mut body);
    if body.is_null() {
        body = json!({});
    }
    let statuses = json::list(response, "statuses");
    let status = statuses.first().and_then(Value::as_u64).unwrap_or(200);
    Answer::of(response, u16::try_from(status).unwrap_or(200), &body)
}

/// Puts in what makes none of the conditions of an error hold.
pub(super) fn mark_success(response: &Value, body: &mut Value) {
    for condition in json::list(response, "error_when") {
        let path = json::member(condition, "path").unwrap_or_default();
        if let Some(right) = json::list(condition, "is_not").first() {
            json::put(body, &path, right.clone());
        } else if let Some(wrong) = json::list(condition, "is").first() {
            json::put(body, &path, other_than(wrong));
        }
    }
}

fn other_than(value: &Value) -> Value {
    match (value.as_bool(), value.is_number()) {
        (Some(value), _) => json!(!value),
        (None, true) => json!(0),
        (None, false) => json!("success"),
    }
}

/// The provider's own code for a fault.
pub(super) fn code(response: &Value, blame: Blame) -> Value {
    let (own, plain) = match blame {
        Blame::Grant => ("user", "invalid_grant"),
        Blame::Client => ("builder", "invalid_client"),
        Blame::Request => return json!("invalid_request"),
    };
    let errors = response.get("errors").unwrap_or(&Value::Null);
    let code = json::texts(errors, own).into_iter().next();
    let code = code.unwrap_or_else(|| plain.to_owned());
    match code.parse::<i64>() {
        Ok(number) if number.to_string() == code => json!(number),
        Ok(_) | Err(_) => json!(code),
    }
}

/// The body of an error: its code, words, and what makes one of the conditions of an error hold.
pub(super) fn error(response: &Value, code: &Value, words: &str) -> Value {
    let mut body = json!({});
    let path = |key: &str, default: &str| {
        let own = json::texts(response, key).into_iter().next();
        own.unwrap_or_else(|| default.to_owned())
    };
    let error_path = path("error_code", "error");
    json::put(&mut body, &error_path, code.clone());
    json::put(
        &mut body,
        &path("error_description", "error_description"),
        json!(words),
    );
    let conditions = json::list(response, "error_when");
    let held = conditions.iter().any(|condition| holds(condition, &body));
    if let Some(condition) = conditions.first().filter(|_| !held) {
        let at = json::member(condition, "path").unwrap_or_default();
        let is = json::list(condition, "is").first().cloned();
        let is_not = json::list(condition, "is_not").first();
        let value = is
            .or_else(|| is_not.map(wrong))
            .unwrap_or_else(|| json!("error"));
        json::put(&mut body, &at, value);
    }
    body
}

fn wrong(right: &Value) -> Value {
    match (right.as_bool(), right.is_number()) {
        (Some(right), _) => json!(!right),
        (None, true) => json!(40001),
        (None, false) => json!("error"),
    }
}

fn holds(condition: &Value, body: &Value) -> bool {
    let path = json::member(condition, "path").unwrap_or_default();
    let Some(value) = json::at(body, &path) else {
        return false;
    };
    let among = |key: &str| {
        let value = json::text(value);
        json::texts(condition, key)
            .iter()
            .any(|one| Some(one) == value.as_ref())
    };
    match (condition.get("is"), condition.get("is_not")) {
        (Some(_), _) => among("is"),
        (None, Some(_)) => !among("is_not"),
        (None, None) => true,
    }
}

/// A path below the response's root.
pub(super) fn rooted(response: &Value, path: &str) -> String {
    match json::member(response, "root") {
        Some(root) => format!("{root}.{path}"),
        None => path.to_owned(),
    }
}

/// The first path of a token in an answer.
pub(super) fn token_path(scene: &Scene<'_>, response: &Value, name: &str) -> Option<String> {
    let default = match name {
        "access_token" => "{{response_authentication_token_key}}",
        "refresh_token" => "{{response_refresh_token_key}}",
        "id_token" => "id_token",
        "token_type" => "token_type",
        _ => "scope",
    };
    let own = json::texts(response, name).into_iter().next();
    scene
        .render(&own.unwrap_or_else(|| default.to_owned()))
        .ok()
}

/// How the life of a token is said, and how long it is.
#[derive(Debug, Clone)]
pub(super) struct Expiry {
    pub(super) kind: String,
    pub(super) path: Option<String>,
    /// None where it never ends.
    pub(super) lifetime: Option<u64>,
}

impl Expiry {
    /// As it is declared in a member of a response or of a token set.
    pub(super) fn declared(declared: &Value, member: &str, lifetime: u64) -> Option<Self> {
        let expiry = json::given([declared.get(member)])?;
        let kind = json::member(expiry, "kind").unwrap_or_else(|| "auto".to_owned());
        let lifetime = match kind.as_str() {
            "never" => None,
            "fixed" => expiry.get("seconds").and_then(Value::as_u64),
            _ => Some(lifetime),
        };
        let path = json::member(expiry, "path")
            .or_else(|| json::texts(declared, "expires_in").into_iter().next())
            .or_else(|| (kind != "jwt").then(|| "expires_in".to_owned()));
        Some(Self {
            kind,
            path,
            lifetime,
        })
    }

    /// In seconds, at the path of `expires_in`.
    pub(super) fn seconds(path: Option<String>, lifetime: u64) -> Self {
        Self {
            kind: "seconds".to_owned(),
            path,
            lifetime: Some(lifetime),
        }
    }

    /// Whether the access token itself says it.
    pub(super) fn is_in_the_token(&self) -> bool {
        self.kind == "jwt" && self.path.is_none()
    }

    /// What the answer says, if it says anything.
    pub(super) fn said(&self, now: u64) -> Option<Value> {
        let lifetime = self.lifetime?;
        let end = now + lifetime;
        let moment = || {
            i64::try_from(end)
                .ok()
                .and_then(|end| jiff::Timestamp::from_second(end).ok())
        };
        Some(match self.kind.as_str() {
            "seconds" | "auto" => json!(lifetime),
            "minutes" => json!(lifetime / 60),
            "milliseconds" => json!(lifetime * 1000),
            "unix" => json!(end),
            "unix_milliseconds" => json!(end * 1000),
            "iso8601" => json!(moment()?.to_string()),
            "duration" => {
                let (days, hours, minutes) =
                    (lifetime / 86400, lifetime / 3600 % 24, lifetime / 60 % 60);
                json!(format!("{days}:{hours:02}:{minutes:02}"))
            }
            "jwt" => json!(super::jwt::make("person", "client", now, Some(end))),
            _ => return None,
        })
    }
}
