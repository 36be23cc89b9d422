//! How long it takes to render a whole authorise URL, and to read a token answer: `cargo bench -p latchkey-benches`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't go on stops where it stands"
)]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, StatusCode};
use latchkey_core::{
    model::{
        Secret,
        grant::Grant,
        method::AuthMethod,
        values::{GivenValues, KnownValues},
    },
    protocol::{
        asked::Asked,
        authorise_url::{authorise_url, scopes},
        scope::Scope,
        token_answer::{self, Reader},
        wire::WireAnswer,
    },
};
use serde_json::{Value, json};

const CALLBACK: &str = "https://latchkey.example/oauth/authenticate";

/// A plain one, one with an account in its host, and the hairiest two.
const AUTHORISED: [&str; 4] = ["github", "shopify", "bullhorn", "feishu"];

fn method(preset: &str) -> AuthMethod {
    let definition = serde_json::from_value(latchkey_presets::preset(preset).unwrap()).unwrap();
    AuthMethod::parse(&definition, &[]).unwrap()
}

fn given() -> GivenValues {
    let values = [
        ("client_id", "the-client"),
        ("client_secret", "s3cr3t"),
        ("shop", "acme"),
        ("username", "somebody@acme.example"),
        ("password", "p%+ /&=?"),
    ];
    values
        .map(|(key, value)| (key.to_owned(), Secret::from(value)))
        .into()
}

/// From stored values to the URL that a person is sent to.
fn rendered(method: &AuthMethod, given: &GivenValues, state: &Secret, verifier: &Secret) -> String {
    let known = KnownValues::resolve(method, given, given, given, CALLBACK);
    let plain = Scope::new(&known, CALLBACK);
    let id = method.client.id.fill(&plain).unwrap();
    let joined = scopes(&method.authorise, &plain).join(&method.authorise.scope_separator);
    let scope = Scope {
        client_id: Some(&id),
        redirect_uri: Some(CALLBACK),
        state: Some(state),
        scope: Some(&joined),
        ..plain
    };
    let url = authorise_url(&method.authorise, &scope, Some(verifier)).unwrap();
    url.into()
}

/// From the bytes of an answer to a grant.
fn read(method: &AuthMethod, known: &KnownValues, answer: &WireAnswer) -> Grant {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let scope = Scope::new(known, CALLBACK);
    let response = &method.token.response;
    let body = token_answer::read(answer, response, &scope, now).unwrap();
    let standard = token_answer::standard(answer, &body, response, None, &scope, now).unwrap();
    let standard: oauth2::basic::BasicTokenResponse =
        serde_json::from_slice(standard.body()).unwrap();
    let reader = Reader {
        method,
        response,
        scope: &scope,
        values: known,
        asked: Asked::at(now),
    };
    reader.grant(&standard, &body, &[])
}

fn answer(body: &str) -> WireAnswer {
    WireAnswer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Secret::new(body.as_bytes().to_vec()),
        round_trip: Duration::ZERO,
    }
}

fn answers() -> [(&'static str, &'static str, Value); 4] {
    let token = "t".repeat(1024);
    [
        (
            "plain",
            "google",
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3599, "refresh_token": "r", "scope": "a b" }),
        ),
        (
            "feishu",
            "feishu",
            json!({ "code": 0, "data": { "access_token": token, "refresh_token": "r", "expires_in": 7200, "open_id": "o" } }),
        ),
        (
            "slack",
            "slack",
            json!({ "ok": true, "access_token": token, "scope": "a,b", "team": { "id": "T" },
                    "authed_user": { "id": "U", "access_token": token, "scope": "c" } }),
        ),
        (
            "zoho",
            "zoho",
            json!({ "access_token": token, "expires_in": 3600, "api_domain": "https://www.zohoapis.eu", "scope": "a b" }),
        ),
    ]
}

fn authorise(criterion: &mut Criterion) {
    let (given, state, verifier) = (
        given(),
        Secret::new("s".repeat(32)),
        Secret::new("v".repeat(43)),
    );
    let mut group = criterion.benchmark_group("authorise_url");
    for preset in AUTHORISED {
        let method = method(preset);
        group.bench_function(preset, |bencher| {
            bencher.iter(|| rendered(black_box(&method), &given, &state, &verifier));
        });
    }
    group.finish();
}

fn token(criterion: &mut Criterion) {
    let given = given();
    let mut group = criterion.benchmark_group("token_answer");
    for (name, preset, body) in answers() {
        let method = method(preset);
        let known = KnownValues::resolve(&method, &given, &given, &given, CALLBACK);
        let answer = answer(&body.to_string());
        group.bench_function(name, |bencher| {
            bencher.iter(|| read(&method, &known, black_box(&answer)));
        });
    }
    // A form, as some answer.
    let method = method("github");
    let known = KnownValues::resolve(&method, &given, &given, &given, CALLBACK);
    let form = answer("access_token=gho_0123456789abcdef&scope=repo%2Cuser&token_type=bearer");
    group.bench_function("form", |bencher| {
        bencher.iter(|| read(&method, &known, black_box(&form)));
    });
    group.finish();
}

criterion_group!(benches, authorise, token);
criterion_main!(benches);
