use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::authorisation::{Authorisation, Binding, Digest, Miss, Progress},
    port::Take,
};

use crate::world::{
    World, at, connector, grant, instance, method, race, racers, sealed, tenant, unique, values,
};

fn authorisation() -> Authorisation {
    let method = method(&connector(&tenant())).key;
    Authorisation {
        state: Digest::of(&format!("{:?}", unique()).into()),
        instance: instance(&method).key,
        connector: method.connector,
        method: method.id,
        method_version: 3,
        incarnation: 4,
        token_url: "https://p.example/token?a=%20b".parse().ok(),
        redirect_uri: "https://app.example/oauth/authenticate".parse().unwrap(),
        scopes: vec!["read".to_owned(), String::new()],
        verifier: Some(sealed(1)),
        issuer: Some("https://p.example".to_owned()),
        return_url: Some("https://app.example/done".parse().unwrap()),
        binding: Binding::Browser(Digest::of(&"cookie".into())),
        values: values(),
        session: Some(sealed(2)),
        created_at: at(0),
        expires_at: at(600),
        progress: Progress::Open,
    }
}

/// One with as little in it as can be.
fn bare() -> Authorisation {
    Authorisation {
        scopes: Vec::new(),
        verifier: None,
        issuer: None,
        return_url: None,
        binding: Binding::Platform,
        values: latchkey_core::model::instance::StoredValues::default(),
        session: None,
        ..authorisation()
    }
}

async fn put(world: &World) -> Authorisation {
    let authorisation = authorisation();
    world
        .store
        .authorisations
        .put(&authorisation)
        .await
        .unwrap();
    authorisation
}

async fn taken(world: &World) -> Authorisation {
    let put = put(world).await;
    match world.store.authorisations.take(&put.state, at(1)).await {
        Ok(Take::Taken(taken)) => *taken,
        other => panic!("{other:?}"),
    }
}

async fn progress(world: &World, state: &Digest) -> Progress {
    let found = world.store.authorisations.find(state).await.unwrap();
    found.unwrap().progress
}

