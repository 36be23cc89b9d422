//! Builders: connectors, auth methods, settings and API keys over the API.

use latchkey_tests::{api::Api, world::World};
use serde_json::{Value, json};

fn shop() -> Value {
    json!({
        "definition": {
            "name": "Shop",
            "authorise": { "url": "https://shop.example/authorize" },
            "token": { "url": "https://shop.example/token" },
        },
        "values": { "client_id": "the-client", "client_secret": "s3cr3t-marker" },
    })
}

#[tokio::test]
async fn a_connector_is_made_read_changed_listed_and_deleted() {
    let world = World::start().await;
    let api = &world.api;
    let made = api
        .post(
            "/v1/connectors",
            &json!({ "name": "Shop", "variables": [{ "key": "account" }] }),
        )
        .await;
    assert_eq!(made.etag(), "\"1\"");
    let id = made.created("id");
    let path = format!("/v1/connectors/{id}");
    assert_eq!(api.get(&path).await.ok()["variables"][0]["key"], "account");

    let changed = api
        .put(&path, "\"1\"", &json!({ "name": "The shop" }))
        .await;
    assert_eq!(changed.etag(), "\"2\"");
    assert_eq!(changed.ok()["name"], "The shop");
    assert_eq!(
        api.get("/v1/connectors").await.ok()["items"][0]["name"],
        "The shop"
    );

    assert_eq!(api.delete(&path).await.status, 204);
    let _ = api.get(&path).await.problem(404, "not-found");
    let _ = api.delete(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_lost_race_is_told_and_changes_nothing() {
    let world = World::start().await;
    let api = &world.api;
    let connector = api.connector("Shop").await;
    let path = format!("/v1/connectors/{connector}");
    let body = json!({ "name": "Again" });
    assert_eq!(api.put(&path, "\"1\"", &body).await.status, 200);
    let _ = api
        .put(&path, "\"1\"", &body)
        .await
        .problem(412, "version-mismatch");
    let _ = api
        .send(reqwest::Method::PUT, &path, Some(&body))
        .await
        .problem(428, "version-required");
    assert_eq!(api.put(&path, "*", &body).await.status, 200);

    let method = api.method(&connector, &shop()).await;
    let path = format!("{path}/auth-methods/{method}");
    let race = (0..16).map(|_| {
        let (api, path) = (api.clone(), path.clone());
        tokio::spawn(async move { api.put(&path, "\"1\"", &shop()).await.status.as_u16() })
    });
    let mut won = 0;
    for outcome in race.collect::<Vec<_>>() {
        match outcome.await.unwrap() {
            200 => won += 1,
            other => assert_eq!(other, 412),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_new_auth_method_starts_with_the_default_variables() {
    let world = World::start().await;
    let connector = world.api.connector("Shop").await;
    let path = format!("/v1/connectors/{connector}/auth-methods");
    let body = json!({ "definition": { "name": "Shop", "type": "oauth2_authorization_code" } });
    let made = world.api.post(&path, &body).await;
    assert_eq!(made.status, 201);
    let keys: Vec<_> = made.body["definition"]["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        keys,
        [
            "state_length",
            "scope",
            "client_id",
            "client_secret",
            "response_authentication_token_key",
            "grant_type",
            "response_type",
            "oauth_authorised_code",
            "callback_url",
            "refresh_grant_type",
            "response_refresh_token_key",
        ]
    );
    assert_eq!(made.body["complete"], false);
    assert_eq!(
        made.body["lacks"],
        json!([
            "/definition/authorise/url",
            "/definition/token/url",
            "/values/client_id",
            "/values/client_secret"
        ])
    );
    let id = made.created("id");
    let session = json!({ "connector": connector, "auth_method": id });
    let opened = world.api.post("/v1/connect-sessions", &session).await;
    let page = reqwest_get(&opened.created("connect_url")).await;
    assert_eq!(page.0, 409, "{}", page.1);
    assert!(page.1.contains("not ready yet"), "{}", page.1);
}

#[tokio::test]
async fn secrets_are_written_and_never_read_back() {
    let world = World::start().await;
    let api = &world.api;
    let connector = api.connector("Shop").await;
    let id = api.method(&connector, &shop()).await;
    let path = format!("/v1/connectors/{connector}/auth-methods/{id}");
    let read = api.get(&path).await;
    let tag = read.etag();
    let body = read.ok();
    assert!(!body.to_string().contains("s3cr3t-marker"));
    assert_eq!(body["values"]["client_secret"], json!({ "set": true }));
    assert_eq!(
        body["values"]["client_id"],
        json!({ "set": true, "value": "the-client" })
    );
    assert_eq!(body["complete"], true);

    // What is not named stays; null removes.
    let mut next = json!({ "definition": body["definition"], "values": {} });
    let changed = api.put(&path, &tag, &next).await;
    let tag = changed.etag();
    assert_eq!(changed.ok()["values"]["client_secret"]["set"], true);
    next["values"] = json!({ "client_secret": null });
    let changed = api.put(&path, &tag, &next).await.ok();
    assert_eq!(changed["values"].get("client_secret"), None);
    assert_eq!(changed["lacks"], json!(["/values/client_secret"]));
}

#[tokio::test]
async fn bad_input_is_told_field_by_field() {
    let world = World::start().await;
    let api = &world.api;
    let connector = api.connector("Shop").await;
    let path = format!("/v1/connectors/{connector}/auth-methods");
    let body = json!({
        "definition": {
            "name": "",
            "timeout_seconds": 99,
            "variables": [{ "key": "a b" }, { "key": "shop", "from": "user" }],
            "authorise": { "url": "https://shop.example/{{nobody}}" },
            "token": { "url": "https://{{shop}}.example/token", "headers": { "Host": "evil" } },
        },
    });
    let faults = api.post(&path, &body).await.faults();
    for expected in [
        ("/definition/name", "invalid_name"),
        ("/definition/timeout_seconds", "out_of_range"),
        ("/definition/variables/0/key", "invalid_key"),
        ("/definition/authorise/url", "undeclared_variable"),
        ("/definition/token/url", "open_host"),
        ("/definition/token/headers/Host", "invalid_header"),
    ] {
        assert!(
            faults
                .iter()
                .any(|(pointer, code)| (pointer.as_str(), code.as_str()) == expected),
            "{expected:?}"
        );
    }

    let large: std::collections::BTreeMap<_, _> = (0..40)
        .map(|n| (format!("p{n}"), "x".repeat(2000)))
        .collect();
    for (body, pointer, code) in [
        (
            json!({ "definition": { "name": "x", "tokn": {} } }),
            "/definition/tokn",
            "unknown_field",
        ),
        (
            json!({ "definition": { "name": 7 } }),
            "/definition/name",
            "invalid_type",
        ),
        (json!({ "definition": {} }), "/definition", "missing"),
        (
            json!({ "definition": { "name": "x", "type": "basic" } }),
            "/definition/type",
            "invalid_type",
        ),
        (
            json!({ "definition": { "name": "x" }, "values": { "nobody": "x" } }),
            "/values/nobody",
            "unknown_variable",
        ),
        (
            json!({ "definition": { "name": "x", "token": { "body": large } } }),
            "/definition",
            "too_long",
        ),
        (
            json!({ "definition": { "name": "x" }, "values": { "state_length": "9" } }),
            "/values/state_length",
            "out_of_range",
        ),
    ] {
        let faults = api.post(&path, &body).await.faults();
        assert_eq!(faults, [(pointer.to_owned(), code.to_owned())], "{body}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_told_without_being_repeated() {
    let world = World::start().await;
    let url = format!("{}/v1/connectors", world.url());
    let key = world.server.api_key.expose();
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(300 * 1024));
    for (kind, body, status, slug) in [
        ("application/json", "{\"name\": s3cr3t", 400, "malformed"),
        ("application/json", "\"s3cr3t\"", 422, "invalid"),
        (
            "application/json",
            "{\"name\":\"x\"} s3cr3t",
            400,
            "malformed",
        ),
        ("text/plain", "{}", 415, "unsupported-media-type"),
        ("application/json", large.as_str(), 413, "too-large"),
    ] {
        let request = latchkey_tests::http_client()
            .post(&url)
            .bearer_auth(key)
            .header("content-type", kind);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{slug}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(&format!("/problems/{slug}")), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    let _ = world.api.get("/v1/nothing").await.problem(404, "not-found");
    let _ = world
        .api
        .delete("/v1/connectors")
        .await
        .problem(405, "method-not-allowed");
    let _ = world
        .api
        .get("/v1/connectors/con_1")
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::start().await;
    let api = &world.api;
    for number in 0..5 {
        api.connector(&format!("Shop {number}")).await;
    }
    let mut path = "/v1/connectors?limit=2".to_owned();
    let mut names = Vec::new();
    let mut pages = 0;
    loop {
        let page = api.get(&path).await.ok();
        pages += 1;
        names.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["name"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/connectors?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(names, ["Shop 0", "Shop 1", "Shop 2", "Shop 3", "Shop 4"]);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=",
        "cursor=%00",
        "page=2",
    ] {
        let _ = api
            .get(&format!("/v1/connectors?{query}"))
            .await
            .problem(400, "malformed");
    }
}

#[tokio::test]
async fn what_instances_use_is_not_deleted() {
    let world = World::start().await;
    let api = &world.api;
    let connector = api.connector("Shop").await;
    let method = api.method(&connector, &shop()).await;
    let new = json!({ "connector": connector, "auth_method": method });
    let instances = [
        api.post("/v1/instances", &new).await.created("id"),
        api.post("/v1/instances", &new).await.created("id"),
    ];
    let method_path = format!("/v1/connectors/{connector}/auth-methods/{method}");
    for path in [&method_path, &format!("/v1/connectors/{connector}")] {
        let problem = api.delete(path).await.problem(409, "in-use");
        assert_eq!(problem["instances"], 2);
        assert_eq!(problem["detail"], "2 instances use it; delete them first");
    }
    for instance in instances {
        let deleted = api.delete(&format!("/v1/instances/{instance}")).await.ok();
        assert_eq!(deleted["revocation"]["outcome"], "nothing");
    }
    assert_eq!(api.delete(&method_path).await.status, 204);
}

#[tokio::test]
async fn instances_are_made_with_checked_values() {
    let world = World::start().await;
    let api = &world.api;
    let connector = api
        .post(
            "/v1/connectors",
            &json!({ "name": "Shop", "variables": [
                { "key": "region", "type": "choice", "choices": ["eu", "us"], "default": "eu", "from": "user" },
            ] }),
        )
        .await
        .created("id");
    let mut body = shop();
    body["definition"]["connector_variables"] = json!(["region"]);
    body["definition"]["variables"] = json!([
        { "key": "account", "label": "Account", "from": "user", "pattern": "[a-z]+" },
        { "key": "pin", "from": "user", "type": "secret", "required": false },
    ]);
    let method = api.method(&connector, &body).await;
    let new =
        |values: Value| json!({ "connector": connector, "auth_method": method, "values": values });

    let faults = api.post("/v1/instances", &new(json!({}))).await.faults();
    assert_eq!(
        faults,
        [("/values/account".to_owned(), "missing".to_owned())]
    );
    let wrong = json!({ "account": "A1", "region": "mars", "client_id": "x", "planet": "x" });
    let faults = api.post("/v1/instances", &new(wrong)).await.faults();
    let codes: Vec<_> = faults
        .iter()
        .map(|(pointer, code)| (pointer.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            ("/values/account", "invalid_value"),
            ("/values/client_id", "not_asked"),
            ("/values/planet", "unknown_variable"),
            ("/values/region", "invalid_value"),
        ]
    );

    let made = api
        .post(
            "/v1/instances",
            &new(json!({ "account": "acme", "pin": "s3cr3t-marker" })),
        )
        .await;
    let id = made.created("id");
    let read = api.get(&format!("/v1/instances/{id}")).await.ok();
    assert_eq!(
        read["values"],
        json!({ "account": { "set": true, "value": "acme" }, "pin": { "set": true } })
    );
    assert_eq!(read["health"]["status"], "pending");
    assert_eq!(read["auth_method"], method.as_str());
    let _ = api.vend(&id).await.problem(409, "not-connected");
    assert_eq!(
        api.get("/v1/instances").await.ok()["items"][0]["id"],
        id.as_str()
    );
}

#[tokio::test]
async fn keys_open_what_their_scopes_name_and_nothing_of_other_tenants() {
    let world = World::start().await;
    let api = &world.api;
    let nobody = Api::new(world.url(), None);
    assert_eq!(
        nobody.get("/v1/connectors").await.headers["www-authenticate"],
        "Bearer"
    );
    let _ = nobody
        .get("/v1/connectors")
        .await
        .problem(401, "unauthenticated");
    for key in ["lk_wrong", "", "Bearer", "lk_é"] {
        let status = api.with_key(key).get("/v1/connectors").await.status;
        assert!(status == 401, "{key}");
    }

    let body = json!({ "name": "reader", "scopes": ["definitions:read"] });
    let made = api.post("/v1/api-keys", &body).await;
    let (key, id) = (
        made.body["key"].as_str().unwrap().to_owned(),
        made.body["id"].as_str().unwrap().to_owned(),
    );
    assert!(key.starts_with("lk_") && key.len() == 46, "{}", key.len());
    let reader = api.with_key(&key);
    let _ = reader.get("/v1/connectors").await.ok();
    let _ = reader
        .post("/v1/connectors", &json!({ "name": "x" }))
        .await
        .problem(403, "forbidden");
    let _ = reader.get("/v1/instances").await.problem(403, "forbidden");
    let _ = reader
        .with_header("latchkey-tenant", "other")
        .get("/v1/connectors")
        .await
        .problem(403, "forbidden");
    let listed = api.get("/v1/api-keys").await.ok();
    assert!(!listed.to_string().contains(&key));
    assert_eq!(api.delete(&format!("/v1/api-keys/{id}")).await.status, 204);
    let _ = reader
        .get("/v1/connectors")
        .await
        .problem(401, "unauthenticated");

    let expiring = json!({ "name": "short", "scopes": ["definitions:read"],
        "expires_at": "2100-01-01T00:00:00Z" });
    let key = api.post("/v1/api-keys", &expiring).await.created("key");
    let short = api.with_key(&key);
    let _ = short.get("/v1/connectors").await.ok();
    world.clock.advance(100 * 366 * 24 * 3600);
    let _ = short
        .get("/v1/connectors")
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn another_tenants_things_are_not_found() {
    let world = World::start().await;
    let operator = world.operator_key().await;
    let operator = world.api.with_key(&operator);
    let _ = operator
        .get("/v1/connectors")
        .await
        .problem(400, "malformed");
    let (ours, theirs) = (&world.api, operator.with_header("latchkey-tenant", "other"));
    let connector = ours.connector("Shop").await;
    let method = ours.method(&connector, &shop()).await;
    let new = json!({ "connector": connector, "auth_method": method });
    let instance = ours.post("/v1/instances", &new).await.created("id");

    for path in [
        format!("/v1/connectors/{connector}"),
        format!("/v1/connectors/{connector}/auth-methods/{method}"),
        format!("/v1/instances/{instance}"),
        format!("/v1/instances/{instance}/credential"),
    ] {
        let _ = theirs.get(&path).await.problem(404, "not-found");
    }
    let _ = theirs
        .delete(&format!("/v1/instances/{instance}"))
        .await
        .problem(404, "not-found");
    let _ = theirs
        .post("/v1/instances", &new)
        .await
        .problem(404, "not-found");
    let _ = theirs
        .post("/v1/connect-sessions", &json!({ "instance": instance }))
        .await
        .problem(404, "not-found");
    for path in ["/v1/connectors", "/v1/instances", "/v1/api-keys"] {
        assert_eq!(theirs.get(path).await.ok()["items"], json!([]), "{path}");
    }
    let _ = ours.get(&format!("/v1/instances/{instance}")).await.ok();
}

#[tokio::test]
async fn settings_take_return_urls_and_nothing_else() {
    let world = World::start().await;
    let api = &world.api;
    assert_eq!(
        api.get("/v1/settings").await.ok(),
        json!({ "return_urls": [] })
    );
    let good = json!({ "return_urls": ["https://app.example/done", "http://127.0.0.1:3000/*"] });
    let put = api
        .send(reqwest::Method::PUT, "/v1/settings", Some(&good))
        .await;
    assert_eq!(put.ok(), good);
    assert_eq!(api.get("/v1/settings").await.ok(), good);
    let bad = json!({ "return_urls": ["https://app.example/done", "javascript:alert(1)", "https://*.example/"] });
    let faults = api
        .send(reqwest::Method::PUT, "/v1/settings", Some(&bad))
        .await
        .faults();
    assert_eq!(
        faults
            .iter()
            .map(|(pointer, _)| pointer.as_str())
            .collect::<Vec<_>>(),
        ["/return_urls/1", "/return_urls/2"]
    );
}

async fn reqwest_get(url: &str) -> (u16, String) {
    let answer = latchkey_tests::http_client().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}
