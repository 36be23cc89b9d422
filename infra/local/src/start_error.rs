//! Why the server does not start, and which flag helps.

use std::io;

use latchkey_core::port::StoreError;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory can't be used.
    #[error("the directory can't be used: {0}")]
    Directory(io::Error),
    /// The directory's name is not a text.
    #[error("the directory's name must be valid UTF-8")]
    DirectoryName,
    /// The data file can't be used.
    #[error("the data file can't be used: {0}")]
    DataFile(String),
    /// The key file can't be used.
    #[error("the key file can't be used: {0}")]
    KeyFile(String),
    /// A port can't be had.
    #[error("port {port} can't be had ({source}): choose another with {flag}")]
    Port {
        /// The port.
        port: u16,
        /// The flag that chooses another.
        flag: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The way out can't be made.
    #[error("the way out can't be made: {0}")]
    Egress(String),
    /// The demo can't be made.
    #[error("the demo can't be made: {0}")]
    Demo(String),
}
