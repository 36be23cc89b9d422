//! Providers that answer as no provider should, over real sockets.
//!
//! Each has a port of its own, so that each is a host of its own: what one of them does is counted
//! against no other. [`table()`] has what they answer, and what a refresh must make of it.

mod answers;
mod bodies;
mod framings;
mod headers;
mod provider;
mod silences;
mod statuses;
mod table;

pub use framings::bulky;
pub use provider::{Deed, Provider, Script};
pub use table::{Expected, Row, table};

/// The access token of a provider that is well again.
pub const WELL: &str = "well-again";

/// What a provider does that is well again.
#[must_use]
pub fn well() -> Script {
    let body = format!(r#"{{"access_token":"{WELL}","token_type":"Bearer","expires_in":3600}}"#);
    answers::with_headers(200, &["Connection: close"], body.as_bytes())
}

/// What is in every token of a hostile answer. It is a secret: no log has it.
pub const MARK: &str = "hush-hostile";

/// What every request here sends that nobody may see elsewhere: the refresh token and the client secret.
pub const SENT: [&str; 2] = [crate::fleet::REFRESH_TOKEN, crate::fleet::CLIENT_SECRET];
