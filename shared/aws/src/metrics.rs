//! Metrics as lines of the log, in CloudWatch's embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//!
//! # Why
//! CloudWatch reads them out of the function's log group: no call, no agent, no permission.
//!
//! # How it works
//! What is counted is held until it is told: one line for a tick, a batch or a request. In it is what
//! was counted and nothing else, since CloudWatch charges for each hour in which a metric is sent. The
//! one dimension is the stack, so that two of them don't mix.

mod metric;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Write,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use latchkey_core::{
    model::{failure::Blame, host::Host},
    port::{Counted, Metrics},
};
use serde_json::{Map, Value, json};

pub use self::metric::Metric;

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Latchkey";
/// The dimension that they have.
pub const DIMENSION: &str = "Stack";

/// Writes metrics in the embedded metric format.
pub struct EmbeddedMetrics {
    stack: String,
    tally: Mutex<Tally>,
    log: Mutex<Box<dyn Write + Send>>,
}

/// What was counted since it was told last.
#[derive(Default)]
struct Tally {
    values: BTreeMap<Metric, u64>,
    /// Hosts that were found with an open breaker.
    open: BTreeSet<Host>,
}

impl EmbeddedMetrics {
    /// Metrics of a stack, written to the log.
    #[must_use]
    pub fn new(stack: String, log: impl Write + Send + 'static) -> Self {
        Self {
            stack,
            tally: Mutex::default(),
            log: Mutex::new(Box::new(log)),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, values: &BTreeMap<Metric, u64>, now: Timestamp, request_id: &str) -> String {
        let metrics: Vec<Value> = values
            .keys()
            .map(|metric| json!({ "Name": metric.name(), "Unit": metric.unit() }))
            .collect();
        let mut line: Map<String, Value> = values
            .iter()
            .map(|(metric, value)| (metric.name().to_owned(), (*value).into()))
            .collect();
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [[DIMENSION]],
            "Metrics": metrics,
        });
        let about = json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [directive],
        });
        line.insert("_aws".to_owned(), about);
        line.insert(DIMENSION.to_owned(), self.stack.as_str().into());
        line.insert("request_id".to_owned(), request_id.into());
        format!("{}\n", Value::Object(line))
    }
}

impl fmt::Debug for EmbeddedMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedMetrics")
    }
}

impl Tally {
    fn add(&mut self, metric: Metric) {
        *self.values.entry(metric).or_default() += 1;
    }

    fn most(&mut self, metric: Metric, value: u64) {
        let most = self.values.entry(metric).or_default();
        *most = value.max(*most);
    }
}

impl Metrics for EmbeddedMetrics {
    fn count(&self, counted: Counted<'_>) {
        let mut tally = self.tally();
        match counted {
            Counted::Refreshed => tally.add(Metric::Refreshed),
            Counted::Failed(Blame::User) => tally.add(Metric::FailedUser),
            Counted::Failed(Blame::Builder) => tally.add(Metric::FailedBuilder),
            Counted::Failed(Blame::Provider) => tally.add(Metric::FailedProvider),
            Counted::Failed(Blame::Ourselves) => tally.add(Metric::FailedOurselves),
            Counted::ReconnectRequired => tally.add(Metric::ReconnectRequired),
            Counted::Postponed => tally.add(Metric::Postponed),
            Counted::OldestDue(age) => tally.most(Metric::OldestDueAge, age.as_secs()),
            Counted::UnreadShard => tally.add(Metric::UnreadShards),
            Counted::BreakerOpen { host, lasts } => {
                tally.most(Metric::BreakerOpenAge, lasts.as_secs());
                if tally.open.insert(host.clone()) {
                    tally.add(Metric::BreakersOpen);
                }
            }
            Counted::BreakerOpened => tally.add(Metric::BreakersOpened),
            Counted::BreakerClosed => tally.add(Metric::BreakersClosed),
            Counted::MethodFaulty => tally.add(Metric::MethodsFaulty),
            Counted::MethodQuarantined => tally.add(Metric::MethodsQuarantined),
            Counted::VaultWrite => tally.add(Metric::VaultWrites),
            Counted::VaultThrottled => tally.add(Metric::VaultThrottles),
        }
    }

    fn tell(&self, now: Timestamp, request_id: &str) {
        let Tally { values, .. } = mem::take(&mut *self.tally());
        if values.is_empty() {
            return;
        }
        let line = self.line(&values, now, request_id);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the log can't be written to, nobody can be told.
        log.write_all(line.as_bytes())
            .and_then(|()| log.flush())
            .unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc, time::Duration};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn lines(&self) -> Vec<Value> {
            let text = String::from_utf8(mem::take(&mut self.0.lock().unwrap())).unwrap();
            let lines = text.lines();
            lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        }
    }

    fn host(name: &str) -> Host {
        Host::of(&format!("https://{name}/token").parse().unwrap()).unwrap()
    }

    #[test]
    fn what_was_counted_is_one_line_and_told_once() {
        let log = Log::default();
        let metrics = EmbeddedMetrics::new("prod".to_owned(), log.clone());
        let now = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        metrics.tell(now, "req-0");
        assert!(log.lines().is_empty(), "nothing was counted");
        for counted in [
            Counted::Refreshed,
            Counted::Refreshed,
            Counted::Failed(Blame::Provider),
            Counted::OldestDue(Duration::ZERO),
        ] {
            metrics.count(counted);
        }
        metrics.tell(now, "req-1");
        metrics.tell(now, "req-2");
        let expected = json!({
            "_aws": {
                "Timestamp": 1_700_000_000_123_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "Latchkey",
                    "Dimensions": [["Stack"]],
                    "Metrics": [
                        { "Name": "Refreshed", "Unit": "Count" },
                        { "Name": "FailedProvider", "Unit": "Count" },
                        { "Name": "OldestDueAge", "Unit": "Seconds" },
                    ],
                }],
            },
            "Stack": "prod",
            "request_id": "req-1",
            "Refreshed": 2,
            "FailedProvider": 1,
            "OldestDueAge": 0,
        });
        assert_eq!(log.lines(), [expected]);
    }

    #[test]
    fn a_host_counts_once_and_the_breaker_that_is_open_longest_is_told() {
        let log = Log::default();
        let metrics = EmbeddedMetrics::new("prod".to_owned(), log.clone());
        for (name, seconds) in [("a.example", 90), ("b.example", 30), ("a.example", 91)] {
            let (host, lasts) = (&host(name), Duration::from_secs(seconds));
            metrics.count(Counted::BreakerOpen { host, lasts });
        }
        metrics.tell(Timestamp::UNIX_EPOCH, "req");
        let lines = log.lines();
        assert_eq!(
            (&lines[0]["BreakersOpen"], &lines[0]["BreakerOpenAge"]),
            (&json!(2), &json!(91))
        );
    }
}
