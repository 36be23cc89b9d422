use latchkey_core::{
    model::{
        failure::Failure,
        grant::StoredGrant,
        instance::{Instance, Lease, State},
    },
    port::{
        Commit, CommitLate, Committed, Condemn, Fail, HoldOff, Leased, NewLease, Postpone, Promote,
    },
};

use crate::world::{World, at, due, failure, grant, hold, instance, late, lease, leased, race};

fn commit<'a>(leased: &'a Instance, grant: &'a StoredGrant) -> Commit<'a> {
    Commit {
        next: None,
        events: &[],
        key: &leased.key,
        incarnation: leased.incarnation,
        base: leased.grant().unwrap().epoch,
        spares: None,
        grant,
        due: Some(due(1, 900)),
    }
}

fn promote<'a>(commit: Commit<'a>, nonce: &'a str) -> Promote<'a> {
    Promote {
        commit,
        nonce,
        in_doubt: false,
        suspect: None,
    }
}

fn fail<'a>(leased: &'a Instance, nonce: &'a str, failure: &'a Failure) -> Fail<'a> {
    Fail {
        key: &leased.key,
        nonce,
        failure,
        not_before: at(200),
        in_doubt: false,
        last_send: Some(at(50)),
        suspect: None,
        due: due(1, 200),
    }
}

fn condemn<'a>(instance: &'a Instance, nonce: Option<&'a str>, cause: &'a Failure) -> Condemn<'a> {
    Condemn {
        events: &[],
        key: &instance.key,
        incarnation: instance.incarnation,
        base: instance.grant().unwrap().epoch,
        held: nonce.map(|nonce| (nonce, &[][..])),
        cause,
    }
}

/// The same, after its lease has lapsed and another has taken one as `theirs`.
async fn overtaken(world: &World) -> (Instance, Instance) {
    let mine = leased(world).await;
    let later = NewLease {
        now: at(140),
        lapsed_before: at(138),
        until: at(170),
        ..lease(&mine, "theirs")
    };
    let held = world.store.instances.lease(later).await.unwrap();
    assert!(matches!(held, Leased::Held), "{held:?}");
    let theirs = world.instance(&mine.key).await;
    (mine, theirs)
}

async fn mark(world: &World, instance: &Instance) {
    let marked = world
        .store
        .instances
        .mark(&instance.key, at(150), due(0, 160), &[]);
    marked.await.unwrap().unwrap();
}

fn moved(committed: Committed) -> Option<Box<Instance>> {
    match committed {
        Committed::Moved(now) => now,
        Committed::Done => panic!("committed"),
    }
}

#[tokio::test]
async fn a_lease_is_intent_and_count_in_one() {
    let world = World::new().await;
    let before = world.connected().await;
    let now = hold(&world, &before, "mine").await;
    assert_eq!(now.epoch, 2);
    assert_eq!(now.attempts, 1);
    assert_eq!(now.last_send, Some(at(100)));
    let lease = Lease {
        until: at(130),
        nonce: "mine".to_owned(),
    };
    assert_eq!(now.lease, Some(lease));
    assert_eq!(now.state, before.state);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_held_by_one_of_many() {
    let world = World::new().await;
    let connected = world.connected().await;
    let outcomes = race(|number| {
        let (instances, connected) = (world.store.instances.clone(), connected.clone());
        async move {
            let nonce = format!("nonce {number}");
            instances.lease(lease(&connected, &nonce)).await.unwrap()
        }
    })
    .await;
    let held = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Leased::Held));
    assert_eq!(held.count(), 1);
    assert_eq!(world.instance(&connected.key).await.attempts, 1);
}

#[tokio::test]
async fn a_repeated_lease_finds_its_own_nonce() {
    let world = World::new().await;
    let connected = world.connected().await;
    for _ in 0..2 {
        hold(&world, &connected, "mine").await;
    }
    let now = world.instance(&connected.key).await;
    assert_eq!((now.epoch, now.attempts), (2, 1));
    mark(&world, &connected).await;
    let outcome = world.store.instances.lease(lease(&connected, "mine")).await;
    assert!(matches!(outcome, Ok(Leased::Refused(Some(_)))));
}

