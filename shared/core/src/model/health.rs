//! The health of an auth method: whether it is faulty, and whether its instances die in masses.
//!
//! A method that is well has none of this, and a refresh that works writes nothing here.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    failure::Failure,
    pause::{Pause, Paused},
};

/// How many instances of an auth method may look dead within [`WINDOW`] before it is quarantined,
/// however few it has.
const FEW: u64 = 5;
/// The same, as one in so many of its instances: 2 %.
const ONE_IN: u64 = 50;
/// How long a refusal counts, and how long a quarantine goes on after the last one.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// How often a quarantined method is tried.
const PROBE: SignedDuration = SignedDuration::from_mins(5);
/// How long a definition that has worked again isn't found faulty: one instance that fails among
/// many that work must not raise an alarm with every turn.
const CALM: SignedDuration = SignedDuration::from_hours(1);
/// How late a refusal during a quarantine may prolong it, so that not every one of a mass writes.
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// The health of an auth method. Stored as JSON, so its fields may only be added to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MethodHealth {
    /// Random: tells each change from all others, so that a repeated write knows its own. Empty before the first.
    pub mark: String,
    /// How often it has become faulty.
    pub turn: u64,
    /// What is wrong with it, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faulty: Option<Faulty>,
    /// When it last worked again after it had been faulty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<Mended>,
    /// How many instances began to look dead in each of the last minutes, counted since 1970.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<i64, u64>,
    /// The quarantine, if there is or was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
}

/// What is wrong with an auth method: the provider refuses its client, or its answers can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faulty {
    /// Which version of it.
    pub version: u64,
    /// What went wrong first, and when.
    pub failure: Failure,
}

/// An auth method that works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// Which version of it.
    pub version: u64,
    /// When that was noticed.
    pub at: Timestamp,
}

/// A quarantine: so many instances look dead at once that it is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Since when.
    pub since: Timestamp,
    /// Until when, unless there is another refusal.
    pub until: Timestamp,
    /// From when on one instance may be refreshed.
    pub probe_at: Timestamp,
    /// The refusal that was one too many.
    pub cause: Failure,
}

impl Quarantine {
    /// What it means for those who may not call.
    #[must_use]
    pub fn pause(&self) -> Pause {
        Pause {
            whole: Paused::Method,
            since: self.since,
            until: self.probe_at,
            cause: self.cause.clone(),
        }
    }
}

impl MethodHealth {
    /// What is wrong with this version of the method, if anything is. A changed one is given the
    /// benefit of the doubt.
    #[must_use]
    pub fn fault(&self, version: u64) -> Option<&Faulty> {
        self.faulty
            .as_ref()
            .filter(|faulty| faulty.version >= version)
    }

    /// The quarantine, if there is one now.
    #[must_use]
    pub fn quarantined(&self, now: Timestamp) -> Option<&Quarantine> {
        self.quarantine
            .as_ref()
            .filter(|quarantine| now < quarantine.until)
    }

    /// The health once a version has failed for the builder's fault; `None` if that is known, or the
    /// version has only just worked again.
    #[must_use]
    pub fn failed(&self, version: u64, failure: &Failure) -> Option<Self> {
        let just_mended = self.mended.is_some_and(|mended| {
            mended.version >= version && failure.at.duration_since(mended.at) < CALM
        });
        if just_mended || self.fault(version).is_some() {
            return None;
        }
        let faulty = Faulty {
            version,
            failure: failure.clone(),
        };
        Some(Self {
            turn: self.turn + 1,
            faulty: Some(faulty),
            mended: None,
            ..self.clone()
        })
    }

    /// The health once a refresh by a version has worked; `None` if nothing was wrong.
    #[must_use]
    pub fn worked(&self, version: u64, now: Timestamp) -> Option<Self> {
        let was_faulty = self
            .faulty
            .as_ref()
            .is_some_and(|faulty| faulty.version <= version);
        if !was_faulty && self.quarantine.is_none() {
            return None;
        }
        let mut next = self.clone();
        if was_faulty {
            next.faulty = None;
            next.mended = Some(Mended { version, at: now });
        }
        if next.quarantine.take().is_some() {
            next.refusals.clear();
        }
        Some(next)
    }

    /// The health once another of so many instances begins to look dead; `None` if nothing changes,
    /// as the method is quarantined.
    #[must_use]
    pub fn refused(&self, instances: u64, cause: &Failure) -> Option<Self> {
        let now = cause.at;
        let until = later(now, WINDOW);
        let mut next = self.clone();
        if self.quarantined(now).is_some() {
            let quarantine = next.quarantine.as_mut()?;
            if until.duration_since(quarantine.until) < SLACK {
                return None;
            }
            quarantine.until = until;
            return Some(next);
        }
        let minute = minute(now);
        let first = minute - WINDOW.as_secs() / 60;
        next.refusals
            .retain(|counted, _| (first..=minute).contains(counted));
        *next.refusals.entry(minute).or_default() += 1;
        let count: u64 = next.refusals.values().sum();
        next.quarantine = (count > FEW && count * ONE_IN > instances).then(|| Quarantine {
            since: now,
            until,
            probe_at: later(now, PROBE),
            cause: cause.clone(),
        });
        Some(next)
    }

