//! One schedule: a few processes at one instance or two, whatever goes wrong by its seed, and then a
//! fault-free end.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use latchkey_core::{
    flow::{
        sweep::{Outcome, Rounds},
        vend::VendError,
    },
    model::{
        credential_id::CredentialId,
        definition::RefreshPolicy,
        id::{InstanceKey, MethodKey},
        instance::{Instance, State},
        message::Message,
    },
    port::{Clock as _, Egress},
};
use serde_json::json;

use crate::{
    chance::Chance,
    faults::Faults,
    line::Line,
    network::{LIFETIME, Network},
    provider::{Policy, Token},
    queue::{Delivery, MemoryQueue},
    runtime::{Current, Executor, Plan, Step},
    store::Bug,
    timeline::Timeline,
    told::Told,
    watch::{Verdict, Watch},
    world::{Life, START, World, reconnect},
};

/// More ticks than any story needs to come to its end.
const ROUNDS: u32 = 60;

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// A tick works what is due.
    Tick,
    /// A tick hands what is due to the queue.
    HandOut,
    /// The queue brings a message.
    Message,
    /// A caller asks for a credential.
    Vend,
    /// A caller asks for one that lives longer than any that there is.
    VendLong,
    /// A caller says that an access token was rejected.
    Reject,
    /// The user consents anew.
    Reconnect,
    /// The instance is deleted.
    Delete,
    /// The user withdraws the consent at the provider.
    Withdraw,
}

const REFRESHING: [Deed; 5] = [
    Deed::Tick,
    Deed::Message,
    Deed::Vend,
    Deed::VendLong,
    Deed::HandOut,
];
const ANYTHING: [Deed; 12] = [
    Deed::Tick,
    Deed::Tick,
    Deed::HandOut,
    Deed::Message,
    Deed::Vend,
    Deed::VendLong,
    Deed::Reject,
    Deed::Reconnect,
    Deed::Reconnect,
    Deed::Delete,
    Deed::Withdraw,
    Deed::Vend,
];

/// Runs the schedule of a seed.
#[must_use]
pub fn run(seed: u64) -> Told {
    run_with(seed, None)
}

/// The same with a store that breaks a rule.
#[must_use]
pub fn run_with(seed: u64, bug: Option<Bug>) -> Told {
    let place = usize::try_from(seed % 10).unwrap_or_default();
    let policy = Policy::ALL.get(place / 2).copied();
    let (policy, in_vault) = (policy.unwrap_or(Policy::Strict), place % 2 == 1);
    let chance = Arc::new(Chance::of(seed));
    let timeline = Timeline::from(START, Arc::clone(&chance));
    let current = Current::default();
    let faults = Arc::new(Faults::new(&chance, &timeline));
    let watch = Arc::new(Watch::new(policy, &timeline, &current));
    let network = Network::new(&watch, &timeline, &chance, &faults, (policy, &current));
    let egress: Arc<dyn Egress> = Arc::new(network);
    let line: Arc<dyn Line> = Arc::clone(&faults) as _;
    let mut world = World::new(&timeline, &chance, &current, &line, (egress, in_vault));
    world.queue = Some(MemoryQueue::new(&timeline, &chance, &faults, &watch));
    let observer: Arc<Watch> = Arc::clone(&watch);
    world.store.observe(observer);
    if let Some(bug) = bug {
        world.store.break_rule(bug);
    }
    let method = world.method(
        "provider.example",
        &json!({ "rotation": policy.rotation() }),
    );
    let schedule = Schedule {
        world: &world,
        faults: &faults,
        watch: &watch,
        method,
    };
    let told = schedule.run(seed);
    timeline.clear();
    let vault = if in_vault {
        "secrets-manager"
    } else {
        "sealed"
    };
    Told {
        case: format!("{policy:?}, {vault}"),
        ..told
    }
}

struct Schedule<'w> {
    world: &'w World,
    faults: &'w Faults,
    watch: &'w Watch,
    method: MethodKey,
}

