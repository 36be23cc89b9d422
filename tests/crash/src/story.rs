//! A flow that is begun, cut off, and begun again.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::model::{
    id::{InstanceKey, MethodKey},
    instance::State,
};

use crate::{
    crashing::after,
    job::Job,
    provider::{GRANTED, LIFETIME},
    run::KEEPING,
    shop::Binding,
    watch::Ended,
    world::{Saved, World},
};

/// When everything begins.
pub const START: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// How long after a process was killed the next comes: a lease and the clocks' difference have passed.
pub const NEXT: SignedDuration = SignedDuration::from_secs(33);
/// The same for an instance that was left alone for a while instead.
pub const HELD_OFF: SignedDuration = SignedDuration::from_secs(11);

/// A flow of the service, at something that is ready for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A worker refreshes an instance that is due.
    Refresh,
    /// Somebody asks for a credential whose access token has ended.
    Vend,
    /// A worker asks once more for a grant whose answer was lost, and that was refused once.
    Confirm,
    /// A browser comes back with a first consent.
    Callback,
    /// A browser comes back with the consent for an instance that is connected.
    Reconnect,
    /// The platform completes a consent that a callback has parked.
    Complete,
    /// Somebody deletes an instance that is connected.
    Delete,
}

impl Flow {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Refresh,
        Self::Vend,
        Self::Confirm,
        Self::Callback,
        Self::Reconnect,
        Self::Complete,
        Self::Delete,
    ];
}

/// A flow that is about to begin.
#[derive(Debug)]
pub struct Story<'w> {
    /// The world that it plays in.
    pub world: &'w World,
    /// The flow.
    pub flow: Flow,
    /// The instance.
    pub instance: InstanceKey,
    /// When it begins.
    pub begins: Timestamp,
    /// What the first process does.
    pub job: Job,
    /// When an answer was lost before it begins.
    pub lost_before: Option<Timestamp>,
    /// The world before it begins.
    pub start: Saved,
}

/// A process that was killed, or came to its end.
#[derive(Debug, Clone)]
pub struct Death {
    /// When it had begun.
    pub at: Timestamp,
    /// How it ended.
    pub ended: Ended,
}

impl Death {
    /// When it sent its request, if it sent one.
    #[must_use]
    pub fn sent_at(&self) -> Timestamp {
        self.ended.leased_at.unwrap_or(self.at)
    }

    /// Whether it is not known what became of the request that it was to send: it had the lease, and has
    /// not given it back.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        let given_back = [
            "commit",
            "commit_late",
            "fail",
            "free",
            "promote",
            "condemn",
        ];
        let given_back = given_back.map(|write| after("instances", write));
        let points = &self.ended.points;
        points.contains(&after("instances", "lease"))
            && !points.iter().any(|point| given_back.contains(point))
    }

    /// Whether the provider had granted something that was not kept yet.
    #[must_use]
    pub fn has_lost_an_answer(&self) -> bool {
        let kept = KEEPING.map(|write| after("instances", write));
        let parked = after("authorisations", "park");
        let points = &self.ended.points;
        let granted = points.iter().rposition(|point| point == GRANTED);
        granted.is_some_and(|granted| {
            let later = points.iter().skip(granted);
            !later
                .clone()
                .any(|point| kept.contains(point) || *point == parked)
        })
    }
}

impl<'w> Story<'w> {
    /// Makes ready for a flow, in a world that has an auth method and nothing else; `None` if there
    /// is no such thing with this provider.
    pub async fn new(world: &'w World, method: &MethodKey, flow: Flow) -> Option<Self> {
        let ended = START + LIFETIME + SignedDuration::from_secs(1);
        let soon = START + SignedDuration::from_secs(60);
        let mut lost_before = None;
        let (instance, begins, job) = match flow {
            Flow::Refresh | Flow::Vend => {
                let instance = world.connected(START, method).await;
                let job = refreshing(flow, &instance);
                (instance, ended, job)
            }
            Flow::Confirm => {
                if !world.configuration.policy.is_single_use() {
                    return None;
                }
                let instance = world.connected(START, method).await;
                let job = Job::attend(&instance);
                let trace = {
                    let before = world.save();
                    let whole = world.process(ended, &job, None).await;
                    world.restore(&before);
                    whole.points
                };
                let granted = trace.iter().position(|point| point == GRANTED);
                world.process(ended, &job, granted).await;
                lost_before = Some(ended);
                let refused = ended + NEXT;
                world.unharmed(refused, &job).await;
                (instance, refused + SignedDuration::from_secs(901), job)
            }
            Flow::Callback => {
                let instance = world.pending(START, method).await;
                let callback = world.consent(START, &instance, Binding::Browser).await;
                (instance, soon, Job::Callback(callback))
            }
            Flow::Reconnect => {
                let instance = world.connected(START, method).await;
                let callback = world.consent(START, &instance, Binding::Browser).await;
                (instance, soon, Job::Callback(callback))
            }
            Flow::Complete => {
                let instance = world.pending(START, method).await;
                let callback = world.consent(START, &instance, Binding::Platform).await;
                let job = Job::Complete(instance.clone(), callback.consent.clone());
                let said = world.unharmed(START, &Job::Callback(callback)).await;
                assert_eq!(said, "parked");
                (instance, soon, job)
            }
            Flow::Delete => {
                let instance = world.connected(START, method).await;
                let job = Job::Delete(instance.clone());
                (instance, soon, job)
            }
        };
        Some(Self {
            world,
            flow,
            instance,
            begins,
            job,
            lost_before,
            start: world.save(),
        })
    }

    /// What comes next when a process was killed that did `job`: whoever wanted something wants it still.
    pub async fn next(&self, now: Timestamp, job: &Job) -> Job {
        match self.flow {
            Flow::Refresh | Flow::Vend | Flow::Confirm | Flow::Complete => job.clone(),
            Flow::Delete => {
                let found = self.world.find(&self.instance).await;
                let is_marked =
                    found.is_none_or(|found| matches!(found.state, State::Deleted { .. }));
                match is_marked {
                    true => Job::attend(&self.instance),
                    false => job.clone(),
                }
            }
            Flow::Callback | Flow::Reconnect => match self.reloaded(now, job).await.as_str() {
                "connected" => job.clone(),
                _ => self.again(now).await,
            },
        }
    }

    /// What the person sees who loads the page again.
    pub async fn reloaded(&self, now: Timestamp, job: &Job) -> String {
        self.world.unharmed(now, job).await
    }

    /// The person begins again, and says yes again.
    pub async fn again(&self, now: Timestamp) -> Job {
        let binding = match self.flow == Flow::Complete {
            true => Binding::Platform,
            false => Binding::Browser,
        };
        Job::Callback(self.world.consent(now, &self.instance, binding).await)
    }
}

fn refreshing(flow: Flow, instance: &InstanceKey) -> Job {
    match flow == Flow::Vend {
        true => Job::Vend(instance.clone()),
        false => Job::attend(instance),
    }
}
