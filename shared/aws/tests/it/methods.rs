use latchkey_core::{
    model::{
        event::{Event, EventKind},
        failure::{Failure, FailureCode},
        health::MethodHealth,
        method::{Apart, StoredMethod},
        secret_version::SecretVersion,
    },
    port::{
        Change, Connectors as _, EditMethods as _, Healths as _, MOST_METHODS, Methods as _,
        Removal, Turned,
    },
};

use crate::world::{World, at, connector, method, page, race, tenant};

fn same(left: &StoredMethod, right: &StoredMethod) -> bool {
    format!("{left:?}") == format!("{right:?}")
}

#[tokio::test]
async fn a_method_comes_back_as_it_was_created() {
    let world = World::new().await;
    let made = world.method().await;
    let methods = &world.store.methods;
    assert!(same(
        &methods.load(&made.key).await.unwrap().unwrap(),
        &made
    ));
    assert!(same(
        &methods.find(&made.key).await.unwrap().unwrap(),
        &made
    ));
    let mut foreign = made.key.clone();
    foreign.tenant = "other".parse().unwrap();
    assert!(methods.load(&foreign).await.unwrap().is_none());
    assert!(methods.find(&foreign).await.unwrap().is_none());
}

#[tokio::test]
async fn a_method_needs_a_connector_with_room() {
    let world = World::new().await;
    let methods = &world.store.methods;
    let missing = method(&connector(&tenant()));
    assert_eq!(methods.create(&missing).await.unwrap(), Change::Gone);
    let connector = world.connector().await;
    for _ in 0..MOST_METHODS {
        let created = methods.create(&method(&connector)).await.unwrap();
        assert_eq!(created, Change::Done);
    }
    let last = method(&connector);
    assert_eq!(methods.create(&last).await.unwrap(), Change::Lost);
    // One that goes makes room for another.
    let ask = page(None, 1);
    let list = methods.list(&connector.tenant, &connector.id, &ask);
    let first = list.await.unwrap().items.remove(0);
    let deleted = methods.delete(&first.key, None).await.unwrap();
    assert_eq!(deleted, Removal::Done);
    assert_eq!(methods.create(&last).await.unwrap(), Change::Done);
}

#[tokio::test]
async fn pages_hold_all_methods_of_a_connector_once() {
    let world = World::new().await;
    let connector = world.connector().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        let method = method(&connector);
        world.store.methods.create(&method).await.unwrap();
        made.push(method.key);
    }
    world.method().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let ask = page(after, 2);
        let list = world
            .store
            .methods
            .list(&connector.tenant, &connector.id, &ask);
        let found = list.await.unwrap();
        seen.extend(found.items.into_iter().map(|method| method.key));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn one_of_many_updates_of_a_method_wins() {
    let world = World::new().await;
    let made = world.method().await;
    let changes = race(|number| {
        let methods = world.store.methods.clone();
        let mut update = made.clone();
        update.version = 2;
        update.definition.name = format!("name {number}");
        async move { methods.update(&update).await.unwrap() }
    })
    .await;
    let done = changes.iter().filter(|change| **change == Change::Done);
    assert_eq!(done.count(), 1);
    let missing = method(&connector(&tenant()));
    let gone = world.store.methods.update(&missing).await.unwrap();
    assert_eq!(gone, Change::Gone);
}

#[tokio::test]
async fn an_update_leaves_the_count_of_instances_alone() {
    let world = World::new().await;
    let mut update = world.method().await;
    world.pending_of(&update.key).await;
    update.version = 2;
    update.values.sealed.clear();
    update.inherited.clear();
    let updated = world.store.methods.update(&update).await.unwrap();
    assert_eq!(updated, Change::Done);
    let now = world.store.methods.load(&update.key).await.unwrap();
    update.instances = 1;
    assert!(same(&now.unwrap(), &update));
}

