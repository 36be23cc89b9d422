use latchkey_core::{
    model::{
        instance::{Instance, Lease, State},
        sealed::Sealed,
        spare::{Spare, SpareAnswer},
    },
    port::{Creation, StoreError},
};

use crate::world::{
    World, at, connector, due, failure, grant, instance, method, page, race, racers, tenant, values,
};

fn same(left: &Instance, right: &Instance) -> bool {
    format!("{left:?}") == format!("{right:?}") && left.values == right.values
}

#[tokio::test]
async fn an_instance_comes_back_as_it_was_created() {
    let world = World::new().await;
    let method = world.method().await.key;
    let states = [
        State::Pending,
        State::Active(grant(3)),
        State::Suspect {
            grant: grant(3),
            cause: failure(),
        },
        State::ReconnectRequired {
            grant: grant(3),
            cause: failure(),
        },
        State::Deleted {
            grant: Some(grant(3)),
            at: at(9),
        },
        State::Deleted {
            grant: None,
            at: at(9),
        },
    ];
    for state in states {
        let made = Instance {
            values: values(),
            incarnation: 2,
            epoch: 5,
            lease: Some(Lease {
                until: at(30),
                nonce: "nonce".to_owned(),
            }),
            attempts: 1,
            last_send: Some(at(1)),
            not_before: Some(at(2)),
            failures: 3,
            last_failure: Some(failure()),
            spares: vec![
                Spare {
                    epoch: 2,
                    is_refused: true,
                    in_doubt: true,
                    answer: SpareAnswer::Grant(Box::new(grant(2))),
                },
                Spare {
                    epoch: 4,
                    is_refused: false,
                    in_doubt: false,
                    answer: SpareAnswer::Raw {
                        sealed: Sealed::new(vec![7]),
                        unread_by: 3,
                    },
                },
            ],
            state,
            ..instance(&method)
        };
        let created = world.store.instances.create(&made).await.unwrap();
        assert_eq!(created, Creation::Done);
        assert!(same(&world.instance(&made.key).await, &made), "{made:?}");
    }
    let bare = world.pending_of(&method).await;
    assert!(same(&world.instance(&bare.key).await, &bare));
}

#[tokio::test]
async fn another_tenants_instance_is_not_found() {
    let world = World::new().await;
    let mut key = world.pending().await.key;
    key.tenant = "other".parse().unwrap();
    assert!(world.store.instances.find(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn an_instance_is_counted_once_at_its_method() {
    let world = World::new().await;
    let made = world.pending().await;
    let created = world.store.instances.create(&made).await.unwrap();
    assert_eq!(created, Creation::Done);
    assert_eq!(world.counted(&made.method_key()).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_made_at_once_are_all_counted() {
    let world = World::new().await;
    let method = world.method().await.key;
    let created = race(|_| {
        let (instances, made) = (world.store.instances.clone(), instance(&method));
        async move { instances.create(&made).await.unwrap() }
    })
    .await;
    assert!(created.iter().all(|created| *created == Creation::Done));
    assert_eq!(world.counted(&method).await, racers() as u64);
}

#[tokio::test]
async fn an_instance_needs_its_method() {
    let world = World::new().await;
    let orphan = instance(&method(&connector(&tenant())).key);
    let created = world.store.instances.create(&orphan).await.unwrap();
    assert_eq!(created, Creation::MethodGone);
    assert!(
        world
            .store
            .instances
            .find(&orphan.key)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_list_hides_deleted_instances_and_still_ends_right() {
    let world = World::new().await;
    let method = world.method().await.key;
    let mut kept = Vec::new();
    for number in 0..6 {
        let made = world.pending_of(&method).await;
        if number % 2 == 0 {
            kept.push(made.key);
        } else {
            let marked = world.store.instances.mark(&made.key, at(1), due(0, 9), &[]);
            marked.await.unwrap();
        }
    }
    for limit in [1, 2, 6, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let ask = page(after, limit);
            let found = world.store.instances.list(&tenant(), &ask).await.unwrap();
            seen.extend(found.items.into_iter().map(|instance| instance.key));
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, kept, "{limit}");
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_corrupt() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = World::new().await;
    let made = world.connected().await;
    for (name, value) in [
        ("v", AttributeValue::N("2".to_owned())),
        ("tokens", AttributeValue::S("plain".to_owned())),
        ("status", AttributeValue::S("unheard of".to_owned())),
        ("epoch", AttributeValue::N("-1".to_owned())),
    ] {
        let mut raw = world.raw_instance(&made.key).await;
        let good = raw.insert(name.to_owned(), value);
        put(&world, raw.clone()).await;
        let error = world.store.instances.find(&made.key).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt(at) if at == name),
            "{error:?}"
        );
        raw.insert(name.to_owned(), good.unwrap());
        put(&world, raw).await;
    }
}

async fn put(world: &World, raw: crate::world::Raw) {
    let request = world.client.put_item().table_name(&world.tables.instances);
    request.set_item(Some(raw)).send().await.unwrap();
}
