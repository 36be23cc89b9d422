//! The template, deployed into an emulator that runs the functions' own binaries.

use std::{path::Path, time::Duration};

use latchkey_emulators::{ministack, tools};
use latchkey_tests::{
    api::Api,
    process::binaries,
    proxy::{Mode, Proxy},
    server::{AuthServer, Behaviour},
    shop,
    visitor::{Decision, Visitor},
};
use serde_json::Value;
use tokio::process::Command;

/// Two ticks of the schedule, and some.
const TWO_TICKS: Duration = Duration::from_secs(150);

/// Deploys the template, or updates what is deployed; what it puts out.
async fn deploy(stack: &str, parameters: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(tools("ministack").join("bin/python"))
        .arg(root.join("tests/emulators/deploy.py"))
        .args([ministack(), stack])
        .arg(root.join("template.yaml"))
        .arg(binaries())
        .args(parameters)
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("outputs")
}

fn text<'a>(outputs: &'a Value, name: &str) -> &'a str {
    outputs[name].as_str().expect("an output")
}

/// The access token that takes another's place.
async fn another_token(api: &Api, instance: &str, old: &str) -> String {
    let changed = async {
        loop {
            let token = api.access_token(instance).await;
            if token != old {
                return token;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let changed = tokio::time::timeout(Duration::from_secs(30), changed).await;
    changed.expect("the refresh is kept")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_template_makes_connects_refreshes_on_schedule_and_survives_an_update() {
    let parameters = ["Architecture=x86_64"];
    let outputs = deploy("latchkey", &parameters).await;
    let nobody = Api::new(text(&outputs, "url"), None);
    assert_eq!(nobody.get("/v1/connectors").await.status, 401);
    let api = nobody
        .with_key(text(&outputs, "key"))
        .with_header("latchkey-tenant", "acme");

    let behaviour = Behaviour {
        access_ttl: 40,
        ..shop::behaviour(text(&outputs, "callback_url"))
    };
    let provider = AuthServer::oidc_provider(&behaviour).await;
    let proxy = Proxy::before(&provider.base).await;
    let connector = api.connector("Shop").await;
    let method = api.method(&connector, &shop::body(&provider, &proxy)).await;
    let (instance, url) = api.session(&connector, &method).await;
    let page = Visitor::default().walk(&url, &[], Decision::Allow).await;
    assert_eq!(page.heading(), "Connected", "{}", page.html);
    let first = api.access_token(&instance).await;
    assert!(provider.is_active(&first).await);

    proxy.set(Mode::HoldRequests);
    tokio::time::timeout(TWO_TICKS, proxy.held())
        .await
        .expect("the schedule has it refreshed");
    proxy.release();
    let second = another_token(&api, &instance, &first).await;
    assert!(provider.is_active(&second).await);

    let changed = [
        parameters[0],
        "InFlight=8",
        "LogFilter=debug",
        "Sweep=direct",
    ];
    assert_eq!(deploy("latchkey", &changed).await, outputs);
    let health = api.health(&instance).await;
    assert_eq!(health["status"], "active", "{health}");
    let token = api.access_token(&instance).await;
    assert!(provider.is_active(&token).await);
    let path = format!("/v1/instances/{instance}");
    assert_eq!(api.delete(&path).await.status, 200);
    assert!(!provider.is_active(&token).await);
}
