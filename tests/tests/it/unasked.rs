//! People who began at the provider: the platform hands in what they came back with.

use latchkey_tests::{
    shop::Shop,
    visitor::{Decision, Visitor},
};
use serde_json::{Value, json};
use url::Url;

/// A provider at whose pages people begin.
async fn shop() -> Shop {
    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["definition"]["authorise"]["start"] = json!("provider");
    body["definition"]["authorise"]["pkce"] = json!("none");
    body["values"]["client_id"] = json!("installed");
    let put = shop.world.api.put(&shop.method_path(), "*", &body).await;
    let _ = put.ok();
    shop
}

/// The query that somebody comes back with who installs the application at the provider.
async fn installed(shop: &Shop) -> String {
    let callback_url = shop.world.callback_url();
    let page = Url::parse_with_params(
        &shop.provider.authorise_url,
        [
            ("response_type", "code"),
            ("client_id", "installed"),
            ("redirect_uri", &callback_url),
            ("scope", "openid offline_access"),
            ("prompt", "consent"),
        ],
    );
    let mut visitor = Visitor::default().stopping_before(&callback_url);
    let page = visitor.open(page.unwrap().as_str()).await;
    let back = visitor.decide(page, Decision::Allow).await.url;
    assert!(back.as_str().starts_with(&callback_url), "{back}");
    back.query().unwrap().to_owned()
}

async fn pending(shop: &Shop) -> String {
    let body = json!({ "connector": shop.connector, "auth_method": shop.method });
    let created = shop.world.api.post("/v1/instances", &body).await;
    created.created("id")
}

fn path(instance: &str) -> String {
    format!("/v1/instances/{instance}/answer")
}

#[tokio::test]
async fn what_the_platform_hands_in_connects_once() {
    let shop = shop().await;
    let (first, second) = (pending(&shop).await, pending(&shop).await);
    let query = json!({ "query": installed(&shop).await });
    for _ in 0..2 {
        let answered = shop.world.api.post(&path(&first), &query).await.ok();
        assert_eq!(answered["instance"], json!(first));
    }
    assert_eq!(shop.proxy.count("authorization_code"), 1);
    let token = shop.world.api.access_token(&first).await;
    assert!(shop.provider.is_active(&token).await);

    let other = shop.world.api.post(&path(&second), &query).await;
    let _ = other.problem(409, "conflict");
    assert_eq!(shop.world.api.health(&second).await["status"], "pending");
    assert_eq!(shop.proxy.count("authorization_code"), 1);
}

#[tokio::test]
async fn an_answer_that_is_none_says_why() {
    let shop = shop().await;
    let instance = pending(&shop).await;
    let api = &shop.world.api;
    let post = |query: &str| {
        let (path, body) = (path(&instance), json!({ "query": query }));
        async move { api.post(&path, &body).await }
    };
    let faults = post("installation_id=1").await.faults();
    assert_eq!(faults, [("/query".to_owned(), "missing".to_owned())]);
    let from = format!("&iss={}", shop.provider.base);
    let denied = post(&format!("error=access_denied{from}"))
        .await
        .problem(409, "conflict");
    assert!(denied["detail"].as_str().unwrap().contains("said no"));
    let refused = post(&format!("code=made-up{from}"))
        .await
        .problem(409, "conflict");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("refused the code")
    );
    let gone = json!({ "query": "code=made-up" });
    let gone = api
        .post(&path("ins_01arz3ndektsv4rrffq69g5fav"), &gone)
        .await;
    let _ = gone.problem(404, "not-found");
    assert_eq!(api.health(&instance).await["status"], "pending");
}

#[tokio::test]
async fn where_people_begin_here_no_answer_is_handed_in() {
    let shop = Shop::oidc_provider().await;
    let instance = pending(&shop).await;
    let query = json!({ "query": "code=somebody-elses" });
    let answered = shop.world.api.post(&path(&instance), &query).await;
    let _ = answered.problem(409, "conflict");
    assert_eq!(shop.proxy.count("authorization_code"), 0);
}

#[tokio::test]
async fn without_an_authorise_url_nobody_begins_here() {
    let shop = shop().await;
    let mut body: Value = shop.body();
    body["definition"]["authorise"] = json!({ "start": "provider", "pkce": "none" });
    body["values"]["client_id"] = json!("installed");
    let put = shop.world.api.put(&shop.method_path(), "*", &body).await;
    assert_eq!(put.ok()["complete"], json!(true));
    let instance = pending(&shop).await;
    let query = json!({ "query": installed(&shop).await });
    let answered = shop.world.api.post(&path(&instance), &query).await;
    assert_eq!(answered.ok()["instance"], json!(instance));
}
