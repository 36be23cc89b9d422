//! The template, deployed into an emulator that runs the functions' own binaries.

mod operator;
mod roles;
mod secrets;
mod troubles;

use std::{path::Path, time::Duration};

use latchkey_emulators::{ministack, tools};
use latchkey_tests::{
    api::Api,
    lambda::released,
    proxy::{Mode, Proxy},
    server::{AuthServer, Behaviour},
    shop,
    visitor::{Decision, Visitor},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use self::{operator::Operator, roles::hold_roles, troubles::Trouble};

/// Two ticks of the schedule, and some.
const TWO_TICKS: Duration = Duration::from_secs(150);

/// Deploys the template, or updates what is deployed; what it puts out.
async fn deploy(stack: &str, parameters: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(tools("ministack").join("bin/python"))
        .arg(root.join("tests/emulators/deploy.py"))
        .args([ministack(), stack])
        .arg(root.join("template.yaml"))
        .arg(released())
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

/// What builders and operators do.
async fn administer(api: &Api, body: &Value) {
    let connector = api.connector("Spare").await;
    let path = format!("/v1/connectors/{connector}");
    let seen = api.get(&path).await;
    let renamed = api
        .put(&path, &seen.etag(), &json!({ "name": "Renamed" }))
        .await;
    assert_eq!(renamed.status, 200, "{:?}", renamed.body);
    let _ = api.get("/v1/connectors").await.ok();
    let method = api.method(&connector, body).await;
    let _ = api.get(&format!("{path}/auth-methods")).await.ok();
    let method = format!("{path}/auth-methods/{method}");
    let seen = api.get(&method).await;
    let changed = api.put(&method, &seen.etag(), body).await;
    assert_eq!(changed.status, 200, "{:?}", changed.body);
    assert_eq!(api.delete(&method).await.status, 204);
    assert_eq!(api.delete(&path).await.status, 204);

    let settings = json!({ "return_urls": ["https://app.example/done"] });
    let _ = api
        .send(Method::PUT, "/v1/settings", Some(&settings))
        .await
        .ok();
    let _ = api.get("/v1/settings").await.ok();
    let _ = api.get("/v1/presets?search=github").await.ok();
    let _ = api.get("/v1/presets/github").await.ok();
    let new = json!({ "name": "reader", "scopes": ["definitions:read"] });
    let made = api.post("/v1/api-keys", &new).await;
    let (id, key) = (made.clone().created("id"), made.created("key"));
    let _ = api.with_key(&key).get("/v1/connectors").await.ok();
    let _ = api.get("/v1/api-keys").await.ok();
    assert_eq!(api.delete(&format!("/v1/api-keys/{id}")).await.status, 204);
}

/// A platform begins and completes a consent itself; the person says no, and then yes again.
async fn complete(api: &Api, connector: &str, method: &str) {
    let new = json!({ "connector": connector, "auth_method": method });
    let instance = api.post("/v1/instances", &new).await.created("id");
    let _ = api.get("/v1/instances").await.ok();
    let path = format!("/v1/instances/{instance}/authorisations");
    let begin = json!({ "return_url": "https://app.example/done" });
    for decision in [Decision::Deny, Decision::Allow, Decision::Allow] {
        let begun = api.post(&path, &begin).await;
        assert_eq!(begun.status, 201, "{:?}", begun.body);
        let mut visitor = Visitor::default().stopping_before("https://app.example/");
        let page = visitor.open(text(&begun.body, "authorise_url")).await;
        let _ = visitor.decide(page, decision).await;
        if decision == Decision::Allow {
            let authorisation = text(&begun.body, "authorisation");
            let path = format!("/v1/authorisations/{authorisation}/complete");
            let _ = api.post(&path, &json!({})).await.ok();
        }
    }
    let vended = api.vend(&instance).await.ok();
    let rejected = json!({ "credential_id": vended["credential_id"] });
    let path = format!("/v1/instances/{instance}/credential/rejected");
    let answer = api.post(&path, &rejected).await;
    assert!(answer.status.is_success(), "{:?}", answer.body);
    let renewed = api.access_token(&instance).await;
    assert_ne!(renewed, text(&vended, "access_token"));
    let path = format!("/v1/instances/{instance}");
    assert_eq!(api.delete(&path).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_refresh_tokens_sealed_into_the_table_it_does_the_same() {
    story("sealed", &["Vault=sealed", "SecretPrefix=sealed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_template_makes_connects_refreshes_on_schedule_and_survives_an_update() {
    story("latchkey", &[]).await;
}

async fn story(stack: &str, parameters: &[&str]) {
    let is_apart = !parameters.contains(&"Vault=sealed");
    let parameters = [&["Architecture=x86_64"], parameters].concat();
    let outputs = deploy(stack, &parameters).await;
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
    let body = shop::body(&provider, &proxy);
    let method = api.method(&connector, &body).await;
    let (instance, url) = api.session(&connector, &method).await;
    let page = Visitor::default().walk(&url, &[], Decision::Allow).await;
    assert_eq!(page.heading(), "Connected", "{}", page.html);
    let first = api.access_token(&instance).await;
    assert!(provider.is_active(&first).await);

    let operator = Operator::of(stack).await;
    let trouble = Trouble::of(&api, &operator, text(&outputs, "callback_url")).await;
    let scheduled = async {
        proxy.set(Mode::HoldRequests);
        tokio::time::timeout(TWO_TICKS, proxy.held())
            .await
            .expect("the schedule has it refreshed");
        proxy.release();
    };
    // What is refreshed by the tick is asked for by nobody meanwhile.
    let troubled = async {
        trouble.go_through().await;
        if is_apart {
            trouble.go_through_with_secrets().await;
        }
    };
    tokio::join!(scheduled, troubled);
    let second = another_token(&api, &instance, &first).await;
    assert!(provider.is_active(&second).await);

    administer(&api, &body).await;
    complete(&api, &connector, &method).await;

    let change = ["InFlight=8", "LogFilter=debug", "Sweep=direct"];
    let changed = [&parameters[..], &change].concat();
    assert_eq!(deploy(stack, &changed).await, outputs);
    let health = api.health(&instance).await;
    assert_eq!(health["status"], "active", "{health}");
    let token = api.access_token(&instance).await;
    assert!(provider.is_active(&token).await);
    let path = format!("/v1/instances/{instance}");
    assert_eq!(api.delete(&path).await.status, 200);
    assert!(!provider.is_active(&token).await);
    hold_roles(stack).await;
    let told = operator.metrics("refresher").await;
    let refreshed = told.iter().find(|line| line["Refreshed"] == 1).unwrap();
    assert_eq!(refreshed["Stack"], stack);
}