#[tokio::test]
async fn a_lease_holds_until_it_has_lapsed() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let instances = &world.store.instances;
    for (lapsed_before, held) in [(at(129), false), (at(130), false), (at(131), true)] {
        let second = NewLease {
            now: at(140),
            lapsed_before,
            until: at(170),
            ..lease(&leased, "theirs")
        };
        match (instances.lease(second).await.unwrap(), held) {
            (Leased::Held, true) => {}
            (Leased::Refused(Some(now)), false) => {
                assert_eq!(now.lease.unwrap().nonce, "mine");
            }
            other => panic!("{lapsed_before}: {other:?}"),
        }
    }
    assert_eq!(world.instance(&leased.key).await.attempts, 2);
}

#[tokio::test]
async fn an_instance_that_must_wait_is_not_leased_before() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let failure = failure();
    let instances = &world.store.instances;
    instances
        .fail(fail(&leased, "mine", &failure))
        .await
        .unwrap();
    for (now, held) in [(at(199), false), (at(200), true)] {
        let again = NewLease {
            now,
            ..lease(&leased, "again")
        };
        let outcome = instances.lease(again).await.unwrap();
        assert_eq!(matches!(outcome, Leased::Held), held, "{outcome:?}");
    }
}

#[tokio::test]
async fn only_an_active_instance_as_seen_is_leased() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let pending = world.pending().await;
    let moved = Instance {
        epoch: 7,
        ..world.connected().await
    };
    let deleted = world.connected().await;
    mark(&world, &deleted).await;
    let ended = world.connected().await;
    let cause = failure();
    instances
        .condemn(condemn(&ended, None, &cause))
        .await
        .unwrap();
    for refused in [&pending, &moved, &deleted, &ended] {
        let outcome = instances.lease(lease(refused, "mine")).await.unwrap();
        let Leased::Refused(Some(now)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(now.lease, None);
    }
    let missing = instance(&pending.method_key());
    let outcome = instances.lease(lease(&missing, "mine")).await.unwrap();
    assert!(matches!(outcome, Leased::Refused(None)), "{outcome:?}");
}

#[tokio::test]
async fn a_commit_brings_the_grant_and_ends_the_lease() {
    let world = World::new().await;
    let connected = world.connected().await;
    let first = hold(&world, &connected, "first").await;
    let failure = failure();
    let failing = fail(&first, "first", &failure);
    world.store.instances.fail(failing).await.unwrap();
    let again = NewLease {
        now: at(300),
        ..lease(&first, "again")
    };
    world.store.instances.lease(again).await.unwrap();
    let grant = grant(3);
    let leased = world.instance(&first.key).await;
    // A repeated commit finds its own write.
    for _ in 0..2 {
        let committed = world.store.instances.commit(commit(&leased, &grant)).await;
        assert!(matches!(committed.unwrap(), Committed::Done));
    }
    let now = world.instance(&leased.key).await;
    assert_eq!(now.state, State::Active(grant));
    assert_eq!((now.lease, now.attempts, now.failures), (None, 0, 0));
    assert_eq!((now.not_before, now.last_failure), (None, None));
    assert_eq!((now.epoch, now.incarnation), (3, 1));
    assert_eq!(now.values, leased.values);
}

#[tokio::test]
async fn a_commit_of_a_grant_without_some_things_forgets_the_old_ones() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let bare = StoredGrant {
        refreshable: false,
        expires_at: None,
        scopes: Vec::new(),
        ..grant(2)
    };
    let committing = Commit {
        due: None,
        ..commit(&leased, &bare)
    };
    let committed = world.store.instances.commit(committing).await.unwrap();
    assert!(matches!(committed, Committed::Done));
    assert_eq!(world.instance(&leased.key).await.state, State::Active(bare));
}

