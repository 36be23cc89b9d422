//! From a link to a connected instance, and what can come between.

use latchkey_tests::{
    proxy::Mode,
    shop::Shop,
    visitor::{Decision, Visitor},
};
use serde_json::json;

#[tokio::test]
async fn a_user_connects_and_a_process_gets_a_credential_that_works() {
    for shop in [
        Shop::oidc_provider().await,
        Shop::django_oauth_toolkit().await,
    ] {
        let instance = shop.connected().await;
        let credential = shop.world.api.vend(&instance).await;
        assert_eq!(credential.headers["cache-control"], "no-store");
        let credential = credential.ok();
        let token = credential["access_token"].as_str().unwrap();
        assert!(shop.provider.is_active(token).await);
        assert_eq!(
            credential["headers"],
            json!({ "Authorization": format!("Bearer {token}") })
        );
        assert_eq!(
            (&credential["query"], &credential["body"]),
            (&json!({}), &json!({}))
        );
        assert_eq!(credential["auth_method"], shop.method.as_str());
        assert!(
            credential["scopes"]
                .as_array()
                .unwrap()
                .contains(&json!("api:read"))
        );
        assert!(credential["expires_at"].is_string());
        let health = shop.world.api.health(&instance).await;
        assert_eq!(health["status"], "active");
        assert!(
            health["next_refresh_at"].as_str().unwrap()
                < credential["expires_at"].as_str().unwrap()
        );
        assert_eq!(health.get("needs"), None);
    }
}

#[tokio::test]
async fn the_authorise_url_has_pkce_and_a_state_that_is_nowhere_else() {
    let shop = Shop::oidc_provider().await;
    let (_, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.provider.base);
    let page = visitor.open(&url).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(page.headers["cache-control"], "no-store");
    let sent = visitor.submit(&page, &[]).await.url;
    let parameter = |name: &str| latchkey_tests::parameter(&sent, name);
    assert_eq!(parameter("code_challenge_method").unwrap(), "S256");
    assert_eq!(parameter("code_challenge").unwrap().len(), 43);
    assert_eq!(
        parameter("redirect_uri").unwrap(),
        shop.world.callback_url()
    );
    assert_eq!(
        parameter("scope").unwrap(),
        "openid offline_access api:read"
    );
    let state = parameter("state").unwrap();
    assert_eq!(state.len(), 32);
    let stored = shop.world.dump().await;
    assert!(stored.contains("state#"), "{stored}");
    assert!(!stored.contains(&state), "the state itself is stored");
}

#[tokio::test]
async fn a_user_who_says_no_is_told_so_and_can_start_again() {
    for shop in [
        Shop::oidc_provider().await,
        Shop::django_oauth_toolkit().await,
    ] {
        let (instance, url) = shop.session().await;
        let mut visitor = Visitor::default();
        let page = shop.walk(&mut visitor, &url, &[], Decision::Deny).await;
        assert_eq!(page.heading(), "You said no", "{}", page.html);
        assert_eq!(shop.world.api.health(&instance).await["status"], "pending");
        assert_eq!(shop.proxy.seen().len(), 0);

        let again = page.links().into_iter().next().unwrap();
        let page = shop
            .walk(&mut visitor, again.as_str(), &[], Decision::Allow)
            .await;
        assert_eq!(page.heading(), "Connected");
        assert_eq!(shop.world.api.health(&instance).await["status"], "active");
    }
}

#[tokio::test]
async fn a_state_works_once() {
    let shop = Shop::oidc_provider().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    let mut visitor = visitor.going_on();
    assert_eq!(visitor.open(callback.as_str()).await.heading(), "Connected");
    let token = shop.world.api.access_token(&instance).await;

    // The same browser is shown the result again; another one learns nothing.
    assert_eq!(visitor.open(callback.as_str()).await.heading(), "Connected");
    let page = Visitor::default().open(callback.as_str()).await;
    assert_eq!(
        (page.status.unwrap().as_u16(), page.heading().as_str()),
        (400, "We don't know this request")
    );
    assert_eq!(shop.proxy.count("authorization_code"), 1);
    assert_eq!(shop.world.api.access_token(&instance).await, token);
    assert!(shop.provider.is_active(&token).await);
}

#[tokio::test]
async fn whoever_finishes_must_have_begun() {
    let shop = Shop::oidc_provider().await;
    let (instance, url) = shop.session().await;
    let mut attacker = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut attacker, &url, &[], Decision::Allow)
        .await
        .url;
    let page = Visitor::default().open(callback.as_str()).await;
    assert_eq!(page.heading(), "We don't know this request");
    assert_eq!(shop.proxy.count("authorization_code"), 0);
    assert_eq!(shop.world.api.health(&instance).await["status"], "pending");
    // The state is spent all the same.
    let _ = attacker.going_on().open(callback.as_str()).await;
    assert_eq!(shop.proxy.count("authorization_code"), 0);
}

