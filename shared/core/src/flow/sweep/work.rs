//! The stream of messages through a worker.
//!
//! # Why
//! A host that hangs keeps every call until the hard limit, so it gets a share of the calls only
//! ([`Slots`]). Which host an instance asks is known only once it is read. If whoever finds its host
//! busy waited in place, those who wait would soon be all that a worker has under way.
//!
//! # How it works
//! Who finds its host busy is parked, and the next message is begun. When a call at that host ends,
//! the first that is parked for it takes over its slot. So many are parked for a host, so that memory
//! is bounded; whoever comes then is left for a later tick, as it stays due.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::pin,
    time::Duration,
};

use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    future::{self, BoxFuture, Either},
    stream::{self, BoxStream, FuturesUnordered},
};
use jiff::Timestamp;

use super::{Outcome, Sweep, attend::Seen};
use crate::{
    flow::refresh::{Slot, Slots, Within},
    model::{host::Host, message::Message},
    port::Counted,
};

/// How many are parked at most for one host, and for all.
const MOST_FOR_ONE: usize = 1_000;
const MOST: usize = 10_000;
/// How often it is looked whether others, who share the slots, have left any.
const LOOK: Duration = Duration::from_millis(100);

impl<'a> Sweep<'a> {
    /// Sees to messages, so many at once, and says what became of each as soon as it is known. None
    /// is begun that could not end before `deadline`.
    pub fn work<'s, T: Send + 's>(
        &'s self,
        messages: impl Stream<Item = (T, Message)> + Send + 's,
        deadline: Option<Timestamp>,
    ) -> impl Stream<Item = (T, Outcome)> + Send + 's {
        let worker = Worker {
            sweep: self,
            deadline,
            messages: Some(messages.boxed()),
            working: FuturesUnordered::new(),
            parked: Parked::default(),
        };
        stream::unfold(worker, |mut worker| async move {
            Some((worker.next().await?, worker))
        })
    }
}

/// A message, and what its sender knows it by.
type Task<T> = (T, Message);

struct Worker<'s, 'a, T> {
    sweep: &'s Sweep<'a>,
    deadline: Option<Timestamp>,
    /// None once they have ended.
    messages: Option<BoxStream<'s, Task<T>>>,
    working: FuturesUnordered<BoxFuture<'s, (Task<T>, Seen)>>,
    parked: Parked<Task<T>>,
}

/// What happens next.
enum Event<T> {
    /// A message has come, or there are no more.
    Came(Option<Task<T>>),
    /// Somebody has done what they could.
    Ended(Task<T>, Seen),
    /// Time has passed.
    Waited,
}

impl<'s, T: Send + 's> Worker<'s, '_, T> {
    async fn next(&mut self) -> Option<(T, Outcome)> {
        loop {
            self.resume();
            if self.messages.is_none() && self.working.is_empty() && self.parked.is_empty() {
                return None;
            }
            match self.event().await {
                Event::Came(Some(task)) => self.begin(task, None),
                Event::Came(None) => self.messages = None,
                Event::Ended((ticket, _), Seen::To(outcome)) => return Some((ticket, outcome)),
                Event::Ended(task, Seen::Busy(host)) => {
                    if let Some((ticket, _)) = self.parked.park(host, task) {
                        self.sweep.refresh.metrics.count(Counted::Postponed);
                        return Some((ticket, Outcome::Postponed));
                    }
                }
                Event::Waited => {}
            }
        }
    }

    async fn event(&mut self) -> Event<T> {
        let is_full = self.is_full();
        let is_stuck = self.working.is_empty() && !self.parked.is_empty();
        let coming = async {
            match &mut self.messages {
                Some(messages) if !is_full => Event::Came(messages.next().await),
                Some(_) | None => future::pending().await,
            }
        };
        let ending = async {
            match self.working.next().await {
                Some((task, seen)) => Event::Ended(task, seen),
                None if is_stuck => {
                    self.sweep.refresh.clock.sleep(LOOK).await;
                    Event::Waited
                }
                None => future::pending().await,
            }
        };
        match future::select(pin!(coming), pin!(ending)).await {
            Either::Left((event, _)) | Either::Right((event, _)) => event,
        }
    }