#[tokio::test]
async fn a_commit_needs_consent_base_and_lease_to_be_as_they_were() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let (good, early) = (grant(2), grant(1));
    let instances = &world.store.instances;
    for refused in [
        Commit {
            incarnation: 2,
            ..commit(&leased, &good)
        },
        Commit {
            base: 0,
            ..commit(&leased, &good)
        },
        Commit {
            base: 0,
            ..commit(&leased, &early)
        },
    ] {
        let is_own = refused.grant.epoch == 1;
        let committed = instances.commit(refused).await.unwrap();
        // A grant of the epoch that is there already is one that was committed before.
        assert_eq!(matches!(committed, Committed::Done), is_own);
    }
    assert_eq!(world.instance(&leased.key).await.state, leased.state);
}

#[tokio::test]
async fn a_deleted_instance_takes_no_grant() {
    let world = World::new().await;
    let leased = leased(&world).await;
    mark(&world, &leased).await;
    let grant = grant(2);
    let instances = &world.store.instances;
    let now = moved(instances.commit(commit(&leased, &grant)).await.unwrap());
    assert!(matches!(now.unwrap().state, State::Deleted { .. }));
    let behind = instances.commit_late(late(commit(&leased, &grant))).await;
    assert!(matches!(
        moved(behind.unwrap()).unwrap().state,
        State::Deleted { .. }
    ));
    let missing = Instance {
        key: instance(&leased.method_key()).key,
        ..leased
    };
    let committed = instances.commit(commit(&missing, &grant)).await.unwrap();
    assert!(moved(committed).is_none());
}

#[tokio::test]
async fn a_late_grant_that_is_the_newest_is_kept_beside_a_foreign_lease() {
    let world = World::new().await;
    let (mine, theirs) = overtaken(&world).await;
    let instances = &world.store.instances;
    let grant = grant(2);
    let now = moved(instances.commit(commit(&mine, &grant)).await.unwrap());
    assert_eq!(now.unwrap().epoch, 3);
    for _ in 0..2 {
        let committed = instances
            .commit_late(late(commit(&mine, &grant)))
            .await
            .unwrap();
        assert!(matches!(committed, Committed::Done), "{committed:?}");
    }
    let now = world.instance(&mine.key).await;
    assert_eq!(now.state, State::Active(grant));
    assert_eq!((&now.lease, now.epoch), (&theirs.lease, 3));
    // What is known of its own request is taken off the doubt; the other's is not.
    assert_eq!((theirs.attempts, now.attempts), (2, 1));
}

#[tokio::test]
async fn of_two_late_grants_the_newest_stays() {
    let world = World::new().await;
    let (mine, theirs) = overtaken(&world).await;
    let instances = &world.store.instances;
    let (second, third) = (grant(2), grant(3));
    let committed = instances.commit(commit(&theirs, &third)).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let behind = instances
        .commit_late(late(commit(&mine, &second)))
        .await
        .unwrap();
    assert_eq!(moved(behind).unwrap().grant(), Some(&third));
    assert_eq!(world.instance(&mine.key).await.state, State::Active(third));
}

#[tokio::test]
async fn a_late_grant_heals_what_was_condemned() {
    let world = World::new().await;
    let (mine, _) = overtaken(&world).await;
    let (cause, grant) = (failure(), grant(2));
    let instances = &world.store.instances;
    let condemned = condemn(&mine, Some("theirs"), &cause);
    instances.condemn(condemned).await.unwrap();
    let ended = world.instance(&mine.key).await;
    assert!(matches!(ended.state, State::ReconnectRequired { .. }));
    let committed = instances
        .commit_late(late(commit(&mine, &grant)))
        .await
        .unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    assert_eq!(world.instance(&mine.key).await.state, State::Active(grant));
}

#[tokio::test]
async fn a_failure_frees_the_lease_and_is_remembered() {
    let world = World::new().await;
    let failure = failure();
    for in_doubt in [false, true] {
        let leased = leased(&world).await;
        let failing = Fail {
            in_doubt,
            ..fail(&leased, "mine", &failure)
        };
        // A repeated failure counts once.
        for _ in 0..2 {
            world.store.instances.fail(failing.clone()).await.unwrap();
        }
        let now = world.instance(&leased.key).await;
        assert_eq!((now.lease, now.failures), (None, 1));
        assert_eq!(now.attempts, u32::from(in_doubt));
        let sent = if in_doubt { 100 } else { 50 };
        assert_eq!(now.last_send, Some(at(sent)), "in doubt: {in_doubt}");
        assert_eq!(now.not_before, Some(at(200)));
        assert_eq!(now.last_failure.as_ref(), Some(&failure));
        assert_eq!(now.state, leased.state);
    }
}

