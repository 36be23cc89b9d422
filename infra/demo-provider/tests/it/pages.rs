//! What people and programs read.

use crate::world::{CLIENT_ID, ISSUER, World, policy_hash, request};

#[tokio::test]
async fn the_consent_page_says_who_asks_for_what() {
    let page = World::new().authorize(&request()).await;
    assert_eq!(page.status, 200);
    for text in [
        "latchkey &#38; co",
        "Demo user",
        "See your profile",
        "profile:read",
        "See your orders",
        "orders:read",
        "127.0.0.1:8787",
        ">Allow</button>",
        ">Deny</button>",
    ] {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    assert!(!page.body.contains(CLIENT_ID), "the client's id is escaped");
}

#[tokio::test]
async fn the_consent_page_lets_in_its_own_style_and_nothing_else() {
    let page = World::new().authorize(&request()).await;
    let style = page
        .body
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        policy.contains(&format!("style-src {};", policy_hash(style))),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(
        !policy.contains("form-action"),
        "browsers would stop the way back to the app"
    );
    assert!(
        !page.body.contains(" style="),
        "an inline style would be blocked"
    );
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    let cookie = page.header("set-cookie");
    assert!(
        cookie.ends_with("; Path=/authorize; Max-Age=600; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
}

#[tokio::test]
async fn the_cookie_of_a_provider_on_https_is_secure() {
    let world = World::with(|settings| settings.base_url = "https://shop.example".to_owned());
    assert!(
        world
            .authorize(&request())
            .await
            .header("set-cookie")
            .ends_with("; Secure")
    );
}

#[tokio::test]
async fn the_home_page_lets_in_its_own_script_only() {
    let page = World::new().get("/", &[]).await;
    let script = page
        .body
        .split("<script>")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains(&format!("script-src {};", policy_hash(script))),
        "{policy}"
    );
}

#[tokio::test]
async fn the_home_page_counts_tokens_and_shows_none() {
    let world = World::new();
    let before = world.get("/", &[]).await;
    assert!(before.body.contains("Nothing yet"));
    let tokens = world.connect().await;
    let refreshed = world.refresh(&tokens.refresh).await.tokens();
    for path in ["/", "/activity"] {
        let page = world.get(path, &[]).await.body;
        assert!(
            page.contains("<dt>live connections</dt><dd>1</dd>"),
            "{page}"
        );
        assert!(
            page.contains("<dt>access tokens issued</dt><dd>2</dd>"),
            "{page}"
        );
        assert!(page.contains("<dt>refreshes</dt><dd>1</dd>"), "{page}");
        for token in [
            &tokens.access,
            &tokens.refresh,
            &refreshed.access,
            &refreshed.refresh,
        ] {
            assert!(!page.contains(token.as_str()));
        }
    }
}

#[tokio::test]
async fn the_home_page_tells_of_what_went_wrong() {
    let world = World::new();
    let tokens = world.connect().await;
    world.refresh(&tokens.refresh).await;
    world.refresh(&tokens.refresh).await;
    let page = world.get("/activity", &[]).await.body;
    assert!(page.contains("An old refresh token was used"), "{page}");
    assert!(
        page.contains("<dt>live connections</dt><dd>0</dd>"),
        "{page}"
    );
}

#[tokio::test]
async fn the_metadata_names_every_endpoint_under_the_issuer() {
    let metadata = World::new()
        .get("/.well-known/oauth-authorization-server", &[])
        .await
        .json();
    assert_eq!(metadata["issuer"], ISSUER);
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("revocation_endpoint", "/revoke"),
        ("introspection_endpoint", "/introspect"),
    ] {
        assert_eq!(metadata[name], format!("{ISSUER}{path}"));
    }
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    assert_eq!(
        metadata["authorization_response_iss_parameter_supported"],
        true
    );
}

#[tokio::test]
async fn a_path_that_is_not_there_answers_with_a_page() {
    let page = World::new().get("/nowhere", &[]).await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("There is no such page here."));
}
