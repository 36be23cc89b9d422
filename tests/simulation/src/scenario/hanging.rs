//! One host that hangs, among others that are well.

use std::fmt;

use jiff::SignedDuration;
use latchkey_core::model::{definition::RefreshPolicy, id::InstanceKey};

use crate::{
    fleet::{Fleet, Kind, MINUTE},
    provider::Policy,
    sites::Condition,
};

const LIFETIME: i64 = 3600;
const SITES: usize = 8;
/// How long each other host takes for an answer, in milliseconds.
const LATENCY: i64 = 200;

/// How late the instances of the hosts that are well were refreshed, in seconds after they were due.
#[derive(Debug, Clone, Copy)]
pub struct Lateness {
    /// In the mean.
    pub mean: f64,
    /// At most.
    pub most: f64,
}

/// The same, while one host hangs and while it does not.
#[derive(Debug, Clone, Copy)]
pub struct Hanging {
    /// How it was measured.
    pub what: &'static str,
    /// How many instances there were.
    pub instances: usize,
    /// Without a host that hangs.
    pub baseline: Lateness,
    /// With one.
    pub hanging: Lateness,
}

impl Hanging {
    /// How much later the others were in the mean.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.hanging.mean / self.baseline.mean
    }
}

impl fmt::Display for Hanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "one of {SITES} hosts hangs, {} instances, {}: the others {:.2} s late (at most {:.2}), without it {:.2} s \
             (at most {:.2}), ratio {:.3}",
            self.instances,
            self.what,
            self.hanging.mean,
            self.hanging.most,
            self.baseline.mean,
            self.baseline.most,
            self.ratio()
        )
    }
}

/// Instances that become due over the hours, as they do.
#[must_use]
pub fn spread(instances: usize, hours: i64) -> Hanging {
    Hanging {
        what: "due as they come",
        instances,
        baseline: lateness(instances, Condition::Well(LATENCY), hours),
        hanging: lateness(instances, Condition::Hanging, hours),
    }
}

/// Instances that are due all at once, when the worker begins.
#[must_use]
pub fn at_once(instances: usize) -> Hanging {
    Hanging {
        what: "all due at once",
        instances,
        baseline: lateness(instances, Condition::Well(LATENCY), 0),
        hanging: lateness(instances, Condition::Hanging, 0),
    }
}

/// How late the instances of the other hosts are while the first host is so.
fn lateness(instances: usize, first: Condition, hours: i64) -> Lateness {
    let fleet = Fleet::new(7);
    let kind = Kind {
        rotation: Policy::UntilUsed,
        policy: RefreshPolicy::AlwaysEager,
        lifetime: LIFETIME,
    };
    let hosts: Vec<_> = (0..SITES)
        .map(|number| format!("site-{number}.example"))
        .collect();
    let methods: Vec<_> = hosts
        .iter()
        .map(|host| fleet.site(host, Condition::Well(LATENCY), kind))
        .collect();
    let mut others = Vec::new();
    for (number, method) in (0..instances).zip((0..SITES).cycle()) {
        if let Some(method) = methods.get(method) {
            let (key, _) = fleet.connect(method, kind);
            if number % SITES > 0 {
                others.push(key);
            }
        }
    }
    if let Some(host) = hosts.first() {
        fleet.sites.set(host, first);
    }
    let begun = fleet.now();
    let mut executor = fleet.executor();
    if hours == 0 {
        // Nobody worked for an hour.
        fleet.world.timeline.skip_to(begun + 60 * MINUTE);
        let due = fleet.now();
        fleet.run(&mut executor, due + 30 * MINUTE, |_, _| {});
        return of(others
            .iter()
            .filter_map(|key| late_by(&fleet, key, Some(due))));
    }
    let mut late = Vec::new();
    let mut seen = vec![None; others.len()];
    fleet.run(&mut executor, begun + hours * 60 * MINUTE, |_, _| {
        for (key, seen) in others.iter().zip(&mut seen) {
            let instance = fleet.look(key);
            let grant = instance
                .as_ref()
                .and_then(|instance| instance.usable_grant());
            let received = grant.map(|grant| grant.received_at);
            let due = fleet.world.store.due_of(key);
            if let (Some((before, due_before)), Some(received)) = (*seen, received)
                && received > before
            {
                let by: SignedDuration = received.duration_since(due_before);
                late.push(by.as_secs_f64());
            }
            *seen = received.zip(due);
        }
    });
    of(late.into_iter())
}

fn late_by(fleet: &Fleet, key: &InstanceKey, due: Option<i64>) -> Option<f64> {
    let instance = fleet.look(key)?;
    let received = instance.usable_grant()?.received_at;
    let by = SignedDuration::from_millis(received.as_millisecond() - due?);
    Some(by.as_secs_f64())
}

fn of(late: impl Iterator<Item = f64>) -> Lateness {
    let late: Vec<f64> = late.collect();
    let count = super::number(u64::try_from(late.len()).unwrap_or(1).max(1));
    Lateness {
        mean: late.iter().sum::<f64>() / count,
        most: late.iter().copied().fold(0.0, f64::max),
    }
}
