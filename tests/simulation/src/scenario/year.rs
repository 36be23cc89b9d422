//! A year of a mixed fleet.
//!
//! # The least number of requests
//! A refresh is needed when the policy says so (`refresh.md`, *When to refresh*) and not before: an access
//! token that lives `L` is replaced at `min(s·L, L − margin)`, where `s` is the share of its life that is
//! fixed for the instance (60 to 85 %, of the first one 20 to 85 %) and the margin half a minute. That is due while the
//! instance is used, and for a day or two lives after; while it is idle, what must be used is its
//! refresh token, at `s` of the thirty days that it is taken to live. So the least is
//!
//! ```text
//! Σ over instances ( stretches in use ÷ min(s·L, L − margin)  +  idle stretches ÷ (s · 30 d) )
//! ```
//!
//! as a provider would see it that is always well, with a sweep that is never late. It is counted by
//! asking the instance's schedule for one time after another. What the fleet asks beyond it is what outages, faulty
//! definitions and withdrawn consents cost; that a sweep comes once a minute and outages leave refreshes
//! out makes it less.

use std::fmt;

use latchkey_core::model::{
    definition::RefreshPolicy,
    id::{InstanceKey, MethodKey},
    instance::State,
};
use serde_json::{Value, json};

use super::{
    least::{least, uses},
    number,
};
use crate::{
    fleet::{Fleet, Kind, MINUTE},
    provider::Policy,
    runtime::{Executor, Plan},
    sites::Condition,
    world::read,
};

pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
pub(super) const YEAR: i64 = 365 * DAY;

/// When an instance is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Never,
    Hourly,
    /// Hourly from Monday to Friday.
    OnWeekdays,
}

/// Some instances of one auth method.
struct Group {
    host: &'static str,
    count: usize,
    kind: Kind,
    usage: Use,
}

fn groups() -> Vec<Group> {
    let group = |host, count, (rotation, policy, lifetime), usage| Group {
        host,
        count,
        kind: Kind {
            rotation,
            policy,
            lifetime,
        },
        usage,
    };
    let (always, used, kept) = (
        RefreshPolicy::AlwaysEager,
        RefreshPolicy::EagerWhileUsed,
        RefreshPolicy::KeepAlive,
    );
    vec![
        group(
            "half-hourly.example",
            2,
            (Policy::Overlap, always, 1800),
            Use::Never,
        ),
        group(
            "hourly.example",
            6,
            (Policy::Strict, always, 3600),
            Use::Never,
        ),
        group(
            "eight-hours.example",
            10,
            (Policy::StrictFamily, always, 28_800),
            Use::Never,
        ),
        group(
            "daily.example",
            10,
            (Policy::UntilUsed, always, 86_400),
            Use::Never,
        ),
        group(
            "used.example",
            3,
            (Policy::NoRotation, used, 3600),
            Use::Hourly,
        ),
        group(
            "weekdays.example",
            4,
            (Policy::Strict, used, 3600),
            Use::OnWeekdays,
        ),
        group(
            "idle.example",
            20,
            (Policy::StrictFamily, kept, 3600),
            Use::Never,
        ),
        group(
            "forgotten.example",
            10,
            (Policy::UntilUsed, used, 3600),
            Use::Never,
        ),
    ]
}

/// What came of the year.
#[derive(Debug, Clone)]
pub struct Year {
    /// How many instances there were.
    pub instances: usize,
    /// How many users withdrew their consent.
    pub withdrawn: usize,
    /// Instances that ended although nobody had ended them.
    pub wrongly_ended: usize,
    /// Instances whose user withdrew, and that were asked for after, and have not ended.
    pub unnoticed: usize,
    /// Refreshes that were asked for.
    pub asked: u64,
    /// The least that could be.
    pub least: u64,
    /// Hours in which some site was down.
    pub hours_down: i64,
    /// Days on which some definition was wrong.
    pub days_wrong: i64,
}

impl Year {
    /// What was asked, in parts of the least.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        number(self.asked) / number(self.least)
    }
}

impl fmt::Display for Year {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a year of {} instances, {} h of outages, {} days of wrong definitions, {} users withdrew: {} ended wrongly, \
             {} unnoticed; {} refreshes asked for, {} at least, ratio {:.4}",
            self.instances,
            self.hours_down,
            self.days_wrong,
            self.withdrawn,
            self.wrongly_ended,
            self.unnoticed,
            self.asked,
            self.least,
            self.ratio()
        )
    }
}

