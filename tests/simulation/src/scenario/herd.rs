//! A herd: very many instances made in one minute.

use std::fmt;

use latchkey_core::model::definition::RefreshPolicy;

use super::{ended, number};
use crate::{
    fleet::{Fleet, Kind, MINUTE},
    provider::Policy,
    sites::Condition,
};

const LIFETIME: i64 = 3600;
const SITES: usize = 8;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Herd {
    /// How many instances there were.
    pub instances: usize,
    /// Refreshes in the mean minute after the first cycle.
    pub mean: f64,
    /// Those in the minute that had the most.
    pub peak: u32,
    /// Over how many minutes.
    pub minutes: usize,
    /// How many instances ended.
    pub ended: usize,
}

impl Herd {
    /// The peak, in means.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        f64::from(self.peak) / self.mean
    }
}

impl fmt::Display for Herd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "herd of {} made in one minute: {} refreshes a minute at most, {:.1} in the mean of {} minutes, ratio {:.3}",
            self.instances,
            self.peak,
            self.mean,
            self.minutes,
            self.ratio()
        )
    }
}

/// Instances made in one minute at eight sites, over some hours after the first cycle.
#[must_use]
pub fn herd(instances: usize, hours: i64) -> Herd {
    let fleet = Fleet::new(3);
    let kind = Kind {
        rotation: Policy::UntilUsed,
        policy: RefreshPolicy::AlwaysEager,
        lifetime: LIFETIME,
    };
    let methods: Vec<_> = (0..SITES)
        .map(|number| {
            fleet.site(
                &format!("site-{number}.example"),
                Condition::Well(100),
                kind,
            )
        })
        .collect();
    let begun = fleet.now();
    let mut executor = fleet.executor();
    for (number, method) in (0..instances).zip(methods.iter().cycle()) {
        let at = i64::try_from(number * 60_000 / instances).unwrap_or_default();
        fleet.world.timeline.skip_to(begun + at);
        fleet.connect(method, kind);
    }
    // The first cycle is over when everybody has been refreshed once: at 85 % of a life.
    let first = begun + MINUTE + LIFETIME * 850;
    let until = first + hours * 60 * MINUTE;
    fleet.world.timeline.skip_to(begun + MINUTE);
    fleet.run(&mut executor, until, |_, _| {});
    let asked = fleet.sites.asked_in_all();
    let from = first.div_euclid(MINUTE) + 1;
    let after: Vec<_> = asked
        .range(from..until.div_euclid(MINUTE))
        .map(|(_, count)| *count)
        .collect();
    let minutes = u64::try_from(until.div_euclid(MINUTE) - from).unwrap_or(1);
    let sum: u64 = after.iter().map(|count| u64::from(*count)).sum();
    Herd {
        instances,
        mean: number(sum) / number(minutes),
        peak: after.iter().copied().max().unwrap_or_default(),
        minutes: usize::try_from(minutes).unwrap_or_default(),
        ended: ended(&fleet),
    }
}
