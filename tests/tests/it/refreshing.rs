//! Keeping connections alive: expiry, rotation, failures, and who has to act.

use latchkey_tests::{
    proxy::{Mode, Reply},
    shop::{ACCESS_TTL, Shop},
    visitor::{Decision, Visitor},
};
use serde_json::json;

#[tokio::test]
async fn what_is_due_is_refreshed_in_the_background_with_rotation() {
    for shop in [
        Shop::oidc_provider().await,
        Shop::django_oauth_toolkit().await,
    ] {
        let instance = shop.connected().await;
        let first = shop.world.api.access_token(&instance).await;
        assert_eq!(shop.world.sweep().await.due, 0, "nothing is due yet");
        let mut last = first.clone();
        for round in 1..=3 {
            // At 85 % of its life every access token is due.
            shop.advance(ACCESS_TTL * 86 / 100).await;
            let report = shop.world.sweep().await;
            assert_eq!(
                (report.due, report.refreshed),
                (1, 1),
                "round {round}: {report:?}"
            );
            let next = shop.world.api.access_token(&instance).await;
            assert_ne!(next, last);
            assert!(shop.provider.is_active(&next).await);
            last = next;
        }
        assert_eq!(shop.proxy.count("refresh_token"), 3);
        let sent: Vec<_> = shop
            .proxy
            .seen()
            .iter()
            .filter_map(|seen| seen.field("refresh_token"))
            .collect();
        assert!(
            sent[0] != sent[1] && sent[1] != sent[2],
            "each refresh token is used once"
        );
        assert_eq!(shop.world.sweep().await.due, 0);
        shop.advance(ACCESS_TTL).await;
        assert!(!shop.provider.is_active(&first).await);
    }
}

#[tokio::test]
async fn a_stale_access_token_is_refreshed_before_it_is_handed_out() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let first = shop.world.api.access_token(&instance).await;
    shop.advance(ACCESS_TTL - 60).await;
    assert_eq!(
        shop.world.api.access_token(&instance).await,
        first,
        "a minute is enough"
    );
    let path = format!("/v1/instances/{instance}/credential?minimum_seconds=120");
    let second = shop.world.api.get(&path).await.ok()["access_token"].clone();
    assert_ne!(second, first.as_str(), "but not if more is asked for");
    shop.advance(ACCESS_TTL + 1).await;
    let third = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&third).await);
    assert_eq!(shop.proxy.count("refresh_token"), 2);
    for query in [
        "minimum_seconds=x",
        "minimum_seconds=3601",
        "minimum_seconds=-1",
        "other=1",
    ] {
        let path = format!("/v1/instances/{instance}/credential?{query}");
        let _ = shop.world.api.get(&path).await.problem(400, "malformed");
    }
}

#[tokio::test]
async fn a_connection_that_the_user_has_ended_says_so_and_reconnects_with_its_id() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    // The user ends it at the provider, by the very token that Latchkey holds.
    let token = shop.world.refresh_token(&instance).await;
    let form = format!("token={token}&token_type_hint=refresh_token");
    let ended = latchkey_tests::http_client()
        .post(format!(
            "{}{}",
            shop.provider.base, shop.provider.revoke_path
        ))
        .basic_auth("basic", Some(latchkey_tests::server::SECRET))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    assert!(ended.send().await.unwrap().status().is_success());

    // One refusal ends nothing: the provider is asked again a quarter of an hour later.
    shop.advance(ACCESS_TTL + 1).await;
    for _ in 0..2 {
        let refused = shop.world.api.vend(&instance).await;
        let problem = refused.problem(503, "credential-unavailable");
        assert_eq!(problem["failure"]["code"], "grant_refused");
    }
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], health.get("needs")),
        (&json!("suspect"), None)
    );
    assert_eq!(shop.proxy.count("refresh_token"), 1);
    shop.advance(15 * 60 + 1).await;
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(409, "reconnect-required");
    assert_eq!(problem["failure"]["code"], "grant_refused");
    assert!(
        problem["failure"]["words"]
            .as_str()
            .unwrap()
            .starts_with("invalid_grant"),
        "{problem}"
    );
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], &health["needs"]),
        (&json!("reconnect_required"), &json!("user"))
    );
    let _ = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(409, "reconnect-required");
    assert_eq!(shop.world.sweep().await.due, 0, "nobody asks again");
    assert_eq!(shop.proxy.count("refresh_token"), 2);

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
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], health.get("failure")),
        (&json!("active"), None)
    );
}

