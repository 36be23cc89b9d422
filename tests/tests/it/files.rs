//! Builders: definitions as files, out of other systems and out of ours.

use std::{fs, path::Path};

use latchkey_tests::{process, world::World};
use serde_json::{Value, json};
use tempfile::TempDir;

const NANGO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../infra/import/tests/it/fixtures/providers.yaml"
);

#[tokio::test]
async fn what_is_imported_is_saved_as_it_is_written() {
    let directory = TempDir::new().unwrap();
    let to = directory.path().to_str().unwrap();
    let (done, _, errors) = process::run(&["import", NANGO, "--to", to]).await;
    assert!(done, "{errors}");
    // What the source says and a definition can't is named.
    assert!(
        errors.contains("slack: webhook_routing_script: "),
        "{errors}"
    );
    assert!(
        errors.contains("stripe-key: auth_mode: \"API_KEY\""),
        "{errors}"
    );
    assert!(directory.path().join("definition.schema.json").is_file());
    let world = World::start().await;
    let path = format!(
        "/v1/connectors/{}/auth-methods",
        world.api.connector("Imported").await
    );
    let mut saved = Vec::new();
    for file in fs::read_dir(&directory).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|ending| ending == "yaml") {
            let definition = read(&file);
            let made = world
                .api
                .post(&path, &json!({ "definition": definition }))
                .await;
            let _ = made.created("id");
            saved.push(file.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    saved.sort();
    let expected = [
        "jira",
        "netsuite",
        "salesforce",
        "salesforce-sandbox",
        "shopify",
        "slack",
        "zoho",
    ];
    assert_eq!(saved, expected);
}

#[tokio::test]
async fn what_is_exported_is_the_definition_again() {
    let world = World::start().await;
    let path = format!(
        "/v1/connectors/{}/auth-methods",
        world.api.connector("Zendesk").await
    );
    let preset = json!({ "definition": { "preset": "zendesk" } });
    let id = world.api.post(&path, &preset).await.created("id");
    let method = world.api.get(&format!("{path}/{id}")).await.ok();
    let directory = TempDir::new().unwrap();
    let file = process::file(&directory, "method.json", &method.to_string());
    let (done, yaml, errors) = process::run(&["export", &file]).await;
    assert!(done, "{errors}");
    let definition: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(definition, method["definition"]);
}

#[tokio::test]
async fn a_file_is_not_written_over_unless_asked() {
    let directory = TempDir::new().unwrap();
    let to = directory.path().to_str().unwrap();
    let first = process::run(&["import", NANGO, "--to", to]).await;
    assert!(first.0, "{}", first.2);
    let kept = directory.path().join("slack.yaml");
    fs::write(&kept, "mine").unwrap();
    let (done, _, errors) = process::run(&["import", NANGO, "--to", to]).await;
    assert!(!done && errors.contains(".yaml: "), "{errors}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    let (done, _, errors) = process::run(&["import", NANGO, "--to", to, "--replace"]).await;
    assert!(done, "{errors}");
    assert_ne!(fs::read_to_string(&kept).unwrap(), "mine");
}

#[tokio::test]
async fn a_file_of_no_known_form_is_refused_by_name() {
    let directory = TempDir::new().unwrap();
    let file = process::file(&directory, "notes.txt", "just notes");
    for command in ["import", "export"] {
        let (done, output, errors) = process::run(&[command, &file]).await;
        assert!(!done && output.is_empty(), "{output}");
        assert!(errors.contains("notes.txt: "), "{errors}");
    }
}

fn read(file: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::test]
async fn the_definitions_in_the_readme_are_saved_and_the_presets_among_them_are_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let shown: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let (github, presets) = shown.split_first().unwrap();
    assert!(github.lines().count() <= 10, "{github}");
    let kept: Vec<String> = fs::read_dir(root.join("shared/presets"))
        .unwrap()
        .filter_map(|file| fs::read_to_string(file.unwrap().path()).ok())
        .collect();
    assert_eq!(presets.len(), 8);
    for preset in presets {
        let is_kept = kept.iter().any(|text| {
            text.split_once('\n')
                .is_some_and(|(_, text)| text == *preset)
        });
        assert!(is_kept, "no preset is this any more:\n{preset}");
    }
    let world = World::start().await;
    let path = format!(
        "/v1/connectors/{}/auth-methods",
        world.api.connector("GitHub").await
    );
    let definition: Value = serde_saphyr::from_str(github).unwrap();
    let whole = json!({ "definition": definition, "values": { "client_id": "id", "client_secret": "secret" } });
    let id = world.api.post(&path, &whole).await.created("id");
    assert_eq!(
        world.api.get(&format!("{path}/{id}")).await.ok()["complete"],
        true
    );
}
