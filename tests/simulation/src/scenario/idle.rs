//! A sweep with nothing due.

use std::{collections::BTreeMap, fmt};

use latchkey_core::model::definition::RefreshPolicy;

use crate::{
    fleet::{Fleet, Kind},
    line::Call,
    provider::Policy,
    runtime::Plan,
    sites::Condition,
};

/// What a sweep asked for.
#[derive(Debug, Clone)]
pub struct Idle {
    /// How many instances there were.
    pub instances: usize,
    /// How many of them are in the index, due some time.
    pub indexed: usize,
    /// Calls to the ports, by what was called.
    pub calls: BTreeMap<Call, u64>,
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a sweep of {} instances ({} in the index) with nothing due: {:?}",
            self.instances, self.indexed, self.calls
        )
    }
}

/// One sweep of so many instances of which none is due.
#[must_use]
pub fn idle(instances: usize) -> Idle {
    let fleet = Fleet::new(6);
    let kind = Kind {
        rotation: Policy::NoRotation,
        policy: RefreshPolicy::AlwaysEager,
        lifetime: 86_400,
    };
    let method = fleet.site("site.example", Condition::Well(0), kind);
    for _ in 0..instances {
        fleet.connect(&method, kind);
    }
    drop(fleet.line.counted());
    let mut executor = fleet.executor();
    executor.spawn(Plan::default(), fleet.world.tick(&fleet.worker));
    executor.run();
    Idle {
        instances,
        indexed: fleet.world.store.indexed(),
        calls: fleet.line.counted(),
    }
}