#[tokio::test]
async fn nobody_frees_anothers_lease() {
    let world = World::new().await;
    let (mine, theirs) = overtaken(&world).await;
    let failure = failure();
    let failing = fail(&mine, "mine", &failure);
    world.store.instances.fail(failing).await.unwrap();
    let now = world.instance(&mine.key).await;
    assert_eq!((now.lease, now.failures), (theirs.lease, 0));
}

#[tokio::test]
async fn a_postponed_instance_is_due_later_and_can_be_leased_at_once() {
    let world = World::new().await;
    let connected = world.connected().await;
    let postpone = |epoch| Postpone {
        key: &connected.key,
        epoch,
        due: due(0, 700),
    };
    let instances = &world.store.instances;
    let due_at = async || world.raw_instance(&connected.key).await["due_at"].clone();
    let before = due_at().await;
    instances.postpone(postpone(7)).await.unwrap();
    assert_eq!(due_at().await, before, "it has moved on");
    instances.postpone(postpone(connected.epoch)).await.unwrap();
    assert_ne!(due_at().await, before);
    let now = world.instance(&connected.key).await;
    assert_eq!(format!("{now:?}"), format!("{connected:?}"));
    hold(&world, &connected, "mine").await;
}

#[tokio::test]
async fn who_is_held_off_waits_unless_the_answer_comes() {
    let world = World::new().await;
    let lapsed = leased(&world).await;
    let instances = &world.store.instances;
    let hold = |epoch, nonce| HoldOff {
        key: &lapsed.key,
        epoch,
        nonce,
        not_before: at(161),
        due: due(0, 161),
    };
    for (epoch, nonce) in [(lapsed.epoch + 1, "mine"), (lapsed.epoch, "theirs")] {
        instances.hold_off(hold(epoch, nonce)).await.unwrap();
        assert_eq!(world.instance(&lapsed.key).await.not_before, None);
    }
    // It may be written twice.
    for _ in 0..2 {
        instances
            .hold_off(hold(lapsed.epoch, "mine"))
            .await
            .unwrap();
        let now = world.instance(&lapsed.key).await;
        assert_eq!(now.not_before, Some(at(161)));
        assert_eq!((&now.lease, now.attempts), (&lapsed.lease, lapsed.attempts));
    }
    let next = |second| NewLease {
        epoch: lapsed.epoch,
        now: at(second),
        lapsed_before: at(second - 2),
        until: at(second + 30),
        ..lease(&lapsed, "next")
    };
    let early = instances.lease(next(160)).await.unwrap();
    assert!(matches!(early, Leased::Refused(Some(_))), "{early:?}");
    // The answer does not wait.
    let answer = grant(lapsed.epoch);
    let committed = instances.commit(commit(&lapsed, &answer)).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let now = world.instance(&lapsed.key).await;
    assert_eq!((now.lease, now.not_before), (None, None));
    // Nobody waits for it any more.
    instances
        .hold_off(hold(lapsed.epoch, "mine"))
        .await
        .unwrap();
    assert_eq!(world.instance(&lapsed.key).await.not_before, None);
}

#[tokio::test]
async fn a_condemned_instance_says_why_and_is_due_no_more() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let cause = failure();
    let instances = &world.store.instances;
    for _ in 0..2 {
        let condemned = condemn(&leased, Some("mine"), &cause);
        instances.condemn(condemned).await.unwrap();
    }
    let now = world.instance(&leased.key).await;
    let ended = State::ReconnectRequired {
        grant: grant(1),
        cause,
    };
    assert_eq!(now.state, ended);
    assert_eq!(now.lease, None);
    let raw = world.raw_instance(&leased.key).await;
    assert!(!raw.contains_key("due_at") && !raw.contains_key("due_shard"));
}