#[tokio::test]
async fn a_reconnect_that_is_not_finished_leaves_the_old_connection_alone() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let token = shop.world.api.access_token(&instance).await;
    let url = shop.reconnect_url(&instance).await;
    let page = shop
        .walk(&mut Visitor::default(), &url, &[], Decision::Deny)
        .await;
    assert_eq!(page.heading(), "You said no");
    assert_eq!(shop.world.api.access_token(&instance).await, token);
}

#[tokio::test]
async fn an_outage_kills_nobody() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let token = shop.world.api.access_token(&instance).await;
    shop.proxy.down();
    shop.advance(ACCESS_TTL * 86 / 100).await;
    let report = shop.world.sweep().await;
    assert_eq!((report.due, report.failed), (1, 1), "{report:?}");
    assert_eq!(
        shop.world.api.access_token(&instance).await,
        token,
        "it lives for some time yet"
    );
    let health = shop.world.api.health(&instance).await;
    assert_eq!(health["status"], "active");
    assert_eq!(
        (&health["failure"]["code"], &health["needs"]),
        (&json!("unreachable"), &json!("provider"))
    );
    assert_eq!(shop.world.sweep().await.due, 0, "it must wait");

    shop.advance(ACCESS_TTL).await;
    let refused = shop.world.api.vend(&instance).await;
    assert!(
        refused.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    let problem = refused.problem(503, "credential-unavailable");
    assert_eq!(problem["failure"]["code"], "unreachable");
    for _ in 0..20 {
        shop.advance(3600).await;
        shop.world.sweep().await;
    }
    assert_eq!(shop.world.api.health(&instance).await["status"], "active");
    shop.proxy.up().await;
    shop.advance(3600).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
    assert_eq!(shop.world.api.health(&instance).await["failures"], 0);
}

#[tokio::test]
async fn a_builders_mistake_costs_no_user_their_connection() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let mut body = shop.body();
    body["values"]["client_secret"] = json!("wrong");
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    shop.advance(ACCESS_TTL + 1).await;
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(503, "credential-unavailable");
    assert_eq!(problem["failure"]["code"], "client_refused");
    assert!(
        problem["failure"]["words"]
            .as_str()
            .unwrap()
            .starts_with("invalid_client"),
        "{problem}"
    );
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], &health["needs"]),
        (&json!("active"), &json!("builder"))
    );

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

#[tokio::test]
async fn a_provider_that_asks_for_patience_is_given_it() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    let reply = |status, body: &str| Reply {
        status,
        content_type: "text/html".to_owned(),
        headers: vec![("retry-after".to_owned(), "900".to_owned())],
        body: body.to_owned(),
    };
    shop.proxy
        .set(Mode::Answer(reply(429, "<h1>slow down</h1>")));
    for _ in 0..2 {
        let refused = shop.world.api.vend(&instance).await;
        let wait: u64 = refused.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((890..=900).contains(&wait), "{wait}");
        let _ = refused.problem(503, "credential-unavailable");
    }
    shop.world.sweep().await;
    assert_eq!(shop.proxy.count("refresh_token"), 1, "nobody asks before");
    shop.proxy.set(Mode::Pass);
    shop.advance(901).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_told_as_what_it_is() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    shop.proxy.set(Mode::LoseAnswers);
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(503, "credential-unavailable");
    assert_eq!(problem["failure"]["code"], "answer_lost");
    assert_eq!(
        shop.proxy.count("refresh_token"),
        1,
        "what is in doubt is not sent again"
    );
    // This provider rotates without grace: the answer that was lost held the only good token.
    shop.proxy.set(Mode::Pass);
    shop.advance(3600).await;
    assert_eq!(shop.world.sweep().await.failed, 1);
    let health = shop.world.api.health(&instance).await;
    assert_eq!(health["status"], "suspect");
    shop.advance(15 * 60 + 1).await;
    assert_eq!(shop.world.sweep().await.reconnect_required, 1);
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
}

