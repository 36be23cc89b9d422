//! Builders: every request of a definition before anybody connects.

use latchkey_tests::{
    http_client, parameter, process,
    proxy::{Proxy, Quirk, Reply, Seen},
    world::World,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// Answers everything itself, in all the forms that the presets here want at once.
struct Obliging;

impl Quirk for Obliging {
    fn ask(&self, _: &Seen) -> Result<Seen, Reply> {
        let body = json!({
            "access_token": "ACCESS_TOKEN", "refresh_token": "REFRESH_TOKEN", "expires_in": 3600,
            "app_access_token": "APP_ACCESS_TOKEN", "code": 0, "ok": true,
        });
        Err(Reply {
            status: 200,
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: body.to_string(),
        })
    }

    fn answer(&self, plain: Reply) -> Reply {
        plain
    }
}

/// Presets of different shapes: JSON and forms, GET and POST, Basic, body and none, renamed parameters, digests,
/// values in URLs, steps before. With what a user gives.
const SHAPES: [(&str, &[(&str, &str)]); 16] = [
    ("airtable", &[]),
    ("atlassian", &[]),
    ("dropbox", &[]),
    ("feishu", &[]),
    ("figma", &[]),
    ("github", &[]),
    ("google", &[]),
    ("hubspot", &[]),
    ("notion", &[]),
    ("slack", &[]),
    ("smartsheet", &[("region", "us")]),
    ("tiktok", &[]),
    ("trovo", &[]),
    ("wechat", &[]),
    ("xero", &[]),
    ("zendesk", &[("subdomain", "acme")]),
];

/// A preset whose requests go to `proxy`.
async fn moved(world: &World, preset: &str, proxy: &str) -> Value {
    let whole = world.api.get(&format!("/v1/presets/{preset}")).await.ok();
    let mut definition = whole["definition"].clone();
    let documentation = definition["documentation_url"].take();
    let authorise = definition["authorise"]["url"].take();
    to_proxy(&mut definition, proxy);
    definition["documentation_url"] = documentation;
    definition["authorise"]["url"] = authorise;
    definition
}

fn to_proxy(value: &mut Value, proxy: &str) {
    match value {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix("https://") {
                let path = rest.split_once('/').map_or("", |(_, path)| path);
                *text = format!("{proxy}/{path}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| to_proxy(item, proxy)),
        Value::Object(members) => members.values_mut().for_each(|item| to_proxy(item, proxy)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What was drawn by chance, as the preview has it.
fn without_chance(text: &str, drawn: &[String]) -> String {
    drawn.iter().fold(text.to_owned(), |text, drawn| {
        text.replace(drawn.as_str(), &"A".repeat(drawn.len()))
    })
}

/// The verifier in a token request, if there is one.
fn verifier(seen: &Seen) -> Option<String> {
    let json: Value = serde_json::from_str(&seen.body).unwrap_or_default();
    let url = Url::parse(&format!("http://provider.example{}", seen.path)).unwrap();
    let in_query = parameter(&url, "code_verifier");
    let in_json = json["code_verifier"].as_str().map(str::to_owned);
    seen.field("code_verifier").or(in_json).or(in_query)
}

#[tokio::test]
async fn what_is_previewed_is_what_is_sent() {
    let world = World::start().await;
    let api = &world.api;
    let settings = json!({ "return_urls": ["https://app.example/done"] });
    let put = reqwest::Method::PUT;
    let _ = api.send(put, "/v1/settings", Some(&settings)).await.ok();
    let connector = api.connector("Shapes").await;
    for (preset, given) in SHAPES {
        let proxy = Proxy::quirky("http://127.0.0.1:9", Obliging).await;
        let definition = moved(&world, preset, &proxy.url).await;
        // The secret is what stands in for it, so that even digests are the same.
        let client = json!({ "client_id": "the-client", "client_secret": "CLIENT_SECRET" });
        let mut values = client.clone();
        let user: Value = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        values
            .as_object_mut()
            .unwrap()
            .extend(user.as_object().unwrap().clone());
        let ask = json!({ "definition": definition, "values": values });
        let preview = api.post("/v1/auth-methods/preview", &ask).await.ok();

        let method = json!({ "definition": definition, "values": client });
        let method = api.method(&connector, &method).await;
        let new = json!({ "connector": connector, "auth_method": method, "values": user });
        let instance = api.post("/v1/instances", &new).await.created("id");
        let path = format!("/v1/instances/{instance}/authorisations");
        let begun = api
            .post(&path, &json!({ "return_url": "https://app.example/done" }))
            .await;
        let authorise_url = begun.body["authorise_url"].as_str().unwrap().to_owned();
        let sent: Vec<Seen> = called_back(&world, &proxy, &authorise_url).await;

        let mut drawn: Vec<String> = sent.iter().filter_map(verifier).collect();
        drawn.extend(state(&authorise_url));
        let requests = preview["requests"].as_array().unwrap();
        let (first, rest) = requests.split_first().unwrap();
        let shown = first["request"]["url"].as_str().unwrap();
        assert_eq!(
            without_challenge(&without_chance(&authorise_url, &drawn)),
            without_challenge(shown),
            "{preset}"
        );
        let tokens: Vec<_> = rest
            .iter()
            .filter(|request| request["name"].as_str().unwrap().starts_with("token"))
            .collect();
        assert!(sent.len() >= tokens.len() && !tokens.is_empty(), "{preset}");
        for (request, sent) in tokens.iter().zip(&sent) {
            let shown = &request["request"];
            same(preset, shown, sent, &drawn, &proxy.url);
        }
    }
}

/// What the provider is sent when somebody comes back.
async fn called_back(world: &World, proxy: &Proxy, authorise_url: &str) -> Vec<Seen> {
    let state = state(authorise_url).unwrap();
    let callback = format!("{}?code=CODE&state={state}", world.callback_url());
    let answer = http_client().get(callback).send().await;
    let answer = answer.unwrap();
    assert!(answer.status().as_u16() < 400, "{answer:?}");
    proxy.seen()
}

fn state(authorise_url: &str) -> Option<String> {
    parameter(&Url::parse(authorise_url).unwrap(), "state")
}

/// An authorise URL without the one parameter that follows from the verifier.
fn without_challenge(url: &str) -> Vec<(String, String)> {
    let url = Url::parse(url).unwrap();
    let pairs = url.query_pairs().into_owned();
    pairs.filter(|(name, _)| name != "code_challenge").collect()
}

fn same(preset: &str, shown: &Value, sent: &Seen, drawn: &[String], proxy: &str) {
    let text = |name: &str| shown[name].as_str().unwrap_or_default();
    assert_eq!(text("method"), sent.method.as_str(), "{preset}");
    let path = text("url").strip_prefix(proxy).unwrap();
    assert_eq!(path, without_chance(&sent.path, drawn), "{preset}");
    assert_eq!(text("body"), without_chance(&sent.body, drawn), "{preset}");
    let mut headers = 0;
    for header in shown["headers"].as_array().unwrap() {
        let name = header["name"].as_str().unwrap().to_ascii_lowercase();
        assert_eq!(header["value"], sent.headers[&name], "{preset} {name}");
        headers += 1;
    }
    let transport = ["host", "content-length", "accept-encoding"];
    let own = sent
        .headers
        .keys()
        .filter(|name| !transport.contains(&name.as_str()));
    assert_eq!(own.count(), headers, "{preset}: {:?}", sent.headers);
}

#[tokio::test]
async fn a_preview_says_what_a_sample_answer_brings_and_shows_no_secret() {
    let world = World::start().await;
    let ask = json!({
        "definition": { "preset": "slack" },
        "values": { "client_id": "the-client", "client_secret": "s3cr3t-marker" },
        "response": { "ok": true, "access_token": "xoxb-s3cr3t", "team": { "id": "T1" }, "scope": "a,b", "expires_in": 43200 },
    });
    let answer = world.api.post("/v1/auth-methods/preview", &ask).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let preview = answer.ok();
    assert!(!preview.to_string().contains("s3cr3t"), "{preview}");
    let response = &preview["response"];
    assert_eq!(response["scopes"], json!(["a", "b"]));
    let found = response["found"].as_array().unwrap();
    let team = json!({ "what": "variable.team_id", "from": "team.id", "value": "T1" });
    assert!(found.contains(&team), "{found:?}");
    let missing = response["missing"].as_array().unwrap();
    assert!(
        missing.iter().any(|part| part["what"] == "refresh_token"),
        "{missing:?}"
    );
    // What the sample brings is used.
    assert_eq!(
        preview["values"],
        json!([{ "name": "team_id", "value": "T1" }])
    );

    for (body, pointer) in [
        (
            json!({ "definition": { "preset": "slack" }, "values": { "x": "1" } }),
            "/values/x",
        ),
        (
            json!({ "definition": { "preset": "slack", "timeout_seconds": 60 } }),
            "/definition/timeout_seconds",
        ),
        (
            json!({ "definition": { "preset": "zendesk" }, "values": { "subdomain": "a.b" } }),
            "/values/subdomain",
        ),
        (
            json!({ "definition": { "preset": "slack" }, "sample": 1 }),
            "/sample",
        ),
    ] {
        let faults = world
            .api
            .post("/v1/auth-methods/preview", &body)
            .await
            .faults();
        assert_eq!(faults[0].0, pointer, "{faults:?}");
    }
}

#[tokio::test]
async fn the_command_line_previews_a_file_in_three_forms() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str, text: &str| process::file(&directory, name, text);
    let zendesk = file("zendesk.yaml", "preset: zendesk\n");
    let values = file(
        "values.yaml",
        "client_id: the-client\nclient_secret: s3cr3t-marker\nsubdomain: acme\n",
    );
    let response = file(
        "response.json",
        r#"{"access_token":"s3cr3t-token","expires_in":1800}"#,
    );
    let refused = file("refused.json", r#"{"error":"invalid_grant"}"#);
    let wrong = file("wrong.yaml", "subdomain: a.b\n");
    let run = async |more: &[&str]| {
        let arguments: Vec<_> = ["preview", &zendesk].iter().chain(more).copied().collect();
        let (code, output, errors) = process::status(&arguments).await;
        assert!(
            !output.contains("s3cr3t") && !errors.contains("s3cr3t"),
            "{output}{errors}"
        );
        (code, output, errors)
    };
    let (code, output, errors) = run(&["--values", &values, "--response", &response]).await;
    assert_eq!(code, 0, "{errors}");
    assert!(
        output.contains("\n### token\nPOST /oauth/tokens HTTP/1.1\nHost: acme.zendesk.com\n"),
        "{output}"
    );
    assert!(
        output.contains("access_token: [12 characters] (at access_token)\n"),
        "{output}"
    );
    assert!(output.contains("\nno refresh_token: "), "{output}");
    let (_, output, _) = run(&["--values", &values, "--format", "curl"]).await;
    assert!(
        output.contains("\ncurl -X POST 'https://acme.zendesk.com/oauth/tokens' \\\n"),
        "{output}"
    );
    let (_, output, _) = run(&["--values", &values, "--format", "json"]).await;
    let preview: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(preview["requests"][1]["name"], "token");
    let (code, _, errors) = run(&["--values", &wrong]).await;
    assert_eq!(code, 1);
    assert!(
        errors.contains("/values/subdomain: error[invalid_value]: "),
        "{errors}"
    );
    let (code, output, _) = run(&["--response", &refused]).await;
    assert_eq!(code, 1);
    assert!(
        output.contains("it brings nothing: invalid_grant"),
        "{output}"
    );
    assert_eq!(run(&["--values", "missing.yaml"]).await.0, 2);
}
