//! What is kept, and the one way in which an instance is changed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    model::{
        authorisation::{Authorisation, Digest},
        breaker::Breaker,
        event::{Event, EventKey},
        grant::StoredGrant,
        host::Host,
        id::{InstanceKey, MethodKey},
        instance::{Instance, State},
        method::StoredMethod,
        spare::Spare,
    },
    port::{Due, EVENT_SHARDS, GRACE, SHARDS},
};

use super::{Bug, Observe};

/// An instance, and what the index says of it.
pub(super) struct Row {
    pub(super) instance: Instance,
    /// Its shard, and the second at which it is due.
    pub(super) due: Option<(u8, i64)>,
    /// Whether it is counted at its auth method.
    pub(super) counted: bool,
}

/// All that is kept.
pub(super) struct Tables {
    pub(super) rows: BTreeMap<InstanceKey, Row>,
    /// By shard, the instances in the order in which they are due.
    pub(super) due: Vec<BTreeSet<(i64, InstanceKey)>>,
    pub(super) events: HashMap<EventKey, Event>,
    pub(super) overdue: Vec<BTreeSet<(i64, EventKey)>>,
    pub(super) hosts: HashMap<Host, Breaker>,
    pub(super) methods: HashMap<MethodKey, Arc<StoredMethod>>,
    pub(super) authorisations: HashMap<Digest, Authorisation>,
    pub(super) observer: Option<Arc<dyn Observe>>,
    /// The rule that is broken.
    pub(super) bug: Option<Bug>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            due: vec![BTreeSet::new(); usize::from(SHARDS)],
            events: HashMap::new(),
            overdue: vec![BTreeSet::new(); usize::from(EVENT_SHARDS)],
            hosts: HashMap::new(),
            methods: HashMap::new(),
            authorisations: HashMap::new(),
            observer: None,
            bug: None,
        }
    }
}

/// The first whole second that is not before a time.
pub(super) fn second_after(at: Timestamp) -> i64 {
    let millis = at.as_millisecond();
    millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) != 0)
}

/// A time as it is kept: milliseconds.
pub(super) fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// A grant as it is kept.
pub(super) fn kept_grant(grant: &StoredGrant) -> StoredGrant {
    StoredGrant {
        expires_at: grant.expires_at.map(kept),
        received_at: kept(grant.received_at),
        ..grant.clone()
    }
}

/// Spares as they are kept.
pub(super) fn kept_spares(spares: &[Spare]) -> Vec<Spare> {
    use latchkey_core::model::spare::SpareAnswer;
    let kept = spares.iter().map(|spare| match &spare.answer {
        SpareAnswer::Grant(grant) => Spare {
            answer: SpareAnswer::Grant(Box::new(kept_grant(grant))),
            ..spare.clone()
        },
        SpareAnswer::Raw { .. } => spare.clone(),
    });
    kept.collect()
}

