//! Virtual time.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering as Memory},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::port::Clock;

use crate::chance::Chance;

/// Locks, whoever panicked before.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Virtual time, in whole milliseconds, and what happens when.
pub struct Timeline {
    inner: Mutex<Inner>,
    chance: Arc<Chance>,
}

struct Inner {
    now: i64,
    timers: BinaryHeap<Reverse<Timer>>,
}

struct Timer {
    at: i64,
    /// Random: of what happens in one millisecond, any may come first.
    order: u64,
    what: What,
}

enum What {
    Wake(Waker),
    Do(Box<dyn FnOnce() + Send>),
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timer {}

impl std::fmt::Debug for Timeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Timeline({})", self.now())
    }
}

impl Timeline {
    /// Time that begins at so many milliseconds since 1970.
    #[must_use]
    pub fn from(now: i64, chance: Arc<Chance>) -> Arc<Self> {
        let timers = BinaryHeap::new();
        Arc::new(Self {
            inner: Mutex::new(Inner { now, timers }),
            chance,
        })
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(&self) -> i64 {
        lock(&self.inner).now
    }

    /// Lets something happen after so many milliseconds.
    pub fn after(&self, millis: i64, what: impl FnOnce() + Send + 'static) {
        self.at_offset(millis, What::Do(Box::new(what)));
    }

    fn at_offset(&self, millis: i64, what: What) {
        let order = self.chance.number();
        let mut inner = lock(&self.inner);
        let at = inner.now.saturating_add(millis.max(0));
        inner.timers.push(Reverse(Timer { at, order, what }));
    }

    /// When something happens next; `None` if nothing does.
    #[must_use]
    pub fn next_at(&self) -> Option<i64> {
        lock(&self.inner)
            .timers
            .peek()
            .map(|Reverse(timer)| timer.at)
    }

    /// Goes on to what happens next; whether anything does.
    pub fn advance(&self) -> bool {
        let Some(Reverse(timer)) = ({
            let mut inner = lock(&self.inner);
            let next = inner.timers.pop();
            if let Some(Reverse(timer)) = &next {
                inner.now = inner.now.max(timer.at);
            }
            next
        }) else {
            return false;
        };
        match timer.what {
            What::Wake(waker) => waker.wake(),
            What::Do(what) => what(),
        }
        true
    }

    /// Forgets whatever would happen.
    pub fn clear(&self) {
        let timers = std::mem::take(&mut lock(&self.inner).timers);
        drop(timers);
    }

    /// Lets time pass in which nothing happens.
    pub fn skip_to(&self, millis: i64) {
        let mut inner = lock(&self.inner);
        inner.now = inner.now.max(millis);
    }

    /// Waits so many milliseconds; at least until everybody else who is ready may have been polled.
    pub async fn wait(&self, millis: i64) {
        Wait {
            timeline: self,
            millis: Some(millis),
            is_over: Arc::default(),
        }
        .await;
    }
}

/// A wait in virtual time.
struct Wait<'t> {
    timeline: &'t Timeline,
    /// How long; `None` once it has begun.
    millis: Option<i64>,
    is_over: Arc<AtomicBool>,
}

struct Over(Arc<AtomicBool>, Waker);

impl Wake for Over {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Memory::Relaxed);
        self.1.wake_by_ref();
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_over.load(Memory::Relaxed) {
            return Poll::Ready(());
        }
        if let Some(millis) = self.millis.take() {
            let over = Over(Arc::clone(&self.is_over), context.waker().clone());
            let waker = Waker::from(Arc::new(over));
            self.timeline.at_offset(millis, What::Wake(waker));
        }
        Poll::Pending
    }
}

#[async_trait]
impl Clock for Timeline {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis()).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, span: Duration) {
        let millis = i64::try_from(span.as_nanos().div_ceil(1_000_000));
        self.wait(millis.unwrap_or(i64::MAX)).await;
    }
}
