//! `latchkey instances due`.

use std::collections::BTreeMap;

use clap::Args;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use latchkey_aws::{Store, SystemClock};
use latchkey_core::{
    model::id::InstanceKey,
    port::{
        Clock as _, DueInstances as _, PageAsk, ReadInstances as _, SHARDS, StoreError, Window,
    },
};
use serde::Serialize;
use serde_json::json;

use super::{Answer, method_of, words};

const PAGE: u16 = 1000;
const READS_AT_ONCE: usize = 32;

/// How much is due, since when, and at which providers. The index is counted; of the oldest, so many
/// are read to tell their auth methods.
#[derive(Debug, Args)]
pub(super) struct Due {
    /// How many instances are read at most.
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    most: usize,
}

/// What is due in a shard.
#[derive(Default, Serialize)]
struct Shard {
    shard: u8,
    due: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<Timestamp>,
}

impl Due {
    pub(super) async fn answer(&self, store: &Store) -> Result<Answer, StoreError> {
        let now = SystemClock.now();
        let mut shards = Vec::new();
        let mut oldest = Vec::new();
        for number in 0..SHARDS {
            shards.push(self.count(store, number, now, &mut oldest).await?);
        }
        let due: u64 = shards.iter().map(|shard| shard.due).sum();
        let since = shards.iter().filter_map(|shard| shard.oldest).min();
        let read = oldest.len();
        let methods = by_method(store, oldest).await?;
        let mut text = match since {
            None => "Nothing is due.\n".to_owned(),
            Some(since) => format!(
                "{due} instances are due, the oldest since {}.\n\nshard     due  oldest\n",
                words::when(since, now)
            ),
        };
        for Shard { shard, due, oldest } in &shards {
            if let Some(oldest) = oldest {
                let oldest = words::when(*oldest, now);
                text.push_str(&format!("{shard:5}{due:8}  {oldest}\n"));
            }
        }
        if read > 0 {
            text.push_str(&format!("\nOf {read} that were read:\n"));
        }
        for (method, count) in &methods {
            text.push_str(&format!("{count:8}  {method}\n"));
        }
        Ok(Answer {
            text,
            json: json!({
                "now": now, "due": due, "oldest": since, "shards": shards, "read": read,
                "auth_methods": methods,
            }),
            done: true,
        })
    }

    async fn count(
        &self,
        store: &Store,
        number: u8,
        now: Timestamp,
        oldest: &mut Vec<InstanceKey>,
    ) -> Result<Shard, StoreError> {
        let mut shard = Shard {
            shard: number,
            ..Shard::default()
        };
        let share = self.most / usize::from(SHARDS);
        let mut page = PageAsk {
            after: None,
            limit: PAGE,
        };
        let window = Window {
            after: None,
            until: now,
        };
        let mut left = share;
        loop {
            let found = store.instances.due(number, window, &page).await?;
            for due in found.items {
                shard.due += 1;
                shard.oldest = shard.oldest.or(Some(due.since));
                if left > 0 {
                    left -= 1;
                    oldest.push(due.key);
                }
            }
            page.after = found.next;
            if page.after.is_none() {
                return Ok(shard);
            }
        }
    }
}

/// How many instances each auth method has among these.
async fn by_method(
    store: &Store,
    keys: Vec<InstanceKey>,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut methods = BTreeMap::new();
    let mut names = stream::iter(keys)
        .map(|key| async move {
            let Some(instance) = store.instances.find(&key).await? else {
                return Ok(None);
            };
            let method = method_of(store, &instance).await?;
            Ok(Some(words::method(&instance, method.as_deref())))
        })
        .buffer_unordered(READS_AT_ONCE);
    while let Some(name) = names.next().await {
        if let Some(name) = name? {
            *methods.entry(name).or_default() += 1;
        }
    }
    Ok(methods)
}
