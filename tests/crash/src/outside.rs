//! What a process tells whoever watches it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whoever watches a process. Each call returns when what is told has been heard, and not at all if
/// the process is killed there.
pub trait Outside: Send + Sync {
    /// The process has come to a point.
    fn reach(&self, point: &str);

    /// It waits for so long, which is a point too.
    fn sleep(&self, span: Duration);

    /// It publishes an event of this name.
    fn publish(&self, event: &str);

    /// It hands a message to the queue.
    fn post(&self, delay: Duration, text: &str);
}

/// The same, as a line that a process writes. Each is answered with a line, if at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Line {
    /// See [`Outside::reach`].
    Reach(String),
    /// See [`Outside::sleep`].
    Sleep(Duration),
    /// See [`Outside::publish`].
    Publish(String),
    /// See [`Outside::post`].
    Post(Duration, String),
    /// The process has come to its end, and this came of it.
    End(String),
}
