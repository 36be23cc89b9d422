//! Builders: what the linter says of a definition, over the API and on the command line.

use std::{fs, path::Path};

use latchkey_tests::{process, world::World};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Right by the language, and with two things in it that are hardly meant.
fn doubtful() -> Value {
    json!({
        "name": "Shop",
        "variables": [{ "key": "region" }],
        "authorise": { "url": "https://shop.example/authorise", "scopes": ["read", "read"] },
        "token": { "url": "https://shop.example/token" },
    })
}

fn codes(findings: &Value) -> Vec<(&str, &str)> {
    let findings = findings.as_array().unwrap().iter();
    findings
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap();
            assert!(!text("help").is_empty(), "{finding}");
            (text("code"), text("pointer"))
        })
        .collect()
}

#[tokio::test]
async fn warnings_come_with_what_is_saved() {
    let world = World::start().await;
    let api = &world.api;
    let path = format!(
        "/v1/connectors/{}/auth-methods",
        api.connector("Shop").await
    );
    let made = api.post(&path, &json!({ "definition": doubtful() })).await;
    let warnings = made.body["warnings"].clone();
    let id = made.created("id");
    assert_eq!(
        codes(&warnings),
        [
            ("unused_variable", "/definition/variables/0"),
            ("repeated_scope", "/definition/authorise/scopes/1"),
        ]
    );
    let read = api.get(&format!("{path}/{id}")).await.ok();
    assert_eq!(read["warnings"], warnings);
    let clean = json!({ "definition": { "preset": "github" } });
    let changed = api.put(&format!("{path}/{id}"), "*", &clean).await.ok();
    assert_eq!(changed["warnings"], json!([]));
}

#[tokio::test]
async fn a_draft_is_linted_and_not_saved() {
    let world = World::start().await;
    let api = &world.api;
    let lint = async |body: Value| api.post("/v1/auth-methods/lint", &body).await;
    let said = lint(json!({ "definition": doubtful() })).await.ok();
    assert_eq!(said["savable"], true);
    let found = codes(&said["findings"]);
    assert!(found.contains(&("unused_variable", "/definition/variables/0")));
    assert!(found.contains(&("no_documentation", "/definition/documentation_url")));
    let wrong = json!({
        "definition": { "preset": "github", "token": { "body": { "v": "{{verion}}" } } },
    });
    let said = lint(wrong).await.ok();
    assert_eq!(said["savable"], false);
    assert_eq!(
        codes(&said["findings"]),
        [("undeclared_variable", "/definition/token/body/v")]
    );
    let values =
        json!({ "oauth_authorised_code": "c", "acount": "a", "client_secret": "s3cr3t-marker" });
    let said = lint(json!({ "definition": { "preset": "github" }, "values": values })).await;
    assert!(!said.body.to_string().contains("s3cr3t-marker"));
    let said = said.ok();
    assert_eq!(
        codes(&said["findings"])[..2],
        [
            ("unknown_variable", "/values/acount"),
            ("not_asked", "/values/oauth_authorised_code"),
        ]
    );
    let short =
        json!({ "preset": "github", "variables": [{ "key": "state_length", "default": 5 }] });
    let said = lint(json!({ "definition": short })).await.ok();
    assert_eq!(
        codes(&said["findings"])[0],
        ("out_of_range", "/definition/authorise/state/length")
    );
    for (definition, fault) in [
        (json!({ "preset": "githup" }), "unknown_preset"),
        (
            json!({ "preset": "github", "token": { "uri": "x" } }),
            "unknown_field",
        ),
        (
            json!({ "preset": "github", "timeout_seconds": "x" }),
            "invalid_type",
        ),
    ] {
        let faults = lint(json!({ "definition": definition })).await.faults();
        assert_eq!(faults[0].1, fault);
    }
}

#[tokio::test]
async fn a_draft_sees_its_connector_s_variables() {
    let world = World::start().await;
    let api = &world.api;
    let connector = json!({ "name": "Shop", "variables": [{ "key": "region" }] });
    let id = api.post("/v1/connectors", &connector).await.created("id");
    let mut definition = doubtful();
    definition["variables"] = json!([]);
    definition["connector_variables"] = json!(["region"]);
    definition["token"]["body"] = json!({ "region": "{{region}}" });
    for (connector, savable) in [(json!(id), true), (Value::Null, false)] {
        let body = json!({ "definition": definition, "connector": connector });
        let said = api.post("/v1/auth-methods/lint", &body).await.ok();
        assert_eq!(said["savable"], savable, "{said}");
    }
}

#[tokio::test]
async fn the_command_line_lints_files_and_its_status_says_how_it_went() {
    let directory = TempDir::new().unwrap();
    let file = |name: &str, text: &str| process::file(&directory, name, text);
    let good = file("good.yaml", "preset: github\n");
    let doubtful = file("doubtful.json", &format!("{:#}", doubtful()));
    let wrong = file(
        "wrong.yaml",
        "name: Shop\ntoken:\n  url: shop.example\n  uri: x\n",
    );
    let broken = file("broken.yaml", "name: [\n");
    let missing = directory.path().join("missing.yaml");
    let missing = missing.to_str().unwrap();
    for (arguments, status) in [
        (vec![good.as_str()], 0),
        (vec![&good, &doubtful], 0),
        (vec![&good, &doubtful, "--deny-warnings"], 1),
        (vec![&good, "--notes", "--deny-warnings"], 0),
        (vec![&wrong, &doubtful], 1),
        (vec![&wrong, &broken], 2),
        (vec![missing], 2),
        (vec!["--codes"], 0),
        (vec![], 2),
    ] {
        let (code, output, errors) = lint(&arguments).await;
        assert_eq!(code, status, "{arguments:?}: {output}{errors}");
    }
    let (_, output, _) = lint(&[&wrong]).await;
    let start = format!("{wrong}:4:/token/uri: error[unknown_field]: ");
    assert!(output.starts_with(&start), "{output}");
    let (_, output, _) = lint(&[&doubtful, "--format", "json"]).await;
    let findings: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        codes(&findings),
        [
            ("unused_variable", "/variables/0"),
            ("repeated_scope", "/authorise/scopes/1"),
        ]
    );
    assert_eq!(findings[0]["file"], doubtful);
}

async fn lint(arguments: &[&str]) -> (i32, String, String) {
    let all: Vec<_> = ["lint"].iter().chain(arguments).copied().collect();
    process::status(&all).await
}

#[tokio::test]
async fn every_preset_passes_on_the_command_line() {
    let presets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/presets");
    let files: Vec<_> = fs::read_dir(presets)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|ending| ending == "yaml"))
        .map(|file| file.to_str().unwrap().to_owned())
        .collect();
    assert!(files.len() >= 250);
    let arguments: Vec<_> = ["--deny-warnings"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let (code, output, errors) = lint(&arguments).await;
    assert_eq!(code, 0, "{output}{errors}");
}
