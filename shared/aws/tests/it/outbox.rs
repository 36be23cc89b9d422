//! Events are left pending with the write that they tell of, both or neither, and kept until they are
//! published.

use jiff::Timestamp;
use latchkey_core::{
    model::{
        event::{Event, EventKind},
        instance::Instance,
    },
    port::{Commit, Committed, Condemn, Connect, Connected, EVENT_SHARDS, Warn},
};

use crate::{
    lost_replies::lossy,
    world::{
        Adapters, World, at, due, failure, grant, hold, instance, leased, page, race, tenant,
        values,
    },
};

/// Long enough after everything here for a sweep to publish what is pending.
const LATER: i64 = 1_000;

/// The pending events that a sweep finds at this time, in pages of `limit`.
async fn pages(store: &Adapters, now: Timestamp, limit: u16) -> Vec<Event> {
    let mut events = Vec::new();
    for shard in 0..EVENT_SHARDS {
        let mut after = None;
        loop {
            let found = store.outbox.overdue(shard, now, &page(after, limit)).await;
            let found = found.unwrap();
            for key in &found.items {
                events.push(store.outbox.find(key).await.unwrap().unwrap());
            }
            after = found.next;
            if after.is_none() {
                break;
            }
        }
    }
    events
}

async fn pending(store: &Adapters) -> Vec<Event> {
    pages(store, at(LATER), 100).await
}

fn names(events: &[Event]) -> Vec<&'static str> {
    let mut names: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
    names.sort_unstable();
    names
}

fn event(instance: &Instance, epoch: u64, kind: EventKind) -> Event {
    Event::of(instance, epoch, at(100), kind)
}

fn connected(instance: &Instance) -> Event {
    let reconnected = instance.incarnation > 0;
    event(
        instance,
        instance.epoch + 1,
        EventKind::Connected { reconnected },
    )
}

fn ended(instance: &Instance) -> Event {
    let failure = failure();
    event(
        instance,
        instance.epoch,
        EventKind::ReconnectRequired { failure },
    )
}

async fn connect(store: &Adapters, instance: &Instance, events: &[Event]) -> Connected {
    let connect = Connect {
        key: &instance.key,
        epoch: instance.epoch,
        incarnation: instance.incarnation,
        grant: &grant(instance.epoch + 1),
        values: &values(),
        events,
        due: Some(due(3, 700)),
    };
    store.instances.connect(connect).await.unwrap()
}

async fn condemn(store: &Adapters, instance: &Instance, events: &[Event]) -> bool {
    let condemn = Condemn {
        key: &instance.key,
        incarnation: instance.incarnation,
        base: instance.grant().unwrap().epoch,
        held: Some(("mine", &[])),
        cause: &failure(),
        events,
    };
    store.instances.condemn(condemn).await.unwrap()
}

async fn commit(store: &Adapters, instance: &Instance, late: bool, events: &[Event]) -> Committed {
    let grant = grant(instance.epoch);
    let commit = Commit {
        next: None,
        key: &instance.key,
        incarnation: instance.incarnation,
        base: instance.grant().unwrap().epoch,
        spares: None,
        grant: &grant,
        events,
        due: Some(due(3, 900)),
    };
    let committed = if late {
        store
            .instances
            .commit_late(crate::world::late(commit))
            .await
    } else {
        store.instances.commit(commit).await
    };
    committed.unwrap()
}

#[tokio::test]
async fn an_event_is_pending_until_it_is_forgotten() {
    let world = World::new().await;
    let made = world.pending().await;
    let told = [connected(&made)];
    let done = connect(&world.store, &made, &told).await;
    assert!(matches!(done, Connected::Done), "{done:?}");
    assert_eq!(pending(&world.store).await, told);
    // Whoever has left it has some time to publish it.
    assert_eq!(pages(&world.store, at(109), 100).await, []);
    assert_eq!(pages(&world.store, at(111), 100).await, told);
    for _ in 0..2 {
        world.store.outbox.forget(&told[0].key()).await.unwrap();
        assert_eq!(world.store.outbox.find(&told[0].key()).await.unwrap(), None);
    }
    assert_eq!(pending(&world.store).await, []);
}

