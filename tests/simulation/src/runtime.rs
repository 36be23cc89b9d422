//! An executor of its own, over virtual time, that polls what is ready in a random order.
//!
//! # Why
//! `shuttle` replaces threads and their locks, and tries the orders in which they are scheduled; our flows
//! are futures that share nothing but what their ports do. `turmoil` simulates hosts and a network for
//! tokio, and the common crate knows no runtime. Either would have to be given the same ports, and neither
//! freezes or drops a task at a chosen await. What is needed beside the ports is this file.
//!
//! # How it works
//! Whoever waits leaves a waker in the timeline. While a task is ready, any that is ready is polled; when
//! none is, time goes on to the next timer. A task may have a [`Plan`]: at its n-th poll it is frozen for
//! a while, as a function's environment is, or dropped, as when its process dies.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering as Memory},
    },
    task::{Context, Wake, Waker},
};

use futures_util::future::BoxFuture;

use crate::{
    chance::Chance,
    timeline::{Timeline, lock},
};

/// What happens to a task on its way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// Before which poll it is dropped.
    pub dies_at: Option<u32>,
    /// Before which poll it is frozen, and for how many milliseconds.
    pub freezes_at: Option<(u32, i64)>,
}

struct Task<'w> {
    future: BoxFuture<'w, ()>,
    waker: Waker,
    queued: Arc<TaskWaker>,
    polls: u32,
    plan: Plan,
}

struct TaskWaker {
    id: usize,
    is_queued: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Memory::Relaxed) {
            lock(&self.ready).push(self.id);
        }
    }
}

/// What a step of the executor did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something was polled, frozen, or time went on.
    Taken,
    /// This task died.
    Died(usize),
    /// Nothing is left to happen.
    Idle,
}

/// Nobody's number.
const NOBODY: usize = usize::MAX;

/// Says which task is being polled.
#[derive(Debug, Clone)]
pub struct Current(Arc<AtomicUsize>);

impl Default for Current {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(NOBODY)))
    }
}

impl Current {
    /// The task that is being polled, if one is.
    #[must_use]
    pub fn task(&self) -> Option<usize> {
        let task = self.0.load(Memory::Relaxed);
        (task != NOBODY).then_some(task)
    }
}

/// Polls tasks.
pub struct Executor<'w> {
    timeline: Arc<Timeline>,
    chance: Arc<Chance>,
    current: Current,
    tasks: Vec<Option<Task<'w>>>,
    /// The numbers of tasks that are over, if they are given again.
    free: Option<Vec<usize>>,
    ready: Arc<Mutex<Vec<usize>>>,
    /// How many polls there were.
    pub polls: u64,
    /// Whether any task was frozen.
    pub froze: bool,
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}

impl<'w> Executor<'w> {
    /// An executor without tasks, which tells `current` whom it polls.
    #[must_use]
    pub fn new(timeline: &Arc<Timeline>, chance: &Arc<Chance>, current: &Current) -> Self {
        Self {
            timeline: Arc::clone(timeline),
            chance: Arc::clone(chance),
            current: current.clone(),
            tasks: Vec::new(),
            free: None,
            ready: Arc::default(),
            polls: 0,
            froze: false,
        }
    }

    /// The same, for very many tasks: the number of one that is over is given again.
    #[must_use]
    pub fn for_many(self) -> Self {
        let free = Some(Vec::new());
        Self { free, ..self }
    }

    /// Adds a task; its number.
    pub fn spawn(&mut self, plan: Plan, future: impl Future<Output = ()> + Send + 'w) -> usize {
        let id = self.free.as_mut().and_then(Vec::pop);
        let id = id.unwrap_or(self.tasks.len());
        let queued = Arc::new(TaskWaker {
            id,
            is_queued: AtomicBool::new(false),
            ready: Arc::clone(&self.ready),
        });
        queued.wake_by_ref();
        let task = Some(Task {
            future: Box::pin(future),
            waker: Waker::from(Arc::clone(&queued)),
            queued,
            polls: 0,
            plan,
        });
        match self.tasks.get_mut(id) {
            Some(slot) => *slot = task,
            None => self.tasks.push(task),
        }
        id
    }

    /// Nothing happens to anybody from now on.
    pub fn forget_plans(&mut self) {
        for task in self.tasks.iter_mut().flatten() {
            task.plan = Plan::default();
        }
    }

    /// Does one thing.
    pub fn step(&mut self) -> Step {
        let picked = {
            let mut ready = lock(&self.ready);
            match ready.len() {
                0 => None,
                1 => ready.pop(),
                many => Some(ready.swap_remove(self.chance.below(many))),
            }
        };
        match picked {
            Some(id) => self.poll(id),
            None if self.timeline.advance() => Step::Taken,
            None => Step::Idle,
        }
    }

    /// Goes on until nothing is left to happen.
    pub fn run(&mut self) {
        while self.step() != Step::Idle {}
    }

    /// Goes on until this time.
    pub fn run_until(&mut self, millis: i64) {
        while self.is_ready() || self.timeline.next_at().is_some_and(|at| at <= millis) {
            self.step();
        }
        self.timeline.skip_to(millis);
    }

    fn is_ready(&self) -> bool {
        !lock(&self.ready).is_empty()
    }

    fn poll(&mut self, id: usize) -> Step {
        let Some(slot) = self.tasks.get_mut(id) else {
            return Step::Taken;
        };
        let Some(task) = slot else {
            return Step::Taken;
        };
        task.queued.is_queued.store(false, Memory::Relaxed);
        task.polls += 1;
        self.polls += 1;
        if task.plan.dies_at == Some(task.polls) {
            *slot = None;
            return Step::Died(id);
        }
        if let Some((_, millis)) = task.plan.freezes_at.filter(|(at, _)| *at <= task.polls) {
            task.plan.freezes_at = None;
            self.froze = true;
            // Whatever wakes it meanwhile finds it queued.
            task.queued.is_queued.store(true, Memory::Relaxed);
            let queued = Arc::clone(&task.queued);
            self.timeline.after(millis, move || {
                queued.is_queued.store(false, Memory::Relaxed);
                queued.wake_by_ref();
            });
            return Step::Taken;
        }
        self.current.0.store(id, Memory::Relaxed);
        let mut context = Context::from_waker(&task.waker);
        let is_done = task.future.as_mut().poll(&mut context).is_ready();
        if is_done {
            *slot = None;
            if let Some(free) = &mut self.free {
                free.push(id);
            }
        }
        self.current.0.store(NOBODY, Memory::Relaxed);
        Step::Taken
    }
}
