use latchkey_core::{
    model::{id::InstanceKey, instance::Instance, spare::Spare},
    port::{Commit, Condemn, Fail, KeepSpare, NewLease, PageAsk, Spares},
};

use crate::world::{World, at, due, failure, grant, hold, lease, leased};

/// All that are in trouble at second 140, of those not overdue since second 90.
async fn troubled(world: &World, limit: u16) -> (Vec<InstanceKey>, usize) {
    let (mut keys, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let ask = PageAsk { after, limit };
        let found = world.store.instances.troubled(at(140), at(90), &ask).await;
        let found = found.unwrap();
        keys.extend(found.items.into_iter().map(|found| found.key));
        pages += 1;
        after = found.next;
        if after.is_none() {
            keys.sort();
            return (keys, pages);
        }
    }
}

async fn fail(world: &World, held: &Instance, suspect: bool) {
    let cause = failure();
    let failing = Fail {
        key: &held.key,
        nonce: "mine",
        failure: &cause,
        not_before: at(500),
        in_doubt: false,
        last_send: None,
        suspect: suspect.then_some((held.incarnation, held.grant().unwrap().epoch)),
        due: due(1, 500),
    };
    world.store.instances.fail(failing).await.unwrap();
}

/// A connected instance that is due at this second.
async fn due_at(world: &World, second: i64) -> Instance {
    let held = leased(world).await;
    let grant = grant(2);
    let commit = Commit {
        next: None,
        key: &held.key,
        incarnation: held.incarnation,
        base: 1,
        grant: &grant,
        spares: None,
        events: &[],
        due: Some(due(1, second)),
    };
    let _ = world.store.instances.commit(commit).await.unwrap();
    world.instance(&held.key).await
}

#[tokio::test]
async fn whatever_is_in_trouble_is_found_and_nothing_else() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mut expected = Vec::new();

    // Refused once; failing; with a lease that has lapsed, and so with a request in doubt.
    let suspect = leased(&world).await;
    fail(&world, &suspect, true).await;
    let failing = leased(&world).await;
    fail(&world, &failing, false).await;
    let lapsed = leased(&world).await;
    // With a spare; overdue.
    let spared = due_at(&world, 600).await;
    let kept = [Spare::of(grant(1))];
    let keep = KeepSpare {
        key: &spared.key,
        incarnation: spared.incarnation,
        spares: Spares {
            seen: &[],
            kept: &kept,
        },
        revived: None,
    };
    let _ = instances.keep_spare(keep).await.unwrap();
    let overdue = due_at(&world, 80).await;
    expected.extend([suspect, failing, lapsed, spared, overdue].map(|instance| instance.key));
    expected.sort();

    // Well; due, and not for long; nobody has consented yet; ended; deleted.
    let _ = due_at(&world, 600).await;
    let _ = due_at(&world, 100).await;
    let _ = world.pending().await;
    let ended = world.connected().await;
    let cause = failure();
    let condemn = Condemn {
        events: &[],
        key: &ended.key,
        incarnation: ended.incarnation,
        base: 1,
        held: None,
        cause: &cause,
    };
    assert!(instances.condemn(condemn).await.unwrap());
    let deleted = leased(&world).await;
    let marking = instances.mark(&deleted.key, at(10), due(0, 20), &[]);
    let _ = marking.await.unwrap();

    for (limit, least) in [(100, 1), (1, 5)] {
        let (found, pages) = troubled(&world, limit).await;
        assert_eq!(found, expected);
        assert!(pages >= least, "{pages}");
    }
}

#[tokio::test]
async fn a_pending_event_is_no_instance_in_trouble() {
    let world = World::new().await;
    let deleted = world.connected().await;
    let once = latchkey_core::model::event::Moment {
        incarnation: 0,
        epoch: 0,
    };
    let event = latchkey_core::model::event::Event::of_instance(
        &deleted.key,
        &deleted.method_key(),
        once,
        at(0),
        latchkey_core::model::event::EventKind::Disconnected {},
    );
    let marking = world.store.instances.mark(
        &deleted.key,
        at(0),
        due(0, 20),
        std::slice::from_ref(&event),
    );
    let _ = marking.await.unwrap();
    assert!(
        world
            .store
            .outbox
            .find(&event.key())
            .await
            .unwrap()
            .is_some()
    );
    for limit in [100, 1] {
        assert!(troubled(&world, limit).await.0.is_empty());
    }
}

#[tokio::test]
async fn an_instance_as_seen_is_hastened_and_may_be_leased_at_once() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let held = leased(&world).await;
    fail(&world, &held, true).await;
    let seen = world.instance(&held.key).await;
    let refused = instances.lease(lease(&seen, "early")).await.unwrap();
    assert!(matches!(
        refused,
        latchkey_core::port::Leased::Refused(Some(_))
    ));
    assert!(instances.hasten(&seen, due(1, 120)).await.unwrap());
    let now = world.instance(&seen.key).await;
    assert_eq!((now.not_before, now.failures), (None, 1));
    assert_eq!((&now.state, now.epoch), (&seen.state, seen.epoch));
    let found = hold(&world, &now, "at once").await;
    assert_eq!(found.epoch, seen.epoch + 1);
}

#[tokio::test]
async fn nothing_is_hastened_that_has_moved_or_can_not_be_refreshed() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let moved = world.connected().await;
    let again = NewLease {
        now: at(100),
        ..lease(&moved, "theirs")
    };
    let _ = instances.lease(again).await.unwrap();
    let reconnected = Instance {
        incarnation: 7,
        ..world.connected().await
    };
    let pending = world.pending().await;
    let deleted = world.connected().await;
    let marking = instances.mark(&deleted.key, at(10), due(0, 20), &[]);
    let _ = marking.await.unwrap();
    for seen in [&moved, &reconnected, &pending, &deleted] {
        let before = world.instance(&seen.key).await;
        assert!(!instances.hasten(seen, due(1, 120)).await.unwrap());
        let after = world.instance(&seen.key).await;
        assert_eq!((after.not_before, after.epoch), (None, before.epoch));
    }
}
