use latchkey_core::{
    model::{
        failure::Failure,
        instance::{Instance, State},
        spare::Spare,
    },
    port::{Commit, Committed, Condemn, Fail, KeepSpare, Leased, NewLease, Promote, Spares},
};

use crate::world::{World, at, due, failure, grant, late, lease, leased};

fn spare(epoch: u64) -> Spare {
    Spare::of(grant(epoch))
}

fn keep<'a>(instance: &'a Instance, kept: &'a [Spare]) -> KeepSpare<'a> {
    KeepSpare {
        key: &instance.key,
        incarnation: instance.incarnation,
        spares: Spares {
            seen: &instance.spares,
            kept,
        },
        revived: None,
    }
}

fn condemn<'a>(instance: &'a Instance, spares: &'a [Spare], cause: &'a Failure) -> Condemn<'a> {
    Condemn {
        events: &[],
        key: &instance.key,
        incarnation: instance.incarnation,
        base: 1,
        held: Some(("mine", spares)),
        cause,
    }
}

#[tokio::test]
async fn a_spare_is_added_to_those_that_were_seen() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let first = world.connected().await;
    let (one, two) = ([spare(5)], [spare(5), spare(6)]);
    let done = instances.keep_spare(keep(&first, &one)).await.unwrap();
    assert!(matches!(done, Committed::Done));
    // Whoever has not seen it is told, and nothing is forgotten.
    let blind = instances
        .keep_spare(keep(&first, &[spare(6)]))
        .await
        .unwrap();
    let Committed::Moved(Some(now)) = blind else {
        panic!("{blind:?}");
    };
    assert_eq!(now.spares, one);
    let done = instances.keep_spare(keep(&now, &two)).await.unwrap();
    assert!(matches!(done, Committed::Done));
    assert_eq!(world.instance(&first.key).await.spares, two);
}

#[tokio::test]
async fn a_spare_brings_hope_to_an_instance_that_was_given_up() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    let cause = failure();
    assert!(
        instances
            .condemn(condemn(&mine, &[], &cause))
            .await
            .unwrap()
    );
    let kept = [spare(9)];
    let unaware = instances.keep_spare(keep(&mine, &kept)).await.unwrap();
    assert!(matches!(unaware, Committed::Moved(Some(_))), "{unaware:?}");
    let hope = KeepSpare {
        revived: Some(due(1, 140)),
        ..keep(&mine, &kept)
    };
    let done = instances.keep_spare(hope).await.unwrap();
    assert!(matches!(done, Committed::Done));
    let now = world.instance(&mine.key).await;
    assert!(matches!(now.state, State::Suspect { .. }), "{now:?}");
    assert_eq!(now.spares, kept);
}

#[tokio::test]
async fn nobody_is_given_up_over_a_spare_that_was_not_seen() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    instances
        .keep_spare(keep(&mine, &[spare(9)]))
        .await
        .unwrap();
    let cause = failure();
    assert!(
        !instances
            .condemn(condemn(&mine, &[], &cause))
            .await
            .unwrap()
    );
    let now = world.instance(&mine.key).await;
    assert!(matches!(now.state, State::Active(_)));
}

#[tokio::test]
async fn a_spare_takes_the_place_of_refused_tokens() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    let (spares, ninth) = ([spare(9)], grant(9));
    instances.keep_spare(keep(&mine, &spares)).await.unwrap();
    // What was refused stays, until it is refused again.
    let refused = [Spare {
        is_refused: true,
        in_doubt: true,
        ..spare(1)
    }];
    let change = Spares {
        seen: &spares,
        kept: &refused,
    };
    let commit = Commit {
        next: None,
        events: &[],
        key: &mine.key,
        incarnation: mine.incarnation,
        base: 1,
        spares: Some(change),
        grant: &ninth,
        due: Some(due(2, 100)),
    };
    let promote = |nonce| {
        instances.promote(Promote {
            commit: commit.clone(),
            nonce,
            in_doubt: true,
            suspect: None,
        })
    };
    promote("theirs").await.unwrap();
    assert_eq!(world.instance(&mine.key).await.spares, spares);
    for _ in 0..2 {
        promote("mine").await.unwrap();
        let now = world.instance(&mine.key).await;
        assert_eq!(now.state, State::Active(grant(9)));
        assert_eq!((now.lease, now.attempts), (None, 1));
        assert_eq!(now.spares, refused);
    }
}

