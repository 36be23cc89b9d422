//! Auth methods' secrets in Secrets Manager: written once for each change, read once while warm, and gone with the method.

use latchkey_core::{
    model::{id::MethodKey, method::StoredMethod},
    port::{EditMethods as _, Secrets as _, SecretsError},
};
use latchkey_emulators::{ministack, moto};
use latchkey_tests::{
    proxy::{Mode, Proxy},
    shop::{ACCESS_TTL, Shop},
};
use serde_json::json;

async fn vaulted(emulator: &str) -> (Shop, Proxy) {
    let secrets = Proxy::before(emulator).await;
    (Shop::vaulted(&secrets.url).await, secrets)
}

/// The operations asked for since `before`, each run of one and the same counted once.
fn since(secrets: &Proxy, before: usize) -> Vec<String> {
    let mut operations = secrets.operations().split_off(before);
    operations.dedup();
    operations
}

fn key(shop: &Shop) -> MethodKey {
    MethodKey {
        tenant: "local".parse().unwrap(),
        connector: shop.connector.parse().unwrap(),
        id: shop.method.parse().unwrap(),
    }
}

async fn stored(shop: &Shop) -> StoredMethod {
    let found = shop.world.store().methods.load(&key(shop)).await;
    found.unwrap().unwrap()
}

/// Whether the client secret is in Secrets Manager alone.
async fn is_apart(shop: &Shop) -> bool {
    let values = stored(shop).await.values;
    let names = values.apart.map(|apart| apart.names);
    values.sealed.is_empty() && names.is_some_and(|names| names.contains("client_secret"))
}

/// Sends the method as it was sent first, with these values.
async fn changed(shop: &Shop, values: serde_json::Value) -> serde_json::Value {
    let mut body = shop.body();
    body["values"] = values;
    let changed = shop.world.api.put(&shop.method_path(), "*", &body).await;
    changed.ok()
}

async fn refreshed(shop: &Shop, instance: &str) -> bool {
    shop.advance(ACCESS_TTL + 1).await;
    let token = shop.world.api.access_token(instance).await;
    shop.provider.is_active(&token).await
}

#[tokio::test]
async fn a_client_secret_goes_to_secrets_manager_and_to_the_provider() {
    for emulator in [moto(), ministack()] {
        let (shop, secrets) = vaulted(emulator).await;
        assert!(is_apart(&shop).await);
        let made = shop.world.api.get(&shop.method_path()).await.ok();
        assert_eq!(made["values"]["client_secret"], json!({ "set": true }));
        assert_eq!(made["complete"], true);

        let instance = shop.connected().await;
        for _ in 0..2 {
            assert!(refreshed(&shop, &instance).await);
        }
        let name = StoredMethod::secret_name(&key(&shop));
        let asked = secrets.seen().into_iter().filter(|seen| {
            seen.operation().as_deref() == Some("GetSecretValue") && seen.body.contains(&name)
        });
        assert_eq!(asked.count(), 1, "read once while it is warm");

        let before = secrets.operations().len();
        changed(&shop, json!({ "client_id": "basic" })).await;
        assert!(since(&secrets, before).is_empty(), "no secret changed");
        let secret = shop.body()["values"]["client_secret"].clone();
        let changed = changed(&shop, json!({ "client_secret": secret })).await;
        assert_eq!(changed["version"], 3);
        let written = ["PutSecretValue", "UpdateSecretVersionStage"];
        assert_eq!(since(&secrets, before), written);
        assert!(is_apart(&shop).await);
        assert!(refreshed(&shop, &instance).await);
    }
}

#[tokio::test]
async fn a_secret_goes_with_its_method() {
    for emulator in [moto(), ministack()] {
        let (shop, secrets) = vaulted(emulator).await;
        let (name, apart) = (
            StoredMethod::secret_name(&key(&shop)),
            stored(&shop).await.values.apart.unwrap(),
        );
        // Without a secret there is none in Secrets Manager; with one again it comes back.
        changed(&shop, json!({ "client_secret": null })).await;
        let read = shop.world.secrets().read(&name, &apart.version).await;
        assert_eq!(read.map(drop), Err(SecretsError::Deleted));
        changed(&shop, json!({ "client_secret": "another" })).await;
        assert!(is_apart(&shop).await);
        let apart_now = stored(&shop).await.values.apart.unwrap().version;

        let api = &shop.world.api;
        let in_use = shop.session().await.0;
        let refused = api.delete(&shop.method_path()).await;
        let _ = refused.problem(409, "in-use");
        let _ = api.delete(&format!("/v1/instances/{in_use}")).await.ok();
        shop.advance(40).await;
        shop.world.sweep().await;
        // By a connector that is not its own it is not there, and its secret stays as it is. (To moto a
        // secret that was written into may still be a deleted one; whoever reads it restores it.)
        let manager = shop.world.secrets();
        let before = manager.read(&name, &apart_now).await.map(drop);
        let other = api.connector("Other").await;
        let astray = shop.method_path().replace(&shop.connector, &other);
        let _ = api.delete(&astray).await.problem(404, "not-found");
        assert_eq!(manager.read(&name, &apart_now).await.map(drop), before);
        assert_eq!(before.is_ok(), emulator == ministack());
        secrets.down();
        let deleted = api.delete(&shop.method_path()).await;
        assert_eq!(deleted.status, 503);
        secrets.up().await;
        let before = secrets.operations().len();
        let gone = api.delete(&shop.method_path()).await;
        let _ = gone.problem(404, "not-found");
        assert_eq!(
            since(&secrets, before),
            ["DeleteSecret"],
            "whoever asks again ends it"
        );
    }
}

#[tokio::test]
async fn without_secrets_manager_a_change_is_kept_in_the_item() {
    let (shop, secrets) = vaulted(moto()).await;
    let instance = shop.connected().await;
    let secret = shop.body()["values"]["client_secret"].clone();
    for operation in ["PutSecretValue", "UpdateSecretVersionStage"] {
        secrets.set_for(operation, Mode::LoseAnswers);
        changed(&shop, json!({ "client_secret": secret })).await;
        secrets.set(Mode::Pass);
        assert!(refreshed(&shop, &instance).await, "{operation}");
    }
    secrets.down();
    changed(&shop, json!({ "client_secret": secret })).await;
    secrets.up().await;
    assert!(!is_apart(&shop).await);
    assert!(refreshed(&shop, &instance).await);
    changed(&shop, json!({ "client_secret": secret })).await;
    assert!(is_apart(&shop).await);
    assert!(refreshed(&shop, &instance).await);
}