#[tokio::test]
async fn nothing_is_condemned_that_has_moved() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let cause = failure();
    let instances = &world.store.instances;
    for refused in [
        condemn(&leased, Some("theirs"), &cause),
        condemn(&leased, None, &cause),
        Condemn {
            incarnation: 2,
            ..condemn(&leased, Some("mine"), &cause)
        },
        Condemn {
            base: 0,
            ..condemn(&leased, Some("mine"), &cause)
        },
    ] {
        instances.condemn(refused).await.unwrap();
    }
    assert_eq!(world.instance(&leased.key).await.state, leased.state);
}

#[tokio::test]
async fn a_lease_that_has_lapsed_does_not_hold_up_an_end() {
    let world = World::new().await;
    let leased = leased(&world).await;
    let mut cause = failure();
    cause.at = at(131);
    let condemned = condemn(&leased, None, &cause);
    world.store.instances.condemn(condemned).await.unwrap();
    let now = world.instance(&leased.key).await;
    assert!(matches!(now.state, State::ReconnectRequired { .. }));
}

/// A worker's answer comes after another has read the instance and before that one leases it.
async fn replaced_since_it_was_read(world: &World) -> (Instance, Instance) {
    let (mine, theirs) = overtaken(world).await;
    let newest = grant(2);
    let committed = world
        .store
        .instances
        .commit_late(late(commit(&mine, &newest)));
    assert!(matches!(committed.await.unwrap(), Committed::Done));
    (mine, theirs)
}

#[tokio::test]
async fn nobody_leases_for_tokens_that_were_replaced_though_the_epoch_is_the_same() {
    let world = World::new().await;
    let (_, stale) = replaced_since_it_was_read(&world).await;
    let now = world.instance(&stale.key).await;
    assert_eq!(now.epoch, stale.epoch);
    let later = NewLease {
        now: at(180),
        lapsed_before: at(178),
        until: at(210),
        ..lease(&stale, "stale")
    };
    let instances = &world.store.instances;
    let refused = instances.lease(later.clone()).await.unwrap();
    assert!(matches!(refused, Leased::Refused(Some(_))), "{refused:?}");
    let held = instances
        .lease(NewLease { base: 2, ..later })
        .await
        .unwrap();
    assert!(matches!(held, Leased::Held), "{held:?}");
}

#[tokio::test]
async fn a_repeated_lease_is_given_up_if_the_tokens_were_replaced_since() {
    let world = World::new().await;
    let first = leased(&world).await;
    let seen = first.clone();
    let theirs = || NewLease {
        now: at(140),
        lapsed_before: at(138),
        until: at(170),
        ..lease(&seen, "theirs")
    };
    let instances = &world.store.instances;
    instances.lease(theirs()).await.unwrap();
    let newest = grant(2);
    instances
        .commit_late(late(commit(&first, &newest)))
        .await
        .unwrap();
    // Its reply was lost, and it is written again.
    let again = instances.lease(theirs()).await.unwrap();
    assert!(matches!(again, Leased::Refused(Some(_))), "{again:?}");
    let now = world.instance(&first.key).await;
    assert_eq!((now.lease, now.attempts, now.epoch), (None, 0, 3));
}