impl<'w> Schedule<'w> {
    fn run(&self, seed: u64) -> Told {
        let World {
            timeline,
            chance,
            current,
            ..
        } = self.world;
        let mut executor = Executor::new(timeline, chance, current);
        let count = if chance.permille(250) { 2 } else { 1 };
        let keys: Vec<_> = (0..count).map(|_| self.instance()).collect();
        for place in 0..2 + chance.below(4) {
            let deed = match place < 2 {
                true => chance.of_all(&REFRESHING),
                false => chance.of_all(&ANYTHING),
            };
            let account = chance.below(count);
            if let (Some(deed), Some(key)) = (deed, keys.get(account)) {
                self.begin(&mut executor, deed, account, key.clone());
            }
        }
        let mut told = Told {
            seed,
            ..Told::default()
        };
        self.go_on(&mut executor, &mut told);
        self.faults.end();
        executor.forget_plans();
        let verdict = self.heal(&mut executor, &mut told);
        self.ask_at_last(&mut executor, &keys, &mut told);
        told.dead = u64::try_from(verdict.dead).unwrap_or_default();
        told.faults = u64::from(self.faults.struck());
        told.freezes = executor.froze;
        told.overtaken = u64::try_from(self.watch.overtaken()).unwrap_or_default();
        let came_again = self
            .world
            .queue
            .as_ref()
            .is_some_and(MemoryQueue::came_again);
        if told.overtaken > 0 && !came_again && !told.freezes {
            let what = "an answer was in the queue, and its place was not found in time";
            self.watch.blame(what.to_owned());
        }
        told.left = self.watch.are_left();
        if told.left > 0 && told.faults + told.deaths == 0 && !told.freezes {
            self.watch
                .blame("an instance is gone, and its secret is not".to_owned());
        }
        told.wrong = self.watch.wrong();
        told.polls = executor.polls;
        told.mark = timeline.millis() + i64::try_from(executor.polls).unwrap_or_default();
        told
    }

    fn instance(&self) -> InstanceKey {
        let World {
            timeline, chance, ..
        } = self.world;
        let key = self.world.name();
        let token = self.watch.add(&key, chance.permille(300));
        let ago = if chance.permille(500) { 3300 } else { 3700 };
        let life = Life {
            from: timeline.now() - SignedDuration::from_secs(ago),
            span: SignedDuration::from_secs(LIFETIME),
            policy: RefreshPolicy::AlwaysEager,
            use_by: None,
        };
        self.world.connected(&key, &self.method, token, life);
        key
    }

    /// When somebody begins: about now, when a lease that was taken now lapses, or later.
    fn offset(&self) -> i64 {
        let chance = &self.world.chance;
        match chance.below(8) {
            0..=2 => chance.between(0, 200),
            3 => chance.between(200, 5_000),
            4 | 5 => chance.between(31_000, 45_000),
            6 => chance.between(62_000, 75_000),
            _ => chance.between(50_000, 200_000),
        }
    }

    fn plan(&self) -> Plan {
        let chance = &self.world.chance;
        let poll = |most| u32::try_from(chance.between(2, most)).unwrap_or(2);
        Plan {
            dies_at: chance.permille(250).then(|| poll(50)),
            freezes_at: chance
                .permille(250)
                .then(|| (poll(40), chance.between(500, 90_000))),
        }
    }

    fn begin(&self, executor: &mut Executor<'w>, deed: Deed, account: usize, key: InstanceKey) {
        let (world, watch) = (self.world, self.watch);
        let offset = self.offset();
        let method = self.method.clone();
        let doing = async move {
            world.timeline.wait(offset).await;
            let process = world.process();
            match deed {
                Deed::Tick => world.tick(&process).await,
                Deed::HandOut => {
                    let period = Duration::from_mins(1);
                    if let Some(queue) = &world.queue {
                        let sweep = world.sweep(&process);
                        drop(sweep.hand_out(queue, Rounds { period }, None).await);
                    }
                }
                Deed::Message => {
                    if let Some(queue) = &world.queue {
                        queue.put(Message::Attend { instance: key }, 0);
                    }
                }
                Deed::Vend => {
                    let refresh = world.refresh(&process, false);
                    drop(Box::pin(refresh.vend(&key, None)).await);
                }
                Deed::VendLong => {
                    let refresh = world.refresh(&process, false);
                    let long = Some(SignedDuration::from_mins(50));
                    drop(Box::pin(refresh.vend(&key, long)).await);
                }
                Deed::Reject => {
                    if let Some(instance) = world.store.look(&key) {
                        let epoch = instance.grant().map_or(0, |grant| grant.epoch);
                        let credential = CredentialId::of(&key, epoch);
                        drop(
                            world
                                .refresh(&process, false)
                                .reject(&key, &credential)
                                .await,
                        );
                    }
                }
                Deed::Reconnect => reconnect(world, &method, account, &key).await,
                Deed::Delete => drop(world.delete().delete(&key).await),
                Deed::Withdraw => watch.withdraw(account),
            }
        };
        self.spawn(executor, doing);
    }

