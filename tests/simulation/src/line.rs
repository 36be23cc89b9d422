//! The line between a flow and what it calls: where calls take time, get lost, and are counted.

use std::collections::BTreeMap;

use async_trait::async_trait;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// An instance is read.
    ReadInstance,
    /// An instance is written.
    WriteInstance,
    /// A page of a shard of the index of due instances is read.
    QueryDue,
    /// A page of a shard of the index of pending events is read.
    QueryEvents,
    /// A pending event is read or forgotten.
    Event,
    /// An auth method is read.
    ReadMethod,
    /// The health of an auth method is written.
    WriteHealth,
    /// A breaker is read.
    ReadHost,
    /// A breaker is written.
    WriteHost,
    /// An authorisation is read or written.
    Authorisation,
    /// The secrets manager is read.
    ReadSecret,
    /// The secrets manager is written, one step of several.
    WriteSecret,
    /// The vault's keys are fetched.
    Keys,
    /// Messages are sent to the queue.
    Send,
    /// An event is published.
    Publish,
}

/// A call came to nothing, or its reply did not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// What lies between a flow and what it calls.
#[async_trait]
pub trait Line: Send + Sync {
    /// The call on its way out.
    ///
    /// # Errors
    /// [`Lost`] if it does not arrive: nothing happens.
    async fn out(&self, call: Call) -> Result<(), Lost>;

    /// The reply on its way back.
    ///
    /// # Errors
    /// [`Lost`] if it does not arrive: what was called for has happened.
    async fn back(&self, call: Call) -> Result<(), Lost>;

    /// Whether the client makes a call once more that has come to nothing, as far as it knows.
    fn tries_again(&self) -> bool {
        false
    }
}

/// A line on which nothing takes time or gets lost.
#[derive(Debug, Default)]
pub struct Direct {
    counted: std::sync::Mutex<BTreeMap<Call, u64>>,
}

impl Direct {
    /// How many calls there were since it was asked last.
    pub fn counted(&self) -> BTreeMap<Call, u64> {
        std::mem::take(&mut crate::timeline::lock(&self.counted))
    }
}

#[async_trait]
impl Line for Direct {
    async fn out(&self, call: Call) -> Result<(), Lost> {
        *crate::timeline::lock(&self.counted)
            .entry(call)
            .or_default() += 1;
        Ok(())
    }

    async fn back(&self, _: Call) -> Result<(), Lost> {
        Ok(())
    }
}
