//! The queue: messages in this process, and the worker that sees to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use latchkey_core::{
    flow::sweep::{Attended, Outcome},
    model::message::Message,
    port::{Clock, Posting, Queue, QueueError},
};
use latchkey_refresher::Ports;
use tokio::{sync::Notify, task::JoinHandle};
use tracing::{debug, info};

/// How many instances wait at most. Whoever hands out more waits until some are seen to.
const MOST: usize = 10_000;
/// When a message comes again that could not be seen to.
const AGAIN: Duration = Duration::from_secs(5);
/// How long is slept at most: the clock may be moved.
const LOOK: Duration = Duration::from_secs(1);

/// Messages, by when they are due and in the order in which they came. They end with the process.
pub(crate) struct LocalQueue {
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    /// A message has come.
    came: Notify,
    /// A message has gone.
    went: Notify,
}

#[derive(Default)]
struct Waiting {
    messages: BTreeMap<(Timestamp, u64), Message>,
    count: u64,
}

impl LocalQueue {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            waiting: Mutex::default(),
            came: Notify::new(),
            went: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, message: Message, delay: Duration) {
        let at = self.clock.now().saturating_add(delay);
        let mut waiting = self.waiting();
        waiting.count += 1;
        let place = (at.unwrap_or(Timestamp::MAX), waiting.count);
        waiting.messages.insert(place, message);
        drop(waiting);
        self.came.notify_one();
    }

    /// The next message, or how long it is until one is due.
    fn take(&self) -> Result<Message, Duration> {
        let mut waiting = self.waiting();
        let Some(first) = waiting.messages.first_entry() else {
            return Err(LOOK);
        };
        let (at, _) = *first.key();
        let left = at.duration_since(self.clock.now());
        if left.is_positive() {
            return Err(Duration::try_from(left).unwrap_or(LOOK).min(LOOK));
        }
        let message = first.remove();
        drop(waiting);
        self.went.notify_waiters();
        Ok(message)
    }

    async fn next(&self) -> Message {
        loop {
            match self.take() {
                Ok(message) => return message,
                Err(wait) => tokio::select! {
                    () = self.came.notified() => {}
                    () = self.clock.sleep(wait) => {}
                },
            }
        }
    }

    fn messages(&self) -> impl Stream<Item = (Message, Message)> + Send + '_ {
        stream::unfold((), |()| async {
            let message = self.next().await;
            Some(((message.clone(), message), ()))
        })
    }

    async fn room(&self) {
        loop {
            let went = self.went.notified();
            if self.waiting().messages.len() < MOST {
                return;
            }
            went.await;
        }
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, postings: &[Posting]) -> Result<(), QueueError> {
        for Posting { message, delay } in postings {
            // An answer is taken always: it can't be asked for again.
            match message {
                Message::Attend { .. } => self.room().await,
                Message::Adopt(_) => {}
            }
            self.put(message.clone(), *delay);
        }
        Ok(())
    }
}

/// The worker, as it runs; it ends with this value.
#[derive(Debug)]
pub(crate) struct Worker(JoinHandle<()>);

impl Worker {
    /// Sees to messages as they come. One that could not be seen to comes again.
    pub(crate) fn start(ports: Ports, queue: Arc<LocalQueue>) -> Self {
        Self(tokio::spawn(async move {
            let sweep = ports.sweep();
            let mut outcomes = std::pin::pin!(sweep.work(queue.messages(), None));
            while let Some((message, outcome)) = outcomes.next().await {
                let instance = &message.instance().id;
                match outcome {
                    Outcome::Done(Attended::Left) => debug!(%instance, "left alone"),
                    Outcome::Done(done) => info!(%instance, ?done, "instance worked"),
                    // A later tick hands it out again.
                    Outcome::Postponed => debug!(%instance, "postponed"),
                    Outcome::Failed | Outcome::TooLate => queue.put(message, AGAIN),
                }
            }
        }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.abort();
    }
}
