//! The scripted provider refuses what a real one would.

use std::sync::Arc;

use latchkey_tests::{
    http_client, parameter,
    scripted::{Facts, ORIGIN, Scripted},
};
use serde_json::json;

/// A request as it must be, and the ways in which it may be wrong.
#[tokio::test(flavor = "multi_thread")]
async fn the_scripted_provider_refuses_whatever_its_definition_does_not_say() {
    let right = "grant_type=authorization_code&code=CODE&redirect_uri=http%3A%2F%2Flocalhost%2Fback&code_verifier=VERIFIER&client_id=the-client&client_secret=the+secret%2F%2B";
    let form = "application/x-www-form-urlencoded";
    let post = reqwest::Method::POST;
    for (why, method, content_type, authorization, body) in [
        ("", post.clone(), form, None, right.to_owned()),
        (
            "is not post",
            reqwest::Method::PUT,
            form,
            None,
            right.to_owned(),
        ),
        (
            "the body is application/json",
            post.clone(),
            "application/json",
            None,
            right.to_owned(),
        ),
        (
            "code",
            post.clone(),
            form,
            None,
            right.replace("code=CODE&", ""),
        ),
        (
            "code",
            post.clone(),
            form,
            None,
            right.replace("CODE", "another"),
        ),
        (
            "extra",
            post.clone(),
            form,
            None,
            format!("{right}&extra=1"),
        ),
        (
            "redirect_uri",
            post.clone(),
            form,
            None,
            right.replace("back", "elsewhere"),
        ),
        (
            "code_verifier",
            post.clone(),
            form,
            None,
            right.replace("VERIFIER", &"v".repeat(43)),
        ),
        (
            "client_secret",
            post.clone(),
            form,
            None,
            right.replace("the+secret", "a+secret"),
        ),
        (
            "client_id",
            post.clone(),
            form,
            None,
            format!("{right}&client_id=the-client"),
        ),
        (
            "authorization",
            post.clone(),
            form,
            Some("Basic dGhlLWNsaWVudDp0aGUgc2VjcmV0LysK"),
            right.to_owned(),
        ),
    ] {
        let definition = json!({
            "name": "Strict",
            "client": { "authentication": "body" },
            "authorise": { "url": "https://strict.example/authorise" },
            "token": { "url": "https://strict.example/token" },
        });
        let now = Arc::new(|| 1_700_000_000);
        let provider = Scripted::start(definition, Facts::new("http://localhost/back", now)).await;
        let verifier = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
        let challenge = challenge(verifier);
        let visited = format!(
            "https://strict.example/authorise?response_type=code&client_id=the-client&state=abcdefghijklmnopqrstuvwxyz012345\
             &redirect_uri=http%3A%2F%2Flocalhost%2Fback&code_challenge={challenge}&code_challenge_method=S256"
        );
        let back = provider.visit(&visited).await.unwrap();
        let back = url::Url::parse(&back.url).unwrap();
        let code = parameter(&back, "code").unwrap();
        let body = body.replace("CODE", &code).replace("VERIFIER", verifier);
        let mut request = http_client()
            .request(method, format!("{}/token", provider.address()))
            .header(ORIGIN, "https://strict.example")
            .header("content-type", content_type)
            .body(body.clone());
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = request.send().await.unwrap();
        let refusals = provider.refusals().join("; ").to_lowercase();
        assert_eq!(
            answer.status().is_success(),
            why.is_empty(),
            "{why}: {body}: {refusals}"
        );
        assert!(refusals.contains(why), "{why}: {refusals}");
    }
}

/// RFC 7636 §4.2.
fn challenge(verifier: &str) -> String {
    use base64::Engine as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}
