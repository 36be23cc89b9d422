//! What goes to a provider, and what comes back.

use std::{fmt, time::Duration};

use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::model::Secret;

/// A request as it goes on the wire to a provider.
///
/// Header values that carry secrets are marked sensitive ([`http::HeaderValue::set_sensitive`]).
#[derive(Clone)]
pub struct WireRequest {
    /// The HTTP method.
    pub method: Method,
    /// The absolute URL, without user information or fragment.
    pub url: Url,
    /// All headers but `Host` and `Content-Length`.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Secret<Vec<u8>>,
    /// The hard limit of the whole call, connecting and reading the body included.
    pub limit: Duration,
}

/// What a provider answered: any status is an answer, a redirect too.
#[derive(Clone)]
pub struct WireAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as received; at most 256 KiB.
    pub body: Secret<Vec<u8>>,
    /// From the first byte asked to the last byte read.
    pub round_trip: Duration,
}

/// Names where it goes; paths, queries and headers may hold what nobody should read.
impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str();
        f.debug_struct("WireRequest")
            .field("method", &self.method)
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

/// Says how it went; headers and body are the provider's.
impl fmt::Debug for WireAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.expose().len();
        f.debug_struct("WireAnswer")
            .field("status", &self.status)
            .field("bytes", &body)
            .finish_non_exhaustive()
    }
}
