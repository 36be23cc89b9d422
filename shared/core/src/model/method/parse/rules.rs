//! What a definition says of the terms of grants.

use std::{ops::RangeInclusive, time::Duration};

use super::Parser;
use crate::model::{definition::RefreshDefinition, terms::Rules};

const DAY: Duration = Duration::from_hours(24);
/// A minute to a century.
const SPAN: RangeInclusive<u64> = 60..=3_155_760_000;
const WARNING: RangeInclusive<u16> = 1..=90;

impl Parser {
    pub(super) fn rules(&mut self, written: &RefreshDefinition) -> Rules {
        let mut span = |name: &str, seconds: Option<u64>| {
            if seconds.is_some_and(|seconds| !SPAN.contains(&seconds)) {
                let why = "a life is a minute to a century";
                self.faults
                    .add(format!("/refresh/{name}"), "out_of_range", why);
            }
            seconds.map(Duration::from_secs)
        };
        let idle = span("idle_seconds", written.idle_seconds);
        let absolute = span("absolute_seconds", written.absolute_seconds);
        if written
            .warning_days
            .is_some_and(|days| !WARNING.contains(&days))
        {
            let why = "a warning comes 1 to 90 days before the end";
            self.faults
                .add("/refresh/warning_days", "out_of_range", why);
        }
        Rules {
            mode: written.mode,
            policy: written.policy,
            last: written.last_seconds.map(Duration::from_secs),
            idle,
            absolute,
            warning: written.warning_days.map(|days| DAY * u32::from(days)),
        }
    }
}
