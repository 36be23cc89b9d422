use latchkey_aws::{Client, Store, create_missing};
use latchkey_core::port::{ReadSettings as _, StoreError};

use crate::world::{World, tenant};

#[tokio::test]
async fn tables_that_are_there_are_left_alone() {
    let world = World::new().await;
    let made = world.pending().await;
    create_missing(&world.client, &world.tables).await.unwrap();
    assert_eq!(world.instance(&made.key).await.key, made.key);
}

#[tokio::test]
async fn authorisations_are_cleaned_up_by_the_store() {
    let world = World::new().await;
    let request = world
        .client
        .describe_time_to_live()
        .table_name(&world.tables.authorisations);
    let answer = request.send().await.unwrap();
    let description = answer.time_to_live_description.unwrap();
    assert_eq!(description.attribute_name.as_deref(), Some("expires"));
}

#[tokio::test]
async fn a_store_that_is_not_there_is_unavailable() {
    let world = World::new().await;
    // Nothing listens on port 1; https makes the client read its roots.
    for endpoint in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
        let config = world.client.config().to_builder().endpoint_url(endpoint);
        let client = Client::from_conf(config.build());
        let store = Store::with_client(&client, &world.tables, world.clock.clone());
        let error = store.settings.settings(&tenant()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    let mut names = world.tables.clone();
    names.connectors = "missing".to_owned();
    let store = Store::with_client(&world.client, &names, world.clock.clone());
    let error = store.settings.settings(&tenant()).await.unwrap_err();
    let text = "the store did not answer: ResourceNotFoundException";
    assert_eq!(error.to_string(), text);
}
