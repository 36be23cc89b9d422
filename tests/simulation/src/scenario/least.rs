//! The least number of refreshes that an instance needs in a year (see [`year`](super::year)).

use jiff::{SignedDuration, Timestamp};
use latchkey_core::model::{
    definition::RefreshPolicy, grant::StoredGrant, instance::Instance, schedule::Schedule,
    terms::Terms, upkeep::Upkeep,
};

use super::year::{DAY, HOUR, Member, Use, YEAR};
use crate::fleet::Fleet;

/// Whether an instance is used in this hour.
pub(super) fn uses(usage: Use, at: i64) -> bool {
    match usage {
        Use::Never => false,
        Use::Hourly => true,
        // The first of January 1970 was a Thursday.
        Use::OnWeekdays => (at.div_euclid(DAY) + 3).rem_euclid(7) < 5,
    }
}

/// The least number of refreshes that an instance needs.
pub(super) fn least(fleet: &Fleet, member: &Member, begun: i64) -> u64 {
    let Some(instance) = fleet.look(&member.key) else {
        return 0;
    };
    let end = member.withdrawn_at.unwrap_or(begun + YEAR);
    let (mut at, mut count) = (begun, 0);
    loop {
        let next = needed(&instance, member, begun, at);
        if next >= end {
            // That the consent is withdrawn takes two requests to know.
            return count + if member.withdrawn_at.is_some() { 2 } else { 0 };
        }
        at = next;
        count += 1;
    }
}

/// When the access token that came at a time is to be replaced.
fn needed(instance: &Instance, member: &Member, begun: i64, from: i64) -> i64 {
    let policy = |policy| scheduled(instance, member, (begun, from), policy);
    if member.kind.policy == RefreshPolicy::AlwaysEager {
        return policy(RefreshPolicy::AlwaysEager);
    }
    let kept = policy(RefreshPolicy::KeepAlive);
    if member.kind.policy == RefreshPolicy::KeepAlive {
        return kept;
    }
    // A consent is a use.
    let hour = |at: i64| at.div_euclid(HOUR) * HOUR;
    let eager = policy(RefreshPolicy::AlwaysEager);
    let used = |at: &i64| uses(member.usage, *at);
    let last = (0..200).map(|hours| hour(eager) - hours * HOUR).find(used);
    let last = last.unwrap_or(begun).max(begun);
    if eager <= last + DAY.max(2 * member.kind.lifetime * 1000) {
        return eager;
    }
    let next = (1..200).map(|hours| hour(eager) + hours * HOUR).find(used);
    next.unwrap_or(kept).min(kept)
}

fn scheduled(
    instance: &Instance,
    member: &Member,
    (begun, from): (i64, i64),
    policy: RefreshPolicy,
) -> i64 {
    let time = |millis| Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    let Some(grant) = instance.grant() else {
        return i64::MAX;
    };
    let received_at = time(from);
    let grant = StoredGrant {
        received_at,
        expires_at: Some(received_at + SignedDuration::from_secs(member.kind.lifetime)),
        terms: Terms {
            policy,
            consented_at: Some(time(begun)),
            use_by: Some(received_at + SignedDuration::from_hours(30 * 24)),
            ..Terms::default()
        },
        ..grant.clone()
    };
    let upkeep = Upkeep::default();
    let at = Schedule::new(&instance.key.id, &grant, &upkeep).refresh_at();
    at.map_or(i64::MAX, Timestamp::as_millisecond)
}