    fn spawn(&self, executor: &mut Executor<'w>, doing: impl Future<Output = ()> + Send + 'w) {
        let (watch, current) = (self.watch, &self.world.current);
        executor.spawn(self.plan(), async move {
            doing.await;
            if let Some(task) = current.task() {
                watch.ended(task);
            }
        });
    }

    /// Goes on until nothing is left to happen.
    fn go_on(&self, executor: &mut Executor<'w>, told: &mut Told) {
        loop {
            match executor.step() {
                Step::Idle => return,
                Step::Died(task) => {
                    told.deaths += 1;
                    self.watch.died(task);
                }
                Step::Taken => {}
            }
            let queue = self.world.queue.as_ref();
            for delivery in queue.map(MemoryQueue::take).unwrap_or_default() {
                self.deliver(executor, delivery);
            }
        }
    }

    fn deliver(&self, executor: &mut Executor<'w>, delivery: Delivery) {
        let world = self.world;
        self.spawn(executor, async move {
            let process = world.process();
            let sweep = world.sweep(&process);
            let ends = Some(world.invocation_ends());
            let message = stream::iter([((), delivery.message.clone())]);
            let outcomes: Vec<_> = sweep.work(message, ends).collect().await;
            let is_done = outcomes.iter().all(|(_, outcome)| match outcome {
                Outcome::Done(_) | Outcome::Postponed => true,
                Outcome::Failed | Outcome::TooLate => false,
            });
            if let Some(queue) = world.queue.as_ref().filter(|_| is_done) {
                queue.done(&delivery);
            }
        });
    }

    /// Ticks until every instance has come to an end: refreshed since, ended, or gone.
    fn heal(&self, executor: &mut Executor<'w>, told: &mut Told) -> Verdict {
        let World {
            timeline, store, ..
        } = self.world;
        let since = timeline.millis();
        let look = |key: &InstanceKey| self.world.look(key);
        let mut verdict = Verdict::default();
        for _ in 0..ROUNDS {
            self.tick(executor, told);
            verdict = self.watch.judge(&look, since);
            if verdict.settled == verdict.of {
                break;
            }
            let Some(due) = store.first_due() else {
                break;
            };
            timeline.skip_to(due.as_millisecond().max(timeline.millis() + 60_000));
        }
        if verdict.settled < verdict.of {
            let mut states = Vec::new();
            store.look_at_all(|instance| states.push(short(instance)));
            self.watch
                .blame(format!("not healed: {}", states.join(", ")));
        }
        timeline.skip_to(timeline.millis() + 12_000);
        self.tick(executor, told);
        if store.pending_events() > 0 {
            self.watch.blame("an event was never published".to_owned());
        }
        verdict
    }

    fn tick(&self, executor: &mut Executor<'w>, told: &mut Told) {
        let world = self.world;
        executor.spawn(Plan::default(), async move {
            let process = world.process();
            world.tick(&process).await;
        });
        executor.forget_plans();
        self.go_on(executor, told);
    }

    /// Whoever asks in the end is told how it is.
    fn ask_at_last(&self, executor: &mut Executor<'w>, keys: &[InstanceKey], told: &mut Told) {
        let (world, watch) = (self.world, self.watch);
        for key in keys.iter().cloned() {
            executor.spawn(Plan::default(), async move {
                let process = world.process();
                let state = world.store.look(&key).map(|instance| instance.state);
                let had = Box::pin(world.refresh(&process, false).vend(&key, None)).await;
                let is_right = match (&state, &had) {
                    (Some(State::Active(_)), Ok(had)) => {
                        let token = Token::find("access-", had.access_token.expose().as_bytes());
                        token.is_some_and(|token| watch.stands(token))
                    }
                    (
                        Some(State::ReconnectRequired { .. }),
                        Err(VendError::ReconnectRequired(_)),
                    )
                    | (None, Err(VendError::Gone)) => true,
                    _ => false,
                };
                if !is_right {
                    let had = had.map(|_| "a credential that does not work");
                    watch.blame(format!("{} vends {had:?}", key.id));
                }
                let name = Instance::secret_name(&key);
                let secrets = world.secrets.as_ref();
                if state.is_none() && secrets.is_some_and(|secrets| secrets.has(&name)) {
                    watch.left();
                }
            });
        }
        self.go_on(executor, told);
    }
}

fn short(instance: &Instance) -> String {
    let state = match &instance.state {
        State::Pending => "pending",
        State::Active(_) => "active",
        State::Suspect { .. } => "suspect",
        State::ReconnectRequired { .. } => "ended",
        State::Deleted { .. } => "deleted",
    };
    format!(
        "{state} {}/{} {:?}",
        instance.incarnation, instance.epoch, instance.last_failure
    )
}
