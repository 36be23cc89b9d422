//! A write that is made and whose reply is lost is sent again by the SDK: it must find its own.

use latchkey_aws::{Client, Store};
use latchkey_core::{
    model::{
        authorisation::{Authorisation, Binding, Digest, Progress},
        instance::{Instance, State, StoredValues},
    },
    port::{
        Change, Commit, Committed, Connectors as _, Creation, EditMethods as _, Fail, Leased,
        NewLease, Removal, Take,
    },
};

use crate::{
    lossy_proxy::LossyProxy,
    world::{Adapters, World, at, due, failure, grant, instance, method},
};

/// A store all of whose replies come, but for the first after [`LossyProxy::lose_next`].
pub(crate) async fn lossy(world: &World) -> (Adapters, LossyProxy) {
    let proxy = LossyProxy::to(&world.endpoint).await;
    let config = world.client.config().to_builder();
    let client = Client::from_conf(config.endpoint_url(proxy.endpoint()).build());
    let store = Store::with_client(&client, &world.tables, world.clock.clone());
    (Adapters::new(store, None), proxy)
}

fn lease(instance: &Instance) -> NewLease<'_> {
    NewLease {
        key: &instance.key,
        epoch: instance.epoch,
        base: 1,
        nonce: "mine",
        now: at(100),
        lapsed_before: at(98),
        until: at(130),
    }
}

fn authorisation(instance: &Instance) -> Authorisation {
    let url: url::Url = "https://p.example/token".parse().unwrap();
    Authorisation {
        state: Digest::of(&"state".into()),
        instance: instance.key.clone(),
        connector: instance.connector.clone(),
        method: instance.method.clone(),
        method_version: 1,
        incarnation: 0,
        token_url: Some(url.clone()),
        redirect_uri: url,
        scopes: Vec::new(),
        verifier: None,
        issuer: None,
        return_url: None,
        binding: Binding::Platform,
        values: StoredValues::default(),
        session: None,
        created_at: at(0),
        expires_at: at(600),
        progress: Progress::Open,
    }
}

#[tokio::test]
async fn a_lease_and_its_commit_are_ours_all_the_same() {
    let world = World::new().await;
    let connected = world.connected().await;
    let (store, proxy) = lossy(&world).await;
    proxy.lose_next();
    let leased = store.instances.lease(lease(&connected)).await.unwrap();
    assert!(matches!(leased, Leased::Held), "{leased:?}");
    let now = world.instance(&connected.key).await;
    assert_eq!((now.epoch, now.attempts), (2, 1));
    proxy.lose_next();
    let commit = Commit {
        next: None,
        events: &[],
        key: &connected.key,
        incarnation: 1,
        base: 1,
        spares: None,
        grant: &grant(2),
        due: None,
    };
    let committed = store.instances.commit(commit).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let now = world.instance(&connected.key).await;
    assert_eq!(now.state, State::Active(grant(2)));
    assert_eq!(proxy.lost(), 2);
}

#[tokio::test]
async fn a_failure_is_counted_once() {
    let world = World::new().await;
    let connected = world.connected().await;
    let (store, proxy) = lossy(&world).await;
    store.instances.lease(lease(&connected)).await.unwrap();
    proxy.lose_next();
    let fail = Fail {
        key: &connected.key,
        nonce: "mine",
        failure: &failure(),
        not_before: at(200),
        in_doubt: false,
        last_send: None,
        suspect: None,
        due: due(0, 200),
    };
    store.instances.fail(fail).await.unwrap();
    let now = world.instance(&connected.key).await;
    assert_eq!((now.failures, now.attempts, proxy.lost()), (1, 0, 1));
}

#[tokio::test]
async fn a_state_is_taken_parked_and_completed_all_the_same() {
    let world = World::new().await;
    let made = authorisation(&world.pending().await);
    let (store, proxy) = lossy(&world).await;
    let authorisations = &store.authorisations;
    proxy.lose_next();
    authorisations.put(&made).await.unwrap();
    proxy.lose_next();
    let take = authorisations.take(&made.state, at(1)).await.unwrap();
    assert!(matches!(take, Take::Taken(_)), "{take:?}");
    proxy.lose_next();
    authorisations.park(&made.state, &grant(0)).await.unwrap();
    proxy.lose_next();
    assert!(authorisations.complete(&made.state).await.unwrap());
    assert_eq!(proxy.lost(), 4);
}

#[tokio::test]
async fn an_instance_is_made_and_counted_once() {
    let world = World::new().await;
    let method = world.method().await.key;
    let (store, proxy) = lossy(&world).await;
    proxy.lose_next();
    let created = store.instances.create(&instance(&method)).await.unwrap();
    assert_eq!((created, proxy.lost()), (Creation::Done, 1));
    assert_eq!(world.counted(&method).await, 1);
}

#[tokio::test]
async fn connectors_and_methods_are_changed_once_all_the_same() {
    let world = World::new().await;
    let mut connector = world.connector().await;
    let mut made = method(&connector);
    let created = world.store.methods.create(&made).await.unwrap();
    assert_eq!(created, Change::Done);
    let (store, proxy) = lossy(&world).await;
    connector.version = 2;
    proxy.lose_next();
    let updated = store.connectors.update(&connector).await.unwrap();
    assert_eq!(updated, Change::Done);
    made.version = 2;
    proxy.lose_next();
    assert_eq!(store.methods.update(&made).await.unwrap(), Change::Done);
    assert_eq!(proxy.lost(), 2);
}

/// A transaction's token makes the second one the first.
#[tokio::test]
async fn methods_are_made_and_removed_once_all_the_same() {
    let world = World::new().await;
    let made = method(&world.connector().await);
    let (store, proxy) = lossy(&world).await;
    proxy.lose_next();
    assert_eq!(store.methods.create(&made).await.unwrap(), Change::Done);
    proxy.lose_next();
    let deleted = store.methods.delete(&made.key, Some(1)).await.unwrap();
    assert_eq!((deleted, proxy.lost()), (Removal::Done, 2));
}
