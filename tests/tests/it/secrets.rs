//! Nothing secret where it does not belong: not in logs, not in the store, not in answers.

use std::fs;

use latchkey_tests::{
    shop::Shop,
    visitor::{Decision, Visitor},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_log_line_or_in_the_store_as_it_is() {
    let shop = Shop::short_lived(true).await;
    let mut body = shop.body();
    body["definition"]["variables"] = json!([{ "key": "pin", "type": "secret", "from": "user" }]);
    body["definition"]["token"]["headers"] = json!({ "X-Pin": "{{pin}}" });
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    let url = shop.session().await;
    let (instance, url) = (url.0, url.1);
    let key = shop.world.server.api_key.expose().clone();
    let mut secrets = vec![
        ("the API key", key),
        (
            "the client secret",
            latchkey_tests::server::SECRET.to_owned(),
        ),
        ("the user's secret", "users-s3cr3t-marker".to_owned()),
        (
            "the connect token",
            url.rsplit('/').next().unwrap().to_owned(),
        ),
    ];
    let log = shop.world.server.directory().join("log");
    let (provider, callback_url) = (shop.provider.base.clone(), shop.world.callback_url());
    let found = tokio::sync::Mutex::new(Vec::new());
    let shop = shop
        .killed("1", 0, async |api, proxy| {
            let mut visitor = Visitor::default().stopping_before(&callback_url);
            let page = visitor.open(&url).await;
            let page = visitor
                .submit(&page, &[("pin", "users-s3cr3t-marker")])
                .await;
            assert!(page.url.as_str().starts_with(&provider));
            let callback = visitor.decide(page, Decision::Allow).await.url;
            let mut found = found.lock().await;
            for (name, value) in callback
                .query_pairs()
                .filter(|(name, _)| name == "state" || name == "code")
            {
                found.push((
                    if name == "state" { "a state" } else { "a code" },
                    value.into_owned(),
                ));
            }
            assert_eq!(
                visitor.going_on().open(callback.as_str()).await.heading(),
                "Connected"
            );
            found.push(("an access token", api.access_token(&instance).await));
            // Until the sweep has refreshed it and said so.
            while !fs::read_to_string(&log)
                .unwrap()
                .contains("\"message\":\"sweep\"")
            {
                tokio::task::yield_now().await;
            }
            found.push(("an access token", api.access_token(&instance).await));
            let _ = api.delete(&format!("/v1/instances/{instance}")).await.ok();
            for seen in proxy.seen() {
                found.extend(
                    seen.field("refresh_token")
                        .map(|token| ("a refresh token", token)),
                );
                found.extend(
                    seen.field("code_verifier")
                        .map(|verifier| ("a verifier", verifier)),
                );
                assert_eq!(seen.headers["x-pin"], "users-s3cr3t-marker");
            }
        })
        .await;
    secrets.extend(found.into_inner());
    for wanted in [
        "a state",
        "a code",
        "an access token",
        "a refresh token",
        "a verifier",
    ] {
        assert!(secrets.iter().any(|(name, _)| *name == wanted), "{wanted}");
    }
    let log = fs::read_to_string(&log).unwrap();
    let store = shop.world.dump().await;
    // All events are in the log, as they are on the stream.
    for kind in ["instance.connected", "instance.disconnected"] {
        assert!(
            log.contains(&format!("\\\"type\\\":\\\"{kind}\\\"")),
            "{kind}"
        );
    }
    for (name, secret) in &secrets {
        assert!(!log.contains(secret.as_str()), "{name} is in the log");
        assert!(!store.contains(secret.as_str()), "{name} is in the store");
    }
    for line in log.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).expect("each line is an event in JSON");
        if event["message"] == "request" {
            assert!(
                event["span"]["request_id"].is_string() && event["route"].is_string(),
                "{line}"
            );
        }
    }
}
