//! The queue: work that is handed to the refresher's workers, now or a little later.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::message::Message;

/// The longest that a message waits.
pub const LONGEST_DELAY: Duration = Duration::from_mins(15);
/// The largest message, in bytes of its text.
pub const LARGEST_MESSAGE: usize = 256 * 1024;
/// How many messages it takes at once, at the price of one.
pub const POSTINGS_AT_ONCE: usize = 10;

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub struct Posting {
    /// The message.
    pub message: Message,
    /// How long it waits before a worker is given it. More than [`LONGEST_DELAY`] is cut to that:
    /// who comes early finds nothing to do.
    pub delay: Duration,
}

impl Posting {
    /// A message for the next worker that is free.
    #[must_use]
    pub fn now(message: Message) -> Self {
        Self {
            message,
            delay: Duration::ZERO,
        }
    }
}

/// Why messages were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The queue did not take so many of the messages; it took the others.
    #[error("the queue did not take {untaken} messages: {why}")]
    Unavailable {
        /// How many.
        untaken: usize,
        /// Why, in a word or two; never what was sent.
        why: String,
    },
    /// A message is larger than [`LARGEST_MESSAGE`]. None was sent.
    #[error("a message is too large for the queue")]
    TooLarge,
}

/// Hands messages to workers.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages. Each is delivered at least once, in any order, until a worker has said that
    /// it is done with it.
    ///
    /// # Errors
    /// [`QueueError`] if not all were taken. The same call may be made again: a message that comes
    /// twice does no harm.
    async fn send(&self, postings: &[Posting]) -> Result<(), QueueError>;
}
