use latchkey_core::{
    model::{
        grant::StoredGrant,
        instance::{Instance, State, StoredValues},
    },
    port::{Commit, Committed, Connect, Connected, NewLease},
};

use crate::world::{World, at, due, grant, instance, late, race, values};

fn connect<'a>(
    instance: &'a Instance,
    grant: &'a StoredGrant,
    values: &'a StoredValues,
) -> Connect<'a> {
    Connect {
        events: &[],
        key: &instance.key,
        epoch: instance.epoch,
        incarnation: instance.incarnation,
        grant,
        values,
        due: Some(due(3, 700)),
    }
}

#[tokio::test]
async fn a_consent_takes_effect() {
    let world = World::new().await;
    let pending = world.pending().await;
    let now = world.connect(&pending).await;
    assert_eq!((now.incarnation, now.epoch), (1, 1));
    assert_eq!(now.state, State::Active(grant(1)));
    assert_eq!(now.values, values());
}

#[tokio::test]
async fn a_reconnect_clears_all_that_was_before() {
    let world = World::new().await;
    let before = world.connected().await;
    let lease = NewLease {
        key: &before.key,
        epoch: 1,
        base: 1,
        nonce: "old",
        now: at(10),
        lapsed_before: at(8),
        until: at(40),
    };
    world.store.instances.lease(lease).await.unwrap();
    let leased = world.instance(&before.key).await;
    let now = world.connect(&leased).await;
    assert_eq!((now.incarnation, now.epoch), (2, 3));
    assert_eq!(now.state, State::Active(grant(3)));
    assert_eq!((now.lease, now.attempts, now.last_send), (None, 0, None));
    // The older writer is out, however late.
    let grant = grant(2);
    let commit = Commit {
        next: None,
        events: &[],
        key: &before.key,
        incarnation: 1,
        base: 1,
        spares: None,
        grant: &grant,
        due: None,
    };
    for is_late in [false, true] {
        let outcome = if is_late {
            world
                .store
                .instances
                .commit_late(late(commit.clone()))
                .await
        } else {
            world.store.instances.commit(commit.clone()).await
        };
        let Ok(Committed::Moved(Some(moved))) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(moved.incarnation, 2);
    }
}

#[tokio::test]
async fn a_consent_given_again_finds_its_own_grant() {
    let world = World::new().await;
    let pending = world.pending().await;
    let (grant, values) = (grant(1), values());
    let connect = connect(&pending, &grant, &values);
    let instances = &world.store.instances;
    let first = instances.connect(connect.clone()).await.unwrap();
    assert!(matches!(first, Connected::Done));
    let second = instances.connect(connect).await.unwrap();
    let Connected::Moved(now) = second else {
        panic!("{second:?}");
    };
    assert_eq!(now.grant(), Some(&grant));
}

#[tokio::test]
async fn a_consent_for_what_has_moved_on_does_nothing() {
    let world = World::new().await;
    let now = world.connected().await;
    let (grant, values) = (grant(9), values());
    for (epoch, incarnation) in [(0, 1), (2, 1), (1, 0), (1, 2)] {
        let stale = Connect {
            epoch,
            incarnation,
            ..connect(&now, &grant, &values)
        };
        let outcome = world.store.instances.connect(stale).await.unwrap();
        assert!(matches!(outcome, Connected::Moved(_)), "{outcome:?}");
    }
    let after = world.instance(&now.key).await;
    assert_eq!((after.epoch, after.incarnation), (1, 1));
}

#[tokio::test]
async fn a_deleted_or_missing_instance_takes_no_consent() {
    let world = World::new().await;
    let (grant, values) = (grant(1), values());
    let pending = world.pending().await;
    let instances = &world.store.instances;
    instances
        .mark(&pending.key, at(1), due(0, 9), &[])
        .await
        .unwrap();
    let missing = instance(&pending.method_key());
    for gone in [&pending, &missing] {
        let outcome = instances.connect(connect(gone, &grant, &values)).await;
        let outcome = outcome.unwrap();
        assert!(matches!(outcome, Connected::Gone), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_consents_for_the_same_moment_takes_effect() {
    let world = World::new().await;
    let pending = world.pending().await;
    let outcomes = race(|_| {
        let (instances, pending) = (world.store.instances.clone(), pending.clone());
        async move {
            let (grant, values) = (grant(1), values());
            let connect = connect(&pending, &grant, &values);
            instances.connect(connect).await.unwrap()
        }
    })
    .await;
    let done = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Connected::Done));
    assert_eq!(done.count(), 1);
    assert_eq!(world.instance(&pending.key).await.incarnation, 1);
}
