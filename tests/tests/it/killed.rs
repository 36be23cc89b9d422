//! `kill -9` in the middle of everything, and what is found afterwards.

use latchkey_tests::{
    api::Api,
    proxy::{Mode, Proxy},
    shop::Shop,
    visitor::{Decision, Visitor},
};
use serde_json::json;

/// Longer than a lease and the clocks' differences.
const PAST_THE_LEASE: i64 = 40;

/// Has a sweep find the instance: it leaves it alone for a while, in which an answer might come out of the
/// queue, and that is over then.
async fn held_off(shop: &Shop) {
    let report = shop.world.sweep().await;
    assert_eq!((report.left, report.refreshed), (1, 0), "{report:?}");
    shop.advance(11).await;
}

/// Asks for credentials until a refresh is held by the proxy.
async fn vend_until_held(api: &Api, proxy: &Proxy, instance: &str) {
    let path = format!("/v1/instances/{instance}/credential?minimum_seconds=3600");
    let vending = async {
        loop {
            let _ = api.get(&path).await;
        }
    };
    tokio::select! {
        () = proxy.held() => {}
        () = vending => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_the_provider_has_not_seen_loses_nothing() {
    let shop = Shop::short_lived(true).await;
    let instance = shop.connected().await;
    let shop = shop
        .killed("0", PAST_THE_LEASE, async |api, proxy| {
            proxy.set(Mode::HoldRequests);
            vend_until_held(api, proxy, &instance).await;
            proxy.down();
        })
        .await;
    shop.proxy.up().await;
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], health.get("failure")),
        (&json!("active"), None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_in_the_background_loses_nothing_either() {
    let shop = Shop::short_lived(true).await;
    let instance = shop.connected().await;
    let shop = shop
        .killed("1", PAST_THE_LEASE, async |_, proxy| {
            proxy.set(Mode::HoldRequests);
            proxy.held().await;
            proxy.down();
        })
        .await;
    shop.proxy.up().await;
    held_off(&shop).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    assert!(
        shop.provider
            .is_active(&shop.world.api.access_token(&instance).await)
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_answer_dies_with_us_is_asked_for_again_where_that_is_possible() {
    let shop = Shop::short_lived(false).await;
    let instance = shop.connected().await;
    let shop = shop
        .killed("0", PAST_THE_LEASE, async |api, proxy| {
            proxy.set(Mode::HoldAnswers);
            vend_until_held(api, proxy, &instance).await;
        })
        .await;
    assert!(
        shop.provider
            .is_active(&shop.world.api.access_token(&instance).await)
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn and_where_it_is_not_the_user_is_told_the_truth() {
    let shop = Shop::short_lived(true).await;
    let instance = shop.connected().await;
    let shop = shop
        .killed("0", PAST_THE_LEASE, async |api, proxy| {
            proxy.set(Mode::HoldAnswers);
            vend_until_held(api, proxy, &instance).await;
        })
        .await;
    held_off(&shop).await;
    let refused = shop.world.api.vend(&instance).await;
    let _ = refused.problem(503, "credential-unavailable");
    shop.advance(15 * 60 + 1).await;
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(409, "reconnect-required");
    assert_eq!(problem["failure"]["code"], "grant_lost");
    assert!(
        problem["failure"]["words"]
            .as_str()
            .unwrap()
            .contains("an answer was lost at"),
        "{problem}"
    );
    let url = shop.reconnect_url(&instance).await;
    let page = shop
        .walk(&mut Visitor::default(), &url, &[], Decision::Allow)
        .await;
    assert_eq!(page.heading(), "Connected");
    assert!(
        shop.provider
            .is_active(&shop.world.api.access_token(&instance).await)
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_begun_again_by_the_person_and_keeps_the_id() {
    for mode in [Mode::HoldRequests, Mode::HoldAnswers] {
        let shop = Shop::oidc_provider().await;
        let (instance, url) = shop.session().await;
        let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
        let callback = shop
            .walk(&mut visitor, &url, &[], Decision::Allow)
            .await
            .url;
        let mut visitor = visitor.going_on();
        let shop = shop
            .killed("0", 0, async |_, proxy| {
                proxy.set(mode);
                let (mut visitor, callback) = (visitor.clone(), callback.clone());
                let opening = async move { visitor.open(callback.as_str()).await };
                tokio::select! {
                    () = proxy.held() => {}
                    page = opening => panic!("{}", page.html),
                }
            })
            .await;
        let page = visitor.open(callback.as_str()).await;
        assert_eq!(page.heading(), "We can't say how it went");
        assert_eq!(shop.world.api.health(&instance).await["status"], "pending");
        assert_eq!(
            shop.proxy.count("authorization_code"),
            1,
            "a code is never sent twice"
        );
        let again = page.links().into_iter().next().unwrap();
        let page = shop
            .walk(&mut visitor, again.as_str(), &[], Decision::Allow)
            .await;
        assert_eq!(page.heading(), "Connected");
        assert!(
            shop.provider
                .is_active(&shop.world.api.access_token(&instance).await)
                .await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnect_that_is_cut_off_leaves_the_old_connection_working() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let token = shop.world.api.access_token(&instance).await;
    let url = shop.reconnect_url(&instance).await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    let shop = shop
        .killed("0", 0, async |_, proxy| {
            proxy.set(Mode::HoldAnswers);
            let mut visitor = visitor.going_on();
            tokio::select! {
                () = proxy.held() => {}
                page = visitor.open(callback.as_str()) => panic!("{}", page.html),
            }
        })
        .await;
    assert_eq!(shop.world.api.access_token(&instance).await, token);
    assert!(shop.provider.is_active(&token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_cut_off_is_seen_through() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let token = shop.world.api.access_token(&instance).await;
    let path = format!("/v1/instances/{instance}");
    let shop = shop
        .killed("0", PAST_THE_LEASE, async |api, proxy| {
            proxy.set(Mode::HoldRequests);
            tokio::select! {
                () = proxy.held() => {}
                reply = api.delete(&path) => panic!("{reply:?}"),
            }
            proxy.down();
        })
        .await;
    let _ = shop.world.api.get(&path).await.problem(404, "not-found");
    let _ = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(404, "not-found");
    assert!(
        shop.provider.is_active(&token).await,
        "the provider has not heard of it yet"
    );
    shop.proxy.up().await;
    assert_eq!(shop.world.sweep().await.deleted, 1);
    assert!(!shop.provider.is_active(&token).await);
    assert!(!shop.world.keeps(&instance).await);
    assert_eq!(shop.world.api.delete(&shop.method_path()).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_at_the_provider_meanwhile_comes_back_as_if_nothing_had_been() {
    for (decision, heading) in [
        (Decision::Allow, "Connected"),
        (Decision::Deny, "You said no"),
    ] {
        let shop = Shop::oidc_provider().await;
        let (_, url) = shop.session().await;
        let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
        let callback = shop.walk(&mut visitor, &url, &[], decision).await.url;
        let shop = shop.killed("0", 0, async |_, _| {}).await;
        let mut visitor = visitor.going_on();
        assert_eq!(visitor.open(callback.as_str()).await.heading(), heading);
        // Taken before another kill, it is still taken after it.
        let shop = shop.killed("0", 0, async |_, _| {}).await;
        assert_eq!(visitor.open(callback.as_str()).await.heading(), heading);
        assert!(shop.proxy.count("authorization_code") <= 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_ends_in_time_whoever_was_killed_meanwhile() {
    let shop = Shop::oidc_provider().await;
    let (_, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    let shop = shop.killed("0", 601, async |_, _| {}).await;
    assert_eq!(
        visitor.going_on().open(callback.as_str()).await.heading(),
        "That took too long"
    );
    assert_eq!(shop.proxy.count("authorization_code"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_and_a_wrong_secret_outlive_a_kill_without_harm() {
    let shop = Shop::short_lived(true).await;
    let instance = shop.connected().await;
    let (path, mut body) = (shop.method_path(), shop.body());
    let shop = shop
        .killed("0", 3600, async |api, proxy| {
            body["values"]["client_secret"] = json!("wrong");
            let _ = api.put(&path, "*", &body).await.ok();
            proxy.set(Mode::HoldAnswers);
            vend_until_held(api, proxy, &instance).await;
        })
        .await;
    held_off(&shop).await;
    // What the provider answered is lost; the builder's mistake is found again, and mended.
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(503, "credential-unavailable");
    assert_eq!(problem["failure"]["code"], "client_refused");
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &shop.body())
        .await
        .ok();
    shop.advance(3600).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    assert!(
        shop.provider
            .is_active(&shop.world.api.access_token(&instance).await)
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_and_whole() {
    let shop = Shop::oidc_provider().await;
    let made = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&made);
    let shop = shop
        .killed("0", 0, async move |api, _| {
            let (api, enough) = (api.clone(), std::sync::Arc::new(tokio::sync::Notify::new()));
            let told = std::sync::Arc::clone(&enough);
            // It goes on making connectors while it is being killed.
            tokio::spawn(async move {
                for number in 0.. {
                    let id = api.connector(&format!("Shop {number}")).await;
                    kept.lock().unwrap().push(id);
                    if number == 20 {
                        told.notify_one();
                    }
                }
            });
            enough.notified().await;
        })
        .await;
    let made = made.lock().unwrap().clone();
    assert!(made.len() > 20);
    for id in made {
        let read = shop
            .world
            .api
            .get(&format!("/v1/connectors/{id}"))
            .await
            .ok();
        assert!(
            read["name"].as_str().unwrap().starts_with("Shop "),
            "{read}"
        );
    }
}
