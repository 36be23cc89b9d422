//! Builders: starting from the definition of a real provider.

use latchkey_tests::world::World;
use serde_json::json;

#[tokio::test]
async fn a_preset_is_found_by_name_and_says_who_gives_what() {
    let world = World::start().await;
    let api = &world.api;
    let all = api.get("/v1/presets").await.ok();
    assert!(all["items"].as_array().unwrap().len() >= 250);
    let found = api.get("/v1/presets?search=ZENDESK").await.ok();
    let zendesk = &found["items"][0];
    assert_eq!(zendesk["preset"], "zendesk");
    let keys = |who: &str| {
        let asked = zendesk[who].as_array().unwrap().iter();
        asked
            .map(|asked| asked["key"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys("builder"), ["client_id", "client_secret"]);
    assert_eq!(keys("user"), ["subdomain"]);
    let whole = api.get("/v1/presets/zendesk").await.ok();
    assert_eq!(whole["definition"]["name"], zendesk["name"]);
    let _ = api
        .get("/v1/presets/no-such-provider")
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn an_auth_method_starts_from_a_preset_with_client_id_and_secret_left_to_give() {
    let world = World::start().await;
    let api = &world.api;
    let path = format!(
        "/v1/connectors/{}/auth-methods",
        api.connector("GitHub").await
    );
    let made = api
        .post(&path, &json!({ "definition": { "preset": "github" } }))
        .await;
    let id = made.created("id");
    let read = api.get(&format!("{path}/{id}")).await.ok();
    assert_eq!(
        read["lacks"],
        json!(["/values/client_id", "/values/client_secret"])
    );
    let complete = json!({
        "definition": { "preset": "github", "name": "GitHub for us", "authorise": { "scopes": ["repo"] } },
        "values": { "client_id": "the-client", "client_secret": "s3cr3t-marker" },
    });
    let changed = api.put(&format!("{path}/{id}"), "*", &complete).await.ok();
    assert_eq!(changed["complete"], true);
    assert_eq!(changed["definition"]["name"], "GitHub for us");
    assert_eq!(
        changed["definition"]["authorise"]["scopes"],
        json!(["repo"])
    );
    assert_eq!(
        changed["definition"]["authorise"]["url"],
        "https://github.com/login/oauth/authorize"
    );
    // What is stored is the result: it stays as it is when the preset changes.
    assert!(changed["definition"].get("preset").is_none());
}

#[tokio::test]
async fn a_fault_beside_a_preset_says_where_it_is() {
    let world = World::start().await;
    let api = &world.api;
    let path = format!(
        "/v1/connectors/{}/auth-methods",
        api.connector("Shop").await
    );
    for (definition, pointer) in [
        (json!({ "preset": "githup" }), "/definition/preset"),
        (
            json!({ "preset": "github", "token": { "body": { "v": "{{verion}}" } } }),
            "/definition/token/body/v",
        ),
        (
            json!({ "preset": "github", "token": { "uri": "https://a.example/" } }),
            "/definition/token/uri",
        ),
    ] {
        let faults = api
            .post(&path, &json!({ "definition": definition }))
            .await
            .faults();
        assert_eq!(faults[0].0, pointer, "{faults:?}");
    }
}
