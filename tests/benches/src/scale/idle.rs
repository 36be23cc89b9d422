//! Very many with nothing due: what a sweep asks of the store.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt as _, stream};
use latchkey_aws::StoreSettings;
use latchkey_tests::{fleet::Fleet, proxy::Proxy, world::World};
use tokio::time::Instant;

use crate::refresher_over;

/// How many there are, all in the index, due in an hour.
pub(crate) const INSTANCES: usize = 1_000_000;
const BATCH: usize = 25;
/// Long before they are due, in seconds: an instance's access token that ended "so long ago".
const AHEAD: i64 = -30 * 86_400;

/// Runs it, and says how it went.
pub(crate) async fn run(instances: usize) {
    let world = World::start().await;
    fill(&world, instances).await;
    let proxy = Proxy::before(world.server.store_url.as_str().trim_end_matches('/')).await;
    let store = proxy.url.parse().expect("a URL");
    let mut refresher = refresher_over(&world, store, 64);
    for sweep in ["first", "second"] {
        let (began, spent, before) = (Instant::now(), refresher.cpu(), proxy.seen().len());
        let swept = tokio::task::spawn_blocking(move || {
            let report = refresher.sweep(0);
            (refresher, report)
        });
        let report;
        (refresher, report) = swept.await.expect("it sweeps");
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for seen in &proxy.seen()[before..] {
            *calls
                .entry(seen.operation().unwrap_or_default())
                .or_default() += 1;
        }
        writeln!(
            io::stdout(),
            "{sweep} sweep of {instances} instances with nothing due: {calls:?}, {:.1?}, {:.1?} of CPU; {}; {report}",
            began.elapsed(),
            refresher.cpu() - spent,
            refresher.peak(),
        )
        .expect("somebody reads it");
    }
}

/// Writes them: one is made as the product makes it, the others are like it.
async fn fill(world: &World, instances: usize) {
    let settings = StoreSettings::local(world.server.store_url.clone());
    let (client, table) = (settings.client(), settings.tables.instances);
    let fleet = Fleet::at(world, "fleet.example").await;
    let key = fleet.overdue(AHEAD).await;
    let asked = client
        .get_item()
        .table_name(&table)
        .key("tenant", AttributeValue::S(key.tenant.to_string()))
        .key("instance", AttributeValue::S(key.id.to_string()));
    let item = asked
        .send()
        .await
        .expect("the store")
        .item
        .expect("an item");
    assert!(item.contains_key("due_shard"), "it is in the index");
    let like_it = |number: usize| {
        let mut item = item.clone();
        let shard = AttributeValue::N((number % 16).to_string());
        item.insert("due_shard".to_owned(), shard);
        let id = format!(
            "{}{number:08}",
            &key.id.as_str()[..key.id.as_str().len() - 8]
        );
        item.insert("instance".to_owned(), AttributeValue::S(id));
        let put = PutRequest::builder().set_item(Some(item)).build();
        WriteRequest::builder()
            .put_request(put.expect("an item"))
            .build()
    };
    let batches = (0..instances / BATCH).map(|batch| {
        let requests = (batch * BATCH..(batch + 1) * BATCH).map(like_it).collect();
        let write = client.batch_write_item().request_items(&table, requests);
        async move {
            let written = write.send().await.expect("the store");
            assert!(written.unprocessed_items.is_none_or(|left| left.is_empty()));
        }
    });
    stream::iter(batches)
        .buffer_unordered(4)
        .collect::<()>()
        .await;
}
