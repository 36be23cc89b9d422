//! Revocation and introspection.

use std::time::Duration;

use serde_json::json;

use crate::world::{CLIENT_ID, ISSUER, World};

#[tokio::test]
async fn revoking_a_refresh_token_ends_the_connection() {
    let world = World::new();
    let tokens = world.connect().await;
    let answer = world
        .as_client("/revoke", &[("token", &tokens.refresh)])
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert_eq!(world.orders(&tokens.access).await.status, 401);
    assert_eq!(
        world.refresh(&tokens.refresh).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn revoking_a_refresh_token_that_was_replaced_ends_the_connection_too() {
    let world = World::new();
    let old = world.connect().await;
    let new = world.refresh(&old.refresh).await.tokens();
    world.as_client("/revoke", &[("token", &old.refresh)]).await;
    assert_eq!(world.orders(&new.access).await.status, 401);
}

#[tokio::test]
async fn revoking_an_access_token_leaves_the_connection() {
    let world = World::new();
    let tokens = world.connect().await;
    let form = [
        ("token", tokens.access.as_str()),
        ("token_type_hint", "refresh_token"),
    ];
    assert_eq!(world.as_client("/revoke", &form).await.status, 200);
    assert_eq!(world.orders(&tokens.access).await.status, 401);
    assert_eq!(world.refresh(&tokens.refresh).await.status, 200);
}

#[tokio::test]
async fn revoking_what_is_not_there_is_no_error() {
    let world = World::new();
    for token in ["unknown", "drt_unknown.token"] {
        assert_eq!(
            world.as_client("/revoke", &[("token", token)]).await.status,
            200
        );
    }
    let missing = world.as_client("/revoke", &[]).await;
    assert_eq!(missing.refusal(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn introspection_describes_a_token_that_is_good() {
    let world = World::new();
    let tokens = world.connect().await;
    assert_eq!(
        world.introspect(&tokens.access).await,
        json!({
            "active": true,
            "iss": ISSUER,
            "sub": "demo-user",
            "username": "Demo user",
            "client_id": CLIENT_ID,
            "scope": "profile:read orders:read",
            "iat": 1_800_000_000,
            "exp": 1_800_000_060,
            "token_type": "Bearer",
        })
    );
    let refresh = world.introspect(&tokens.refresh).await;
    assert_eq!(
        (&refresh["active"], refresh.get("token_type")),
        (&json!(true), None)
    );
}

#[tokio::test]
async fn introspection_says_nothing_of_a_token_that_is_not() {
    let world = World::new();
    let old = world.connect().await;
    world.refresh(&old.refresh).await.tokens();
    world.advance(Duration::from_secs(60));
    for token in ["unknown", old.access.as_str(), old.refresh.as_str()] {
        assert_eq!(world.introspect(token).await, json!({ "active": false }));
    }
    let tokens = world.connect().await;
    assert_eq!(world.introspect(&tokens.refresh).await["active"], true);
}