/// What happens to the fleet, and when.
#[derive(Debug, Clone)]
enum Deed {
    Set(&'static str, Condition),
    /// A definition is changed: where its token URL leads, and where in an answer the access token is.
    Define(MethodKey, &'static str, &'static str),
    Withdraw(usize),
}

pub(super) struct Member {
    pub(super) key: InstanceKey,
    pub(super) account: usize,
    pub(super) kind: Kind,
    pub(super) usage: Use,
    pub(super) withdrawn_at: Option<i64>,
}

/// A year with so many times the instances.
#[must_use]
pub fn year(times: usize) -> Year {
    let fleet = Fleet::new(365);
    let begun = fleet.now();
    let mut members = Vec::new();
    let mut deeds = Vec::new();
    let (mut hours_down, mut days_wrong) = (0, 0);
    for (number, group) in (0..).zip(groups()) {
        let method = fleet.site(group.host, Condition::Well(0), group.kind);
        hours_down += outages(&fleet, group.host, number == 1, &mut deeds);
        days_wrong += mistakes(&fleet, &method, number, &mut deeds);
        for _ in 0..group.count * times {
            let (key, account) = fleet.connect(&method, group.kind);
            let withdrawn_at = fleet.world.chance.permille(100).then(|| {
                let at = begun + fleet.world.chance.between(DAY, YEAR - DAY);
                deeds.push((at, Deed::Withdraw(account)));
                at
            });
            members.push(Member {
                key,
                account,
                kind: group.kind,
                usage: group.usage,
                withdrawn_at,
            });
        }
    }
    deeds.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let least = members
        .iter()
        .map(|member| least(&fleet, member, begun))
        .sum();
    let caller = fleet.world.process();
    let mut executor = fleet.executor();
    let (world, members) = (&fleet.world, &members);
    fleet.run(
        &mut executor,
        begun + YEAR,
        |executor: &mut Executor<'_>, now| {
            while let Some((_, deed)) = deeds.pop_if(|(at, _)| *at <= now) {
                carry_out(&fleet, &deed);
            }
            for member in members.iter().filter(|member| is_used(member, now)) {
                executor.spawn(Plan::default(), async {
                    drop(Box::pin(world.refresh(&caller, false).vend(&member.key, None)).await);
                });
            }
        },
    );
    let ended = |member: &&Member| {
        let found = fleet.look(&member.key);
        found.is_some_and(|found| matches!(found.state, State::ReconnectRequired { .. }))
    };
    let withdrawn = |member: &&Member| member.withdrawn_at.is_some();
    let wrongly = members
        .iter()
        .filter(ended)
        .filter(|member| !withdrawn(member));
    let is_idle = |member: &&Member| {
        member.usage == Use::Never && member.kind.policy != RefreshPolicy::AlwaysEager
    };
    let early = |member: &&Member| {
        member
            .withdrawn_at
            .is_some_and(|at| at < begun + YEAR - 10 * DAY)
    };
    let unnoticed = members
        .iter()
        .filter(early)
        .filter(|member| !is_idle(member) && !ended(member));
    let asked = members
        .iter()
        .map(|member| fleet.sites.count_of(member.account));
    Year {
        instances: members.len(),
        withdrawn: members.iter().filter(withdrawn).count(),
        wrongly_ended: wrongly.count(),
        unnoticed: unnoticed.count(),
        asked: asked.map(u64::from).sum(),
        least,
        hours_down: hours_down / HOUR,
        days_wrong: days_wrong / DAY,
    }
}

/// A dozen outages of a site, and a day without it for one.
fn outages(fleet: &Fleet, host: &'static str, is_long: bool, deeds: &mut Vec<(i64, Deed)>) -> i64 {
    let (chance, begun) = (&fleet.world.chance, fleet.now());
    let ways = [
        Condition::Refusing,
        Condition::Unavailable,
        Condition::Hanging,
    ];
    let mut sum = 0;
    for month in 0..12 {
        let from = begun + month * 30 * DAY + chance.between(0, 25 * DAY);
        let span = match (is_long, month) {
            (true, 6) => DAY,
            _ => chance.between(10 * MINUTE, 6 * HOUR),
        };
        let way = chance.of_all(&ways).unwrap_or(Condition::Refusing);
        deeds.push((from, Deed::Set(host, way)));
        deeds.push((from + span, Deed::Set(host, Condition::Well(0))));
        sum += span;
    }
    sum
}

/// Some definitions are wrong for some days: another URL, or another place in the answer.
fn mistakes(fleet: &Fleet, method: &MethodKey, number: i64, deeds: &mut Vec<(i64, Deed)>) -> i64 {
    let right = (crate::sites::TOKEN, "access_token");
    let wrong = match number % 3 {
        0 => ("/tokens", "access_token"),
        1 => (crate::sites::TOKEN, "data.access_token"),
        _ => return 0,
    };
    let from = fleet.now() + (40 + 30 * number) * DAY;
    let until = from + (2 + number % 3) * DAY;
    for (at, (path, place)) in [(from, wrong), (until, right)] {
        deeds.push((at, Deed::Define(method.clone(), path, place)));
    }
    until - from
}

fn carry_out(fleet: &Fleet, deed: &Deed) {
    match deed {
        Deed::Set(host, condition) => fleet.sites.set(host, *condition),
        Deed::Withdraw(account) => fleet.sites.withdraw(*account),
        Deed::Define(method, path, place) => define(fleet, method, path, place),
    }
}

/// A builder changes where a definition's token URL leads, and where it looks for the access token.
pub(super) fn define(fleet: &Fleet, method: &MethodKey, path: &str, place: &str) {
    fleet.world.store.edit_methods(|stored| {
        if stored.key != *method {
            return;
        }
        let mut definition = serde_json::to_value(&stored.definition).unwrap_or_default();
        let host = stored.definition.name.clone();
        if let Some(token) = definition.get_mut("token").and_then(Value::as_object_mut) {
            token.insert("url".to_owned(), format!("https://{host}{path}").into());
            token.insert("response".to_owned(), json!({ "access_token": place }));
        }
        stored.definition = read(definition);
        stored.version += 1;
    });
}

/// Whether an instance is used in this minute: at the full hour, if at all.
fn is_used(member: &Member, now: i64) -> bool {
    uses(member.usage, now) && now.rem_euclid(HOUR) < MINUTE
}
