use latchkey_core::{
    model::connector::Connector,
    port::{Change, Connectors as _, EditMethods as _, MOST_METHODS, Removal},
};

use crate::world::{World, connector, method, page, race, tenant};

fn same(left: &Connector, right: &Connector) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

#[tokio::test]
async fn a_connector_comes_back_as_it_was_created() {
    let world = World::new().await;
    let connectors = &world.store.connectors;
    let made = world.connector().await;
    let found = connectors.find(&made.tenant, &made.id).await.unwrap();
    assert!(same(&found.unwrap(), &made));
    let other = "other".parse().unwrap();
    assert!(connectors.find(&other, &made.id).await.unwrap().is_none());
}

#[tokio::test]
async fn creating_a_connector_again_changes_nothing() {
    let world = World::new().await;
    let made = world.connector().await;
    let mut again = made.clone();
    again.name = "Other".to_owned();
    world.store.connectors.create(&again).await.unwrap();
    let found = world.store.connectors.find(&made.tenant, &made.id).await;
    assert!(same(&found.unwrap().unwrap(), &made));
}

#[tokio::test]
async fn pages_hold_all_of_a_tenants_connectors_once() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(world.connector().await.id);
    }
    let foreign = connector(&"other".parse().unwrap());
    world.store.connectors.create(&foreign).await.unwrap();
    for (limit, pages) in [(1, 7), (3, 3), (7, 1), (100, 1)] {
        let (mut seen, mut after, mut count) = (Vec::new(), None, 0);
        loop {
            let ask = page(after, limit);
            let found = world.store.connectors.list(&tenant(), &ask).await.unwrap();
            seen.extend(found.items.into_iter().map(|connector| connector.id));
            count += 1;
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((&seen, count), (&made, pages), "{limit}");
    }
}

#[tokio::test]
async fn one_of_many_updates_wins() {
    let world = World::new().await;
    let made = world.connector().await;
    let changes = race(|number| {
        let connectors = world.store.connectors.clone();
        let mut update = made.clone();
        update.version = 2;
        update.name = format!("name {number}");
        async move { connectors.update(&update).await.unwrap() }
    })
    .await;
    let done = changes.iter().filter(|change| **change == Change::Done);
    assert_eq!(done.count(), 1);
    assert!(changes.iter().all(|change| *change != Change::Gone));
}

#[tokio::test]
async fn an_update_repeated_is_done_and_one_of_nothing_is_gone() {
    let world = World::new().await;
    let mut update = world.connector().await;
    update.version = 2;
    update.name = "New".to_owned();
    let connectors = &world.store.connectors;
    for _ in 0..2 {
        assert_eq!(connectors.update(&update).await.unwrap(), Change::Done);
    }
    update.name = "Newer".to_owned();
    assert_eq!(connectors.update(&update).await.unwrap(), Change::Lost);
    let missing = connector(&tenant());
    assert_eq!(connectors.update(&missing).await.unwrap(), Change::Gone);
}

#[tokio::test]
async fn a_connector_is_deleted_with_its_methods() {
    let world = World::new().await;
    let made = world.connector().await;
    let mut keys = Vec::new();
    for _ in 0..MOST_METHODS {
        let method = method(&made);
        let created = world.store.methods.create(&method).await.unwrap();
        assert_eq!(created, Change::Done);
        keys.push(method.key);
    }
    let connectors = &world.store.connectors;
    let delete = |version| connectors.delete(&made.tenant, &made.id, version);
    assert_eq!(delete(Some(2)).await.unwrap(), Removal::Lost);
    assert_eq!(delete(Some(1)).await.unwrap(), Removal::Done);
    assert_eq!(delete(None).await.unwrap(), Removal::Gone);
    for key in keys {
        assert!(world.store.methods.load(&key).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_connector_in_use_is_not_deleted() {
    let world = World::new().await;
    let made = world.connector().await;
    for instances in [1, 2] {
        let method = method(&made);
        world.store.methods.create(&method).await.unwrap();
        for _ in 0..instances {
            world.pending_of(&method.key).await;
        }
    }
    let deleted = world.store.connectors.delete(&made.tenant, &made.id, None);
    assert_eq!(deleted.await.unwrap(), Removal::InUse(3));
    let found = world.store.connectors.find(&made.tenant, &made.id).await;
    assert!(found.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_outlives_its_connector() {
    for _ in 0..4 {
        let world = World::new().await;
        let made = world.connector().await;
        let created = race(|_| {
            let (methods, new) = (world.store.methods.clone(), method(&made));
            async move { (methods.create(&new).await.unwrap(), new.key) }
        });
        let deleted = world.store.connectors.delete(&made.tenant, &made.id, None);
        let (created, deleted) = tokio::join!(created, deleted);
        // With methods coming all the time it may give up, and then leaves all as it is.
        let is_deleted = deleted.is_ok_and(|removal| removal == Removal::Done);
        for (change, key) in created {
            let found = world.store.methods.load(&key).await.unwrap();
            let is_there = change == Change::Done && !is_deleted;
            assert_eq!(found.is_some(), is_there, "{change:?}");
        }
    }
}
