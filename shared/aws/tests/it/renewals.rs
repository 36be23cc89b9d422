//! Leases that take the place of one that is held: another request, or steps after a commit.

use latchkey_core::{
    model::{
        instance::{Instance, Lease, State},
        spare::Spare,
    },
    port::{Commit, Committed, Fail, KeepSpare, Leased, NextLease, Renew, Spares},
};

use crate::world::{World, at, due, failure, grant, hold, leased};

fn renew<'a>(leased: &'a Instance, nonce: &'a str) -> Renew<'a> {
    Renew {
        key: &leased.key,
        epoch: leased.epoch,
        base: leased.grant().unwrap().epoch,
        held: "mine",
        nonce,
        now: at(120),
        until: at(150),
    }
}

fn lease(until: i64, nonce: &str) -> Option<Lease> {
    Some(Lease {
        until: at(until),
        nonce: nonce.to_owned(),
    })
}

fn is_held(outcome: &Leased) -> bool {
    matches!(outcome, Leased::Held)
}

#[tokio::test]
async fn a_lease_that_is_held_becomes_the_next_one_and_the_doubt_stays() {
    let world = World::new().await;
    let leased = leased(&world).await;
    // A repeated write finds its own nonce.
    for _ in 0..2 {
        let outcome = world.store.instances.renew(renew(&leased, "again")).await;
        assert!(is_held(&outcome.unwrap()));
    }
    let now = world.instance(&leased.key).await;
    assert_eq!((now.epoch, now.attempts), (leased.epoch + 1, 2));
    assert_eq!(now.lease, lease(150, "again"));
    assert_eq!(now.last_send, Some(at(120)));
    assert_eq!(now.state, leased.state);
}

#[tokio::test]
async fn only_the_lease_that_is_held_is_renewed() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    let foreign = Renew {
        held: "theirs",
        ..renew(&mine, "again")
    };
    let moved = Renew {
        epoch: mine.epoch - 1,
        ..renew(&mine, "again")
    };
    let other_tokens = Renew {
        base: 7,
        ..renew(&mine, "again")
    };
    for refused in [foreign, moved, other_tokens] {
        let outcome = instances.renew(refused).await.unwrap();
        assert!(matches!(outcome, Leased::Refused(Some(_))), "{outcome:?}");
    }
    assert_eq!(world.instance(&mine.key).await.lease, mine.lease);

    // Nor one of an instance that was deleted meanwhile.
    let marking = instances.mark(&mine.key, at(110), due(0, 160), &[]);
    let _ = marking.await.unwrap();
    assert!(!is_held(
        &instances.renew(renew(&mine, "again")).await.unwrap()
    ));
}

#[tokio::test]
async fn a_renewed_lease_that_is_found_again_too_late_is_freed_with_its_attempt() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let mine = leased(&world).await;
    assert!(is_held(
        &instances.renew(renew(&mine, "again")).await.unwrap()
    ));
    // A late answer of somebody else is committed before the reply is missed.
    let late = grant(2);
    let now = world.instance(&mine.key).await;
    let commit = latchkey_core::port::CommitLate {
        commit: Commit {
            next: None,
            key: &mine.key,
            incarnation: mine.incarnation,
            base: 1,
            grant: &late,
            spares: None,
            events: &[],
            due: None,
        },
        in_doubt: true,
        lease: None,
    };
    assert!(matches!(
        instances.commit_late(commit).await.unwrap(),
        Committed::Done
    ));
    assert_eq!(now.attempts, 2);
    assert!(!is_held(
        &instances.renew(renew(&mine, "again")).await.unwrap()
    ));
    let now = world.instance(&mine.key).await;
    assert_eq!((now.lease, now.attempts), (None, 0));
}

#[tokio::test]
async fn a_commit_may_take_the_next_lease_with_it() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let connected = world.connected().await;
    let first = hold(&world, &connected, "first").await;
    let cause = failure();
    let failing = Fail {
        key: &first.key,
        nonce: "first",
        failure: &cause,
        not_before: at(100),
        in_doubt: false,
        last_send: None,
        suspect: None,
        due: due(1, 200),
    };
    instances.fail(failing).await.unwrap();
    let failed = world.instance(&first.key).await;
    let leased = hold(&world, &failed, "mine").await;
    let grant = grant(3);
    let commit = || Commit {
        next: Some(NextLease {
            nonce: "steps",
            until: at(160),
        }),
        key: &leased.key,
        incarnation: leased.incarnation,
        base: 1,
        grant: &grant,
        spares: None,
        events: &[],
        due: Some(due(1, 160)),
    };
    // A repeated commit finds its own write.
    for _ in 0..2 {
        let committed = instances.commit(commit()).await.unwrap();
        assert!(matches!(committed, Committed::Done), "{committed:?}");
    }
    let now = world.instance(&leased.key).await;
    assert_eq!(now.state, State::Active(grant.clone()));
    assert_eq!((now.epoch, now.attempts), (4, 0));
    assert_eq!(now.lease, lease(160, "steps"));
    assert_eq!(now.not_before, None);
    // What is not done has not succeeded.
    assert_eq!(now.failures, 1);

    // Under it what the steps brought is committed as any grant is, and then nothing is left of it.
    let whole = crate::world::grant(4);
    let finishing = Commit {
        next: None,
        base: 3,
        grant: &whole,
        due: Some(due(1, 900)),
        ..commit()
    };
    let committed = instances.commit(finishing.clone()).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let now = world.instance(&leased.key).await;
    assert_eq!(now.state, State::Active(whole.clone()));
    assert_eq!((now.lease, now.failures, now.epoch), (None, 0, 4));
}

#[tokio::test]
async fn what_is_kept_beside_a_lease_does_not_end_it() {
    let world = World::new().await;
    let mine = leased(&world).await;
    let instances = &world.store.instances;
    assert!(is_held(
        &instances.renew(renew(&mine, "again")).await.unwrap()
    ));
    let kept = [Spare::of(grant(1))];
    let keeping = KeepSpare {
        key: &mine.key,
        incarnation: mine.incarnation,
        spares: Spares {
            seen: &[],
            kept: &kept,
        },
        revived: None,
    };
    let _ = instances.keep_spare(keeping).await.unwrap();
    assert_eq!(world.instance(&mine.key).await.lease, lease(150, "again"));
}
