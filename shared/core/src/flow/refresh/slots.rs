//! A worker's slots: how many of its calls may be under way at one token host.
//!
//! A host that hangs holds every call that it gets until the hard limit. If it could get all of a
//! worker's calls, every other host would wait for it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::model::host::Host;

/// The slots of one worker, shared between hosts.
#[derive(Debug)]
pub struct Slots {
    most: usize,
    taken: Mutex<BTreeMap<Host, usize>>,
}

/// One call at one host; it ends with this value.
#[derive(Debug)]
pub struct Slot<'a> {
    slots: &'a Slots,
    host: Host,
}

impl Slots {
    /// Slots of a worker with so many calls under way at most: a quarter of them for each host, and
    /// never less than one.
    #[must_use]
    pub fn of(in_flight: usize) -> Self {
        Self {
            most: (in_flight / 4).max(1),
            taken: Mutex::default(),
        }
    }

    /// A slot for a call at `host`; `None` if it has its share. Nobody waits here: whoever gets none
    /// does something else meanwhile.
    #[must_use]
    pub fn take(&self, host: &Host) -> Option<Slot<'_>> {
        let mut taken = self.taken();
        let count = taken.entry(host.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Slot {
            slots: self,
            host: host.clone(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<Host, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        if let Some(count) = taken.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Host {
        let url = format!("https://{name}/token").parse().unwrap();
        Host::of(&url).unwrap()
    }

    #[test]
    fn a_host_gets_a_quarter_of_the_slots_and_leaves_the_others_theirs() {
        let (slots, hanging, well) = (Slots::of(16), host("hanging.example"), host("well.example"));
        let held: Vec<_> = (0..4).map(|_| slots.take(&hanging).unwrap()).collect();
        assert!(slots.take(&hanging).is_none());
        assert!(slots.take(&well).is_some());
        drop(held);
        assert!(slots.take(&hanging).is_some());
        assert!(slots.taken().is_empty(), "what is free is forgotten");
    }

    #[test]
    fn every_host_gets_a_call_at_a_time() {
        let (slots, host) = (Slots::of(1), host("a.example"));
        let held = slots.take(&host);
        assert!(held.is_some() && slots.take(&host).is_none());
    }
}
