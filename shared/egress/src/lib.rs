//! Latchkey's only door to the internet, and the only user of reqwest.
//!
//! # Why
//!
//! Whatever leaves here carries a client secret, an authorisation code or a refresh token, to a URL
//! that a builder wrote and an end user may have filled in. Two things must not happen. The
//! request must not go anywhere but to a public `https` server: not to the machine itself, not to
//! the network that it runs in, not to the cloud's metadata service. And it must not go out twice:
//! a refresh token may be usable once, so whoever sends it again, or gives up while it is on its
//! way, loses somebody's connection (`refresh.md`, rules 1 and 7). An HTTP client's defaults break
//! both: reqwest re-sends the body of a 307 to another host, obeys `HTTP_PROXY`, tries again when it
//! thinks that it may, and never shows a host that is an IP literal to the resolver that it was given.
//!
//! # How it works
//!
//! [`ReqwestEgress`] is the [`Egress`](latchkey_core::port::Egress) port over one client, which
//! is kept for as long as the process lives. A request passes five stages:
//!
//! 1. `destination` looks at the URL. Only `https` passes, without user information. A host that is
//!    an IP literal is classified here, since it would never reach a resolver; the `url` crate has
//!    by then turned spellings like `2130706433` and `0x7f.1` into the addresses that they are.
//!    With [`Loopback::Allowed`], and only then, `http` and `https` may go to `127.0.0.0/8`, `::1` and
//!    the name `localhost`.
//! 2. `resolver` asks for the addresses of a name, once for each connection, and classifies all of
//!    them against the registries in `address`. One special address among them refuses the name.
//!    The client connects to these very addresses: there is no second look-up that could say
//!    something else.
//! 3. `headers` takes out what would steer the connection. `client` is configured to follow nothing,
//!    obey no proxy, remember no cookie, decompress nothing and repeat nothing. Its TLS is rustls on
//!    ring with the roots of `webpki-roots`: the machine's own certificates are not read.
//! 4. `body` notes the moment at which the request begins to be written. That tells a failure
//!    before it (the provider has not seen the request) from one after it (it may have acted).
//! 5. `answer` checks the address that the answer came from and reads at most 256 KiB of it.
//!
//! The request's limit is laid around all five, so that an answer in slow drops is cut as well.
//! What goes wrong comes out as a [`SendError`](latchkey_core::port::SendError), which holds no
//! text from the client, the URL or the provider; the one log event of a call has the host, the
//! status or the error, and the duration.

mod address;
mod answer;
mod body;
mod client;
mod destination;
mod egress;
mod failure;
mod headers;
mod resolver;
mod settings;
#[cfg(test)]
mod tests;

pub use client::SetUpError;
pub use egress::ReqwestEgress;
pub use settings::{EgressSettings, Loopback};
