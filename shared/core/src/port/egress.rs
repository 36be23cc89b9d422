//! Sending a request to a provider.

use async_trait::async_trait;

pub use crate::protocol::wire::{WireAnswer, WireRequest};

/// Why there is no answer. What matters is whether the provider may have acted on the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Our own rules refused the destination; nothing was sent and nothing will be.
    #[error("the destination was refused: {0}")]
    Refused(Refusal),
    /// No connection came about (name, TCP, TLS): the provider has not seen the request.
    #[error("the provider could not be reached: {0}")]
    NotSent(NotSent),
    /// The request was on its way when the call failed: the provider may have acted on it.
    #[error("the provider's answer was lost: {0}")]
    InDoubt(InDoubt),
}

/// A rule of the egress that a destination broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only `https` is allowed (plain `http` to loopback in local mode).
    #[error("only https is allowed")]
    Scheme,
    /// The address, literal or resolved, is private, loopback, link-local, metadata or otherwise special.
    #[error("the address is not a public one")]
    Address,
    /// The URL carries a user name or password.
    #[error("the URL carries user information")]
    UserInformation,
}

/// How far a request came that was never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The name did not resolve.
    #[error("its name did not resolve")]
    Name,
    /// No TCP connection, or no TLS session, within the limit.
    #[error("no connection could be made")]
    Connection,
    /// The server's certificate is none that is trusted for its name.
    #[error("its certificate is not trusted")]
    Trust,
}

/// How an answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InDoubt {
    /// The hard limit passed.
    #[error("it took longer than the limit")]
    TimedOut,
    /// The connection ended before the answer was whole.
    #[error("the connection was lost")]
    Lost,
    /// The body was larger than 256 KiB; what came with it was read no further.
    #[error("it was larger than 256 KiB")]
    TooLarge,
}

/// The one way out to providers.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Sends `request` once and reads the whole answer.
    ///
    /// Never retries, follows no redirect, obeys no proxy. Names are resolved once; every address
    /// that is connected to has passed the address rules.
    ///
    /// # Errors
    /// [`SendError`] says whether the provider may have seen the request.
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError>;
}
