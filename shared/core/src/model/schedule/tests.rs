use super::*;
use crate::model::{refresh_tokens::RefreshTokens, sealed::Sealed, terms::Terms};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// An instance whose share is the least, and that after a consent the most.
const LEAST: &str = "ins_0192f0c7d3a87b3e9fffffff00000000";
const MOST: &str = "ins_0192f0c7d3a87b3e90000000ffffffff";
const DAY: i64 = 24 * 3600;

fn grant(expires: Option<i64>, refreshable: bool) -> StoredGrant {
    StoredGrant {
        epoch: 1,
        parent: None,
        answered_under: None,
        tokens: Sealed::new(Vec::new()),
        refresh_tokens: RefreshTokens::Inside,
        refreshable,
        expires_at: expires.map(at),
        terms: Terms {
            // It has been refreshed since.
            consented_at: Some(at(-1)),
            ..Terms::default()
        },
        scopes: Vec::new(),
        received_at: at(0),
    }
}

fn due_at(id: &str, grant: &StoredGrant, upkeep: &Upkeep) -> Option<i64> {
    let id = id.parse().unwrap();
    let due = Schedule::new(&id, grant, upkeep).due_at()?;
    Some(due.as_second() - at(0).as_second())
}

fn due(id: &str, grant: &StoredGrant) -> Option<i64> {
    due_at(id, grant, &Upkeep::default())
}

fn is_fresh(grant: &StoredGrant, second: i64, at_least: Option<i64>) -> bool {
    let (id, upkeep) = (LEAST.parse().unwrap(), Upkeep::default());
    let at_least = at_least.map(SignedDuration::from_secs);
    Schedule::new(&id, grant, &upkeep).is_fresh(at(second), at_least)
}

#[test]
fn a_refresh_is_due_between_60_and_85_percent_of_the_life() {
    for (expires, refreshable, id, at) in [
        (Some(3600), true, LEAST, Some(2160)),
        (Some(3600), true, MOST, Some(3059)),
        (Some(60), true, MOST, Some(48)),
        (None, true, LEAST, Some(2160)),
        (Some(3600), false, LEAST, Some(3600)),
        (None, false, LEAST, None),
        (Some(-5), true, LEAST, Some(-5)),
    ] {
        assert_eq!(
            due(id, &grant(expires, refreshable)),
            at,
            "{expires:?} {id}"
        );
    }
}

#[test]
fn the_first_refresh_after_a_consent_may_come_earlier() {
    let mut first = grant(Some(3600), true);
    first.terms.consented_at = Some(at(0));
    assert_eq!(due(LEAST, &first), Some(3059));
    assert_eq!(due(MOST, &first), Some(720));
}

#[test]
fn an_access_token_is_fresh_until_the_margin() {
    for (expires, now, fresh) in [
        (3600, 3569, true),
        (3600, 3570, false),
        (60, 47, true),
        (60, 48, false),
    ] {
        let grant = grant(Some(expires), true);
        assert_eq!(is_fresh(&grant, now, None), fresh, "{expires} at {now}");
    }
    assert!(is_fresh(&grant(None, false), 1 << 30, None));
    assert!(is_fresh(&grant(Some(60), true), 5, Some(3600)));
    assert!(!is_fresh(&grant(Some(60), true), 6, Some(3600)));
}

#[test]
fn a_refresh_waits_for_its_window_and_never_for_the_end_of_its_token() {
    let mut early = grant(Some(3600), true);
    early.terms.refresh_from = Some(at(3590));
    assert_eq!(due(LEAST, &early), Some(3590));
    assert!(is_fresh(&early, 3589, None));
    let mut short = grant(Some(3600), true);
    short.terms.use_by = Some(at(1000));
    assert_eq!(due(LEAST, &short), Some(600));
    assert_eq!(due(MOST, &short), Some(849));
    short.terms.refresh_from = Some(at(3590));
    assert_eq!(due(LEAST, &short), Some(600));
}

#[test]
fn an_instance_that_nobody_uses_is_refreshed_to_keep_its_refresh_token_alive() {
    let with = |policy, received: i64| {
        let mut grant = grant(Some(received + 3600), true);
        grant.received_at = at(received);
        grant.terms.policy = policy;
        grant.terms.use_by = Some(at(received + 10 * DAY));
        grant
    };
    let used = |second| Upkeep {
        used_at: Some(at(second)),
        ..Upkeep::default()
    };
    use RefreshPolicy::{AlwaysEager, EagerWhileUsed, KeepAlive};
    for (policy, received, used_at, due) in [
        // A consent is a use, for a day.
        (EagerWhileUsed, DAY - 2162, -5, DAY - 2),
        (EagerWhileUsed, DAY - 2160, -5, 7 * DAY - 2160),
        (EagerWhileUsed, 3 * DAY, 2 * DAY + 2200, 3 * DAY + 2160),
        (EagerWhileUsed, 3 * DAY, 2 * DAY, 9 * DAY),
        (KeepAlive, 3 * DAY, 3 * DAY, 9 * DAY),
        (AlwaysEager, 99 * DAY, 0, 99 * DAY + 2160),
    ] {
        let grant = with(policy, received);
        let found = due_at(LEAST, &grant, &used(used_at));
        assert_eq!(found, Some(due), "{policy:?} {received} {used_at}");
    }
    // Where there is nothing to keep alive, an idle instance costs nothing at all.
    let mut nothing = with(KeepAlive, 0);
    nothing.terms.use_by = None;
    assert_eq!(due(LEAST, &nothing), None);
}

