//! What the cost model counts on (`infra/cost`): how large an item is, and what a step asks of the store.

use std::{collections::BTreeMap, path::Path, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_aws::StoreSettings;
use latchkey_cost::calls;
use latchkey_tests::{
    fleet::Fleet,
    hostile::{Provider, well},
    proxy::{Proxy, Seen},
    refresher::{Refresher, Settings},
    shop::Shop,
    world::World,
};
use serde_json::json;

/// The size of a value, about as DynamoDB counts it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an item has nothing else of any size"
)]
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + size(item)).sum::<usize>(),
        AttributeValue::M(members) => {
            let each = members.iter();
            3 + each
                .map(|(name, value)| 1 + name.len() + size(value))
                .sum::<usize>()
        }
        _ => 1,
    }
}

#[tokio::test]
async fn an_instance_is_no_larger_than_the_cost_model_has_it() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    let settings = StoreSettings::local(shop.world.server.store_url.clone());
    let key = |text: &str| AttributeValue::S(text.to_owned());
    let asked = settings.client().get_item();
    let asked = asked
        .table_name(settings.tables.instances)
        .key("tenant", key("local"))
        .key("instance", key(&instance));
    let item = asked.send().await.unwrap().item.unwrap();
    let bytes: usize = item
        .iter()
        .map(|(name, value)| name.len() + size(value))
        .sum();
    let most = calls::ITEM_KIB * 1024.0;
    assert!(f64::from(u32::try_from(bytes).unwrap()) <= most, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_and_a_tick_ask_the_store_for_what_the_cost_model_counts() {
    let world = World::start().await;
    let provider = Provider::start(well()).await;
    let first = Fleet::at(&world, "fleet.example").await;
    let fleet = first
        .beside("counted", &provider.token_url, json!("none"))
        .await;
    let proxy = Proxy::before(world.server.store_url.as_str().trim_end_matches('/')).await;
    let directory = world.server.directory();
    let settings = Settings {
        store: proxy.url.parse().unwrap(),
        keyring: directory.join("keyring.json"),
        base_url: world.server.url.clone(),
        in_flight: 1,
        limit: Duration::from_secs(10),
        log: "info".to_owned(),
    };
    let binary = Path::new(env!("CARGO_BIN_EXE_latchkey-refresher-alone"));
    let mut refresher = Refresher::start(binary, &settings, &directory.join("refresher.log"));
    // The first is refreshed by a process that has just begun.
    for _ in 0..2 {
        let _ = fleet.overdue(60).await;
        let before = proxy.seen().len();
        refresher = tokio::task::spawn_blocking(move || {
            assert_eq!(refresher.sweep(0)["refreshed"], 1);
            refresher
        })
        .await
        .unwrap();
        let asked = counted(&proxy.seen()[before..]);
        let count = |operation: &str| asked.get(operation).copied().unwrap_or_default();
        assert_eq!(f64::from(count("GetItem")), calls::READS, "{asked:?}");
        assert_eq!(f64::from(count("UpdateItem")), calls::WRITES, "{asked:?}");
        assert_eq!(f64::from(count("Query")), calls::SHARDS, "{asked:?}");
        assert_eq!(asked.len(), 3, "{asked:?}");
    }
}

/// Operations at the table of instances, counted.
fn counted(seen: &[Seen]) -> BTreeMap<String, u32> {
    let mut counted = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.body.contains("Instances")) {
        *counted
            .entry(seen.operation().unwrap_or_default())
            .or_default() += 1;
    }
    counted
}
