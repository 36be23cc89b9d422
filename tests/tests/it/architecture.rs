//! The edges between the project's crates, and what the common crate may reach.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// Crates that do I/O or read the environment: none of them is within the common crate's reach.
const IO: [&str; 13] = [
    "tokio",
    "reqwest",
    "hyper",
    "axum",
    "aws-sdk-dynamodb",
    "aws-config",
    "lambda_http",
    "lambda_runtime",
    "rustls",
    "getrandom",
    "mio",
    "socket2",
    "rusqlite",
];

#[test]
fn the_edges_between_our_crates_are_those_of_the_design() {
    // `auth-methods` reaches the egress for one thing: the metadata at a definition's `discovery_url`. `import` reaches
    // the common crate for the same: what metadata means is written down once.
    let edges = edges();
    insta::assert_json_snapshot!(edges, @r#"
    {
      "latchkey-auth-methods": "aws core egress presets web",
      "latchkey-authorise": "aws core web",
      "latchkey-authorizer": "aws core",
      "latchkey-aws": "core",
      "latchkey-benches": "",
      "latchkey-budget": "",
      "latchkey-callback": "aws core egress web",
      "latchkey-core": "",
      "latchkey-cost": "",
      "latchkey-crash": "aws core egress emulators model",
      "latchkey-credentials": "aws core egress web",
      "latchkey-demo-provider": "",
      "latchkey-egress": "core",
      "latchkey-emulators": "",
      "latchkey-fuzz": "core import presets web",
      "latchkey-import": "core",
      "latchkey-local": "auth-methods authorise aws callback core credentials demo-provider egress import refresher web",
      "latchkey-model": "",
      "latchkey-presets": "",
      "latchkey-refresher": "aws core egress",
      "latchkey-simulation": "core",
      "latchkey-tests": "aws core egress emulators local refresher",
      "latchkey-web": "core",
      "xtask": ""
    }
    "#);
}

#[test]
fn the_common_crate_reaches_no_io() {
    let reached = reached("latchkey-core");
    for banned in IO {
        // The `oauth2` crate draws random numbers by itself, and so does ring, to sign; ours come
        // through a port.
        let through_oauth2 = banned == "getrandom";
        assert!(
            !reached.iter().any(|name| name == banned) || through_oauth2,
            "latchkey-core reaches {banned}"
        );
    }
}

#[test]
fn only_the_egress_uses_the_http_client() {
    for member in edges()
        .keys()
        .filter(|member| member.starts_with("latchkey-"))
    {
        let direct = direct(member);
        let may = ["latchkey-egress", "latchkey-tests"].contains(&member.as_str());
        assert!(
            may || !direct.contains(&"reqwest".to_owned()),
            "{member} uses reqwest"
        );
        let may = ["latchkey-aws", "latchkey-local", "latchkey-tests"].contains(&member.as_str());
        assert!(
            may || !direct.iter().any(|name| name.starts_with("aws-sdk-")),
            "{member} uses the AWS SDK"
        );
    }
}

#[test]
fn use_goes_left_inside_the_common_crate() {
    let order = ["model", "protocol", "port", "flow"];
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/core/src");
    for (place, module) in order.iter().enumerate() {
        for file in files(&format!("{root}/{module}")) {
            let text = std::fs::read_to_string(&file).unwrap();
            // Groups of `use crate::{…}` are read as a whole.
            let uses = text
                .split("use crate::")
                .skip(1)
                .map(|rest| rest.split(';').next().unwrap());
            for used in uses {
                for later in order.iter().skip(place + 1) {
                    let names = |name: &str| {
                        used.split(|c: char| !c.is_alphanumeric() && c != '_')
                            .any(|word| word == name)
                    };
                    let outer = used.trim_start_matches('{').trim_start().starts_with(later);
                    let grouped = used.starts_with('{')
                        && names(later)
                        && used.contains(&format!("\n    {later}::"));
                    assert!(!outer && !grouped, "{file} of '{module}' uses '{later}'");
                }
            }
        }
    }
}

fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(path.to_str().unwrap()));
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

/// Each member of the workspace with the members that it depends on, tests apart.
fn edges() -> BTreeMap<String, String> {
    let packages = metadata();
    packages
        .iter()
        .map(|package| {
            let mut ours: Vec<_> = dependencies(package)
                .filter_map(|name| name.strip_prefix("latchkey-").map(str::to_owned))
                .collect();
            ours.sort();
            (package["name"].as_str().unwrap().to_owned(), ours.join(" "))
        })
        .collect()
}

fn direct(member: &str) -> Vec<String> {
    let packages = metadata();
    let package = packages
        .iter()
        .find(|package| package["name"] == member)
        .unwrap();
    dependencies(package).collect()
}

fn dependencies(package: &Value) -> impl Iterator<Item = String> + '_ {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
}

fn metadata() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn reached(member: &str) -> Vec<String> {
    let tree = cargo(&[
        "tree",
        "--package",
        member,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