#[test]
fn use_is_noticed_once_an_hour_or_once_in_an_access_tokens_life() {
    let used = Upkeep {
        used_at: Some(at(0)),
        ..Upkeep::default()
    };
    let notices = |grant: &StoredGrant, second| {
        Schedule::new(&LEAST.parse().unwrap(), grant, &used).notices_use(at(second))
    };
    for (expires, second, noticed) in [
        (60, 3599, false),
        (60, 3600, true),
        (2 * 3600, 7199, false),
        (2 * 3600, 7200, true),
    ] {
        let grant = grant(Some(expires), true);
        assert_eq!(notices(&grant, second), noticed, "{expires} {second}");
    }
    let mut eager = grant(Some(60), true);
    eager.terms.policy = RefreshPolicy::AlwaysEager;
    assert!(!notices(&eager, DAY));
    assert!(!notices(&grant(Some(60), false), DAY));
}

#[test]
fn a_rejected_token_is_stale_and_one_of_another_epoch_is_not() {
    let grant = grant(Some(3600), true);
    let rejected = |epoch| Upkeep {
        rejections: crate::model::upkeep::Rejections::default().with(epoch, at(60), None),
        ..Upkeep::default()
    };
    let id = LEAST.parse().unwrap();
    let is_fresh = |upkeep: &Upkeep| Schedule::new(&id, &grant, upkeep).is_fresh(at(61), None);
    assert!(is_fresh(&rejected(0)));
    assert!(!is_fresh(&rejected(1)));
    assert_eq!(due_at(LEAST, &grant, &rejected(1)), Some(60));
}

#[test]
fn a_user_is_warned_once_and_the_last_access_token_lives_long() {
    let mut ending = grant(Some(60 * DAY), true);
    ending.terms.connection_ends_at = Some(at(40 * DAY));
    ending.terms.warn_at = Some(at(33 * DAY));
    assert_eq!(due(LEAST, &ending), Some(24 * DAY));
    assert_eq!(due(MOST, &ending), Some(33 * DAY));
    let upkeep = Upkeep::default();
    let mut schedule = Schedule::new(&MOST.parse().unwrap(), &ending, &upkeep);
    schedule.is_warned = true;
    assert_eq!(schedule.warn_at(), None);
    let last = schedule.due_at().unwrap();
    assert_eq!(
        (last + SignedDuration::from_secs(1)).as_second(),
        at(34 * DAY).as_second()
    );
    // Its last day brings no more.
    ending.terms.connection_ends_at = Some(at(DAY - 1));
    ending.terms.warn_at = None;
    ending.terms.policy = RefreshPolicy::AlwaysEager;
    ending.expires_at = Some(at(DAY));
    assert_eq!(due(MOST, &ending), Some(73_439));
}

/// 100,000 instances made in one minute, their access tokens living an hour: how many are refreshed in
/// each minute of twenty hours.
#[test]
#[expect(clippy::print_stdout, reason = "the figures are what is shown")]
fn a_herd_is_spread_over_the_first_life_of_its_tokens() {
    const HERD: u64 = 100_000;
    const MINUTES: usize = 20 * 60;
    let mut refreshes = vec![0u32; MINUTES];
    let upkeep = Upkeep::default();
    // Pseudo-random bits (SplitMix64), the same in each run.
    let bits = |seed: u64| {
        let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    for number in 0..HERD {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&bits(2 * number + 1).to_be_bytes());
        random[2..].copy_from_slice(&bits(2 * number + 2).to_be_bytes());
        let made_at = at(i64::try_from(60 * number / HERD).unwrap());
        let id = InstanceId::new(made_at, &random);
        let mut grant = grant(None, true);
        grant.terms.policy = RefreshPolicy::AlwaysEager;
        grant.terms.consented_at = Some(made_at);
        grant.received_at = made_at;
        loop {
            grant.expires_at = Some(later(grant.received_at, SignedDuration::from_hours(1)));
            let due = Schedule::new(&id, &grant, &upkeep).due_at().unwrap();
            let minute = due.duration_since(at(0)).as_mins();
            let Some(minute) = refreshes.get_mut(usize::try_from(minute).unwrap()) else {
                break;
            };
            *minute += 1;
            grant.received_at = due;
        }
    }
    let after = &refreshes[60..];
    let mean =
        f64::from(after.iter().sum::<u32>()) / f64::from(u32::try_from(after.len()).unwrap());
    let ratio = |minutes: &[u32]| f64::from(*minutes.iter().max().unwrap()) / mean;
    println!(
        "refreshes a minute: mean {mean:.0}, peak {:.2} × mean, in the first hour {:.2} ×",
        ratio(after),
        ratio(&refreshes[..60])
    );
    assert!(ratio(after) <= 1.3, "{}", ratio(after));
}