#[tokio::test]
async fn an_authorisation_comes_back_as_it_was_put() {
    let world = World::new().await;
    let progresses = [
        Progress::Open,
        Progress::Taken,
        Progress::Parked(Box::new(grant(0))),
        Progress::Completed(None),
        Progress::Completed(Some(Box::new(grant(0)))),
        Progress::Failed(Miss::ProviderRefused),
    ];
    for progress in progresses {
        for made in [authorisation(), bare()] {
            let made = Authorisation {
                progress: progress.clone(),
                ..made
            };
            world.store.authorisations.put(&made).await.unwrap();
            let found = world.store.authorisations.find(&made.state).await;
            let found = found.unwrap().unwrap();
            assert_eq!(format!("{found:?}"), format!("{made:?}"));
            assert_eq!(found.verifier, made.verifier);
            assert_eq!(found.values, made.values);
            assert_eq!(found.binding, made.binding);
            assert_eq!(found.progress, made.progress);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_taken_by_one_of_many() {
    let world = World::new().await;
    let made = put(&world).await;
    let takes = race(|_| {
        let (authorisations, state) = (world.store.authorisations.clone(), made.state.clone());
        async move { authorisations.take(&state, at(1)).await.unwrap() }
    })
    .await;
    let (mut taken, mut replayed) = (0, 0);
    for take in takes {
        match take {
            Take::Taken(authorisation) => {
                assert_eq!(authorisation.progress, Progress::Taken);
                assert_eq!(authorisation.token_url, made.token_url);
                taken += 1;
            }
            Take::Replayed(authorisation) => {
                assert_eq!(authorisation.progress, Progress::Taken);
                replayed += 1;
            }
            Take::Expired | Take::Unknown => panic!("{take:?}"),
        }
    }
    assert_eq!((taken, replayed), (1, racers() - 1));
}

#[tokio::test]
async fn a_state_works_until_its_end_and_not_at_it() {
    let world = World::new().await;
    let made = put(&world).await;
    let authorisations = &world.store.authorisations;
    for second in [600, 601, 1_000_000] {
        let take = authorisations.take(&made.state, at(second)).await.unwrap();
        assert!(matches!(take, Take::Expired), "{second}: {take:?}");
    }
    assert_eq!(progress(&world, &made.state).await, Progress::Open);
    let take = authorisations.take(&made.state, at(599)).await.unwrap();
    assert!(matches!(take, Take::Taken(_)), "{take:?}");
}

#[tokio::test]
async fn a_replay_is_told_from_an_unknown_state_even_late() {
    let world = World::new().await;
    let made = taken(&world).await;
    let authorisations = &world.store.authorisations;
    let replay = authorisations.take(&made.state, at(10_000)).await.unwrap();
    assert!(matches!(replay, Take::Replayed(_)), "{replay:?}");
    let unknown = Digest::of(&"unknown".into());
    let take = authorisations.take(&unknown, at(1)).await.unwrap();
    assert!(matches!(take, Take::Unknown), "{take:?}");
    assert!(authorisations.find(&unknown).await.unwrap().is_none());
}

#[tokio::test]
async fn putting_a_taken_authorisation_again_does_not_open_it() {
    let world = World::new().await;
    let mut again = taken(&world).await;
    again.progress = Progress::Open;
    world.store.authorisations.put(&again).await.unwrap();
    assert_eq!(progress(&world, &again.state).await, Progress::Taken);
}

#[tokio::test]
async fn an_authorisation_is_cleaned_up_a_day_after_its_end() {
    let world = World::new().await;
    let made = put(&world).await;
    let id = format!("state#{}", made.state.as_str());
    let raw = world.raw_authorisation(id).await;
    let second = (at(600).as_second() + 86_400 + 1).to_string();
    assert_eq!(raw.get("expires"), Some(&AttributeValue::N(second)));
}

#[tokio::test]
async fn only_a_taken_authorisation_fails() {
    let world = World::new().await;
    let authorisations = &world.store.authorisations;
    let open = put(&world).await;
    authorisations
        .fail(&open.state, Miss::Denied)
        .await
        .unwrap();
    assert_eq!(progress(&world, &open.state).await, Progress::Open);
    let taken = taken(&world).await;
    for _ in 0..2 {
        authorisations
            .fail(&taken.state, Miss::AnswerLost)
            .await
            .unwrap();
    }
    let failed = Progress::Failed(Miss::AnswerLost);
    assert_eq!(progress(&world, &taken.state).await, failed);
    assert!(!authorisations.complete(&taken.state).await.unwrap());
}

#[tokio::test]
async fn a_parked_grant_is_completed_once() {
    let world = World::new().await;
    let authorisations = &world.store.authorisations;
    let made = taken(&world).await;
    assert!(!authorisations.complete(&made.state).await.unwrap());
    for _ in 0..2 {
        authorisations.park(&made.state, &grant(0)).await.unwrap();
    }
    let parked = Progress::Parked(Box::new(grant(0)));
    assert_eq!(progress(&world, &made.state).await, parked);
    let completed = race(|_| {
        let (authorisations, state) = (world.store.authorisations.clone(), made.state.clone());
        async move { authorisations.complete(&state).await.unwrap() }
    })
    .await;
    assert_eq!(completed.iter().filter(|done| **done).count(), 1);
    let completed = Progress::Completed(Some(Box::new(grant(0))));
    assert_eq!(progress(&world, &made.state).await, completed);
}

#[tokio::test]
async fn a_grant_is_not_dropped_in_silence() {
    let world = World::new().await;
    let authorisations = &world.store.authorisations;
    let open = put(&world).await;
    assert!(authorisations.park(&open.state, &grant(0)).await.is_err());
    let unknown = Digest::of(&"unknown".into());
    assert!(authorisations.park(&unknown, &grant(0)).await.is_err());
    assert!(authorisations.find(&unknown).await.unwrap().is_none());
}
