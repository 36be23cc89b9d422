//! What goes wrong, and how often.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use async_trait::async_trait;

use crate::{
    chance::Chance,
    line::{Call, Line, Lost},
    timeline::Timeline,
};

/// The faults of one schedule.
pub struct Faults {
    chance: Arc<Chance>,
    timeline: Arc<Timeline>,
    /// Whether anything goes wrong at all, for now.
    are_on: AtomicBool,
    /// When the store does not answer: from, to.
    outage: Option<(i64, i64)>,
    /// How many false refusals are left.
    refusals: AtomicU32,
    /// How many faults there were.
    struck: AtomicU32,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}

impl Faults {
    /// Faults by chance; in some schedules the store is down for a while as well, or the provider
    /// refuses once what it should take.
    #[must_use]
    pub fn new(chance: &Arc<Chance>, timeline: &Arc<Timeline>) -> Self {
        let outage = chance.permille(150).then(|| {
            let from = timeline.millis() + chance.between(0, 3_000);
            let longest = if chance.permille(500) {
                20_000
            } else {
                150_000
            };
            (from, from + chance.between(500, longest))
        });
        Self {
            chance: Arc::clone(chance),
            timeline: Arc::clone(timeline),
            are_on: AtomicBool::new(true),
            outage,
            refusals: AtomicU32::new(u32::from(chance.permille(150))),
            struck: AtomicU32::new(0),
        }
    }

    /// Nothing goes wrong from now on.
    pub fn end(&self) {
        self.are_on.store(false, Ordering::Relaxed);
    }

    /// Whether a fault strikes that does so in so many of a thousand cases.
    pub fn strikes(&self, permille: u32) -> bool {
        let strikes = self.are_on.load(Ordering::Relaxed) && self.chance.permille(permille);
        self.struck.fetch_add(u32::from(strikes), Ordering::Relaxed);
        strikes
    }

    /// Whether the provider refuses falsely.
    pub fn errs(&self) -> bool {
        let errs = self.refusals.load(Ordering::Relaxed) > 0 && self.strikes(400);
        if errs {
            self.refusals.fetch_sub(1, Ordering::Relaxed);
        }
        errs
    }

    /// How many faults there were.
    #[must_use]
    pub fn struck(&self) -> u32 {
        self.struck.load(Ordering::Relaxed)
    }

    fn is_down(&self) -> bool {
        let now = self.timeline.millis();
        let is_out = self
            .outage
            .is_some_and(|(from, to)| (from..to).contains(&now));
        is_out && self.are_on.load(Ordering::Relaxed)
    }

    async fn pass(&self, share: u32, is_down: bool) -> Result<(), Lost> {
        self.timeline.wait(self.chance.between(0, 12)).await;
        match is_down || self.strikes(share) {
            true => Err(Lost),
            false => Ok(()),
        }
    }
}

/// Of a thousand calls, so many get lost on their way out, and so many on their way back.
const LOST: u32 = 25;

#[async_trait]
impl Line for Faults {
    async fn out(&self, call: Call) -> Result<(), Lost> {
        // Of what is called, only the store is ever down.
        let is_apart = matches!(
            call,
            Call::Send | Call::Publish | Call::Keys | Call::ReadSecret | Call::WriteSecret
        );
        let is_down = !is_apart && self.is_down();
        self.pass(LOST, is_down).await
    }

    async fn back(&self, _: Call) -> Result<(), Lost> {
        self.pass(LOST, false).await
    }

    fn tries_again(&self) -> bool {
        self.chance.permille(500)
    }
}
