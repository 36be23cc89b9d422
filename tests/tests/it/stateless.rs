//! Providers that return no state: the browser's cookie says whose answer it is.

use latchkey_tests::{
    parameter,
    shop::Shop,
    visitor::{Decision, Page, Visitor},
};
use serde_json::json;

/// A provider that works well without a state, with a definition that has it do so.
async fn shop() -> Shop {
    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["definition"]["authorise"]["state"] = json!({ "carrier": "cookie" });
    let put = shop.world.api.put(&shop.method_path(), "*", &body).await;
    let _ = put.ok();
    shop
}

/// A person who has come back from the provider and stands before the callback.
async fn before_the_callback(shop: &Shop, visitor: &mut Visitor, url: &str) -> String {
    let mut stopping = visitor.clone().stopping_before(&shop.world.callback_url());
    let page = shop.walk(&mut stopping, url, &[], Decision::Allow).await;
    *visitor = stopping.going_on();
    page.url.into()
}

async fn status(shop: &Shop, instance: &str) -> String {
    let health = shop.world.api.health(instance).await;
    health["status"].as_str().unwrap().to_owned()
}

fn assert_unknown(page: &Page) {
    assert_eq!(
        page.heading(),
        "We don't know this request",
        "{}",
        page.html
    );
}

#[tokio::test]
async fn the_browser_that_began_finishes_without_a_state() {
    let shop = shop().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let mut stopping = visitor.clone().stopping_before(&shop.provider.base);
    let page = stopping.open(&url).await;
    let sent = stopping.submit(&page, &[]).await.url;
    assert_eq!(parameter(&sent, "state"), None);
    let callback = before_the_callback(&shop, &mut visitor, &url).await;
    assert!(!callback.contains("state="), "{callback}");

    assert_unknown(&Visitor::default().open(&callback).await);
    assert_eq!(status(&shop, &instance).await, "pending");
    for _ in 0..2 {
        let page = visitor.open(&callback).await;
        assert_eq!(page.heading(), "Connected", "{}", page.html);
    }
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
    assert_eq!(shop.proxy.count("authorization_code"), 1);
}

#[tokio::test]
async fn an_answer_that_could_be_one_of_two_is_none_and_leads_back() {
    let shop = shop().await;
    let ((first, first_url), (second, second_url)) = (shop.session().await, shop.session().await);
    let mut visitor = Visitor::default();
    let callback = before_the_callback(&shop, &mut visitor, &first_url).await;
    before_the_callback(&shop, &mut visitor, &second_url).await;
    let page = visitor.open(&callback).await;
    assert_eq!(page.heading(), "More than one connection was under way");
    assert_eq!(
        shop.proxy.count("authorization_code"),
        0,
        "no code went anywhere"
    );
    for instance in [&first, &second] {
        assert_eq!(status(&shop, instance).await, "pending");
    }
    let again = page.links().into_iter().next().unwrap();
    assert_eq!(again.as_str(), second_url);
    let page = shop
        .walk(&mut visitor, again.as_str(), &[], Decision::Allow)
        .await;
    assert_eq!(page.heading(), "Connected", "{}", page.html);
    assert_eq!(status(&shop, &second).await, "active");
    assert_eq!(status(&shop, &first).await, "pending");
}

#[tokio::test]
async fn a_second_try_for_the_same_instance_takes_the_place_of_the_first() {
    let shop = shop().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    before_the_callback(&shop, &mut visitor, &url).await;
    let page = shop.walk(&mut visitor, &url, &[], Decision::Allow).await;
    assert_eq!(page.heading(), "Connected", "{}", page.html);
    assert_eq!(status(&shop, &instance).await, "active");
}

#[tokio::test]
async fn somebody_elses_code_is_refused_where_there_is_pkce() {
    let shop = shop().await;
    let ((_, theirs), (instance, ours)) = (shop.session().await, shop.session().await);
    let stolen = before_the_callback(&shop, &mut Visitor::default(), &theirs).await;
    let mut visitor = Visitor::default();
    before_the_callback(&shop, &mut visitor, &ours).await;
    let page = visitor.open(&stolen).await;
    assert_eq!(
        page.heading(),
        "The application no longer accepts your consent"
    );
    assert_eq!(status(&shop, &instance).await, "pending");
}

#[tokio::test]
async fn an_answer_with_a_state_or_too_late_is_not_taken_for_one_without() {
    let shop = shop().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let callback = before_the_callback(&shop, &mut visitor, &url).await;
    for state in ["state=", "state=abcdefghijklmnopqrstuvwxyz012345"] {
        assert_unknown(&visitor.open(&format!("{callback}&{state}")).await);
    }
    shop.world.clock.advance(601);
    let page = visitor.open(&callback).await;
    assert_eq!(page.heading(), "That took too long");
    assert_eq!(status(&shop, &instance).await, "pending");
}

#[tokio::test]
async fn a_platform_can_not_complete_what_only_a_browser_binds() {
    let shop = shop().await;
    let api = &shop.world.api;
    let settings = json!({ "return_urls": ["https://app.example/done"] });
    let put = api
        .send(reqwest::Method::PUT, "/v1/settings", Some(&settings))
        .await;
    let _ = put.ok();
    let (instance, _) = shop.session().await;
    let begun = api
        .post(
            &format!("/v1/instances/{instance}/authorisations"),
            &json!({ "return_url": "https://app.example/done" }),
        )
        .await;
    assert_eq!(begun.status, 409, "{}", begun.body);
    let detail = begun.body["detail"].as_str().unwrap();
    assert!(detail.contains("connect page"), "{detail}");
}