impl Tables {
    pub(super) fn breaks(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(super) fn instance(&self, key: &InstanceKey) -> Option<Instance> {
        Some(self.rows.get(key)?.instance.clone())
    }

    pub(super) fn put(&mut self, instance: Instance, due: Option<Due>) {
        let key = instance.key.clone();
        let before = self.instance(&key);
        let mut row = Row {
            instance,
            due: self.rows.get(&key).and_then(|row| row.due),
            counted: true,
        };
        Self::place(&mut self.due, &mut row, due);
        self.tell(&key, before.as_ref(), Some(&row.instance));
        self.rows.insert(key, row);
    }

    /// Changes an instance if something holds for it; whether it did. Events are left with it.
    pub(super) fn change(
        &mut self,
        key: &InstanceKey,
        events: &[Event],
        holds: impl FnOnce(&Instance) -> bool,
        change: impl FnOnce(&mut Row) -> Placing,
    ) -> bool {
        let Some(row) = self.rows.get_mut(key).filter(|row| holds(&row.instance)) else {
            return false;
        };
        let before = self.observer.is_some().then(|| row.instance.clone());
        match change(row) {
            Placing::Same => {}
            Placing::At(due) => Self::place(&mut self.due, row, due),
        }
        if let Some(told) = events.iter().find_map(|event| event.kind.tells_end()) {
            row.instance.told_ended = told;
        }
        if let (Some(observer), Some(before)) = (&self.observer, before) {
            observer.wrote(key, Some(&before), Some(&row.instance));
        }
        for event in events {
            self.leave(event);
        }
        true
    }

    /// Removes an instance.
    pub(super) fn remove(&mut self, key: &InstanceKey) {
        let Some(mut row) = self.rows.remove(key) else {
            return;
        };
        Self::place(&mut self.due, &mut row, None);
        self.tell(key, Some(&row.instance), None);
    }

    fn tell(&self, key: &InstanceKey, before: Option<&Instance>, after: Option<&Instance>) {
        if let Some(observer) = &self.observer {
            observer.wrote(key, before, after);
        }
    }

    fn place(shards: &mut [BTreeSet<(i64, InstanceKey)>], row: &mut Row, due: Option<Due>) {
        let next = due.map(|due| (due.shard, second_after(due.at)));
        if next == row.due {
            return;
        }
        let mut of = |place: Option<(u8, i64)>, is_there: bool| {
            let Some((shard, second)) = place else {
                return;
            };
            let Some(shard) = shards.get_mut(usize::from(shard)) else {
                return;
            };
            let entry = (second, row.instance.key.clone());
            match is_there {
                true => shard.insert(entry),
                false => shard.remove(&entry),
            };
        };
        of(row.due, false);
        of(next, true);
        row.due = next;
    }

    /// Leaves an event to be published.
    pub(super) fn leave(&mut self, event: &Event) {
        let key = event.key();
        if let Some(shard) = self.overdue.get_mut(event_shard(event)) {
            shard.insert((overdue_at(event), key.clone()));
        }
        self.events.insert(key, event.clone());
    }

    /// Forgets an event.
    pub(super) fn forget(&mut self, key: &EventKey) {
        let Some(event) = self.events.remove(key) else {
            return;
        };
        if let Some(shard) = self.overdue.get_mut(event_shard(&event)) {
            shard.remove(&(overdue_at(&event), key.clone()));
        }
    }
}

/// Where a change leaves an instance in the index.
#[derive(Clone, Copy)]
pub(super) enum Placing {
    /// Where it was.
    Same,
    /// Here, or nowhere.
    At(Option<Due>),
}

fn event_shard(event: &Event) -> usize {
    usize::from(event.id.spread() % EVENT_SHARDS)
}

fn overdue_at(event: &Event) -> i64 {
    let grace = SignedDuration::try_from(GRACE).unwrap_or_default();
    second_after(event.time.saturating_add(grace).unwrap_or(Timestamp::MAX))
}

/// Whether there is a grant that may be used and refreshed.
pub(super) fn is_usable(instance: &Instance) -> bool {
    instance.usable_grant().is_some()
}

/// Whether the instance lives by this consent and has the tokens of this epoch.
pub(super) fn is_unmoved(instance: &Instance, incarnation: u64, base: u64) -> bool {
    let epoch = instance.grant().map(|grant| grant.epoch);
    instance.incarnation == incarnation && epoch == Some(base)
}

/// Whether it has, or ever had, a grant, and is not deleted.
pub(super) fn is_connected(instance: &Instance) -> bool {
    match instance.state {
        State::Active(_) | State::Suspect { .. } | State::ReconnectRequired { .. } => true,
        State::Pending | State::Deleted { .. } => false,
    }
}

/// Whether the lease is the one of this nonce.
pub(super) fn is_held_by(instance: &Instance, nonce: &str) -> bool {
    let lease = instance.lease.as_ref();
    lease.is_some_and(|lease| lease.nonce == nonce)
}
