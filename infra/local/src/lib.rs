//! The whole of Latchkey in one process, on a laptop.
//!
//! The very routers and handlers that run on Lambda are mounted on one port, over a DynamoDB engine
//! in the process with one data file, with a key file for a keyring, with the sweep on a schedule, and
//! with a queue in memory.

mod command;
mod demo;
mod events;
mod functions;
mod gateway;
mod options;
pub mod print;
mod queue;
mod schedule;
mod secrets;
mod server;
mod start_error;
mod state;
mod store;

pub use command::{
    Command, CommandError, CommandLine, Export, Import, Instances, Lint, Preview, Vault,
};
pub use demo::Demo;
pub use gateway::openapi;
pub use options::{Options, Sweeping, Switch};
pub use secrets::secrets;
pub use server::Server;
pub use start_error::StartError;
