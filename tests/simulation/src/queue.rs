//! The queue: at least once, in any order, and again if nobody says that it is done.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use latchkey_core::{
    model::message::Message,
    port::{Posting, Queue, QueueError},
};

use crate::{
    chance::Chance,
    faults::Faults,
    line::{Call, Line as _},
    timeline::{Timeline, lock},
    watch::Watch,
};

/// How long a message is hidden from others once a worker has been given it, in milliseconds.
const HIDDEN: i64 = 180_000;

/// The queue.
#[derive(Clone)]
pub struct MemoryQueue(Arc<Inner>);

struct Inner {
    timeline: Arc<Timeline>,
    chance: Arc<Chance>,
    faults: Arc<Faults>,
    watch: Arc<Watch>,
    /// What a worker is to be given now.
    ready: Mutex<Vec<Delivery>>,
    /// Whether a message came again since its worker never said that it was done.
    came_again: AtomicBool,
}

/// A message that a worker is given.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    is_done: Arc<Mutex<bool>>,
}

impl std::fmt::Debug for MemoryQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryQueue")
    }
}

impl MemoryQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(
        timeline: &Arc<Timeline>,
        chance: &Arc<Chance>,
        faults: &Arc<Faults>,
        watch: &Arc<Watch>,
    ) -> Self {
        Self(Arc::new(Inner {
            timeline: Arc::clone(timeline),
            chance: Arc::clone(chance),
            faults: Arc::clone(faults),
            watch: Arc::clone(watch),
            ready: Mutex::default(),
            came_again: AtomicBool::default(),
        }))
    }

    /// What workers are to be given now.
    #[must_use]
    pub fn take(&self) -> Vec<Delivery> {
        let taken = std::mem::take(&mut *lock(&self.0.ready));
        for delivery in &taken {
            // It comes again, unless it is done by then.
            let (queue, delivery) = (self.clone(), delivery.clone());
            self.0.timeline.after(HIDDEN, move || {
                if queue.give(delivery) {
                    queue.0.came_again.store(true, Ordering::Relaxed);
                }
            });
        }
        taken
    }

    /// Whether a message came again since its worker never said that it was done.
    #[must_use]
    pub fn came_again(&self) -> bool {
        self.0.came_again.load(Ordering::Relaxed)
    }

    /// A worker is done with a message.
    pub fn done(&self, delivery: &Delivery) {
        *lock(&delivery.is_done) = true;
    }

    /// Puts a message there, past the line.
    pub fn put(&self, message: Message, delay: i64) {
        let delivery = Delivery {
            message,
            is_done: Arc::default(),
        };
        self.deliver(delivery.clone(), delay);
        if self.0.faults.strikes(100) {
            self.deliver(delivery, delay + self.0.chance.between(0, 60_000));
        }
    }

    fn deliver(&self, delivery: Delivery, delay: i64) {
        let queue = self.clone();
        self.0.timeline.after(delay, move || {
            queue.give(delivery);
        });
    }

    /// Gives a worker a message unless somebody is done with it; whether it did.
    fn give(&self, delivery: Delivery) -> bool {
        let is_done = *lock(&delivery.is_done);
        if !is_done {
            lock(&self.0.ready).push(delivery);
        }
        !is_done
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, postings: &[Posting]) -> Result<(), QueueError> {
        let is_lost = self.0.faults.out(Call::Send).await.is_err();
        for Posting { message, delay } in postings {
            if let Message::Adopt(adoption) = message
                && let Some(grant) = adoption.answer.grant()
            {
                self.0.watch.queued(grant, !is_lost);
            }
            if !is_lost {
                let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                self.put(message.clone(), delay + self.0.chance.between(0, 2_000));
            }
        }
        let is_lost = is_lost || self.0.faults.back(Call::Send).await.is_err();
        match is_lost {
            true => Err(QueueError::Unavailable {
                untaken: postings.len(),
                why: "lost".to_owned(),
            }),
            false => Ok(()),
        }
    }
}
