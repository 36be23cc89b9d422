//! What we publish about ourselves, held against us by judges that others wrote.

use std::{fs, path::Path, process::Stdio};

use latchkey_emulators::tools;
use latchkey_tests::world::World;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Reads a schema and then documents, one a line, and says which of them the schema refuses.
const JUDGE: &str = "
import json, sys, jsonschema_rs
schema = jsonschema_rs.validator_for(json.loads(sys.stdin.readline()))
for line in sys.stdin:
    name, document = json.loads(line)
    for fault in schema.iter_errors(document):
        print(name, list(fault.instance_path), fault.message[:200])
";

#[tokio::test(flavor = "multi_thread")]
async fn the_api_does_what_its_document_says() {
    let world = World::start().await;
    let mut command = Command::new(tools("schemathesis").join("bin/st"));
    let key = format!("Authorization: Bearer {}", world.server.api_key.expose());
    command
        .args(["run", &format!("{}/openapi.json", world.url())])
        .args(["--header", &key, "--seed", "1", "--max-examples", "5"])
        .args(["--phases", "examples,fuzzing"])
        // A schema can't say all that a definition must be: what is refused beyond it is a 422, and the other tests' matter.
        .args([
            "--exclude-checks",
            "positive_data_acceptance,negative_data_rejection",
        ])
        .args([
            "--generation-database",
            "none",
            "--no-color",
            "--workers",
            "2",
        ])
        // What a redirect leads to is not ours to hold to our document.
        .args(["--max-redirects", "0"]);
    let directory = tempfile::TempDir::new().unwrap();
    let output = command.current_dir(&directory).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn every_definition_that_comes_along_is_one_by_the_published_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let schema = fs::read_to_string(root.join("shared/presets/definition.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let mut lines = format!("{schema}\n");
    let mut count = 0;
    for folder in ["shared/presets", "tests/quirks"] {
        for file in fs::read_dir(root.join(folder)).unwrap() {
            let file = file.unwrap().path();
            let is_definition = file.extension().is_some_and(|ending| ending == "yaml")
                && file.file_stem().is_some_and(|stem| stem != "table");
            if is_definition {
                let document: Value =
                    serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
                lines.push_str(&format!(
                    "{}\n",
                    json!([file.file_name().unwrap().to_str(), document])
                ));
                count += 1;
            }
        }
    }
    assert!(count > 250, "{count}");
    assert_eq!(refused(&lines).await, "");
    // The judge does judge.
    let wrong = json!(["wrong", { "name": "x", "tokn": {} }]);
    assert!(
        refused(&format!("{schema}\n{wrong}\n"))
            .await
            .starts_with("wrong")
    );
}

async fn refused(lines: &str) -> String {
    let mut judge = Command::new(tools("schemathesis").join("bin/python"))
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = judge.stdin.take().unwrap();
    let (written, output) = tokio::join!(
        async {
            input.write_all(lines.as_bytes()).await.unwrap();
            drop(input);
        },
        judge.wait_with_output()
    );
    let ((), output) = (written, output.unwrap());
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
