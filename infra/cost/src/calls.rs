//! What each step asks of AWS, in the units that AWS counts. `tests/tests/it/costing.rs` counts them.

/// An instance's item is no longer than this, in KiB: each write to it is so many write units.
pub const ITEM_KIB: f64 = 2.0;
/// Writes to the item: the lease, and the commit.
pub const WRITES: f64 = 2.0;
/// The commit moves the item in the index `due`: out of one place, and into another.
pub const INDEX_WRITES: f64 = 2.0;
/// The item is read once: at most 4 KiB.
pub const READS: f64 = 1.0;
/// With Secrets Manager: the item is pointed at the new version.
pub const POINTING_WRITES: f64 = 1.0;
/// With Secrets Manager: the old version is read, the new one is put, its stage is moved.
pub const SECRETS_CALLS: f64 = 3.0;
/// Shards of the index that a tick reads: of instances, and of events that nobody has published.
pub const SHARDS: f64 = 16.0 + 4.0;
/// Shards of instances.
pub const INSTANCE_SHARDS: f64 = 16.0;
/// A read that finds nothing counts as half a unit, since the index is read eventually consistent.
pub const IDLE_READ: f64 = 0.5;
/// Messages of the queue that one invocation gets, and that one request sends, receives or deletes.
pub const BATCH: f64 = 10.0;
/// Requests to the queue for a batch: sent, received, deleted.
pub const QUEUE_REQUESTS: f64 = 3.0;
/// How long an invocation takes for a batch whose provider takes 400 ms, in seconds.
pub const SECONDS: f64 = 0.5;
/// How long a function takes that asks nobody but AWS, in seconds.
pub const SHORT_SECONDS: f64 = 0.01;
/// Memory of a function, in GB (`template.yaml`).
pub const MEMORY_GB: f64 = 0.25;
/// What a batch writes to the log: its line and its metrics, and what Lambda and CloudWatch add, in bytes.
pub const BATCH_LOG_BYTES: f64 = 1_300.0;
/// What a request does, at the function or at the authorizer.
pub const REQUEST_LOG_BYTES: f64 = 900.0;
/// Metrics that are sent in every hour: `OldestDueAge` and `Refreshed`, and with Secrets Manager `VaultWrites`. What
/// goes wrong is sent when it does.
pub const METRICS: f64 = 3.0;
/// Alarms (`template.yaml`).
pub const ALARMS: f64 = 15.0;
