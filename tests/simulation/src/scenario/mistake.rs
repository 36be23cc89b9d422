//! A definition that is wrong for some days.

use std::fmt;

use latchkey_core::model::{definition::RefreshPolicy, instance::State};

use super::{ended, year::define};
use crate::{
    fleet::{Fleet, Kind, MINUTE},
    provider::Policy,
    sites::{Condition, TOKEN},
};

const HOUR: i64 = 60 * MINUTE;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// What the provider does with used tokens.
    pub rotation: Policy,
    /// How many instances there were.
    pub instances: usize,
    /// How many ended.
    pub ended: usize,
    /// How many were active and refreshed after the definition was mended.
    pub recovered: usize,
    /// Refreshes that were asked for while it was wrong.
    pub asked: u32,
    /// How those that did not recover are.
    pub others: Vec<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}: three days of answers that can't be read, {} instances: {} refreshes asked for meanwhile, {} ended, \
             {} recovered {:?}",
            self.rotation, self.instances, self.asked, self.ended, self.recovered, self.others
        )
    }
}

/// Answers come, and the definition looks for the access token in the wrong place.
#[must_use]
pub fn mistake(rotation: Policy, instances: usize) -> Mistake {
    let host = "misread.example";
    let fleet = Fleet::new(5);
    let kind = Kind {
        rotation,
        policy: RefreshPolicy::AlwaysEager,
        lifetime: 3600,
    };
    let method = fleet.site(host, Condition::Well(0), kind);
    for _ in 0..instances {
        fleet.connect(&method, kind);
    }
    let mut executor = fleet.executor();
    let from = fleet.now() + 10 * HOUR;
    fleet.run(&mut executor, from, |_, _| {});
    define(&fleet, &method, TOKEN, "data.access_token");
    let until = from + 72 * HOUR;
    fleet.run(&mut executor, until, |_, _| {});
    define(&fleet, &method, TOKEN, "access_token");
    fleet.run(&mut executor, until + 5 * HOUR, |_, _| {});
    let (mut recovered, mut others) = (0, Vec::new());
    fleet.world.store.look_at_all(|instance| {
        let active = match &instance.state {
            State::Active(grant) => Some(grant.received_at.as_millisecond()),
            State::Pending
            | State::Suspect { .. }
            | State::ReconnectRequired { .. }
            | State::Deleted { .. } => None,
        };
        match active {
            Some(received_at) if received_at > until => recovered += 1,
            Some(_) | None => others.push(format!("{instance:?}")),
        }
    });
    let minute = |millis: i64| millis.div_euclid(MINUTE);
    let asked = fleet.sites.asked(host);
    let during = asked.range(minute(from)..minute(until));
    Mistake {
        rotation,
        instances,
        ended: ended(&fleet),
        recovered,
        asked: during.map(|(_, count)| count).sum(),
        others: others.into_iter().take(3).collect(),
    }
}
