//! Whether all is well in the end, and nothing was lost on the way that could have been kept.

use jiff::{SignedDuration, Timestamp};
use latchkey_core::model::{
    failure::FailureCode,
    instance::{Instance, State},
};

use crate::{
    job::Job,
    story::{Death, Flow, NEXT, Story},
};

/// How everything ended that could have ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All that was there is there, and works.
    Healed,
    /// It works, and the person had to begin again with the consent.
    BegunAgain,
    /// The one honest row: an answer was lost, the provider is single-use without grace, and the user
    /// is told so.
    ToldTruly,
}

/// How often a sweep comes until nothing is left to do.
const ROUNDS: u32 = 6;
/// Longer than a suspicion lasts.
const SUSPICION: SignedDuration = SignedDuration::from_secs(901);

type Judged<T> = Result<T, String>;

impl Story<'_> {
    /// Looks at what is left when processes were killed: no token that works may be out of our hands,
    /// unless its answer was lost and the provider is single-use; and what is written is whole.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn is_kept(&self, deaths: &[Death]) -> Judged<()> {
        let Some(instance) = self.world.find(&self.instance).await else {
            return match self.flow == Flow::Delete {
                true => Ok(()),
                false => Err("the instance is gone".to_owned()),
            };
        };
        let held = self.world.held(&instance).await?;
        if let State::ReconnectRequired { cause, .. } = &instance.state
            && self.lost(deaths).is_none()
        {
            return Err(format!("falsely dead: {cause:?}"));
        }
        if let State::Pending = instance.state {
            return match matches!(self.flow, Flow::Callback | Flow::Complete) {
                true => Ok(()),
                false => Err("the grant is gone".to_owned()),
            };
        }
        if self.flow == Flow::Delete || self.lost(deaths).is_some() {
            return Ok(());
        }
        let known = self.world.provider.known();
        match held.iter().any(|token| known.takes(token)) {
            true => Ok(()),
            false => Err(format!("no token works of {held:?}")),
        }
    }

    /// When an answer was lost that can't be had again, if one was.
    fn lost(&self, deaths: &[Death]) -> Option<Timestamp> {
        let is_refresh = matches!(self.flow, Flow::Refresh | Flow::Vend | Flow::Confirm);
        if !is_refresh || !self.world.configuration.policy.is_single_use() {
            return None;
        }
        let lost = deaths.iter().find(|death| death.has_lost_an_answer());
        self.lost_before.or_else(|| lost.map(Death::sent_at))
    }

    /// Lets everybody go on without faults, until nothing changes, and says how it ended.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn heal(&self, now: Timestamp, job: &Job, deaths: &[Death]) -> Judged<Verdict> {
        let verdict = match self.flow {
            Flow::Refresh | Flow::Vend | Flow::Confirm => self.heal_refresh(now, deaths).await?,
            Flow::Callback | Flow::Reconnect | Flow::Complete => {
                self.heal_consent(now, job, deaths).await?
            }
            Flow::Delete => return self.heal_deletion(now, job).await,
        };
        if verdict != Verdict::ToldTruly {
            self.works(now).await?;
        }
        Ok(verdict)
    }

    async fn heal_refresh(&self, mut now: Timestamp, deaths: &[Death]) -> Judged<Verdict> {
        let lost = self.lost(deaths);
        for _ in 0..ROUNDS {
            for text in self.world.watch.deliver(now) {
                self.world.unharmed(now, &Job::Message(text)).await;
            }
            self.world.unharmed(now, &Job::Sweep).await;
            match (self.found().await?.state, lost) {
                (State::Active(_), None) => return Ok(Verdict::Healed),
                (State::ReconnectRequired { cause, .. }, Some(at)) => {
                    let words = cause.words.unwrap_or_default();
                    let told = self.told(at, deaths);
                    if cause.code != FailureCode::GrantLost || !words.ends_with(&told) {
                        return Err(format!("told {:?} {words:?} for {told:?}", cause.code));
                    }
                    self.is_told(now, "instance.reconnect_required").await?;
                    return Ok(Verdict::ToldTruly);
                }
                (State::ReconnectRequired { cause, .. }, None) => {
                    return Err(format!("falsely dead: {cause:?}"));
                }
                _ => now += SUSPICION,
            }
        }
        let instance = self.found().await?;
        Err(format!("not healed: {instance:?}"))
    }

    /// What is told of an answer that was lost: when, as far as anybody who is left can know.
    fn told(&self, lost_at: Timestamp, deaths: &[Death]) -> String {
        let earlier = usize::from(self.lost_before.is_some());
        let mut doubtful = deaths.iter().filter(|death| death.is_in_doubt());
        match (earlier + doubtful.clone().count(), doubtful.next_back()) {
            (2.., Some(last)) => format!("(an answer was lost at {:.0} or before)", last.sent_at()),
            _ => format!("(an answer was lost at {lost_at:.0})"),
        }
    }

    async fn heal_consent(&self, now: Timestamp, job: &Job, deaths: &[Death]) -> Judged<Verdict> {
        let before = self.found().await?.incarnation;
        let said = self.reloaded(now, job).await;
        let is_connected =
            self.found().await?.incarnation > u64::from(self.flow == Flow::Reconnect);
        let verdict = match said.as_str() {
            "connected" => Verdict::Healed,
            // The platform that asks a second time is told that nothing is parked; the instance shows it.
            "unknown" if self.flow == Flow::Complete && is_connected => Verdict::Healed,
            "unfinished" | "unknown" if !is_connected => Verdict::BegunAgain,
            _ => return Err(format!("{said:?}, with incarnation {before} before")),
        };
        if verdict == Verdict::BegunAgain {
            let again = self.again(now).await;
            let said = self.reloaded(now, &again).await;
            let said = match (&again, said.as_str()) {
                (Job::Callback(callback), "parked") => {
                    let consent = callback.consent.clone();
                    let complete = Job::Complete(self.instance.clone(), consent);
                    self.reloaded(now, &complete).await
                }
                _ => said,
            };
            if said != "connected" {
                return Err(format!("begun again: {said:?}"));
            }
        }
        self.is_told(now, "instance.connected").await?;
        let others = usize::from(self.flow == Flow::Reconnect);
        let lost = deaths.iter().filter(|death| death.has_lost_an_answer());
        let (living, lost) = (self.world.provider.known().living(), lost.count());
        if living > 1 + others + lost {
            return Err(format!(
                "{living} grants live, and {lost} answers were lost"
            ));
        }
        Ok(verdict)
    }

    async fn heal_deletion(&self, mut now: Timestamp, job: &Job) -> Judged<Verdict> {
        let next = self.next(now, job).await;
        self.world.unharmed(now, &next).await;
        for _ in 0..ROUNDS {
            now += NEXT;
            self.world.unharmed(now, &Job::Sweep).await;
            if self.world.find(&self.instance).await.is_some() {
                continue;
            }
            let living = self.world.provider.known().living();
            if living > 0 {
                return Err(format!("{living} grants live"));
            }
            if self.world.has_secret(&self.instance) {
                return Err("its secret is left".to_owned());
            }
            self.is_told(now, "instance.disconnected").await?;
            return Ok(Verdict::Healed);
        }
        Err("not purged".to_owned())
    }

    /// Whether a credential can be had that works, and the grant behind it lives.
    async fn works(&self, now: Timestamp) -> Judged<()> {
        let vended = self
            .world
            .unharmed(now, &Job::Vend(self.instance.clone()))
            .await;
        let token = vended.strip_prefix("token ").unwrap_or_default();
        if !self.world.provider.known().serves(token) {
            return Err(format!("vended {vended:?}"));
        }
        let instance = self.found().await?;
        if instance.lease.is_some() || instance.attempts > 0 {
            return Err(format!("still in doubt: {instance:?}"));
        }
        let held = self.world.held(&instance).await?;
        let current = held.first().map(String::as_str).unwrap_or_default();
        match self.world.provider.known().takes(current) {
            true => Ok(()),
            false => Err(format!("{current:?} does not work")),
        }
    }

    /// Whether an event is told, at the latest by a sweep that comes when it is overdue.
    async fn is_told(&self, now: Timestamp, event: &str) -> Judged<()> {
        let told = || self.world.watch.left().events;
        if !told().iter().any(|told| told == event) {
            self.world.unharmed(now + NEXT, &Job::Sweep).await;
        }
        match told().iter().any(|told| told == event) {
            true => Ok(()),
            false => Err(format!("{event} is not told, only {:?}", told())),
        }
    }

    async fn found(&self) -> Judged<Instance> {
        let found = self.world.find(&self.instance).await;
        found.ok_or_else(|| "the instance is gone".to_owned())
    }
}