#[tokio::test]
async fn attempts_never_fall_below_none() {
    let world = World::new().await;
    let (mine, theirs) = overtaken(&world).await;
    let (second, ninth) = (grant(2), grant(3));
    let instances = &world.store.instances;
    // A promotion forgets the attempts of all.
    let spare = Commit {
        due: None,
        ..commit(&theirs, &second)
    };
    instances.promote(promote(spare, "theirs")).await.unwrap();
    assert_eq!(world.instance(&mine.key).await.attempts, 0);
    let behind = Commit {
        base: 2,
        ..commit(&mine, &ninth)
    };
    let committed = instances.commit_late(late(behind)).await.unwrap();
    assert!(matches!(committed, Committed::Done), "{committed:?}");
    let now = world.instance(&mine.key).await;
    assert_eq!((now.attempts, now.grant()), (0, Some(&ninth)));
    // Nor if the late one takes back what the holder of the lease will take back too.
    let held = NewLease {
        now: at(150),
        ..lease(&now, "held")
    };
    assert!(matches!(instances.lease(held).await.unwrap(), Leased::Held));
    let newest = grant(4);
    let behind = Commit {
        base: 3,
        ..commit(&mine, &newest)
    };
    instances.commit_late(late(behind)).await.unwrap();
    let failure = failure();
    instances.fail(fail(&now, "held", &failure)).await.unwrap();
    let now = world.instance(&mine.key).await;
    assert_eq!((now.attempts, now.lease, now.failures), (0, None, 1));
}

#[tokio::test]
async fn whoever_finds_the_tokens_replaced_frees_its_lease_and_takes_its_attempt_back() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let (cause, spare) = (failure(), grant(3));
    for outcome in ["fail", "condemn", "promote"] {
        let (mine, theirs) = replaced_since_it_was_read(&world).await;
        let before = world.instance(&mine.key).await;
        assert_eq!(before.attempts, 1);
        match outcome {
            "fail" => {
                let failing = Fail {
                    suspect: Some((1, 1)),
                    ..fail(&theirs, "theirs", &cause)
                };
                instances.fail(failing).await.unwrap();
            }
            "condemn" => {
                let condemned = condemn(&theirs, Some("theirs"), &cause);
                assert!(!instances.condemn(condemned).await.unwrap());
            }
            _ => {
                let promoted = commit(&theirs, &spare);
                instances
                    .promote(promote(promoted, "theirs"))
                    .await
                    .unwrap();
            }
        }
        let now = world.instance(&mine.key).await;
        assert_eq!((now.lease, now.attempts), (None, 0), "{outcome}");
        assert_eq!((now.state, now.not_before), (before.state, None));
    }
}

#[tokio::test]
async fn a_lease_is_freed_by_its_holder_alone() {
    let world = World::new().await;
    let mine = leased(&world).await;
    let instances = &world.store.instances;
    let before = Some(at(7));
    let freed = instances.free(&mine.key, "theirs", before).await;
    freed.unwrap();
    assert_eq!(world.instance(&mine.key).await.lease, mine.lease);
    for _ in 0..2 {
        instances.free(&mine.key, "mine", before).await.unwrap();
        let now = world.instance(&mine.key).await;
        assert_eq!(now.last_send, before);
        assert_eq!((now.lease, now.attempts, now.failures), (None, 0, 0));
    }
}

#[tokio::test]
async fn a_late_grant_frees_its_own_lease_and_leaves_the_doubt_where_it_is_told_to() {
    let world = World::new().await;
    let instances = &world.store.instances;
    let (_, theirs) = replaced_since_it_was_read(&world).await;
    let newest = grant(3);
    let behind = Commit {
        base: 2,
        ..commit(&theirs, &newest)
    };
    let stranger = CommitLate {
        lease: Some("stranger"),
        ..late(behind.clone())
    };
    let now = moved(instances.commit_late(stranger).await.unwrap()).unwrap();
    assert_eq!(now.lease, theirs.lease);
    let own = CommitLate {
        lease: Some("theirs"),
        ..late(behind)
    };
    for _ in 0..2 {
        let committed = instances.commit_late(own.clone()).await.unwrap();
        assert!(matches!(committed, Committed::Done), "{committed:?}");
        let now = world.instance(&theirs.key).await;
        assert_eq!((now.lease, now.attempts), (None, 0));
    }
    // Of an answer that was kept unread, the attempt was taken back long ago.
    let now = world.instance(&theirs.key).await;
    let held = hold(&world, &now, "held").await;
    let newest = grant(4);
    let read = CommitLate {
        in_doubt: false,
        ..late(commit(&now, &newest))
    };
    instances.commit_late(read).await.unwrap();
    assert_eq!(world.instance(&now.key).await.attempts, held.attempts);
}
