use latchkey_core::{
    model::{
        api_key::{ApiKey, Scope},
        authorisation::Digest,
        id::{KeyId, TenantId},
    },
    port::{ApiKeys as _, EditApiKeys as _},
};

use crate::world::{World, at, page, tenant, unique};

fn key(tenant: Option<TenantId>) -> ApiKey {
    let random = unique();
    ApiKey {
        id: KeyId::new(at(0), &random),
        digest: Digest::of(&format!("{random:?}").into()),
        tenant,
        name: "CI é".to_owned(),
        scopes: Scope::ALL.into_iter().collect(),
        created_at: at(1),
        expires_at: Some(at(900)),
        revoked_at: None,
    }
}

async fn put(world: &World, tenant: Option<TenantId>) -> ApiKey {
    let key = key(tenant);
    world.store.api_keys.put(&key).await.unwrap();
    key
}

#[tokio::test]
async fn a_key_is_found_by_its_digest_as_it_was_put() {
    let world = World::new().await;
    let keys = &world.store.api_keys;
    let bare = ApiKey {
        scopes: [Scope::CredentialsRead].into(),
        expires_at: None,
        revoked_at: Some(at(5)),
        ..key(None)
    };
    for made in [key(Some(tenant())), bare] {
        for _ in 0..2 {
            keys.put(&made).await.unwrap();
            let found = keys.find(&made.digest).await.unwrap().unwrap();
            assert_eq!(format!("{found:?}"), format!("{made:?}"));
        }
    }
    let unknown = Digest::of(&"unknown".into());
    assert!(keys.find(&unknown).await.unwrap().is_none());
}

#[tokio::test]
async fn keys_are_listed_by_whom_they_are_bound_to() {
    let world = World::new().await;
    let (mut tenants, mut operators) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        tenants.push(put(&world, Some(tenant())).await.id);
        operators.push(put(&world, None).await.id);
    }
    for (owner, made) in [(Some(tenant()), tenants), (None, operators)] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let ask = page(after, 2);
            let found = world.store.api_keys.list(owner.as_ref(), &ask).await;
            let found = found.unwrap();
            seen.extend(found.items.into_iter().map(|key| key.id));
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, made);
    }
}

#[tokio::test]
async fn a_key_is_revoked_for_good_by_its_owner_alone() {
    let world = World::new().await;
    let keys = &world.store.api_keys;
    let made = put(&world, Some(tenant())).await;
    let other = "other".parse().unwrap();
    for foreign in [None, Some(&other)] {
        assert!(!keys.revoke(foreign, &made.id, at(7)).await.unwrap());
    }
    let revoked = |second| {
        let (keys, made) = (keys.clone(), made.clone());
        async move {
            let done = keys.revoke(made.tenant.as_ref(), &made.id, at(second));
            assert!(done.await.unwrap());
            keys.find(&made.digest).await.unwrap().unwrap().revoked_at
        }
    };
    assert_eq!(revoked(8).await, Some(at(8)));
    assert_eq!(revoked(9).await, Some(at(8)));
    let unknown = KeyId::new(at(0), &unique());
    assert!(!keys.revoke(None, &unknown, at(7)).await.unwrap());
}
