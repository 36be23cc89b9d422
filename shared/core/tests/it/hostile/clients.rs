//! Client ids and secrets, which may be anything a provider hands out (RFC 6749 appendix A).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::{
    Context, judge,
    request::{Body, Sent},
    same, try_all,
};

fn client(authentication: &str) -> Value {
    json!({ "client": { "authentication": authentication } })
}

/// The two halves of a Basic header (RFC 7617 §2): the first ends at the first colon.
fn basic(sent: &mut Sent) -> Result<(String, String), String> {
    let header = sent
        .header("authorization")
        .ok_or("there is no such header")?;
    let encoded = header.strip_prefix("Basic ").ok_or("it is not Basic")?;
    let decoded = STANDARD
        .decode(encoded)
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8(decoded).map_err(|error| error.to_string())?;
    let (id, secret) = text.split_once(':').ok_or("it has one half")?;
    Ok((id.to_owned(), secret.to_owned()))
}

/// A text that was form-encoded (RFC 6749 §2.3.1).
fn unformed(text: &str) -> Option<String> {
    judge::pairs(&format!("x={text}"))
        .pop()
        .map(|(_, value)| value)
}

/// The second part of the JWT that the client shows, taken out.
fn claims(sent: &mut Sent) -> Result<Value, String> {
    let Body::Form(_) = sent.body else {
        return Err("there is no form".to_owned());
    };
    let jwt = sent
        .form("client_assertion")
        .ok_or("there is no assertion")?;
    let parts: Vec<_> = jwt.split('.').collect();
    let [_, claims, _] = parts.as_slice() else {
        return Err(format!("it has {} parts", parts.len()));
    };
    let claims = URL_SAFE_NO_PAD
        .decode(claims)
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&claims).map_err(|error| error.to_string())
}

#[test]
fn a_client_s_id_and_secret_arrive_as_they_are() {
    let of = |key, context| Context { key, ..context };
    let signed = json!({ "client": { "authentication": "client_secret_jwt", "assertion": { "algorithm": "HS256", "claims": { "x": "{{x}}" } } } });
    try_all(&[
        of(
            "client_id",
            Context::new("client id in a form", &client("body"), |sent, value| {
                let found = sent.form("client_id");
                same(found.as_deref(), value)
            }),
        ),
        of(
            "client_secret",
            Context::new("client secret in a form", &client("body"), |sent, value| {
                let found = sent.form("client_secret");
                same(found.as_deref(), value)
            }),
        ),
        of(
            "client_id",
            Context::new("client id in Basic", &client("basic"), |sent, value| {
                let (id, secret) = basic(sent)?;
                same(unformed(&secret).as_deref(), "s3cr3t")?;
                same(unformed(&id).as_deref(), value)
            }),
        ),
        of(
            "client_secret",
            Context::new("client secret in Basic", &client("basic"), |sent, value| {
                let (id, secret) = basic(sent)?;
                same(unformed(&id).as_deref(), "the-client")?;
                same(unformed(&secret).as_deref(), value)
            }),
        ),
        of(
            "client_secret",
            Context::new(
                "client secret in Basic, raw",
                &json!({ "client": { "authentication": "basic", "basic_encoding": "raw" } }),
                |sent, value| {
                    let (id, secret) = basic(sent)?;
                    same(Some(&id), "the-client")?;
                    same(Some(&secret), value)
                },
            ),
        ),
        of(
            "client_secret",
            Context::new(
                "client secret in Bearer",
                &client("bearer"),
                |sent, value| {
                    let found = sent.header("authorization");
                    same(
                        found
                            .as_deref()
                            .and_then(|found| found.strip_prefix("Bearer "))
                            .map(str::trim),
                        value.trim(),
                    )
                },
            ),
        )
        .may_refuse(),
        Context::new("claim of a signed assertion", &signed, |sent, value| {
            let mut claims = claims(sent)?;
            let found = claims["x"].take();
            same(found.as_str(), value)?;
            same(claims["iss"].as_str(), "the-client")
        }),
    ]);
}