    /// Begins with those that were parked and have a slot now; with all of them when it is too late,
    /// so that each is told so.
    fn resume(&mut self) {
        while !self.is_full() {
            let next = match self.sweep.refresh.slots {
                Some(slots) if !self.is_too_late() => self.parked.next(slots),
                Some(_) | None => self.parked.any().map(|task| (task, None)),
            };
            let Some((task, slot)) = next else {
                return;
            };
            self.begin(task, slot);
        }
    }

    fn begin(&self, task: Task<T>, slot: Option<Slot<'s>>) {
        let sweep = self.sweep;
        let (late, ends) = (self.is_too_late(), self.deadline);
        let work = async move {
            let seen = match late {
                true => Seen::To(Outcome::TooLate),
                false => sweep.see_to(&task.1, Within { slot, ends }).await,
            };
            (task, seen)
        };
        self.working.push(work.boxed());
    }

    fn is_full(&self) -> bool {
        self.working.len() >= self.sweep.in_flight.max(1)
    }

    fn is_too_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| self.sweep.is_too_late(deadline))
    }
}

/// Those who found their host busy, by host, in the order in which they came.
struct Parked<T> {
    hosts: BTreeMap<Host, VecDeque<T>>,
    count: usize,
}

impl<T> Default for Parked<T> {
    fn default() -> Self {
        Self {
            hosts: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<T> Parked<T> {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Parks one, or gives it back if there is no room.
    fn park(&mut self, host: Host, one: T) -> Option<T> {
        let waiting = self.hosts.get(&host).map_or(0, VecDeque::len);
        if waiting >= MOST_FOR_ONE || self.count >= MOST {
            return Some(one);
        }
        self.hosts.entry(host).or_default().push_back(one);
        self.count += 1;
        None
    }

    /// The first whose host has a slot, with the slot.
    fn next<'s>(&mut self, slots: &'s Slots) -> Option<(T, Option<Slot<'s>>)> {
        let mut free = self.hosts.keys();
        let (host, slot) = free.find_map(|host| Some((host.clone(), slots.take(host)?)))?;
        Some((self.pop(&host)?, Some(slot)))
    }

    fn any(&mut self) -> Option<T> {
        let host = self.hosts.keys().next()?.clone();
        self.pop(&host)
    }

    fn pop(&mut self, host: &Host) -> Option<T> {
        let waiting = self.hosts.get_mut(host)?;
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.hosts.remove(host);
        }
        self.count -= usize::from(first.is_some());
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Host {
        Host::of(&format!("https://{name}/token").parse().unwrap()).unwrap()
    }

    #[test]
    fn the_first_that_was_parked_gets_the_slot_and_hosts_do_not_wait_for_each_other() {
        let slots = Slots::of(4);
        let (a, b) = (host("a.example"), host("b.example"));
        let mut parked = Parked::default();
        let busy = slots.take(&a);
        for (host, one) in [(&a, 1), (&a, 2), (&b, 3)] {
            assert_eq!(parked.park(host.clone(), one), None);
        }
        assert_eq!(parked.next(&slots).unwrap().0, 3);
        assert!(parked.next(&slots).is_none());
        drop(busy);
        let (first, slot) = parked.next(&slots).unwrap();
        assert_eq!(first, 1);
        assert!(parked.next(&slots).is_none(), "its slot is taken");
        drop(slot);
        assert_eq!(parked.next(&slots).unwrap().0, 2);
        assert!(parked.is_empty() && parked.hosts.is_empty());
    }

    #[test]
    fn so_many_are_parked_and_no_more() {
        let mut parked = Parked::default();
        let left = (0..2 * MOST_FOR_ONE).filter_map(|one| parked.park(host("a.example"), one));
        assert_eq!(left.count(), MOST_FOR_ONE);
        for number in 0..20 {
            let host = host(&format!("h{number}.example"));
            for one in 0..MOST_FOR_ONE {
                parked.park(host.clone(), one);
            }
        }
        assert_eq!(parked.count, MOST);
        assert_eq!(std::iter::from_fn(|| parked.any()).count(), MOST);
        assert!(parked.is_empty());
    }
}