#[tokio::test]
async fn an_answer_that_the_definition_cannot_read_is_kept_until_it_can() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let mut body = shop.body();
    body["definition"]["token"]["response"] = json!({ "access_token": "no.such.place" });
    let path = shop.method_path();
    let _ = shop.world.api.put(&path, "*", &body).await.ok();
    shop.advance(ACCESS_TTL + 1).await;
    let refused = shop.world.api.vend(&instance).await;
    let problem = refused.problem(503, "credential-unavailable");
    assert_eq!(problem["failure"]["code"], "answer_unreadable");
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], &health["needs"]),
        (&json!("active"), &json!("builder"))
    );
    // The provider has rotated, and would end the connection if the token were used again.
    for _ in 0..2 {
        shop.advance(3600).await;
        assert_eq!(shop.world.sweep().await.failed, 1);
    }
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], &health["needs"]),
        (&json!("active"), &json!("builder"))
    );
    // The mended definition reads what was kept, and the provider is none the wiser.
    let _ = shop.world.api.put(&path, "*", &shop.body()).await.ok();
    shop.advance(3600).await;
    shop.world.sweep().await;
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
    let kept_and_next = shop.proxy.count("refresh_token");
    assert_eq!(kept_and_next, 2, "the one that was kept, and the next one");
    assert_eq!(shop.world.api.health(&instance).await["status"], "active");
}

#[tokio::test]
async fn a_deletion_revokes_at_the_provider_and_says_whether_it_was_confirmed() {
    for shop in [
        Shop::oidc_provider().await,
        Shop::django_oauth_toolkit().await,
    ] {
        let instance = shop.connected().await;
        let token = shop.world.api.access_token(&instance).await;
        let path = format!("/v1/instances/{instance}");
        let deleted = shop.world.api.delete(&path).await.ok();
        assert_eq!(deleted["revocation"]["outcome"], "confirmed");
        assert!(!shop.provider.is_active(&token).await);
        let _ = shop.world.api.get(&path).await.problem(404, "not-found");
        let _ = shop
            .world
            .api
            .vend(&instance)
            .await
            .problem(404, "not-found");
        let _ = shop.world.api.delete(&path).await.problem(404, "not-found");
        assert_eq!(
            shop.world.api.get("/v1/instances").await.ok()["items"],
            json!([])
        );
        assert!(
            shop.world.keeps(&instance).await,
            "a tombstone stays until nobody can be at it"
        );
        shop.advance(33).await;
        assert_eq!(shop.world.sweep().await.deleted, 1);
        assert!(!shop.world.keeps(&instance).await);
        assert_eq!(shop.world.api.delete(&shop.method_path()).await.status, 204);
    }
}

#[tokio::test]
async fn a_deletion_goes_through_whatever_the_provider_says() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    shop.proxy.down();
    let deleted = shop
        .world
        .api
        .delete(&format!("/v1/instances/{instance}"))
        .await
        .ok();
    assert_eq!(deleted["revocation"]["outcome"], "unconfirmed");
    assert_eq!(deleted["revocation"]["code"], "unreachable");
    assert_eq!(shop.world.api.delete(&shop.method_path()).await.status, 204);

    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["definition"]["revoke"] = json!(null);
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    let instance = shop.connected().await;
    let deleted = shop
        .world
        .api
        .delete(&format!("/v1/instances/{instance}"))
        .await
        .ok();
    assert_eq!(deleted["revocation"]["outcome"], "not_supported");
}