#[tokio::test]
async fn a_refused_grant_is_suspect_and_may_be_leased_and_committed() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    let refusal = failure();
    let fail = |base| Fail {
        key: &mine.key,
        nonce: "mine",
        failure: &refusal,
        not_before: at(200),
        in_doubt: false,
        last_send: None,
        suspect: Some((mine.incarnation, base)),
        due: due(1, 200),
    };
    instances.fail(fail(1)).await.unwrap();
    let suspect = world.instance(&mine.key).await;
    assert!(
        matches!(suspect.state, State::Suspect { .. }),
        "{suspect:?}"
    );
    assert_eq!((suspect.not_before, suspect.attempts), (Some(at(200)), 0));

    let later = NewLease {
        now: at(201),
        lapsed_before: at(199),
        until: at(231),
        ..lease(&suspect, "again")
    };
    let leased = instances.lease(later).await.unwrap();
    assert!(matches!(leased, Leased::Held), "{leased:?}");
    let renewed = grant(suspect.epoch + 1);
    let commit = Commit {
        next: None,
        events: &[],
        key: &suspect.key,
        incarnation: suspect.incarnation,
        base: 1,
        spares: None,
        grant: &renewed,
        due: Some(due(1, 900)),
    };
    let committed = instances.commit(commit).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let now = world.instance(&mine.key).await;
    assert_eq!(now.state, State::Active(renewed));
}

#[tokio::test]
async fn what_a_late_grant_displaces_becomes_a_spare() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    let newest = grant(8);
    let kept = [spare(1)];
    let spares = Spares {
        seen: &mine.spares,
        kept: &kept,
    };
    let commit = Commit {
        next: None,
        events: &[],
        key: &mine.key,
        incarnation: mine.incarnation,
        base: 1,
        spares: Some(spares),
        grant: &newest,
        due: Some(due(1, 900)),
    };
    for _ in 0..2 {
        let committed = instances.commit_late(late(commit.clone())).await.unwrap();
        assert!(matches!(committed, Committed::Done), "{committed:?}");
        let now = world.instance(&mine.key).await;
        assert_eq!(now.state, State::Active(newest.clone()));
        assert_eq!(now.spares, kept);
        assert!(now.lease.is_some(), "a lease is not touched");
    }
}

#[tokio::test]
async fn a_spare_that_was_refused_itself_takes_its_place_as_a_suspect_that_waits() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    let spares = [Spare {
        is_refused: true,
        ..spare(9)
    }];
    instances.keep_spare(keep(&mine, &spares)).await.unwrap();
    let (second, cause) = (grant(2), failure());
    let commit = Commit {
        next: None,
        events: &[],
        key: &mine.key,
        incarnation: mine.incarnation,
        base: 1,
        spares: Some(Spares {
            seen: &spares,
            kept: &[],
        }),
        grant: &second,
        due: Some(due(2, 1000)),
    };
    let promote = Promote {
        commit,
        nonce: "mine",
        in_doubt: false,
        suspect: Some((&cause, at(1000))),
    };
    instances.promote(promote).await.unwrap();
    let now = world.instance(&mine.key).await;
    let suspect = State::Suspect {
        grant: second,
        cause,
    };
    assert_eq!((now.state, now.not_before), (suspect, Some(at(1000))));
    assert!(now.lease.is_none() && now.spares.is_empty());
}
