//! Going through all auth methods and instances.

use std::{fmt, time::Duration};

use latchkey_core::{
    flow::rehouse::{Rehouse, RehouseError, Rehoused, What},
    model::{
        id::{InstanceKey, MethodKey},
        instance::Instance,
        method::StoredMethod,
    },
    port::{Page, PageAsk},
};

use crate::{command::CommandError, print};

/// How much is read at once.
const PAGE: u16 = 100;
/// How often what was left is looked at again, and after how long: a refresh takes less.
const ROUNDS: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(5);

/// How fast it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace(Duration);

impl Pace {
    pub(super) fn of(per_second: u32) -> Self {
        Self(Duration::from_secs(1) / per_second)
    }

    async fn keep(self) {
        tokio::time::sleep(self.0).await;
    }
}

/// What became of it all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    in_place: u64,
    moved: u64,
    left: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            in_place,
            moved,
            left,
        } = self;
        write!(f, "moved {moved}, in place {in_place}, left {left}")
    }
}

impl Tally {
    /// Whether nothing is left.
    pub(super) fn is_whole(&self) -> bool {
        self.left == 0
    }

    /// Counts one; says whether it is to be looked at again.
    fn count(&mut self, id: &str, rehoused: Result<Rehoused, RehouseError>, last: bool) -> bool {
        match rehoused {
            Ok(Rehoused::InPlace) => self.in_place += 1,
            Ok(Rehoused::Moved) => self.moved += 1,
            Ok(Rehoused::Left) if !last => return true,
            Ok(Rehoused::Left) => {
                self.left += 1;
                print::warn(&format!("{id}: in use, or a refresh of it is not settled"));
            }
            Err(_) if !last => return true,
            Err(error) => {
                self.left += 1;
                print::warn(&format!("{id}: {error}"));
            }
        }
        false
    }
}

/// Something that was not moved at first.
enum Again {
    Method(MethodKey),
    Instance(InstanceKey),
}

/// Goes through everything once, and some more times through what was left.
pub(super) async fn pass(
    rehouse: &Rehouse<'_>,
    what: What,
    pace: Pace,
) -> Result<Tally, CommandError> {
    let mut tally = Tally::default();
    let mut again = Vec::new();
    let mut page = first();
    loop {
        let found: Page<StoredMethod> = rehouse.methods.every(&page).await?;
        for method in &found.items {
            let rehoused = Box::pin(rehouse.method(method, what)).await;
            pace_of(&rehoused, what, pace).await;
            if tally.count(method.key.id.as_str(), rehoused, false) {
                again.push(Again::Method(method.key.clone()));
            }
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    let mut page = first();
    loop {
        let found: Page<Instance> = rehouse.instances.every(&page).await?;
        for instance in &found.items {
            let rehoused = Box::pin(rehouse.instance(instance, what)).await;
            pace_of(&rehoused, what, pace).await;
            if tally.count(instance.key.id.as_str(), rehoused, false) {
                again.push(Again::Instance(instance.key.clone()));
            }
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    for round in 1..=ROUNDS {
        if again.is_empty() {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
        let mut left = Vec::new();
        for found in again {
            let rehoused = look_again(rehouse, &found, what).await;
            pace_of(&rehoused, what, pace).await;
            let id = match &found {
                Again::Method(key) => key.id.as_str(),
                Again::Instance(key) => key.id.as_str(),
            };
            if tally.count(id, rehoused, round == ROUNDS) {
                left.push(found);
            }
        }
        again = left;
    }
    Ok(tally)
}

fn first() -> PageAsk {
    PageAsk {
        after: None,
        limit: PAGE,
    }
}

/// What was in place has cost a call too where secrets may have to be deleted.
async fn pace_of(rehoused: &Result<Rehoused, RehouseError>, what: What, pace: Pace) {
    if what == What::OtherVault || !matches!(rehoused, Ok(Rehoused::InPlace)) {
        pace.keep().await;
    }
}

async fn look_again(
    rehouse: &Rehouse<'_>,
    found: &Again,
    what: What,
) -> Result<Rehoused, RehouseError> {
    match found {
        Again::Method(key) => match rehouse.methods.load(key).await? {
            Some(method) => Box::pin(rehouse.method(&method, what)).await,
            None => Ok(Rehoused::InPlace),
        },
        Again::Instance(key) => match rehouse.instances.find(key).await? {
            Some(instance) => Box::pin(rehouse.instance(&instance, what)).await,
            None => Ok(Rehoused::InPlace),
        },
    }
}
