//! When instances are refreshed: rejections, idle instances, and connections that will end.

use latchkey_tests::shop::{ACCESS_TTL, Shop};
use serde_json::{Value, json};

const DAY: i64 = 24 * 3600;

/// What `…/credential/rejected` says of a credential.
async fn reject(shop: &Shop, instance: &str, credential: &Value) -> latchkey_tests::api::Reply {
    let path = format!("/v1/instances/{instance}/credential/rejected");
    let body = json!({ "credential_id": credential["credential_id"] });
    shop.world.api.post(&path, &body).await
}

async fn outcome(shop: &Shop, instance: &str, credential: &Value) -> Value {
    reject(shop, instance, credential).await.ok()["outcome"].clone()
}

async fn credential(shop: &Shop, instance: &str) -> Value {
    shop.world.api.vend(instance).await.ok()
}

/// Saves the auth method with a change.
async fn change(shop: &Shop, change: impl FnOnce(&mut Value)) {
    let mut body = shop.body();
    change(&mut body["definition"]);
    let path = shop.method_path();
    let _ = shop.world.api.put(&path, "*", &body).await.ok();
}

/// In how many seconds the instance is refreshed next.
async fn next_refresh(shop: &Shop, instance: &str) -> i64 {
    use latchkey_core::port::Clock as _;
    let health = shop.world.api.health(instance).await;
    let at: jiff::Timestamp = health["next_refresh_at"].as_str().unwrap().parse().unwrap();
    at.duration_since(shop.world.clock.now()).as_secs()
}

#[tokio::test]
async fn an_access_token_that_was_rejected_is_replaced_and_a_late_rejection_does_nothing() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let first = credential(&shop, &instance).await;
    assert_eq!(outcome(&shop, &instance, &first).await, "stale");
    assert_eq!(
        outcome(&shop, &instance, &first).await,
        "stale",
        "said again"
    );
    let second = credential(&shop, &instance).await;
    assert_ne!(second["access_token"], first["access_token"]);
    assert_ne!(second["credential_id"], first["credential_id"]);
    assert_eq!(outcome(&shop, &instance, &first).await, "superseded");
    let third = credential(&shop, &instance).await;
    assert_eq!(third["credential_id"], second["credential_id"]);
    assert_eq!(shop.proxy.count("refresh_token"), 1);

    let path = format!("/v1/instances/{instance}/credential/rejected");
    let body = json!({ "credential_id": "crd_1" });
    let refused = shop.world.api.post(&path, &body).await;
    assert_eq!(
        refused.faults(),
        [("/credential_id".to_owned(), "invalid_type".to_owned())]
    );
    let nowhere = path.replace(&instance, "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e");
    let body = json!({ "credential_id": first["credential_id"] });
    let _ = shop
        .world
        .api
        .post(&nowhere, &body)
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn what_was_rejected_is_refreshed_by_the_sweep_if_nobody_asks_for_it() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let first = credential(&shop, &instance).await;
    assert_eq!(shop.world.sweep().await.due, 0);
    assert_eq!(outcome(&shop, &instance, &first).await, "stale");
    shop.advance(1).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    assert_eq!(outcome(&shop, &instance, &first).await, "superseded");
}

#[tokio::test]
async fn a_caller_that_rejects_everything_spends_few_refresh_tokens() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    for _ in 0..59 {
        for _ in 0..3 {
            let had = credential(&shop, &instance).await;
            let _ = reject(&shop, &instance, &had).await.ok();
        }
        shop.advance(60).await;
    }
    let had = credential(&shop, &instance).await;
    let held_back = reject(&shop, &instance, &had).await.ok();
    assert_eq!(held_back["outcome"], "held_back");
    assert!(held_back["until"].is_string(), "{held_back}");
    // Seven at least are the tokens' own: they live ten minutes.
    let refreshes = shop.proxy.count("refresh_token");
    assert!(refreshes <= 12, "{refreshes}");
}

#[tokio::test]
async fn rejections_teach_how_long_an_access_token_lives_that_does_not_say_it() {
    let shop = Shop::oidc_provider().await;
    change(&shop, |definition| {
        definition["token"]["response"] = json!({ "expires_in": "no_such_thing" });
    })
    .await;
    let instance = shop.connected().await;
    let _ = credential(&shop, &instance).await;
    // Its first refresh comes anywhere within the hour that it is taken to live.
    assert!((500..3100).contains(&next_refresh(&shop, &instance).await));
    for taught in [false, false, true] {
        let had = credential(&shop, &instance).await;
        assert_eq!(had.get("expires_at"), None);
        let next = next_refresh(&shop, &instance).await;
        assert_eq!(next < 60 * 10, taught, "{next}");
        if !taught {
            shop.advance(ACCESS_TTL).await;
            assert_eq!(outcome(&shop, &instance, &had).await, "stale");
        }
    }
}