#[tokio::test]
async fn every_write_that_tells_something_leaves_it_pending() {
    let world = World::new().await;
    let store = &world.store;
    let made = world.pending().await;
    let _ = connect(store, &made, &[connected(&made)]).await;
    let held = hold(&world, &world.instance(&made.key).await, "mine").await;
    let expires_at = None;
    let refreshed = event(&held, 2, EventKind::Refreshed { expires_at });
    let _ = commit(store, &held, false, &[refreshed]).await;
    let now = world.instance(&made.key).await;
    let warning = event(&now, 2, EventKind::Expiring { ends_at: at(9) });
    let warn = Warn {
        key: &now.key,
        incarnation: 1,
        base: 2,
        events: &[warning],
        due: None,
    };
    assert!(store.instances.warn(warn).await.unwrap());
    let held = hold(&world, &now, "mine").await;
    assert!(condemn(store, &held, &[ended(&held)]).await);
    let recovered = event(&held, 3, EventKind::Recovered {});
    let late = commit(store, &held, true, &[recovered]).await;
    assert!(matches!(late, Committed::Done), "{late:?}");
    let gone = [event(&held, 0, EventKind::Disconnected {})];
    let marked = store.instances.mark(&made.key, at(100), due(0, 9), &gone);
    assert_eq!(marked.await.unwrap().unwrap().grant().unwrap().epoch, 3);
    let told = [
        "instance.connected",
        "instance.disconnected",
        "instance.expiring",
        "instance.reconnect_required",
        "instance.recovered",
        "instance.refreshed",
    ];
    assert_eq!(names(&pending(store).await), told);
}

#[tokio::test]
async fn a_write_that_is_refused_tells_nothing() {
    let world = World::new().await;
    let store = &world.store;
    let held = leased(&world).await;
    let stale = Instance {
        incarnation: 7,
        ..held.clone()
    };
    let told = [ended(&held)];
    let outcome = connect(store, &stale, &told).await;
    let Connected::Moved(now) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(now.epoch, held.epoch);
    for late in [false, true] {
        let outcome = commit(store, &stale, late, &told).await;
        assert!(matches!(outcome, Committed::Moved(Some(_))), "{outcome:?}");
    }
    assert!(!condemn(store, &stale, &told).await);
    let missing = instance(&held.method_key());
    let outcome = connect(store, &missing, &told).await;
    assert!(matches!(outcome, Connected::Gone), "{outcome:?}");
    let marked = store.instances.mark(&missing.key, at(1), due(0, 9), &told);
    assert!(marked.await.unwrap().is_none());
    assert_eq!(pending(store).await, []);
}

#[tokio::test]
async fn a_write_that_tells_nothing_leaves_nothing() {
    let world = World::new().await;
    let held = leased(&world).await;
    let done = commit(&world.store, &held, false, &[]).await;
    assert!(matches!(done, Committed::Done), "{done:?}");
    assert_eq!(pending(&world.store).await, []);
}

#[tokio::test]
async fn that_an_end_was_told_is_remembered_until_the_opposite_is() {
    let world = World::new().await;
    let store = &world.store;
    let held = leased(&world).await;
    assert!(condemn(store, &held, &[ended(&held)]).await);
    assert!(world.instance(&held.key).await.told_ended);
    // A grant that was found again is not told by itself to work.
    let _ = commit(store, &held, true, &[]).await;
    let now = world.instance(&held.key).await;
    assert!(now.told_ended);
    let held = hold(&world, &now, "mine").await;
    let recovered = event(&held, held.epoch, EventKind::Recovered {});
    let _ = commit(store, &held, false, &[recovered]).await;
    let now = world.instance(&held.key).await;
    assert!(!now.told_ended);
    let held = hold(&world, &now, "mine").await;
    assert!(condemn(store, &held, &[ended(&held)]).await);
    let now = world.instance(&held.key).await;
    let _ = connect(store, &now, &[connected(&now)]).await;
    assert!(!world.instance(&held.key).await.told_ended);
}

