//! A provider that is anything but plain, as far as the seed's fields go.

use std::collections::BTreeMap;

use latchkey_tests::{
    proxy::{Quirk, Reply, Seen},
    shop::{ACCESS_TTL, Shop},
    visitor::{Decision, Visitor},
};
use serde_json::{Value, json};
use url::form_urlencoded;

/// Wants JSON and the Basic header, has the account in every path, another URL and grant type for
/// refreshes, a header of its own, and wraps its tokens up.
struct Quirky {
    authorise_url: String,
}

impl Quirk for Quirky {
    fn ask(&self, seen: &Seen) -> Result<Seen, Reply> {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let refused = |why: &str| {
            let body = json!({ "error": "invalid_request", "error_description": why }).to_string();
            Reply {
                status: 400,
                content_type: "application/json".to_owned(),
                headers: Vec::new(),
                body,
            }
        };
        if path == "/authorise/acme" {
            let location = format!("{}?{query}", self.authorise_url);
            return Err(Reply {
                status: 302,
                content_type: "text/plain".to_owned(),
                headers: vec![("location".to_owned(), location)],
                body: String::new(),
            });
        }
        let is = |name: &str, value: &str| {
            seen.headers
                .get(name)
                .is_some_and(|present| present.starts_with(value))
        };
        if !is("content-type", "application/json")
            || !is("authorization", "Basic ")
            || !is("x-account", "acme")
        {
            return Err(refused("JSON, Basic and X-Account, please"));
        }
        let mut body: BTreeMap<String, String> =
            serde_json::from_str(&seen.body).map_err(|_| refused("that is no flat JSON object"))?;
        if body.remove("tenant").as_deref() != Some("acme") {
            return Err(refused("which tenant?"));
        }
        match (path, body.get("grant_type").map(String::as_str)) {
            ("/token/acme", Some("authorization_code")) => {}
            ("/refresh-token/acme", Some("renew")) => {
                body.insert("grant_type".to_owned(), "refresh_token".to_owned());
            }
            _ => return Err(refused("wrong URL or grant type")),
        }
        let mut plain = seen.clone();
        plain.path = "/token".to_owned();
        plain.headers.insert(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        );
        plain.body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(body)
            .finish();
        Ok(plain)
    }

    fn answer(&self, plain: Reply) -> Reply {
        let tokens: Value = serde_json::from_str(&plain.body).unwrap();
        if tokens.get("access_token").is_none() {
            return plain;
        }
        let body = json!({ "ok": true, "data": {
            "auth": { "token": tokens["access_token"], "renewal": tokens["refresh_token"] },
            "ttl": tokens["expires_in"].to_string(),
        } });
        Reply {
            body: body.to_string(),
            status: 201,
            ..plain
        }
    }
}

#[tokio::test]
async fn a_quirky_provider_is_connected_used_and_refreshed() {
    // The quirk needs the provider's URL, which is known once it runs; the definition tells it.
    let shop = Shop::quirky_at(|authorise_url| Quirky { authorise_url }, |proxy, body| {
        body["definition"] = json!({
            "name": "Quirky",
            "variables": [
                { "key": "account", "from": "user", "pattern": "[a-z]+" },
                { "key": "response_authentication_token_key", "default": "data.auth.token" },
                { "key": "response_refresh_token_key", "default": "data.auth.renewal" },
                { "key": "refresh_grant_type", "default": "renew" },
                { "key": "scope", "default": "openid offline_access api:read" },
                { "key": "state_length", "type": "number", "default": "15" },
            ],
            "client": { "authentication": "basic" },
            "authorise": { "url": format!("{proxy}/authorise/{{{{account}}}}"), "query": { "prompt": "consent" } },
            "token": {
                "url": format!("{proxy}/token/{{{{account}}}}"),
                "headers": { "X-Account": "{{account}}" },
                "body": { "tenant": "{{account}}" },
                "body_format": "json",
                "response": { "expires_in": "data.ttl" },
            },
            "refresh": { "url": format!("{proxy}/refresh-token/{{{{account}}}}"), "body": { "tenant": "{{account}}" } },
            "use": {
                "headers": { "X-Auth-Token": "{{token.access_token}}", "X-Client": "{{client.id}}" },
                "query": { "account": "{{account}}" },
                "body": { "token": "Token {{token.access_token}}" },
            },
        });
    })
    .await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default();
    let page = visitor.open(&url).await;
    let page = visitor.submit(&page, &[("account", "acme")]).await;
    let page = visitor.decide(page, Decision::Allow).await;
    assert_eq!(page.heading(), "Connected", "{}", page.html);
    let credential = shop.world.api.vend(&instance).await.ok();
    let token = credential["access_token"].as_str().unwrap();
    assert!(shop.provider.is_active(token).await);
    assert_eq!(
        credential["headers"],
        json!({ "X-Auth-Token": token, "X-Client": "basic" })
    );
    assert_eq!(credential["query"], json!({ "account": "acme" }));
    assert_eq!(
        credential["body"],
        json!({ "token": format!("Token {token}") })
    );

    for _ in 0..2 {
        shop.advance(ACCESS_TTL * 86 / 100).await;
        assert_eq!(shop.world.sweep().await.refreshed, 1);
    }
    let next = shop.world.api.access_token(&instance).await;
    assert_ne!(next, token);
    assert!(shop.provider.is_active(&next).await);
    let paths: Vec<_> = shop
        .proxy
        .seen()
        .into_iter()
        .map(|seen| seen.path)
        .filter(|path| !path.starts_with("/authorise"))
        .collect();
    assert_eq!(
        paths,
        ["/token/acme", "/refresh-token/acme", "/refresh-token/acme"]
    );
}

#[tokio::test]
async fn client_credentials_with_reserved_characters_arrive() {
    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["values"] =
        json!({ "client_id": "odd:id/+", "client_secret": "p%+ :/&=?~\"secret-0123456789-abcdef" });
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    shop.connected().await;
    body["values"] =
        json!({ "client_id": "post", "client_secret": latchkey_tests::server::SECRET });
    body["definition"]["client"] = json!({ "authentication": "body" });
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    shop.connected().await;
    body["values"] = json!({ "client_id": "public", "client_secret": null });
    body["definition"]["client"] = json!({ "authentication": "none" });
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    let token = shop.world.api.access_token(&instance).await;
    assert!(shop.provider.is_active(&token).await);
}
