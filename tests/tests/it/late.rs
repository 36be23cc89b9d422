//! Answers that come late: what they hold is kept, and takes its place when it is needed.

use latchkey_core::model::instance::State;
use latchkey_emulators::moto;
use latchkey_tests::{
    proxy::Mode,
    shop::{ACCESS_TTL, Shop},
};
use serde_json::json;

/// An answer that no provider has given.
fn hollow() -> Mode {
    let body = json!({
        "access_token": "hollow",
        "refresh_token": "hollow?&+",
        "token_type": "Bearer",
        "expires_in": ACCESS_TTL,
    });
    Mode::json(200, &body)
}

/// An instance whose only good refresh token is a spare: the answer that brought it came when another
/// worker had committed a hollow one.
async fn overtaken(shop: &Shop) -> String {
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    shop.proxy.set(Mode::HoldAnswers);
    let api = &shop.world.api;
    let (late, ()) = tokio::join!(api.access_token(&instance), async {
        shop.proxy.held().await;
        shop.world.clock.advance(60);
        // The first who comes leaves it alone for a while.
        let _ = shop.world.sweep().await;
        shop.world.clock.advance(11);
        shop.proxy.set(hollow());
        assert_eq!(api.access_token(&instance).await, "hollow");
        shop.proxy.release();
    });
    assert_eq!(late, "hollow", "whoever comes late looks again");
    instance
}

#[tokio::test]
async fn a_late_answer_takes_the_place_of_what_is_refused_which_stays_until_it_is_refused_again() {
    for shop in [Shop::oidc_provider().await, Shop::vaulted(moto()).await] {
        let instance = overtaken(&shop).await;
        let before = shop.world.instance(&instance).await;
        assert_eq!(before.spares.len(), 1);

        shop.advance(ACCESS_TTL + 1).await;
        let _ = shop.world.sweep().await;
        let promoted = shop.world.instance(&instance).await;
        assert!(matches!(promoted.state, State::Active(_)), "{promoted:?}");
        assert!(promoted.lease.is_none() && promoted.attempts == 0);
        // Its epoch is the lease's, and it opens for that.
        assert_eq!(promoted.grant().unwrap().epoch, promoted.epoch);
        assert_ne!(shop.world.refresh_token(&instance).await, "hollow?&+");
        let kept: Vec<_> = promoted
            .spares
            .iter()
            .map(|spare| (spare.epoch, spare.is_refused))
            .collect();
        assert_eq!(kept, [(before.grant().unwrap().epoch, true)]);

        shop.advance(2).await;
        assert_eq!(shop.world.sweep().await.refreshed, 1);
        let token = shop.world.api.access_token(&instance).await;
        assert!(shop.provider.is_active(&token).await);
    }
}

#[tokio::test]
async fn what_was_refused_is_asked_for_once_more_before_the_user_is() {
    let shop = Shop::oidc_provider().await;
    let instance = overtaken(&shop).await;
    let refused = Mode::json(400, &json!({ "error": "invalid_grant" }));
    shop.proxy.set(refused);
    shop.advance(ACCESS_TTL + 1).await;
    // The hollow one; the spare twice; then the hollow one again.
    for (count, status) in [
        (1, "active"),
        (2, "suspect"),
        (3, "suspect"),
        (4, "reconnect_required"),
    ] {
        let before = shop.proxy.count("refresh_token");
        let _ = shop.world.sweep().await;
        assert_eq!(shop.proxy.count("refresh_token"), before + 1, "{count}");
        let health = shop.world.api.health(&instance).await;
        assert_eq!(health["status"], status, "{count}: {health}");
        shop.advance(15 * 60 + 1).await;
    }
}
