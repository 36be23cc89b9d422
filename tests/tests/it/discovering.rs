//! Builders: a definition that leaves to the provider's metadata what that says.

use latchkey_tests::{
    proxy::{Mode, Proxy, Reply},
    shop::Shop,
    world::World,
};
use serde_json::{Value, json};

/// Metadata that is at `url`, as somebody may publish it.
fn metadata(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorise"),
        "token_endpoint": format!("{url}/token"),
    })
}

fn answer(status: u16, body: &impl ToString) -> Mode {
    Mode::Answer(Reply {
        status,
        content_type: "application/json".to_owned(),
        headers: Vec::new(),
        body: body.to_string(),
    })
}

/// A definition, and where it is saved.
struct Draft {
    world: World,
    path: String,
    host: Proxy,
}

impl Draft {
    async fn new() -> Self {
        let world = World::start().await;
        let connector = world.api.connector("Shop").await;
        Self {
            path: format!("/v1/connectors/{connector}/auth-methods"),
            host: Proxy::before("http://127.0.0.1:9").await,
            world,
        }
    }

    fn url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.host.url)
    }

    async fn faults(&self, definition: Value) -> Vec<(String, String)> {
        let body = json!({ "definition": definition });
        self.world.api.post(&self.path, &body).await.faults()
    }
}

#[tokio::test]
async fn real_servers_say_the_rest_themselves() {
    for (shop, well_known, scopes, asks) in [
        (
            Shop::oidc_provider().await,
            "/.well-known/openid-configuration",
            json!(["openid", "offline_access", "api:read"]),
            json!({ "prompt": "consent" }),
        ),
        (
            Shop::django_oauth_toolkit().await,
            // RFC 8414 §3.1: the well-known part goes before the issuer's path.
            "/.well-known/oauth-authorization-server/o",
            json!(["api:read"]),
            json!({}),
        ),
    ] {
        let mut body = shop.body();
        body["definition"] = json!({
            "name": "Shop",
            "discovery_url": format!("{}{well_known}", shop.provider.base),
            "authorise": { "scopes": scopes, "query": asks },
        });
        let saved = shop
            .world
            .api
            .put(&shop.method_path(), "*", &body)
            .await
            .ok();
        let (definition, discovered) = (&saved["definition"], &saved["discovered"]);
        assert_eq!(
            definition["authorise"]["url"],
            shop.provider.authorise_url.as_str()
        );
        for (part, path) in [
            ("token", shop.provider.token_path),
            ("revoke", shop.provider.revoke_path),
        ] {
            let url = format!("{}{path}", shop.provider.base);
            assert_eq!(definition[part]["url"], url);
            assert_eq!(discovered[format!("/{part}/url")], url);
        }
        assert_eq!(discovered["/authorise/pkce"], "S256");
        assert_eq!(saved["complete"], true);

        let instance = shop.connected().await;
        shop.advance(601).await;
        let token = shop.world.api.access_token(&instance).await;
        assert!(shop.provider.is_active(&token).await);
        let deleted = shop
            .world
            .api
            .delete(&format!("/v1/instances/{instance}"))
            .await
            .ok();
        assert_eq!(deleted["revocation"]["outcome"], "confirmed");
    }
}

#[tokio::test]
async fn saving_again_follows_the_metadata_and_keeps_what_the_builder_has_said() {
    let draft = Draft::new().await;
    let api = &draft.world.api;
    let mut published = metadata(&draft.host.url);
    published["introspection_endpoint"] = json!(format!("{}/introspect", draft.host.url));
    draft.host.set(answer(200, &published));
    let definition = json!({
        "name": "Shop",
        "discovery_url": draft.url(),
        "token": { "body": { "audience": "shop" } },
    });
    let made = api
        .post(&draft.path, &json!({ "definition": definition }))
        .await;
    let path = format!("{}/{}", draft.path, made.created("id"));
    let saved = api.get(&path).await.ok();
    assert_eq!(saved["definition"]["token"]["body"]["audience"], "shop");
    assert!(saved["definition"]["introspect"].is_object());

    published["token_endpoint"] = json!(format!("{}/token-2", draft.host.url));
    published
        .as_object_mut()
        .unwrap()
        .remove("introspection_endpoint");
    draft.host.set(answer(200, &published));
    let mut next = saved["definition"].clone();
    let own = "https://own.example/authorise";
    next["authorise"]["url"] = json!(own);
    let saved = api
        .put(&path, "*", &json!({ "definition": next }))
        .await
        .ok();
    let definition = &saved["definition"];
    assert_eq!(definition["token"]["url"], published["token_endpoint"]);
    assert_eq!(definition["authorise"]["url"], own);
    assert!(definition["introspect"].is_null());
    assert!(saved["discovered"].get("/authorise/url").is_none());

    // Whoever wants no more of it drops the URL, and nothing is asked.
    let asked = draft.host.seen().len();
    next = definition.clone();
    next.as_object_mut().unwrap().remove("discovery_url");
    let saved = api
        .put(&path, "*", &json!({ "definition": next }))
        .await
        .ok();
    assert_eq!(
        saved["definition"]["token"]["url"],
        published["token_endpoint"]
    );
    assert!(saved.get("discovered").is_none());
    assert_eq!(draft.host.seen().len(), asked);
}