#[tokio::test]
async fn secrets_move_once_and_from_where_they_are() {
    let world = World::new().await;
    let methods = &world.store.methods;
    let seen = world.method().await;
    let mut apart = seen.clone();
    apart.values.sealed.clear();
    apart.values.apart = Some(Apart {
        version: SecretVersion::of_method(&seen.key, 1, 0),
        names: ["client_secret".to_owned()].into(),
    });
    for _ in 0..2 {
        let moved = methods.move_secrets(&seen, &apart).await.unwrap();
        assert_eq!(moved, Change::Done);
        let now = methods.load(&seen.key).await.unwrap().unwrap();
        assert!(same(&now, &apart));
        assert!(now.values.has("client_secret"));
    }
    let other = StoredMethod {
        version: 2,
        ..seen.clone()
    };
    let lost = methods.move_secrets(&seen, &other).await.unwrap();
    assert_eq!(lost, Change::Lost);
    let back = methods.move_secrets(&apart, &other).await.unwrap();
    assert_eq!(back, Change::Done);
    assert!(same(
        &methods.load(&seen.key).await.unwrap().unwrap(),
        &other
    ));
    let missing = method(&connector(&tenant()));
    let gone = methods.move_secrets(&missing, &missing).await.unwrap();
    assert_eq!(gone, Change::Gone);
}

#[tokio::test]
async fn a_method_in_use_is_not_deleted() {
    let world = World::new().await;
    let made = world.method().await;
    for _ in 0..3 {
        world.pending_of(&made.key).await;
    }
    let methods = &world.store.methods;
    let deleted = |version| methods.delete(&made.key, version);
    assert_eq!(deleted(None).await.unwrap(), Removal::InUse(3));
    assert_eq!(deleted(Some(1)).await.unwrap(), Removal::InUse(3));
    assert_eq!(deleted(Some(2)).await.unwrap(), Removal::Lost);
}

#[tokio::test]
async fn a_method_is_deleted_once() {
    let world = World::new().await;
    let made = world.method().await;
    let methods = &world.store.methods;
    let deleted = |version| methods.delete(&made.key, version);
    assert_eq!(deleted(Some(7)).await.unwrap(), Removal::Lost);
    assert_eq!(deleted(Some(1)).await.unwrap(), Removal::Done);
    assert_eq!(deleted(Some(1)).await.unwrap(), Removal::Gone);
    // The connector has not been counted down twice: it can go.
    let connector = (&made.key.tenant, &made.key.connector);
    let removed = world
        .store
        .connectors
        .delete(connector.0, connector.1, None);
    assert_eq!(removed.await.unwrap(), Removal::Done);
}

#[tokio::test]
async fn a_method_in_use_is_remembered_for_ten_seconds() {
    let world = World::new().await;
    let made = world.method().await;
    let first = world.store.methods.find(&made.key).await.unwrap().unwrap();
    // Another process changes it.
    let elsewhere =
        latchkey_aws::Store::with_client(&world.client, &world.tables, world.clock.clone());
    let mut update = made.clone();
    // A clock that has gone back says nothing about age.
    for (second, found_version, version) in [(9, 1, 2), (10, 3, 3), (5, 4, 4)] {
        update.version = version;
        let updated = elsewhere.methods.update(&update).await.unwrap();
        assert_eq!(updated, Change::Done);
        world.clock.set(at(second));
        let found = world.store.methods.find(&made.key).await.unwrap().unwrap();
        assert_eq!(found.version, found_version, "after {second} seconds");
    }
    assert_eq!(first.version, 1);
}

#[tokio::test]
async fn what_this_process_changes_is_seen_at_once() {
    let world = World::new().await;
    let made = world.method().await;
    let methods = &world.store.methods;
    let first = methods.find(&made.key).await.unwrap().unwrap();
    let second = methods.find(&made.key).await.unwrap().unwrap();
    assert!(std::ptr::eq(&*first, &*second));
    let mut update = made.clone();
    update.version = 2;
    methods.update(&update).await.unwrap();
    assert_eq!(methods.find(&made.key).await.unwrap().unwrap().version, 2);
    methods.delete(&made.key, None).await.unwrap();
    assert!(methods.find(&made.key).await.unwrap().is_none());
}

