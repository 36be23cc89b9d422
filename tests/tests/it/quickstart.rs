//! What a newcomer does: `cargo run`, open the link, allow, `curl`; and what an operator asks of it.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use latchkey_tests::{
    api::Api,
    process::{Process, run},
    visitor::Visitor,
};
use tempfile::TempDir;

struct Started {
    process: Process,
    url: String,
    api: Api,
    connect_url: String,
    instance: String,
    provider: String,
}

async fn start(directory: &Path, ports: &[&str]) -> Started {
    let mut process = Process::start(directory, ports);
    let url = process.says("API ").await;
    let key = process.says("API key").await;
    process.says("open this link").await;
    let connect_url = format!("http://{}", process.says("http://").await);
    // The curl that is printed, word for word.
    let curl = process.says("curl -s -H").await;
    let words: Vec<_> = curl.split('\'').collect();
    assert_eq!(words[1], format!("Authorization: Bearer {key}"));
    let instance = words[2]
        .trim()
        .strip_prefix(&format!("{url}/v1/instances/"))
        .unwrap();
    let instance = instance.strip_suffix("/credential").unwrap().to_owned();
    let provider = format!("http://{}", process.says("http://").await);
    let api = Api::new(&url, Some(&key));
    Started {
        process,
        url,
        api,
        connect_url,
        instance,
        provider,
    }
}

const ANY_PORTS: [&str; 8] = [
    "--port",
    "0",
    "--provider-port",
    "0",
    "--store-port",
    "0",
    "--schedule",
    "1",
];

#[tokio::test]
async fn a_newcomer_connects_uses_and_restarts() {
    let home = TempDir::new().unwrap();
    let directory = home.path().join("data");
    let Started {
        process,
        url,
        api,
        connect_url,
        instance,
        provider,
    } = start(&directory, &ANY_PORTS).await;
    let mut visitor = Visitor::default();
    let page = visitor.open(&connect_url).await;
    assert_eq!(page.heading(), "Connect Demo shop");
    let page = visitor.submit(&page, &[]).await;
    assert!(page.url.as_str().starts_with(&provider), "{}", page.url);
    let page = visitor.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(page.heading(), "Connected", "{}", page.html);
    let token = api.access_token(&instance).await;
    let orders = latchkey_tests::http_client()
        .get(format!("{provider}/api/orders"))
        .bearer_auth(&token);
    assert_eq!(
        orders.send().await.unwrap().status(),
        200,
        "the credential works at the provider"
    );
    let docs = latchkey_tests::http_client()
        .get(format!("{url}/openapi.json"))
        .send()
        .await
        .unwrap();
    assert!(docs.text().await.unwrap().contains("\"openapi\""));
    let docs = Visitor::default().open(&format!("{url}/docs/")).await;
    assert!(docs.html.contains("swagger-ui"));

    for file in [
        "keyring.json",
        "api-key",
        "latchkey.db",
        "demo.json",
        "demo-provider.json",
    ] {
        let mode = fs::metadata(directory.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    let (port, provider_port) = (port_of(&url), port_of(&provider));
    process.kill().await;
    let again = start(
        &directory,
        &[
            "--port",
            &port,
            "--provider-port",
            &provider_port,
            "--store-port",
            "0",
        ],
    )
    .await;
    assert_eq!(again.instance, instance);
    assert_eq!(again.api.access_token(&instance).await, token);
    assert_eq!(again.api.health(&instance).await["status"], "active");
}

#[tokio::test]
async fn a_taken_port_says_so_and_what_helps() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = TempDir::new().unwrap();
    let directory = home.path().to_str().unwrap();
    for flag in ["--port", "--provider-port", "--store-port"] {
        let mut arguments = vec!["--directory", directory, flag, &port];
        for other in ["--port", "--provider-port", "--store-port"]
            .iter()
            .filter(|other| **other != flag)
        {
            arguments.extend([other, "0"]);
        }
        let (good, _, errors) = run(&arguments).await;
        assert!(!good);
        assert!(
            errors.contains(&format!("port {port} can't be had")) && errors.contains(flag),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn help_names_ports_directory_and_schedule() {
    let (good, text, _) = run(&["--help"]).await;
    assert!(good);
    for flag in [
        "--directory",
        "--port",
        "--provider-port",
        "--store-port",
        "--schedule",
        "--demo",
        "--log",
    ] {
        assert!(text.contains(flag), "{text}");
    }
}

fn port_of(url: &str) -> String {
    url.rsplit(':')
        .next()
        .unwrap()
        .trim_end_matches('/')
        .to_owned()
}
