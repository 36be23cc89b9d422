//! Who is kept out.

use http::header;

use crate::world::{CLIENT_ID, CLIENT_SECRET, World, authorize_path, basic, redemption, request};

#[tokio::test]
async fn a_client_must_prove_who_it_is() {
    let world = World::new();
    let code = world.code().await;
    let wrong_headers = [
        basic(CLIENT_ID, "guess"),
        basic("stranger", CLIENT_SECRET),
        basic(CLIENT_ID, ""),
        "Bearer abc".to_owned(),
        "Basic !".to_owned(),
    ];
    for path in ["/token", "/revoke", "/introspect"] {
        for header in &wrong_headers {
            let headers = [(header::AUTHORIZATION.as_str(), header.as_str())];
            let answer = world.post(path, &headers, &redemption(&code)).await;
            assert_eq!(
                answer.refusal(),
                (401, "invalid_client".to_owned()),
                "{path} {header}"
            );
            assert!(answer.header("www-authenticate").starts_with("Basic "));
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        let mut form = redemption(&code);
        assert_eq!(
            world.post(path, &[], &form).await.refusal(),
            (401, "invalid_client".to_owned())
        );
        form.extend([("client_id", CLIENT_ID), ("client_secret", "guess")]);
        assert_eq!(
            world.post(path, &[], &form).await.refusal(),
            (401, "invalid_client".to_owned())
        );
    }
    assert_eq!(
        world.redeem(&code).await.status,
        200,
        "the code is still good"
    );
}

#[tokio::test]
async fn a_client_may_not_authenticate_twice_at_once() {
    let world = World::new();
    for extra in [("client_secret", CLIENT_SECRET), ("client_id", "stranger")] {
        let answer = world.token(&[("grant_type", "refresh_token"), extra]).await;
        assert_eq!(
            answer.refusal(),
            (400, "invalid_request".to_owned()),
            "{extra:?}"
        );
    }
}

#[tokio::test]
async fn a_consent_form_from_elsewhere_is_refused() {
    let world = World::new();
    let page = world.authorize(&request()).await;
    let other = world.authorize(&request()).await;
    let path = authorize_path(&request());
    let cookie = [(header::COOKIE.as_str(), page.cookie())];
    for (headers, token) in [
        (&[][..], page.form_token()),
        (&cookie[..], other.form_token()),
        (&cookie[..], ""),
    ] {
        let answer = world
            .post(
                &path,
                headers,
                &[("form_token", token), ("decision", "allow")],
            )
            .await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.header("location"), "");
    }
}

#[tokio::test]
async fn two_consent_pages_in_one_browser_share_their_form_token() {
    let world = World::new();
    let first = world.authorize(&request()).await;
    let headers = [(header::COOKIE.as_str(), first.cookie())];
    let second = world.get(&authorize_path(&request()), &headers).await;
    assert_eq!(second.form_token(), first.form_token());
}

#[tokio::test]
async fn a_form_token_from_a_cookie_that_is_not_ours_is_replaced() {
    let world = World::new();
    let cookie = "latchkey_demo_provider_form=\"><script>";
    let page = world
        .get(&authorize_path(&request()), &[("cookie", cookie)])
        .await;
    assert_eq!(page.form_token().len(), 43);
}

#[tokio::test]
async fn an_answer_that_is_neither_yes_nor_no_is_refused() {
    let world = World::new();
    for decision in ["", "maybe"] {
        assert_eq!(world.consent(&request(), decision).await.status, 400);
    }
}

#[tokio::test]
async fn the_orders_are_for_bearers_of_a_good_token() {
    let world = World::new();
    let refresh = format!("Bearer {}", world.connect().await.refresh);
    for (header, status, error) in [
        (None, 401, None),
        (Some("Basic YTpi"), 401, None),
        (Some("Bearer"), 400, Some("invalid_request")),
        (Some("Bearer unknown"), 401, Some("invalid_token")),
        (Some(refresh.as_str()), 401, Some("invalid_token")),
    ] {
        let headers: Vec<_> = header
            .map(|header| ("authorization", header))
            .into_iter()
            .collect();
        let answer = world.get("/api/orders", &headers).await;
        let challenge = answer.header("www-authenticate");
        assert_eq!(answer.status, status, "{header:?}");
        assert!(challenge.starts_with("Bearer realm="), "{header:?}");
        match error {
            Some(error) => assert!(
                challenge.contains(&format!("error=\"{error}\"")),
                "{challenge}"
            ),
            // RFC 6750 §3.1: no error for a request without a token.
            None => assert!(!challenge.contains("error="), "{challenge}"),
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_form_or_too_large_is_refused() {
    let world = World::new();
    let json = [("content-type", "application/json")];
    let answer = world.send("POST", "/token", &json, "{}".to_owned()).await;
    assert_eq!(answer.refusal(), (400, "invalid_request".to_owned()));

    let large = "x".repeat(17 * 1024);
    assert_eq!(world.token(&[("code", &large)]).await.status, 413);
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let world = World::new();
    let code = world.code().await;
    let mut form = redemption(&code);
    form.push(("code", &code));
    assert_eq!(
        world.token(&form).await.refusal(),
        (400, "invalid_request".to_owned())
    );
}
