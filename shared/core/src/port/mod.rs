//! The traits that flows need from the world, each with its contract.
//!
//! They are split by who needs them, so that what a function can't name it can't do, and its
//! permissions in AWS follow from its imports.

mod api_keys;
mod authorisations;
mod clock;
mod connectors;
mod egress;
mod entropy;
mod events;
mod healths;
mod hosts;
mod instances;
mod methods;
mod metrics;
mod outbox;
mod overview;
mod queue;
mod rehousing;
mod secrets;
mod sessions;
mod settings;
mod store;
mod upkeep;
mod vault;

pub use api_keys::{ApiKeys, EditApiKeys};
pub use authorisations::{Authorisations, BeginAuthorisations, Take};
pub use clock::Clock;
pub use connectors::Connectors;
pub use egress::{Egress, InDoubt, NotSent, Refusal, SendError, WireAnswer, WireRequest};
pub use entropy::Entropy;
pub use events::{Events, PublishError};
pub use healths::Healths;
pub use hosts::{Hosts, Turned};
pub use instances::{
    Commit, CommitLate, Committed, Condemn, Connect, Connected, Consents, Creation, Deletions, Due,
    DueInstance, DueInstances, Fail, HoldOff, Instances, KeepSpare, Leased, Leases, NewLease,
    NextLease, Point, PointInstances, Postpone, Promote, ReadInstances, Renew, SHARDS, Spares,
    Warn, Window, shard,
};
pub use methods::{EditMethods, MOST_METHODS, Methods};
pub use metrics::{Counted, Metrics, Uncounted};
pub use outbox::{EVENT_SHARDS, GRACE, Outbox};
pub use overview::Overview;
pub use queue::{LARGEST_MESSAGE, LONGEST_DELAY, POSTINGS_AT_ONCE, Posting, Queue, QueueError};
pub use rehousing::{RehouseInstances, RehouseMethods};
pub use secrets::{Kept, NewVersion, Secrets, SecretsError};
pub use sessions::Sessions;
pub use settings::{EditSettings, ReadSettings};
pub use store::{Change, Page, PageAsk, Removal, StoreError};
pub use upkeep::{Note, NoteUpkeep, Noted, Noting};
pub use vault::{Seal, Vault, VaultError};