    /// The health once the one call is claimed that is due during a quarantine; `None` if none is.
    #[must_use]
    pub fn probed(&self, now: Timestamp) -> Option<Self> {
        self.quarantined(now)
            .filter(|quarantine| quarantine.probe_at <= now)?;
        let mut next = self.clone();
        next.quarantine.as_mut()?.probe_at = later(now, PROBE);
        Some(next)
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

fn later(start: Timestamp, span: SignedDuration) -> Timestamp {
    start.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::FailureCode;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn failure(code: FailureCode, second: i64) -> Failure {
        Failure {
            at: at(second),
            code,
            words: Some("invalid_client".to_owned()),
        }
    }

    fn refusal(second: i64) -> Failure {
        failure(FailureCode::GrantRefused, second)
    }

    /// The health after refusals of a method with so many instances at these seconds.
    fn after(instances: u64, seconds: impl IntoIterator<Item = i64>) -> MethodHealth {
        let healthy = MethodHealth::default();
        seconds.into_iter().fold(healthy, |health, second| {
            health
                .refused(instances, &refusal(second))
                .unwrap_or(health)
        })
    }

    #[test]
    fn more_than_five_and_two_percent_within_a_quarter_of_an_hour_are_a_mass() {
        for (what, instances, seconds, is_mass) in [
            ("five of few", 5, (0..5).collect::<Vec<_>>(), false),
            ("six of few", 10, (0..6).collect(), true),
            ("six spread", 10, (0..6).map(|n| n * 170).collect(), true),
            (
                "six, too far apart",
                10,
                (0..6).map(|n| n * 220).collect(),
                false,
            ),
            ("2 % of 1,000", 1000, (0..20).collect(), false),
            ("more than 2 % of 1,000", 1000, (0..21).collect(), true),
        ] {
            let last = *seconds.last().unwrap();
            let health = after(instances, seconds);
            assert_eq!(health.quarantined(at(last)).is_some(), is_mass, "{what}");
        }
    }

    #[test]
    fn a_quarantine_lets_a_call_through_every_five_minutes_and_ends_without_refusals() {
        let mut health = after(10, 0..6);
        let mut calls = Vec::new();
        for second in 6..2000 {
            if let Some(probed) = health.probed(at(second)) {
                calls.push(second);
                health = probed;
            }
            if second == 305 {
                health = health.refused(10, &refusal(second)).unwrap();
            }
        }
        // The refusal at 305 seconds prolongs it to 1,205.
        assert_eq!(calls, [305, 605, 905]);
        assert!(health.quarantined(at(1204)).is_some());
        assert!(health.quarantined(at(1205)).is_none());
        let next = health.refused(10, &refusal(1300)).unwrap();
        assert!(next.quarantined(at(1300)).is_none(), "counted anew");
    }

    #[test]
    fn of_a_mass_only_some_refusals_write() {
        let health = after(10, 0..6);
        for second in 6..60 {
            assert_eq!(health.refused(10, &refusal(second)), None);
        }
        assert!(health.refused(10, &refusal(66)).is_some());
    }

    #[test]
    fn a_success_ends_a_quarantine_and_its_count() {
        let health = after(10, 0..6).worked(1, at(20)).unwrap();
        assert!(health.quarantined(at(20)).is_none());
        let next = health.refused(10, &refusal(21)).unwrap();
        assert!(next.quarantined(at(21)).is_none());
        assert_eq!(after(10, 0..3).worked(1, at(20)), None, "nothing is wrong");
    }

    #[test]
    fn a_fault_is_told_once_and_ends_with_a_success_or_another_version() {
        let cause = failure(FailureCode::ClientRefused, 0);
        let well = MethodHealth::default();
        assert_eq!(well.worked(1, at(0)), None, "what is well writes nothing");
        let faulty = well.failed(1, &cause).unwrap();
        assert_eq!((faulty.turn, faulty.fault(1).is_some()), (1, true));
        assert_eq!(faulty.failed(1, &cause), None);
        assert!(faulty.fault(2).is_none(), "it has been changed");
        assert_eq!(faulty.failed(2, &cause).unwrap().turn, 2);
        assert_eq!(faulty.failed(2, &cause).unwrap().failed(1, &cause), None);
        // A refresh that an older version began says nothing of a newer one.
        assert_eq!(faulty.failed(2, &cause).unwrap().worked(1, at(5)), None);

        let mended = faulty.worked(1, at(10)).unwrap();
        assert!(mended.fault(1).is_none());
        let again = |second| mended.failed(1, &failure(FailureCode::ClientRefused, second));
        assert_eq!(again(3609), None, "it has only just worked");
        assert_eq!(again(3610).unwrap().turn, 2);
        assert!(mended.failed(2, &cause).is_some());
    }

    #[test]
    fn health_is_kept_as_json_that_may_grow() {
        let health = after(10, 0..6)
            .failed(3, &failure(FailureCode::AnswerUnreadable, 7))
            .unwrap();
        let text = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<MethodHealth>(&text).unwrap(), health);
        let newer: MethodHealth = serde_json::from_str(r#"{"later": 1}"#).unwrap();
        assert_eq!(newer, MethodHealth::default());
    }
}