#[tokio::test]
async fn the_end_of_a_consent_is_warned_of_once() {
    let world = World::new().await;
    let warn = async |instance: &Instance| {
        let event = event(
            instance,
            instance.epoch,
            EventKind::Expiring { ends_at: at(9) },
        );
        let warn = Warn {
            key: &instance.key,
            incarnation: instance.incarnation,
            base: instance.grant().unwrap().epoch,
            events: &[event],
            due: Some(due(5, 600)),
        };
        world.store.instances.warn(warn).await.unwrap()
    };
    let now = world.connected().await;
    let held = hold(&world, &now, "mine").await;
    assert!(!warn(&held).await, "somebody is at it");
    let _ = commit(&world.store, &held, false, &[]).await;
    assert!(!warn(&now).await, "it has moved");
    let now = world.instance(&now.key).await;
    assert!(warn(&now).await);
    assert!(!warn(&now).await, "once is enough");
    assert_eq!(pending(&world.store).await.len(), 1);
    let _ = connect(&world.store, &now, &[]).await;
    assert!(
        warn(&world.instance(&now.key).await).await,
        "another consent"
    );
}

#[tokio::test]
async fn an_event_outlives_its_instance() {
    let world = World::new().await;
    let made = world.connected().await;
    let told = [event(&made, 0, EventKind::Disconnected {})];
    let instances = &world.store.instances;
    let marked = instances.mark(&made.key, at(9), due(0, 9), &told).await;
    let marked = marked.unwrap().unwrap();
    instances.forget(&marked).await.unwrap();
    instances.purge(&made.key).await.unwrap();
    assert_eq!(pending(&world.store).await, told);
}

#[tokio::test]
async fn pending_events_are_not_among_a_tenants_instances() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let instance = world.pending().await;
        let _ = connect(&world.store, &instance, &[connected(&instance)]).await;
        made.push(instance.key);
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let found = world.store.instances.list(&tenant(), &page(after, 1)).await;
        let found = found.unwrap();
        listed.extend(found.items.into_iter().map(|instance| instance.key));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn the_events_of_one_second_are_found_page_by_page() {
    let world = World::new().await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let made = world.pending().await;
        let events: Vec<_> = (0..10)
            .map(|epoch| event(&made, epoch, EventKind::Recovered {}))
            .collect();
        let _ = connect(&world.store, &made, &events).await;
        told.extend(events);
    }
    let mut found = pages(&world.store, at(LATER), 3).await;
    found.sort_by_key(|event| event.id.clone());
    told.sort_by_key(|event| event.id.clone());
    assert_eq!(found, told);
}

#[tokio::test]
async fn a_write_whose_reply_is_lost_tells_once_all_the_same() {
    let world = World::new().await;
    let made = world.pending().await;
    let (store, proxy) = lossy(&world).await;
    proxy.lose_next();
    match connect(&store, &made, &[connected(&made)]).await {
        Connected::Done => {}
        Connected::Moved(now) => assert_eq!(now.grant(), Some(&grant(1))),
        gone @ Connected::Gone => panic!("{gone:?}"),
    }
    let now = world.instance(&made.key).await;
    let held = hold(&world, &now, "mine").await;
    let recovered = event(&held, 2, EventKind::Recovered {});
    proxy.lose_next();
    let committed = commit(&store, &held, false, &[recovered]).await;
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let held = hold(&world, &world.instance(&made.key).await, "mine").await;
    proxy.lose_next();
    // Whether it was said may be lost; that it is told is not.
    let _ = condemn(&store, &held, &[ended(&held)]).await;
    proxy.lose_next();
    let gone = [event(&held, 0, EventKind::Disconnected {})];
    let marked = store.instances.mark(&made.key, at(9), due(0, 9), &gone);
    assert!(marked.await.unwrap().is_some());
    assert_eq!(proxy.lost(), 4);
    let told = [
        "instance.connected",
        "instance.disconnected",
        "instance.reconnect_required",
        "instance.recovered",
    ];
    assert_eq!(names(&pending(&world.store).await), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_consents_for_the_same_moment_one_is_told() {
    let world = World::new().await;
    let made = world.pending().await;
    let outcomes = race(|number| {
        let (store, made) = (world.store.clone(), made.clone());
        async move {
            // As if each had another id: what is refused must not tell.
            let number = u64::try_from(number).unwrap();
            let reconnected = false;
            let told = event(&made, number, EventKind::Connected { reconnected });
            connect(&store, &made, &[told]).await
        }
    })
    .await;
    let done = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Connected::Done));
    assert_eq!(done.count(), 1);
    assert_eq!(pending(&world.store).await.len(), 1);
}
