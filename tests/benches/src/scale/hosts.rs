//! Token hosts with many connected instances, all of them due.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use latchkey_tests::{fleet::Fleet, granting::Provider, world::World};
use serde_json::json;

/// The hosts.
pub(crate) struct Hosts(Vec<Provider>);

impl Hosts {
    /// So many: a worker gives each a quarter of its calls at most.
    pub(crate) const COUNT: usize = 8;

    /// Hosts that take so long for each request, with so many instances.
    pub(crate) async fn connected(world: &World, instances: usize, delay: Duration) -> Self {
        let first = Fleet::at(world, "fleet.example").await;
        let (mut providers, mut fleets) = (Vec::new(), Vec::new());
        for number in 0..Self::COUNT {
            let provider = Provider::taking(delay).await;
            let (name, url) = (format!("host {number}"), &provider.token_url);
            fleets.push(first.beside(&name, url, json!("none")).await);
            providers.push(provider);
        }
        let all = fleets.iter().cycle().take(instances);
        let connecting = stream::iter(all).map(|fleet| fleet.overdue(60));
        connecting
            .buffer_unordered(32)
            .map(drop)
            .collect::<()>()
            .await;
        Self(providers)
    }

    /// How often they were asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.iter().map(Provider::asked).sum()
    }
}