#[tokio::test]
async fn metadata_that_can_not_be_believed_is_refused_where_it_is_named() {
    let draft = Draft::new().await;
    let with = |name: &str, value: Value| {
        let mut metadata = metadata(&draft.host.url);
        metadata[name] = value;
        answer(200, &metadata)
    };
    let redirect = Mode::Answer(Reply {
        status: 302,
        content_type: "text/plain".to_owned(),
        headers: vec![("location".to_owned(), draft.url())],
        body: String::new(),
    });
    let huge = answer(200, &format!("{{\"issuer\":\"{}\"}}", "x".repeat(2 << 20)));
    for (mode, code) in [
        (
            with("issuer", json!("https://evil.example")),
            "wrong_metadata",
        ),
        (with("issuer", Value::Null), "wrong_metadata"),
        (
            with("token_endpoint", json!("http://shop.example/token")),
            "wrong_metadata",
        ),
        (
            with("token_endpoint", json!("https://u:p@shop.example/")),
            "wrong_metadata",
        ),
        (
            with(
                "token_endpoint",
                json!("https://shop.example/{{client_id}}"),
            ),
            "wrong_metadata",
        ),
        (
            with("authorization_endpoint", json!("javascript:alert(1)")),
            "wrong_metadata",
        ),
        (answer(404, &"{}"), "no_metadata"),
        (answer(200, &"<html>"), "no_metadata"),
        (answer(200, &"[]"), "no_metadata"),
        (answer(200, &"[".repeat(100_000)), "no_metadata"),
        (redirect, "no_metadata"),
        (huge, "no_metadata"),
    ] {
        draft.host.set(mode.clone());
        let faults = draft
            .faults(json!({ "name": "Shop", "discovery_url": draft.url() }))
            .await;
        let expected = ("/definition/discovery_url".to_owned(), code.to_owned());
        assert_eq!(faults, [expected], "{mode:?}");
    }
    assert_eq!(
        draft.world.api.get(&draft.path).await.ok()["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_url_that_can_not_be_read_is_told_from_one_that_waits_for_a_value() {
    let draft = Draft::new().await;
    draft.host.set(answer(200, &metadata(&draft.host.url)));
    let port = draft.host.url.rsplit_once(':').unwrap().1.to_owned();
    let named = |from: &str| {
        json!({
            "name": "Shop",
            "variables": [{ "key": "host", "from": from, "pattern": "[a-z]+" }],
            "discovery_url": "https://{{host}}.shop.example/.well-known/openid-configuration",
        })
    };
    for (definition, code) in [
        (named("user"), "impossible_reference"),
        (
            json!({ "name": "x", "discovery_url": "http://shop.example/.well-known/x" }),
            "invalid_url",
        ),
        (
            json!({ "name": "x", "discovery_url": "https://10.0.0.1/.well-known/x" }),
            "no_metadata",
        ),
        (
            json!({ "name": "x", "discovery_url": "https://169.254.169.254/.well-known/x" }),
            "no_metadata",
        ),
        (
            json!({ "name": "x", "discovery_url": format!("{}/metadata", draft.host.url) }),
            "wrong_metadata",
        ),
        (
            json!({
                "name": "x",
                "discovery_url": format!("http://127.0.0.1:{port}/.well-known/x/{{{{client_secret}}}}"),
            }),
            "secret_in_sight",
        ),
    ] {
        let faults = draft.faults(definition.clone()).await;
        let expected = ("/definition/discovery_url".to_owned(), code.to_owned());
        assert_eq!(faults, [expected], "{definition}");
    }

    // The builder's own value may follow.
    let api = &draft.world.api;
    let waiting = json!({
        "name": "Shop",
        "variables": [{ "key": "tenant", "pattern": "[a-z]+" }],
        "discovery_url": format!("{}/{{{{tenant}}}}/.well-known/openid-configuration", draft.host.url),
    });
    let asked = draft.host.seen().len();
    let made = api
        .post(&draft.path, &json!({ "definition": waiting }))
        .await;
    assert_eq!(draft.host.seen().len(), asked);
    let path = format!("{}/{}", draft.path, made.clone().created("id"));
    let lacks = made.body["lacks"].to_string();
    assert!(
        lacks.contains("/values/tenant") && lacks.contains("/definition/token/url"),
        "{lacks}"
    );
    let issuer = format!("{}/acme", draft.host.url);
    draft.host.set(answer(200, &metadata(&issuer)));
    let whole = json!({
        "definition": waiting,
        "values": { "tenant": "acme", "client_id": "id", "client_secret": "secret" },
    });
    let saved = api.put(&path, "*", &whole).await.ok();
    assert_eq!(
        saved["definition"]["token"]["url"],
        format!("{issuer}/token")
    );
    assert_eq!(saved["complete"], true);
}
