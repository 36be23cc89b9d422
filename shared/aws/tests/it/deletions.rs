use latchkey_core::{
    model::instance::{Instance, State, StoredValues},
    port::{EditMethods as _, Removal},
};

use crate::world::{World, at, due, grant, instance, race};

async fn marked(world: &World) -> Instance {
    let connected = world.connected().await;
    let marked = world
        .store
        .instances
        .mark(&connected.key, at(9), due(2, 60), &[]);
    marked.await.unwrap().unwrap()
}

#[tokio::test]
async fn a_marked_instance_keeps_its_grant_until_forgotten() {
    let world = World::new().await;
    let first = marked(&world).await;
    let deleted = State::Deleted {
        grant: Some(grant(1)),
        at: at(9),
    };
    assert_eq!(first.state, deleted);
    // The first mark counts.
    let again = world
        .store
        .instances
        .mark(&first.key, at(99), due(2, 999), &[]);
    assert_eq!(again.await.unwrap().unwrap().state, deleted);
    assert_eq!(world.instance(&first.key).await.state, deleted);
}

#[tokio::test]
async fn marking_what_is_not_there_makes_nothing() {
    let world = World::new().await;
    let missing = instance(&world.method().await.key).key;
    let marked = world.store.instances.mark(&missing, at(9), due(2, 60), &[]);
    assert!(marked.await.unwrap().is_none());
    assert!(
        world
            .store
            .instances
            .find(&missing)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn forgetting_takes_tokens_and_values_and_counts_out_once() {
    let world = World::new().await;
    let marked = marked(&world).await;
    let method = marked.method_key();
    world.pending_of(&method).await;
    race(|_| {
        let (instances, marked) = (world.store.instances.clone(), marked.clone());
        async move { instances.forget(&marked).await.unwrap() }
    })
    .await;
    let now = world.instance(&marked.key).await;
    let forgotten = State::Deleted {
        grant: None,
        at: at(9),
    };
    assert_eq!(now.state, forgotten);
    assert_eq!(now.values, StoredValues::default());
    assert_eq!(world.counted(&method).await, 1);
    let raw = format!("{:?}", world.raw_instance(&marked.key).await);
    assert!(!raw.contains("ada") && !raw.contains("Blob"), "{raw}");
}

#[tokio::test]
async fn what_is_not_marked_is_neither_forgotten_nor_purged() {
    let world = World::new().await;
    let connected = world.connected().await;
    world.store.instances.forget(&connected).await.unwrap();
    world.store.instances.purge(&connected.key).await.unwrap();
    let now = world.instance(&connected.key).await;
    assert_eq!(now.state, connected.state);
    assert_eq!(world.counted(&connected.method_key()).await, 1);
}

#[tokio::test]
async fn what_is_forgotten_is_purged() {
    let world = World::new().await;
    let marked = marked(&world).await;
    let instances = &world.store.instances;
    instances.purge(&marked.key).await.unwrap();
    assert!(instances.find(&marked.key).await.unwrap().is_some());
    instances.forget(&marked).await.unwrap();
    for _ in 0..2 {
        instances.purge(&marked.key).await.unwrap();
        assert!(instances.find(&marked.key).await.unwrap().is_none());
    }
    // A step that comes once more after all is over does not count out again, nor bring anything back.
    instances.forget(&marked).await.unwrap();
    assert!(instances.find(&marked.key).await.unwrap().is_none());
    let method = marked.method_key();
    let deleted = world.store.methods.delete(&method, None);
    assert_eq!(deleted.await.unwrap(), Removal::Done);
}