#[tokio::test]
async fn an_instance_that_nobody_uses_is_only_kept_alive_and_wakes_when_it_is_used() {
    let shop = Shop::oidc_provider().await;
    change(&shop, |definition| {
        definition["refresh"]["idle_seconds"] = json!(5 * DAY);
    })
    .await;
    let instance = shop.connected().await;
    let refreshes = || shop.proxy.count("refresh_token");
    shop.advance(ACCESS_TTL * 86 / 100).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1, "a consent is a use");
    shop.advance(DAY).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    let next = next_refresh(&shop, &instance).await;
    assert!((3 * DAY - 9..=5 * DAY * 85 / 100).contains(&next), "{next}");
    for _ in 0..23 {
        shop.advance(3 * 3600).await;
        assert_eq!(shop.world.sweep().await.due, 0);
    }
    shop.advance(2 * DAY).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    assert_eq!(refreshes(), 3, "in six days");

    shop.advance(2 * DAY).await;
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
    assert_eq!(refreshes(), 4, "it was stale");
    for used in 5..=6 {
        shop.advance(ACCESS_TTL * 86 / 100).await;
        assert_eq!(shop.world.sweep().await.refreshed, 1);
        assert_eq!(refreshes(), used);
    }
}

#[tokio::test]
async fn use_is_written_down_once_an_hour_at_most() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let used_at = async || {
        use latchkey_core::port::ReadInstances as _;
        let key = latchkey_core::model::id::InstanceKey {
            tenant: "local".parse().unwrap(),
            id: instance.parse().unwrap(),
        };
        let found = shop.world.store().instances.find(&key).await;
        found.unwrap().unwrap().upkeep.used_at
    };
    let _ = credential(&shop, &instance).await;
    assert_eq!(used_at().await, None, "the consent was a moment ago");
    shop.advance(3601).await;
    let _ = credential(&shop, &instance).await;
    let first = used_at().await;
    assert!(first.is_some());
    shop.advance(3500).await;
    let _ = credential(&shop, &instance).await;
    assert_eq!(used_at().await, first);
    shop.advance(101).await;
    let _ = credential(&shop, &instance).await;
    assert!(used_at().await > first);
}

#[tokio::test]
async fn a_connection_that_will_end_is_told_of_once_and_in_time() {
    let shop = Shop::oidc_provider().await;
    change(&shop, |definition| {
        definition["refresh"]["absolute_seconds"] = json!(8 * DAY);
        definition["refresh"]["policy"] = json!("keep_alive");
    })
    .await;
    let _ = shop.connected().await;
    let mut warned = Vec::new();
    // The index goes by whole seconds.
    shop.advance(2).await;
    for _ in 0..16 {
        shop.advance(DAY / 2).await;
        for _ in 0..2 {
            warned.push(shop.world.sweep().await.warned);
        }
    }
    // A quarter of its life before the end, which is less than seven days.
    assert_eq!(
        warned.iter().position(|warned| *warned == 1),
        Some(22),
        "{warned:?}"
    );
    assert_eq!(warned.iter().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_rejected_token_without_a_refresh_token_ends_a_connection_only_when_it_is_repeated() {
    let shop = Shop::oidc_provider().await;
    change(&shop, |definition| {
        definition["refresh"]["mode"] = json!("none");
        definition["token"]["response"] = json!({ "expiry": { "kind": "never" } });
    })
    .await;
    let instance = shop.connected().await;
    let had = credential(&shop, &instance).await;
    for minutes in [0, 14] {
        shop.advance(minutes * 60).await;
        let problem = reject(&shop, &instance, &had)
            .await
            .problem(409, "reconnect-required");
        assert_eq!(problem["failure"]["code"], "token_rejected");
        assert_eq!(shop.world.api.health(&instance).await["status"], "active");
    }
    shop.advance(60).await;
    let _ = reject(&shop, &instance, &had)
        .await
        .problem(409, "reconnect-required");
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], &health["needs"]),
        (&json!("reconnect_required"), &json!("user"))
    );
}
