//! Many at once: one state, one stale instance.

use futures_util::future::join_all;
use latchkey_tests::{
    shop::{ACCESS_TTL, Shop},
    visitor::{Decision, Visitor},
};

const RACERS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn of_64_callbacks_with_one_state_one_exchanges() {
    let shop = Shop::oidc_provider().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    let visitor = visitor.going_on();
    let race = (0..RACERS).map(|_| {
        let (mut visitor, callback) = (visitor.clone(), callback.clone());
        tokio::spawn(async move { visitor.open(callback.as_str()).await.heading() })
    });
    let headings: Vec<_> = join_all(race)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(headings.iter().any(|heading| heading == "Connected"));
    for heading in &headings {
        // Those who come while the first is at it can't be told how it will go.
        assert!(
            ["Connected", "We can't say how it went"].contains(&heading.as_str()),
            "{heading}"
        );
    }
    assert_eq!(shop.proxy.count("authorization_code"), 1);
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
    assert_eq!(
        visitor.clone().open(callback.as_str()).await.heading(),
        "Connected"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_vends_of_one_stale_instance_one_refreshes() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    let race = (0..RACERS).map(|_| {
        let (api, instance) = (shop.world.api.clone(), instance.clone());
        tokio::spawn(async move { api.access_token(&instance).await })
    });
    let sweep = shop.world.sweep();
    let (tokens, _) = tokio::join!(join_all(race), sweep);
    let tokens: std::collections::BTreeSet<_> = tokens.into_iter().map(Result::unwrap).collect();
    assert_eq!(tokens.len(), 1, "all get the same token");
    assert!(shop.provider.is_active(tokens.first().unwrap()).await);
    assert_eq!(shop.proxy.count("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_consents_for_one_instance_the_later_wins() {
    let shop = Shop::oidc_provider().await;
    let (instance, url) = shop.session().await;
    let mut tabs = Vec::new();
    for _ in 0..2 {
        let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
        let callback = shop
            .walk(&mut visitor, &url, &[], Decision::Allow)
            .await
            .url;
        tabs.push((visitor.going_on(), callback));
    }
    let mut tokens = Vec::new();
    for (visitor, callback) in &mut tabs {
        assert_eq!(visitor.open(callback.as_str()).await.heading(), "Connected");
        tokens.push(shop.world.api.access_token(&instance).await);
    }
    assert_ne!(tokens[0], tokens[1]);
    shop.advance(ACCESS_TTL + 1).await;
    assert!(
        shop.provider
            .is_active(&shop.world.api.access_token(&instance).await)
            .await
    );
}