#[tokio::test]
async fn a_state_ends_after_ten_minutes_and_an_unknown_one_is_told_apart() {
    let shop = Shop::oidc_provider().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    shop.world.clock.advance(601);
    let mut visitor = visitor.going_on();
    let page = visitor.open(callback.as_str()).await;
    assert_eq!(
        (page.status.unwrap().as_u16(), page.heading().as_str()),
        (400, "That took too long")
    );
    assert_eq!(shop.proxy.count("authorization_code"), 0);
    assert_eq!(shop.world.api.health(&instance).await["status"], "pending");
    for query in [
        "?state=nobody&code=x",
        "?code=x",
        "",
        "?state=a&state=b&code=x",
        "?state=%00&error=<script>",
    ] {
        let page = visitor
            .open(&format!("{}{query}", shop.world.callback_url()))
            .await;
        assert_eq!(page.heading(), "We don't know this request", "{query}");
        assert!(!page.html.contains("<script"), "{query}");
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let shop = Shop::oidc_provider().await;
    let (_, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    let mixed = callback
        .as_str()
        .replace("iss=http%3A%2F%2F127", "iss=http%3A%2F%2F128");
    assert_ne!(mixed, callback.as_str());
    let page = visitor.going_on().open(&mixed).await;
    assert_eq!(page.heading(), "That was not the answer to our question");
    assert_eq!(shop.proxy.count("authorization_code"), 0);
}

#[tokio::test]
async fn a_wrong_client_secret_is_the_builders_matter() {
    let shop = Shop::oidc_provider().await;
    let put = |secret: &str| {
        let mut body = shop.body();
        body["values"]["client_secret"] = json!(secret);
        let (api, path) = (shop.world.api.clone(), shop.method_path());
        async move { api.put(&path, "*", &body).await.ok() }
    };
    put("wrong").await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let page = shop.walk(&mut visitor, &url, &[], Decision::Allow).await;
    assert_eq!(page.heading(), "This connection is not set up rightly");
    assert_eq!(shop.world.api.health(&instance).await["status"], "pending");
    put(latchkey_tests::server::SECRET).await;
    let again = page.links().into_iter().next().unwrap();
    let page = shop
        .walk(&mut visitor, again.as_str(), &[], Decision::Allow)
        .await;
    assert_eq!(page.heading(), "Connected");
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_connects_later() {
    let shop = Shop::oidc_provider().await;
    shop.proxy.down();
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let page = shop.walk(&mut visitor, &url, &[], Decision::Allow).await;
    assert_eq!(page.heading(), "The application does not answer");
    assert_eq!(shop.world.api.health(&instance).await["status"], "pending");
    shop.proxy.up().await;
    shop.proxy.set(Mode::LoseAnswers);
    let again = page.links().into_iter().next().unwrap();
    let page = shop
        .walk(&mut visitor, again.as_str(), &[], Decision::Allow)
        .await;
    assert_eq!(page.heading(), "The application's answer was lost");
    assert_eq!(
        shop.proxy.count("authorization_code"),
        1,
        "a code in doubt is never sent again"
    );
    shop.proxy.set(Mode::Pass);
    let again = page.links().into_iter().next().unwrap();
    assert_eq!(
        shop.walk(&mut visitor, again.as_str(), &[], Decision::Allow)
            .await
            .heading(),
        "Connected"
    );
}

#[tokio::test]
async fn people_go_to_registered_return_urls_with_status_and_instance_only() {
    let shop = Shop::oidc_provider().await;
    let api = &shop.world.api;
    let session = json!({ "connector": shop.connector, "auth_method": shop.method,
        "return_url": "https://app.example/done?tab=1" });
    assert_eq!(
        api.post("/v1/connect-sessions", &session).await.faults()[0].0,
        "/return_url"
    );
    assert_eq!(
        api.get("/v1/instances").await.ok()["items"],
        json!([]),
        "nothing is left behind"
    );
    let settings = json!({ "return_urls": ["https://app.example/*"] });
    let _ = api
        .send(reqwest::Method::PUT, "/v1/settings", Some(&settings))
        .await
        .ok();

    for (decision, status) in [(Decision::Allow, "connected"), (Decision::Deny, "denied")] {
        let opened = api.post("/v1/connect-sessions", &session).await;
        let (instance, url) = (
            opened.clone().created("instance"),
            opened.created("connect_url"),
        );
        let mut visitor = Visitor::default().stopping_before("https://app.example/");
        let end = shop.walk(&mut visitor, &url, &[], decision).await;
        assert_eq!(
            end.url.as_str(),
            format!("https://app.example/done?tab=1&status={status}&instance={instance}")
        );
    }
}

#[tokio::test]
async fn a_platform_completes_what_it_has_begun_itself() {
    let shop = Shop::oidc_provider().await;
    let api = &shop.world.api;
    let settings = json!({ "return_urls": ["https://app.example/done"] });
    let _ = api
        .send(reqwest::Method::PUT, "/v1/settings", Some(&settings))
        .await
        .ok();
    let new = json!({ "connector": shop.connector, "auth_method": shop.method });
    let instance = api.post("/v1/instances", &new).await.created("id");
    let path = format!("/v1/instances/{instance}/authorisations");
    assert_eq!(
        api.post(&path, &json!({})).await.faults()[0].0,
        "/return_url"
    );
    let begun = api
        .post(&path, &json!({ "return_url": "https://app.example/done" }))
        .await;
    assert_eq!(begun.status, 201, "{:?}", begun.body);
    let authorisation = begun.body["authorisation"].as_str().unwrap();
    let complete = format!("/v1/authorisations/{authorisation}/complete");
    let _ = api
        .post(&complete, &json!({}))
        .await
        .problem(404, "not-found");

    let mut visitor = Visitor::default().stopping_before("https://app.example/");
    let page = visitor
        .open(begun.body["authorise_url"].as_str().unwrap())
        .await;
    let end = visitor.decide(page, Decision::Allow).await;
    assert_eq!(
        end.url.as_str(),
        format!(
            "https://app.example/done?status=parked&instance={instance}&authorisation={authorisation}"
        )
    );
    assert_eq!(
        api.health(&instance).await["status"],
        "pending",
        "parked, not released"
    );
    assert_eq!(
        api.post(&complete, &json!({})).await.ok()["instance"],
        instance.as_str()
    );
    let _ = api
        .post(&complete, &json!({}))
        .await
        .problem(404, "not-found");
    assert!(
        shop.provider
            .is_active(&api.access_token(&instance).await)
            .await
    );
}

#[tokio::test]
async fn the_page_asks_for_what_only_the_user_knows() {
    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["definition"]["variables"] = json!([
        { "key": "account", "label": "Account", "help": "The first part of <your> address", "from": "user",
          "pattern": "[a-z]+" },
        { "key": "region", "type": "choice", "choices": ["eu", "us"], "default": "us", "from": "user" },
        { "key": "pin", "label": "PIN", "type": "secret", "from": "user" },
        { "key": "sandbox", "type": "boolean", "from": "user", "required": false, "advanced": true },
    ]);
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let page = visitor.open(&url).await;
    assert!(
        page.html
            .contains("The first part of &#60;your&#62; address"),
        "{}",
        page.html
    );
    let fields = page.forms().remove(0).fields;
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["csrf", "account", "pin", "region"]);
    assert_eq!(fields.last().unwrap().1, "us");

    let page = visitor
        .submit(
            &page,
            &[("account", "\"><script>"), ("pin", "s3cr3t-marker")],
        )
        .await;
    assert_eq!(page.status.unwrap(), 422);
    assert!(
        page.html
            .contains("it does not match the pattern of &#39;Account&#39;"),
        "{}",
        page.html
    );
    assert!(
        !page.html.contains("<script") && !page.html.contains("s3cr3t-marker"),
        "{}",
        page.html
    );
    let page = visitor
        .submit(&page, &[("account", "acme"), ("pin", "s3cr3t-marker")])
        .await;
    assert_eq!(
        visitor.decide(page, Decision::Allow).await.heading(),
        "Connected"
    );
    let values = shop
        .world
        .api
        .get(&format!("/v1/instances/{instance}"))
        .await
        .ok()["values"]
        .clone();
    assert_eq!(values["account"]["value"], "acme");
    assert_eq!(values["region"]["value"], "us");
    assert_eq!(values["sandbox"]["value"], "false");
    assert_eq!(values["pin"], json!({ "set": true }));

    // A reconnect asks again, and keeps the secret that is not typed anew.
    let page = visitor.open(&shop.reconnect_url(&instance).await).await;
    assert_eq!(page.heading(), "Reconnect Shop");
    let page = visitor.submit(&page, &[("account", "other")]).await;
    assert_eq!(
        visitor.decide(page, Decision::Allow).await.heading(),
        "Connected"
    );
    let values = shop
        .world
        .api
        .get(&format!("/v1/instances/{instance}"))
        .await
        .ok()["values"]
        .clone();
    assert_eq!(values["account"]["value"], "other");
    assert_eq!(values["pin"], json!({ "set": true }));
}

#[tokio::test]
async fn a_form_that_is_not_ours_sends_nobody_anywhere() {
    let shop = Shop::oidc_provider().await;
    let (_, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let page = visitor.open(&url).await;
    for csrf in ["", "forged"] {
        let page = visitor.submit(&page, &[("csrf", csrf)]).await;
        assert_eq!(page.status.unwrap(), 422);
    }
    // Without the cookie the right field is of no use.
    let page = Visitor::default().submit(&page, &[]).await;
    assert_eq!(page.status.unwrap(), 422);
    shop.world.clock.advance(24 * 3600 + 1);
    let page = visitor.open(&url).await;
    assert_eq!(
        (page.status.unwrap().as_u16(), page.heading().as_str()),
        (404, "This link has ended")
    );
}

#[tokio::test]
async fn a_callback_that_is_no_form_is_answered_with_a_page() {
    let shop = Shop::oidc_provider().await;
    let post = latchkey_tests::http_client().post(shop.world.callback_url());
    let answer = post.header("content-type", "text/plain").body("code=x");
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("We don't know this request") || page.contains("We don&#39;t know"),
        "{page}"
    );
}
