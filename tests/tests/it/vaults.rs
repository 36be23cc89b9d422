//! Refresh tokens in Secrets Manager: what is written when, and what is found after a crash at each step.

use latchkey_core::model::refresh_tokens::RefreshTokens;
use latchkey_emulators::{ministack, moto};
use latchkey_tests::{
    proxy::{Mode, Proxy},
    shop::{ACCESS_TTL, Shop},
    visitor::{Decision, Visitor},
};
use serde_json::json;

/// A shop with a Secrets Manager, and what stands before that.
async fn vaulted(emulator: &str) -> (Shop, Proxy) {
    let secrets = Proxy::before(emulator).await;
    (Shop::vaulted(&secrets.url).await, secrets)
}

/// The operations asked for since `before`. One that our client has asked for again, because this
/// machine is busy, counts once.
fn since(secrets: &Proxy, before: usize) -> Vec<String> {
    let mut operations = secrets.operations().split_off(before);
    operations.dedup();
    operations
}

async fn is_journal(shop: &Shop, instance: &str) -> bool {
    let now = shop.world.refresh_tokens(instance).await;
    assert_ne!(now, RefreshTokens::Inside, "sealed");
    now.journal().is_some()
}

/// Refreshes once, and says whether the access token that came works.
async fn refreshed(shop: &Shop, instance: &str) -> bool {
    shop.advance(ACCESS_TTL + 1).await;
    let token = shop.world.api.access_token(instance).await;
    shop.provider.is_active(&token).await
}

#[tokio::test]
async fn a_refresh_token_goes_to_secrets_manager_and_back_to_the_provider() {
    let (shop, secrets) = vaulted(moto()).await;
    assert_eq!(since(&secrets, 0), ["CreateSecret"], "the client secret");
    let before = secrets.operations().len();
    let instance = shop.connected().await;
    let consent = ["GetSecretValue", "CreateSecret"];
    assert_eq!(since(&secrets, before), consent, "a first consent");
    let first = shop.world.refresh_token(&instance).await;
    assert!(!is_journal(&shop, &instance).await);

    let before = secrets.operations().len();
    let _ = shop.world.api.access_token(&instance).await;
    assert!(since(&secrets, before).is_empty(), "vending reads one item");

    for _ in 0..2 {
        let before = secrets.operations().len();
        assert!(refreshed(&shop, &instance).await);
        let (read, write) = (
            "GetSecretValue",
            ["PutSecretValue", "UpdateSecretVersionStage"],
        );
        let rotated = since(&secrets, before);
        assert_eq!(
            rotated,
            [read, write[0], write[1]],
            "a refresh that rotates"
        );
        assert!(!is_journal(&shop, &instance).await);
    }
    let sent: Vec<_> = shop
        .proxy
        .seen()
        .iter()
        .filter_map(|seen| seen.field("refresh_token"))
        .collect();
    assert_eq!(sent[0], first);
    assert_ne!(sent[0], sent[1]);
    assert_ne!(shop.world.refresh_token(&instance).await, sent[1]);
    let held = [sent, vec![shop.world.refresh_token(&instance).await]].concat();
    let dump = shop.world.dump().await;
    assert!(held.iter().all(|token| !dump.contains(token)));
}

#[tokio::test]
async fn a_refresh_token_that_stays_is_written_once() {
    let secrets = Proxy::before(moto()).await;
    let shop = Shop::short_lived_with(false, Some(&secrets.url)).await;
    let instance = shop.connected().await;
    let pointer = shop.world.refresh_tokens(&instance).await;
    for _ in 0..2 {
        let before = secrets.operations().len();
        assert!(refreshed(&shop, &instance).await);
        assert_eq!(since(&secrets, before), ["GetSecretValue"]);
        assert_eq!(shop.world.refresh_tokens(&instance).await, pointer);
    }
}

#[tokio::test]
async fn the_other_emulator_agrees() {
    let (shop, _secrets) = vaulted(ministack()).await;
    let instance = shop.connected().await;
    for _ in 0..2 {
        assert!(refreshed(&shop, &instance).await);
        assert!(!is_journal(&shop, &instance).await);
    }
    let url = shop.reconnect_url(&instance).await;
    let page = shop
        .walk(&mut Visitor::default(), &url, &[], Decision::Allow)
        .await;
    assert_eq!(page.heading(), "Connected");
    assert!(refreshed(&shop, &instance).await);
    assert!(!is_journal(&shop, &instance).await);
    let deleted = shop
        .world
        .api
        .delete(&format!("/v1/instances/{instance}"))
        .await
        .ok();
    assert_eq!(deleted["revocation"]["outcome"], "confirmed");
}

