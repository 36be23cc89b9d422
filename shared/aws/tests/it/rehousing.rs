use std::sync::Arc;

use latchkey_aws::Store;
use latchkey_core::{
    model::{instance::Instance, refresh_tokens::RefreshTokens, spare::Spare},
    port::{Commit, RehouseInstances as _, RehouseMethods as _},
};

use crate::world::{World, due, grant, page, sealed};

fn store(world: &World) -> Store {
    Store::with_client(&world.client, &world.tables, Arc::clone(&world.clock) as _)
}

#[tokio::test]
async fn every_instance_and_auth_method_is_found_once_and_nothing_else() {
    let world = World::new().await;
    let store = store(&world);
    let (mut instances, mut methods) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let method = world.method().await;
        instances.push(world.pending_of(&method.key).await.key);
        methods.push(method.key);
    }
    instances.push(world.connected().await.key);
    methods.push(world.instance(&instances[3]).await.method_key());

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let some = store.instances.every(&page(after, 2)).await.unwrap();
        found.extend(some.items.into_iter().map(|instance| instance.key));
        after = some.next;
        if after.is_none() {
            break;
        }
    }
    found.sort();
    instances.sort();
    assert_eq!(found, instances);

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let some = store.methods.every(&page(after, 2)).await.unwrap();
        found.extend(some.items.into_iter().map(|method| method.key));
        after = some.next;
        if after.is_none() {
            break;
        }
    }
    found.sort();
    methods.sort();
    assert_eq!(found, methods);
}

/// The instance with everything in it sealed anew.
fn resealed(seen: &Instance, byte: u8) -> Instance {
    let mut next = seen.clone();
    for value in next.values.sealed.values_mut() {
        *value = sealed(byte);
    }
    if let Some(grant) = next.grant_mut() {
        grant.tokens = sealed(byte);
        grant.refresh_tokens = RefreshTokens::Inside;
    }
    next
}

#[tokio::test]
async fn what_is_sealed_is_replaced_as_a_whole_and_only_as_it_was_seen() {
    let world = World::new().await;
    let instances = store(&world).instances;
    let seen = world.connected().await;
    let next = resealed(&seen, 77);
    // The reply of the first may have been lost.
    for _ in 0..2 {
        assert!(instances.reseal(&seen, &next).await.unwrap());
    }
    let now = world.instance(&seen.key).await;
    assert_eq!(now.grant(), next.grant());
    assert_eq!(now.values, next.values);
    assert_eq!((now.epoch, now.lease), (seen.epoch, seen.lease.clone()));

    // Whoever has seen what was there before changes nothing.
    let late = resealed(&seen, 78);
    assert!(!instances.reseal(&seen, &late).await.unwrap());
    assert_eq!(world.instance(&seen.key).await.grant(), next.grant());
}

#[tokio::test]
async fn a_refresh_in_between_wins() {
    let world = World::new().await;
    let instances = store(&world).instances;
    let seen = crate::world::leased(&world).await;
    let brought = grant(2);
    let commit = Commit {
        next: None,
        key: &seen.key,
        incarnation: seen.incarnation,
        base: 1,
        grant: &brought,
        spares: None,
        events: &[],
        due: Some(due(1, 500)),
    };
    let _ = world.store.instances.commit(commit).await.unwrap();
    let mut next = resealed(&seen, 77);
    next.spares = vec![Spare::of(grant(1))];
    assert!(!instances.reseal(&seen, &next).await.unwrap());
    let now = world.instance(&seen.key).await;
    assert_eq!(now.grant(), Some(&brought));
    assert!(now.spares.is_empty());
}
