use latchkey_core::{
    model::{
        grant::StoredGrant,
        instance::Instance,
        refresh_tokens::{Journal, RefreshTokens},
        secret_version::SecretVersion,
    },
    port::{Commit, Committed, Connect, Connected, Point},
};

use crate::world::{World, at, due, grant, leased, sealed, values};

fn version(name: &str) -> SecretVersion {
    SecretVersion::stored(name)
}

fn with_journal(epoch: u64, instead_of: Option<&str>) -> StoredGrant {
    let journal = Journal {
        epoch,
        sealed: sealed(77),
        instead_of: instead_of.map(version),
    };
    StoredGrant {
        refresh_tokens: RefreshTokens::Journal(journal),
        ..grant(epoch)
    }
}

async fn commit(world: &World, held: &Instance, grant: &StoredGrant) -> Instance {
    let commit = Commit {
        next: None,
        key: &held.key,
        incarnation: held.incarnation,
        base: held.grant().unwrap().epoch,
        spares: None,
        grant,
        due: Some(due(1, 900)),
        events: &[],
    };
    let committed = world.store.instances.commit(commit).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let now = world.instance(&held.key).await;
    assert_eq!(now.grant(), Some(grant));
    now
}

/// An instance with a journal of epoch 2.
async fn journalled(world: &World) -> Instance {
    let held = leased(world).await;
    commit(world, &held, &with_journal(2, Some("v1"))).await
}

async fn point(world: &World, instance: &Instance, epoch: u64, to: &str) -> bool {
    let point = Point {
        key: &instance.key,
        incarnation: instance.incarnation,
        epoch,
        version: &version(to),
    };
    world.store.instances.point(point).await.unwrap()
}

#[tokio::test]
async fn a_journal_gives_way_to_the_version_that_holds_it() {
    let world = World::new().await;
    let instance = journalled(&world).await;
    for _ in 0..2 {
        assert!(point(&world, &instance, 2, "v2").await);
        let now = world.instance(&instance.key).await;
        let pointing = StoredGrant {
            refresh_tokens: RefreshTokens::Version(version("v2")),
            ..grant(2)
        };
        assert_eq!(now.grant(), Some(&pointing));
        let raw = world.raw_instance(&instance.key).await;
        assert!(!raw.contains_key("journal") && !raw.contains_key("journal_epoch"));
    }
}

#[tokio::test]
async fn nobody_points_who_was_overtaken() {
    let world = World::new().await;
    let instance = journalled(&world).await;
    assert!(!point(&world, &instance, 1, "v1").await, "another epoch's");
    let elsewhere = Instance {
        incarnation: instance.incarnation + 1,
        ..instance.clone()
    };
    assert!(
        !point(&world, &elsewhere, 2, "v2").await,
        "another consent's"
    );
    assert_eq!(
        world.instance(&instance.key).await.grant(),
        instance.grant()
    );

    let next = with_journal(instance.epoch + 1, Some("v1"));
    let connect = Connect {
        key: &instance.key,
        epoch: instance.epoch,
        incarnation: instance.incarnation,
        grant: &next,
        values: &values(),
        due: None,
        events: &[],
    };
    let connected = world.store.instances.connect(connect).await.unwrap();
    assert!(matches!(connected, Connected::Done), "{connected:?}");
    assert!(!point(&world, &instance, 2, "v2").await);
    let now = world.instance(&instance.key).await;
    assert_eq!(now.grant(), Some(&next));
    assert!(point(&world, &now, now.epoch, "v3").await);
}

#[tokio::test]
async fn a_commit_keeps_the_version_or_takes_it_all_inside() {
    let world = World::new().await;
    let held = leased(&world).await;
    let pointing = StoredGrant {
        refresh_tokens: RefreshTokens::Version(version("v1")),
        ..grant(2)
    };
    let now = commit(&world, &held, &pointing).await;
    let held = crate::world::hold(&world, &now, "again").await;
    commit(&world, &held, &grant(3)).await;
    let raw = world.raw_instance(&held.key).await;
    assert!(!raw.contains_key("refresh_version"));
}

#[tokio::test]
async fn a_deleted_instance_points_nowhere_and_forgets_its_journal() {
    let world = World::new().await;
    let instance = journalled(&world).await;
    let instances = &world.store.instances;
    let marked = instances
        .mark(&instance.key, at(150), due(0, 160), &[])
        .await;
    let marked = marked.unwrap().unwrap();
    assert!(!point(&world, &instance, 2, "v2").await);
    instances.forget(&marked).await.unwrap();
    let raw = world.raw_instance(&instance.key).await;
    for gone in ["journal", "journal_epoch", "refresh_version", "tokens"] {
        assert!(!raw.contains_key(gone), "{gone}");
    }
}
