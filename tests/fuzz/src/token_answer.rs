//! An answer to a token request: which method and which status (a byte each), a line with a header, and the body.

use std::{sync::LazyLock, time::Duration};

use http::{HeaderValue, StatusCode, header};
use latchkey_core::{
    model::{
        Secret,
        grant::Tokens,
        method::AuthMethod,
        values::{GivenValues, KnownValues},
    },
    protocol::{
        asked::Asked,
        raw_answer::RawAnswer,
        refusal::TokenFailure,
        scope::Scope,
        token_answer::{self, Reader},
        wire::WireAnswer,
    },
};
use oauth2::basic::BasicTokenResponse;
use serde_json::{Value, json};

use crate::{CALLBACK_URL, now};

/// Providers whose answers are odd, each in its way.
const PRESETS: [&str; 8] = [
    "github",
    "slack",
    "feishu",
    "minecraft",
    "bullhorn",
    "facebook",
    "shopify",
    "tiktok",
];

/// Every way to say when a token ends.
const EXPIRIES: [&str; 11] = [
    "seconds",
    "minutes",
    "milliseconds",
    "unix",
    "unix_milliseconds",
    "iso8601",
    "duration",
    "jwt",
    "auto",
    "never",
    "introspect",
];

const STATUSES: [u16; 8] = [200, 201, 204, 302, 400, 401, 429, 503];

static METHODS: LazyLock<Vec<AuthMethod>> = LazyLock::new(|| {
    let presets = PRESETS.into_iter().filter_map(latchkey_presets::preset);
    presets.chain(EXPIRIES.map(expiring)).map(parsed).collect()
});

fn expiring(kind: &str) -> Value {
    let path = match kind {
        "never" | "introspect" => Value::Null,
        _ => json!("end"),
    };
    json!({
        "name": "Shop",
        "variables": [{ "key": "account", "from": "token", "path": "account", "required": false }],
        "authorise": { "url": "https://shop.example/authorise" },
        "token": {
            "url": "https://shop.example/token",
            "response": {
                "root": "data",
                "access_token": ["access_token", "token.0"],
                "expiry": { "kind": kind, "path": path },
                "error_when": [{ "path": "ok", "is_not": [true] }],
                "tokens": { "user": { "access_token": "user.token", "expiry": { "kind": "auto", "path": "user.end" } } },
            },
        },
        "introspect": { "url": "https://shop.example/introspect" },
    })
}

fn parsed(definition: Value) -> AuthMethod {
    let definition = serde_json::from_value(definition).expect("a definition");
    AuthMethod::parse(&definition, &[]).expect("an auth method")
}

pub(crate) fn run(bytes: &[u8]) {
    let [which, status, rest @ ..] = bytes else {
        return;
    };
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, body) = rest.split_at(end.unwrap_or(0));
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let pick = |byte: &u8, of: usize| usize::from(*byte) % of;
    let method = METHODS.get(pick(which, METHODS.len())).expect("a method");
    let status = STATUSES
        .get(pick(status, STATUSES.len()))
        .expect("a status");
    let value = HeaderValue::from_bytes(line).ok();
    let headers = value.map(|value| {
        [
            (header::RETRY_AFTER, value.clone()),
            (header::CONTENT_TYPE, value),
        ]
    });
    let answer = WireAnswer {
        status: StatusCode::from_u16(*status).expect("a status"),
        headers: headers.into_iter().flatten().collect(),
        body: Secret::new(body.to_vec()),
        round_trip: Duration::ZERO,
    };
    read(&answer, method);
    kept(&answer);
}

fn read(answer: &WireAnswer, method: &AuthMethod) {
    let nothing = GivenValues::new();
    let values = KnownValues::resolve(method, &nothing, &nothing, &nothing, CALLBACK_URL);
    let scope = Scope::new(&values, CALLBACK_URL);
    let response = &method.token.response;
    let body = match token_answer::read(answer, response, &scope, now()) {
        Ok(body) => body,
        Err(failure) => return refused(&failure),
    };
    let standard = match token_answer::standard(answer, &body, response, None, &scope, now()) {
        Ok(standard) => standard,
        Err(failure) => return refused(&failure),
    };
    let standard: BasicTokenResponse = serde_json::from_slice(standard.body())
        .expect("the standard parser reads what is standard");
    let reader = Reader {
        method,
        response,
        scope: &scope,
        values: &values,
        asked: Asked::at(now()),
    };
    let grant = reader.grant(&standard, &body, &[]);
    assert!(!grant.tokens.main.access_token.expose().is_empty());
    for (key, value) in &grant.tokens.captured {
        let variable = method.variable(key).expect("only variables are captured");
        assert_eq!(variable.check(value.expose()), Ok(()), "{key}");
    }
    let sealed = grant.tokens.to_plaintext().expect("tokens can be written");
    let again = Tokens::from_plaintext(&sealed).expect("what is written can be read");
    let again = again.to_plaintext().expect("tokens can be written");
    assert!(
        again.expose() == sealed.expose(),
        "tokens are read back as others"
    );
}

/// The provider's words go to people and logs: they are short and on one line.
fn refused(failure: &TokenFailure) {
    let words = failure.words.as_deref().unwrap_or_default();
    assert!(words.chars().count() <= 300 && !words.contains(char::is_control));
    assert!(
        failure
            .retry_after
            .is_none_or(|wait| wait <= Duration::from_secs(3600))
    );
}

fn kept(answer: &WireAnswer) {
    let Some(raw) = RawAnswer::of(answer, Asked::at(now())) else {
        return;
    };
    let sealed = raw.to_plaintext().expect("an answer can be written");
    let raw = RawAnswer::from_plaintext(&sealed).expect("what is written can be read");
    let again = raw.answer(now()).expect("an answer");
    assert!(
        again.body.expose() == answer.body.expose(),
        "an answer is read back as another"
    );
    assert_eq!(again.status, answer.status);
}
