//! Refresh tokens, which rotate.

use std::time::Duration;

use crate::world::World;

#[tokio::test]
async fn an_access_token_ends_by_the_clock_and_a_refresh_brings_another() {
    let world = World::new();
    let tokens = world.connect().await;
    world.advance(Duration::from_secs(59));
    assert_eq!(world.orders(&tokens.access).await.status, 200);
    world.advance(Duration::from_secs(1));
    let expired = world.orders(&tokens.access).await;
    assert_eq!(expired.status, 401);
    assert!(
        expired
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );

    let refreshed = world.refresh(&tokens.refresh).await.tokens();
    assert_ne!(refreshed.refresh, tokens.refresh);
    assert_eq!(world.orders(&refreshed.access).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_family() {
    let world = World::new();
    let (first, bystander) = (world.connect().await, world.connect().await);
    let second = world.refresh(&first.refresh).await.tokens();
    let third = world.refresh(&second.refresh).await.tokens();

    assert_eq!(
        world.refresh(&first.refresh).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(
        world.refresh(&third.refresh).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
    assert_eq!(world.orders(&third.access).await.status, 401);
    assert_eq!(world.refresh(&bystander.refresh).await.status, 200);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_and_the_family_ends() {
    let world = World::new();
    let tokens = world.connect().await;
    let (one, two) = tokio::join!(
        world.refresh(&tokens.refresh),
        world.refresh(&tokens.refresh)
    );
    let (winner, loser) = if one.status == 200 {
        (one, two)
    } else {
        (two, one)
    };
    assert_eq!(loser.refusal(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.orders(&winner.tokens().access).await.status, 401);
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_but_not_for_more() {
    let world = World::new();
    let tokens = world.connect().await;
    let refresh = |scope, token: String| {
        let world = &world;
        async move {
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &token),
                ("scope", scope),
            ];
            world.token(&form).await
        }
    };
    let refused = refresh("orders:read orders:write", tokens.refresh.clone()).await;
    assert_eq!(refused.refusal(), (400, "invalid_scope".to_owned()));

    let narrowed = refresh("profile:read", tokens.refresh).await;
    assert_eq!(narrowed.json()["scope"], "profile:read");
    let orders = world.orders(&narrowed.tokens().access).await;
    assert_eq!(orders.status, 403);
    assert!(
        orders
            .header("www-authenticate")
            .contains("error=\"insufficient_scope\"")
    );

    // RFC 6749 §6: the refresh token keeps what was granted.
    let whole = world.refresh(&narrowed.tokens().refresh).await;
    assert_eq!(whole.json()["scope"], "profile:read orders:read");
}

#[tokio::test]
async fn a_refresh_token_that_was_never_issued_is_refused() {
    let world = World::new();
    let access = world.connect().await.access;
    for token in ["drt_unknown.token", "drt_", "", access.as_str()] {
        let (status, error) = world.refresh(token).await.refusal();
        assert_eq!(status, 400, "{token}");
        assert_eq!(
            error,
            if token.is_empty() {
                "invalid_request"
            } else {
                "invalid_grant"
            }
        );
    }
}

#[tokio::test]
async fn a_connection_that_is_not_used_for_a_month_ends() {
    let world = World::new();
    let tokens = world.connect().await;
    world.advance(Duration::from_secs(30 * 24 * 3_600));
    assert_eq!(
        world.refresh(&tokens.refresh).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
}
