//! Ports of a performance: a clock that stands, chance that doesn't happen, and an egress that goes nowhere.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::{
    model::Secret,
    port::{Clock, Egress, Entropy, SendError, WireAnswer, WireRequest},
};

/// A clock that stands.
pub(super) struct SampleClock(pub(super) Timestamp);

#[async_trait]
impl Clock for SampleClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    async fn sleep(&self, _: Duration) {}
}

/// Chance that always falls the same way, so that a preview can be compared with another.
pub(super) struct SampleEntropy;

impl Entropy for SampleEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// A request that is expected, and what it is answered with.
pub(super) struct Cue {
    pub(super) name: String,
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// Keeps what it is given to send.
#[derive(Default)]
pub(super) struct Recorder(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    cues: VecDeque<Cue>,
    sent: Vec<(String, WireRequest)>,
}

impl Recorder {
    /// Says what comes next.
    pub(super) fn expect(&self, cues: Vec<Cue>) {
        self.kept().cues = cues.into();
    }

    /// What was sent, and the names of what was expected and did not come.
    pub(super) fn finish(&self) -> (Vec<(String, WireRequest)>, Vec<String>) {
        let kept = mem::take(&mut *self.kept());
        let left = kept.cues.into_iter().map(|cue| cue.name).collect();
        (kept.sent, left)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Egress for Recorder {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let mut kept = self.kept();
        let cue = kept.cues.pop_front();
        let name = cue.as_ref().map_or("", |cue| cue.name.as_str()).to_owned();
        kept.sent.push((name, request));
        let status = cue
            .as_ref()
            .and_then(|cue| StatusCode::from_u16(cue.status).ok());
        Ok(WireAnswer {
            status: status.unwrap_or_default(),
            headers: HeaderMap::new(),
            body: Secret::new(cue.map(|cue| cue.body).unwrap_or_default()),
            round_trip: Duration::ZERO,
        })
    }
}
