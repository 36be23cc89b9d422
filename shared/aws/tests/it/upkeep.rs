//! Notes beside the refresh protocol.

use latchkey_core::{
    model::{
        instance::Instance,
        upkeep::{Rejections, Upkeep},
    },
    port::{Commit, Committed, Note, Noted, Noting},
};

use crate::world::{World, at, due, grant, hold, race};

fn note<'a>(instance: &'a Instance, what: Noting<'a>) -> Note<'a> {
    Note {
        key: &instance.key,
        incarnation: instance.incarnation,
        epoch: instance.grant().unwrap().epoch,
        due: Some(due(2, 700)),
        what,
    }
}

#[tokio::test]
async fn a_note_changes_itself_and_when_the_instance_is_due_and_nothing_else() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let connected = world.connected().await;
    let leased = hold(&world, &connected, "mine").await;
    let kept = Rejections::default().with(1, at(9), None);
    let seen = Rejections::default();
    for what in [
        Noting::Used { at: at(7) },
        Noting::Rejected {
            seen: &seen,
            kept: &kept,
        },
    ] {
        let noted = instances.note(note(&leased, what)).await.unwrap();
        assert!(matches!(noted, Noted::Done), "{noted:?}");
    }
    let now = world.instance(&leased.key).await;
    let upkeep = Upkeep {
        used_at: Some(at(7)),
        rejections: kept.clone(),
        warned: None,
    };
    assert_eq!(now.upkeep, upkeep);
    assert_eq!((&now.state, &now.lease), (&leased.state, &leased.lease));
    assert_eq!((now.epoch, now.attempts), (leased.epoch, leased.attempts));
    let raw = world.raw_instance(&leased.key).await;
    assert_eq!(raw["due_shard"].as_n().unwrap(), "2");

    // What the protocol writes leaves the notes alone.
    let next = grant(2);
    let commit = Commit {
        next: None,
        key: &leased.key,
        incarnation: 1,
        base: 1,
        spares: None,
        grant: &next,
        events: &[],
        due: Some(due(1, 900)),
    };
    let committed = instances.commit(commit).await.unwrap();
    assert!(matches!(committed, Committed::Done));
    assert_eq!(world.instance(&leased.key).await.upkeep, upkeep);
}

#[tokio::test]
async fn nothing_is_noted_of_another_consent_or_other_tokens_or_a_deleted_instance() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let connected = world.connected().await;
    let used = Noting::Used { at: at(7) };
    for refused in [
        Note {
            incarnation: 2,
            ..note(&connected, used)
        },
        Note {
            epoch: 2,
            ..note(&connected, used)
        },
    ] {
        let noted = instances.note(refused).await.unwrap();
        assert!(matches!(noted, Noted::Moved(Some(_))), "{noted:?}");
    }
    let marked = instances
        .mark(&connected.key, at(8), due(0, 160), &[])
        .await;
    marked.unwrap().unwrap();
    let noted = instances.note(note(&connected, used)).await.unwrap();
    assert!(matches!(noted, Noted::Moved(Some(_))), "{noted:?}");
    assert_eq!(world.instance(&connected.key).await.upkeep.used_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_rejections_one_is_noted() {
    let world = World::new().await;
    let connected = world.connected().await;
    let outcomes = race(|number| {
        let (instances, connected) = (world.store.instances.clone(), connected.clone());
        async move {
            let seen = Rejections::default();
            let kept = seen.with(1, at(i64::try_from(number).unwrap()), None);
            let what = Noting::Rejected {
                seen: &seen,
                kept: &kept,
            };
            instances.note(note(&connected, what)).await.unwrap()
        }
    })
    .await;
    let done = outcomes.iter().filter(|noted| matches!(noted, Noted::Done));
    assert_eq!(done.count(), 1);
    assert_eq!(
        world.instance(&connected.key).await.upkeep.rejections.count,
        1
    );
}

#[tokio::test]
async fn a_repeated_rejection_finds_its_own() {
    let world = World::new().await;
    let connected = world.connected().await;
    let seen = Rejections::default();
    let kept = seen.with(1, at(9), None);
    for _ in 0..2 {
        let what = Noting::Rejected {
            seen: &seen,
            kept: &kept,
        };
        let noted = world.store.instances.note(note(&connected, what)).await;
        assert!(matches!(noted, Ok(Noted::Done)), "{noted:?}");
    }
}

#[tokio::test]
async fn the_index_is_put_right_only_where_it_says_that_the_instance_was_due() {
    let world = World::new().await;
    let connected = world.connected().await;
    let due_at = async || world.raw_instance(&connected.key).await["due_at"].clone();
    let before = due_at().await;
    for (now, moved) in [(at(599), false), (at(601), true)] {
        let noted = world
            .store
            .instances
            .note(note(&connected, Noting::NotDue { now }))
            .await
            .unwrap();
        assert_eq!(matches!(noted, Noted::Done), moved, "{now}");
        assert_eq!(due_at().await != before, moved, "{now}");
    }
}