fn refusal(second: i64) -> Failure {
    Failure {
        at: at(second),
        code: FailureCode::ClientRefused,
        words: Some("invalid_client".to_owned()),
    }
}

fn faulty(seen: &MethodHealth, mark: &str) -> MethodHealth {
    MethodHealth {
        mark: mark.to_owned(),
        ..seen.failed(1, &refusal(5)).unwrap()
    }
}

#[tokio::test]
async fn a_methods_health_is_changed_by_whoever_saw_it_as_it_is() {
    let world = World::new().await;
    let made = world.method().await;
    let methods = &world.store.methods;
    let well = MethodHealth::default();
    let first = faulty(&well, "first");
    let turned = methods.turn(&made.key, &well, &first, &[]).await.unwrap();
    assert!(matches!(turned, Turned::Done), "{turned:?}");
    for found in [
        methods.look(&made.key).await.unwrap().unwrap(),
        StoredMethod::clone(&methods.find(&made.key).await.unwrap().unwrap()),
    ] {
        assert_eq!(found.health, first);
        assert_eq!(
            found.version, made.version,
            "it is no change of the builder's"
        );
    }
    let again = methods.turn(&made.key, &well, &first, &[]).await.unwrap();
    assert!(
        matches!(again, Turned::Done),
        "a repeated write finds its own mark"
    );
    let Turned::Lost(Some(now)) = methods
        .turn(&made.key, &well, &faulty(&well, "other"), &[])
        .await
        .unwrap()
    else {
        panic!("somebody else was first");
    };
    assert_eq!(now.health, first);

    // A builder's change leaves it alone.
    let mut changed = now;
    changed.version += 1;
    assert_eq!(methods.update(&changed).await.unwrap(), Change::Done);
    let mended = MethodHealth {
        mark: "mended".to_owned(),
        ..first.worked(2, at(9)).unwrap()
    };
    let turned = methods.turn(&made.key, &first, &mended, &[]).await.unwrap();
    assert!(matches!(turned, Turned::Done), "{turned:?}");
    assert_eq!(
        methods.look(&made.key).await.unwrap().unwrap().health,
        mended
    );

    let missing = method(&connector(&tenant())).key;
    let gone = methods.turn(&missing, &well, &first, &[]).await.unwrap();
    assert!(matches!(gone, Turned::Lost(None)), "{gone:?}");
}

#[tokio::test]
async fn what_is_told_of_a_methods_health_is_left_with_it_or_not_at_all() {
    let world = World::new().await;
    let made = world.method().await;
    let (methods, outbox) = (&world.store.methods, &world.store.outbox);
    let well = MethodHealth::default();
    let told = |turn| {
        let failure = refusal(5);
        Event::of_method(&made.key, turn, at(5), EventKind::MethodFaulty { failure })
    };
    for (mark, turn, is_told) in [("first", 1, true), ("other", 2, false)] {
        let (health, event) = (faulty(&well, mark), told(turn));
        let events = std::slice::from_ref(&event);
        let turned = methods.turn(&made.key, &well, &health, events);
        let turned = turned.await.unwrap();
        assert_eq!(matches!(turned, Turned::Done), is_told, "{turned:?}");
        let left = outbox.find(&event.key()).await.unwrap();
        assert_eq!(left.is_some(), is_told, "{mark}");
    }
}

#[tokio::test]
async fn of_many_who_find_a_method_faulty_one_tells_it() {
    let world = World::new().await;
    let made = world.method().await;
    let turns = race(|number| {
        let (methods, key) = (world.store.methods.clone(), made.key.clone());
        async move {
            let well = MethodHealth::default();
            let next = faulty(&well, &number.to_string());
            methods.turn(&key, &well, &next, &[]).await.unwrap()
        }
    });
    let told = turns
        .await
        .into_iter()
        .filter(|turned| matches!(turned, Turned::Done));
    assert_eq!(told.count(), 1);
}