#[tokio::test]
async fn without_secrets_manager_the_journal_serves_until_it_is_back() {
    let (shop, secrets) = vaulted(moto()).await;
    let instance = shop.connected().await;
    assert!(refreshed(&shop, &instance).await);
    // It goes away between the reading of the old refresh token and the writing of the new one.
    secrets.set_for("PutSecretValue", Mode::LoseAnswers);
    assert!(refreshed(&shop, &instance).await);
    assert!(is_journal(&shop, &instance).await);
    secrets.down();
    for _ in 0..2 {
        assert!(refreshed(&shop, &instance).await);
        assert!(is_journal(&shop, &instance).await);
    }
    secrets.set(Mode::Pass);
    secrets.up().await;
    assert!(refreshed(&shop, &instance).await);
    assert!(!is_journal(&shop, &instance).await);

    // Nobody is condemned because we can't read.
    secrets.down();
    shop.advance(ACCESS_TTL + 1).await;
    let refused = shop.world.api.vend(&instance).await;
    assert_eq!(refused.status, 503);
    assert_eq!(shop.world.sweep().await.errors, 1);
    assert_eq!(shop.world.api.health(&instance).await["status"], "active");
    secrets.up().await;
    assert!(refreshed(&shop, &instance).await);
}

#[tokio::test]
async fn replies_that_are_lost_leave_nothing_half_done() {
    for operation in ["PutSecretValue", "UpdateSecretVersionStage"] {
        let (shop, secrets) = vaulted(moto()).await;
        let instance = shop.connected().await;
        secrets.set_for(operation, Mode::LoseAnswers);
        assert!(refreshed(&shop, &instance).await);
        secrets.set(Mode::Pass);
        for _ in 0..2 {
            assert!(refreshed(&shop, &instance).await);
            assert!(!is_journal(&shop, &instance).await, "{operation}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leases_next_sees_a_journal_through() {
    for (operation, mode) in [
        ("PutSecretValue", Mode::HoldRequests),
        ("PutSecretValue", Mode::HoldAnswers),
        ("UpdateSecretVersionStage", Mode::HoldRequests),
        ("UpdateSecretVersionStage", Mode::HoldAnswers),
    ] {
        let secrets = Proxy::before(moto()).await;
        let shop = Shop::short_lived_with(true, Some(&secrets.url)).await;
        let instance = shop.connected().await;
        let path = format!("/v1/instances/{instance}/credential?minimum_seconds=3600");
        let shop = shop
            .killed("0", 40, async |api, _| {
                secrets.set_for(operation, mode.clone());
                let vending = async {
                    loop {
                        let _ = api.get(&path).await;
                    }
                };
                tokio::select! {
                    () = secrets.held() => {}
                    () = vending => {}
                }
            })
            .await;
        secrets.release();
        assert!(is_journal(&shop, &instance).await, "{operation} {mode:?}");
        for _ in 0..2 {
            assert!(refreshed(&shop, &instance).await, "{operation} {mode:?}");
            assert!(!is_journal(&shop, &instance).await, "{operation} {mode:?}");
        }
        assert_eq!(shop.world.api.health(&instance).await["status"], "active");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_died_before_the_vault_had_it_is_kept() {
    for mode in [Mode::HoldRequests, Mode::HoldAnswers] {
        let (shop, secrets) = vaulted(moto()).await;
        let (instance, url) = shop.session().await;
        let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
        let callback = shop
            .walk(&mut visitor, &url, &[], Decision::Allow)
            .await
            .url;
        let mut visitor = visitor.going_on();
        let shop = shop
            .killed("0", 0, async |_, _| {
                secrets.set_for("CreateSecret", mode.clone());
                tokio::select! {
                    () = secrets.held() => {}
                    _ = visitor.open(callback.as_str()) => {}
                }
            })
            .await;
        secrets.release();
        assert!(is_journal(&shop, &instance).await);
        assert!(refreshed(&shop, &instance).await);
        assert!(!is_journal(&shop, &instance).await);
    }
}

#[tokio::test]
async fn a_deletion_ends_the_secret_and_a_secret_ended_by_hand_comes_back() {
    use latchkey_core::port::{Secrets as _, SecretsError};
    let (shop, secrets) = vaulted(moto()).await;
    let instance = shop.connected().await;
    let found = shop.world.instance(&instance).await;
    let name = latchkey_core::model::instance::Instance::secret_name(&found.key);
    let RefreshTokens::Version(version) = shop.world.refresh_tokens(&instance).await else {
        panic!("no version");
    };
    shop.world.secrets().delete(&name).await.unwrap();
    assert!(refreshed(&shop, &instance).await);
    assert!(!is_journal(&shop, &instance).await);

    let path = format!("/v1/instances/{instance}");
    let deleted = shop.world.api.delete(&path).await.ok();
    assert_eq!(deleted["revocation"], json!({ "outcome": "confirmed" }));
    let read = shop.world.secrets().read(&name, &version).await;
    assert_eq!(read.map(drop), Err(SecretsError::Deleted));
    let before = secrets.operations().len();
    shop.advance(33).await;
    assert_eq!(shop.world.sweep().await.deleted, 1);
    assert_eq!(
        since(&secrets, before),
        ["DeleteSecret"],
        "once more at the end"
    );
    assert!(!shop.world.keeps(&instance).await);
}
