//! The authorisation code grant.

use std::time::Duration;

use crate::world::{
    CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, STATE, VERIFIER, World, authorize_path, but,
    redemption, request,
};

#[tokio::test]
async fn a_user_who_allows_it_is_sent_back_with_a_code_the_state_and_the_issuer() {
    let world = World::new();
    let answer = world.consent(&request(), "allow").await;
    assert!(
        answer.location().as_str().starts_with(REDIRECT_URI),
        "its own query is kept"
    );
    assert!(answer.returned("code").is_some());
    assert_eq!(answer.returned("state").as_deref(), Some(STATE));
    assert_eq!(answer.returned("iss").as_deref(), Some(ISSUER));
    assert_eq!(answer.returned("error"), None);
}

#[tokio::test]
async fn a_user_who_denies_it_is_sent_back_with_access_denied() {
    let world = World::new();
    let answer = world.consent(&request(), "deny").await;
    assert_eq!(answer.returned("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.returned("state").as_deref(), Some(STATE));
    assert_eq!(answer.returned("iss").as_deref(), Some(ISSUER));
    assert_eq!(answer.returned("code"), None);
}

#[tokio::test]
async fn a_code_buys_tokens_that_open_the_orders() {
    let world = World::new();
    let code = world.code().await;
    let answer = world.redeem(&code).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let json = answer.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 60);
    assert_eq!(json["scope"], "profile:read orders:read");

    let orders = world.orders(&answer.tokens().access).await;
    assert_eq!(orders.status, 200);
    assert_eq!(orders.json()["orders"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_client_may_authenticate_in_the_body() {
    let world = World::new();
    let code = world.code().await;
    let mut form = redemption(&code);
    form.extend([("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]);
    assert_eq!(world.post("/token", &[], &form).await.status, 200);
}

#[tokio::test]
async fn a_replayed_code_revokes_what_it_had_issued() {
    let world = World::new();
    let code = world.code().await;
    let tokens = world.redeem(&code).await.tokens();
    let refreshed = world.refresh(&tokens.refresh).await.tokens();
    // Long after the code itself would have expired.
    world.advance(Duration::from_secs(3_600));
    assert_eq!(
        world.redeem(&code).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        world.refresh(&refreshed.refresh).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(world.orders(&refreshed.access).await.status, 401);
}

#[tokio::test]
async fn a_replayed_code_leaves_other_connections_alone() {
    let world = World::new();
    let bystander = world.connect().await;
    let code = world.code().await;
    world.redeem(&code).await.tokens();
    world.redeem(&code).await;
    assert_eq!(world.orders(&bystander.access).await.status, 200);
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let world = World::new();
    let (in_time, late) = (world.code().await, world.code().await);
    world.advance(Duration::from_secs(59));
    assert_eq!(world.redeem(&in_time).await.status, 200);
    world.advance(Duration::from_secs(1));
    assert_eq!(
        world.redeem(&late).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn a_code_is_bound_to_what_it_was_asked_with() {
    let world = World::new();
    let code = world.code().await;
    let wrong_verifier = VERIFIER.replace('d', "e");
    for (name, value, error) in [
        (
            "code_verifier",
            Some(wrong_verifier.as_str()),
            "invalid_grant",
        ),
        ("code_verifier", Some("short"), "invalid_request"),
        ("code_verifier", None, "invalid_request"),
        (
            "redirect_uri",
            Some("http://127.0.0.1:8787/oauth/authenticate"),
            "invalid_grant",
        ),
        ("redirect_uri", None, "invalid_grant"),
        ("code", Some("dac_unknown"), "invalid_grant"),
        ("code", None, "invalid_request"),
        ("grant_type", Some("password"), "unsupported_grant_type"),
        ("grant_type", None, "invalid_request"),
    ] {
        let answer = world.token(&but(&redemption(&code), name, value)).await;
        assert_eq!(
            answer.refusal(),
            (400, error.to_owned()),
            "{name} {value:?}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // None of them has spoilt it for the client that knows better.
    assert_eq!(world.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn a_redirect_uri_that_was_left_out_may_be_left_out_again() {
    let world = World::new();
    let asked = but(&request(), "redirect_uri", None);
    for given in [None, Some(REDIRECT_URI)] {
        let answer = world.consent(&asked, "allow").await;
        assert!(answer.location().as_str().starts_with(REDIRECT_URI));
        let code = answer.returned("code").unwrap();
        let answer = world
            .token(&but(&redemption(&code), "redirect_uri", given))
            .await;
        assert_eq!(answer.status, 200, "{given:?}");
    }
}

#[tokio::test]
async fn nobody_is_sent_to_where_the_app_has_not_registered() {
    let world = World::new();
    for (name, value) in [
        ("client_id", Some("stranger")),
        ("client_id", None),
        ("redirect_uri", Some("https://thief.example/")),
        (
            "redirect_uri",
            Some("http://127.0.0.1:8787/oauth/authenticate"),
        ),
        (
            "redirect_uri",
            Some("http://127.0.0.1:8787/oauth/authenticate?via=demo#"),
        ),
    ] {
        let query = but(&request(), name, value);
        for answer in [
            world.authorize(&query).await,
            world.post(&authorize_path(&query), &[], &[]).await,
        ] {
            assert_eq!(answer.status, 400, "{name} {value:?}");
            assert_eq!(answer.header("location"), "", "{name} {value:?}");
            assert!(answer.header("content-type").starts_with("text/html"));
        }
    }
    let mut twice = request();
    twice.push(("redirect_uri", REDIRECT_URI));
    assert_eq!(world.authorize(&twice).await.status, 400);
    let long = "x".repeat(10_000);
    assert_eq!(
        world
            .authorize(&but(&request(), "state", Some(&long)))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_faulty_request_is_sent_back_to_the_app_with_its_state() {
    let world = World::new();
    for (name, value, error) in [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", None, "invalid_request"),
        ("scope", Some("orders:write"), "invalid_scope"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
    ] {
        let answer = world.authorize(&but(&request(), name, value)).await;
        assert_eq!(
            answer.returned("error").as_deref(),
            Some(error),
            "{name} {value:?}"
        );
        assert_eq!(answer.returned("state").as_deref(), Some(STATE));
        assert_eq!(answer.returned("iss").as_deref(), Some(ISSUER));
    }
}

#[tokio::test]
async fn a_state_given_twice_is_not_returned() {
    let world = World::new();
    let mut query = request();
    query.push(("state", "another"));
    let answer = world.authorize(&query).await;
    assert_eq!(answer.returned("error").as_deref(), Some("invalid_request"));
    assert_eq!(answer.returned("state"), None);
}

#[tokio::test]
async fn a_state_that_was_not_sent_is_not_returned() {
    let world = World::new();
    let answer = world
        .consent(&but(&request(), "state", None), "allow")
        .await;
    assert!(answer.returned("code").is_some());
    assert_eq!(answer.returned("state"), None);
}
