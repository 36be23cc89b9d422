use latchkey_core::{
    model::id::InstanceKey,
    port::{Connect, Fail, NewLease, SHARDS, Window},
};

use crate::world::{World, at, due, failure, grant, page, values};

/// A new instance, due at this second.
async fn due_at(world: &World, shard: u8, second: i64) -> InstanceKey {
    let pending = world.pending().await;
    let connect = Connect {
        events: &[],
        key: &pending.key,
        epoch: 0,
        incarnation: 0,
        grant: &grant(1),
        values: &values(),
        due: Some(due(shard, second)),
    };
    world.store.instances.connect(connect).await.unwrap();
    pending.key
}

/// All keys due in a shard, and over how many pages they came.
async fn all(world: &World, shard: u8, until: i64, limit: u16) -> (Vec<InstanceKey>, usize) {
    let (mut keys, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let ask = page(after, limit);
        let window = Window {
            after: None,
            until: at(until),
        };
        let found = world.store.instances.due(shard, window, &ask).await;
        let found = found.unwrap();
        keys.extend(found.items.into_iter().map(|due| due.key));
        pages += 1;
        after = found.next;
        if after.is_none() {
            return (keys, pages);
        }
    }
}

#[tokio::test]
async fn only_what_wants_attention_is_in_the_index() {
    let world = World::new().await;
    world.pending().await;
    for shard in 0..SHARDS {
        assert!(all(&world, shard, 1 << 30, 10).await.0.is_empty());
    }
}

#[tokio::test]
async fn every_shard_holds_its_own() {
    let world = World::new().await;
    let mut made = Vec::new();
    for shard in 0..SHARDS {
        made.push(due_at(&world, shard, 10).await);
    }
    for (shard, key) in (0..SHARDS).zip(made) {
        assert_eq!(all(&world, shard, 20, 10).await.0, [key]);
    }
}

#[tokio::test]
async fn the_most_overdue_come_first_and_nothing_comes_early() {
    let world = World::new().await;
    let third = due_at(&world, 3, 30).await;
    let first = due_at(&world, 3, 10).await;
    let second = due_at(&world, 3, 20).await;
    let everything = [first.clone(), second.clone(), third];
    assert_eq!(all(&world, 3, 40, 10).await.0, everything);
    // The index keeps whole seconds, never earlier than the time itself.
    assert_eq!(all(&world, 3, 21, 10).await.0, [first.clone(), second]);
    assert_eq!(all(&world, 3, 20, 10).await.0, std::slice::from_ref(&first));
    assert_eq!(all(&world, 3, 19, 10).await.0, [first]);
    assert!(all(&world, 3, 9, 10).await.0.is_empty());
}

#[tokio::test]
async fn a_window_leaves_out_what_was_due_before_it() {
    let world = World::new().await;
    for second in [10, 20] {
        due_at(&world, 3, second).await;
    }
    let third = due_at(&world, 3, 30).await;
    for (after, seconds) in [
        (9, vec![11, 21, 31]),
        (11, vec![21, 31]),
        (30, vec![31]),
        (31, vec![]),
    ] {
        let window = Window {
            after: Some(at(after)),
            until: at(40),
        };
        let found = world.store.instances.due(3, window, &page(None, 10)).await;
        let found = found.unwrap().items;
        // The index keeps whole seconds, never earlier than the time itself.
        let since: Vec<_> = found
            .iter()
            .map(|due| due.since.as_second() - 1_700_000_000)
            .collect();
        assert_eq!(since, seconds, "after {after}");
        assert!(found.last().is_none_or(|due| due.key == third));
    }
    let backwards = Window {
        after: Some(at(50)),
        until: at(40),
    };
    let found = world
        .store
        .instances
        .due(3, backwards, &page(None, 10))
        .await;
    assert!(found.unwrap().items.is_empty());
}

#[tokio::test]
async fn pages_hold_all_that_is_due_in_one_second_once() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(due_at(&world, 5, 10).await);
    }
    made.sort();
    for limit in [1, 2, 3, 7, 10] {
        let (mut seen, _) = all(&world, 5, 20, limit).await;
        seen.sort();
        assert_eq!(seen, made, "{limit}");
    }
    let ask = page(Some("nonsense".to_owned()), 1);
    let window = Window {
        after: None,
        until: at(20),
    };
    assert!(world.store.instances.due(5, window, &ask).await.is_err());
}

#[tokio::test]
async fn each_step_says_when_the_next_is_due() {
    let world = World::new().await;
    let key = due_at(&world, 1, 10).await;
    let instances = &world.store.instances;
    let lease = NewLease {
        key: &key,
        epoch: 1,
        base: 1,
        nonce: "mine",
        now: at(10),
        lapsed_before: at(8),
        until: at(40),
    };
    instances.lease(lease).await.unwrap();
    assert_eq!(all(&world, 1, 11, 10).await.0, std::slice::from_ref(&key));
    let fail = Fail {
        key: &key,
        nonce: "mine",
        failure: &failure(),
        not_before: at(100),
        in_doubt: false,
        last_send: None,
        suspect: None,
        due: due(1, 100),
    };
    instances.fail(fail).await.unwrap();
    assert!(all(&world, 1, 99, 10).await.0.is_empty());
    assert_eq!(all(&world, 1, 101, 10).await.0, std::slice::from_ref(&key));
    instances
        .mark(&key, at(100), due(1, 500), &[])
        .await
        .unwrap();
    assert!(all(&world, 1, 101, 10).await.0.is_empty());
    let marked = world.instance(&key).await;
    instances.forget(&marked).await.unwrap();
    assert_eq!(all(&world, 1, 501, 10).await.0, std::slice::from_ref(&key));
    instances.purge(&key).await.unwrap();
    assert!(all(&world, 1, 501, 10).await.0.is_empty());
}
