//! The body of a request, which knows when it leaves.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use latchkey_core::model::Secret;

/// Whether any byte of a request may have left.
#[derive(Debug, Clone)]
pub(crate) struct Departure(Arc<AtomicBool>);

impl Departure {
    /// Whether the provider may have seen something of the request.
    pub(crate) fn may_have_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A body that notes when it is asked for.
///
/// hyper encodes a request's head into a buffer, asks for the body in the same turn, and only then
/// writes to the socket. So as long as the body has not been asked for, no byte has left. (A head
/// larger than hyper's buffer of about 400 KiB would be written first; the limits on definitions
/// and values keep ours far below.) It is handed out once and can't be cloned, so that it can't be
/// sent twice either.
pub(crate) struct DepartingBody {
    content: Option<Bytes>,
    departure: Departure,
}

impl DepartingBody {
    /// Wraps `content`, and returns the sign of its departure.
    ///
    /// hyper never asks for an empty body, so a request without one counts as departed from the
    /// start: better a doubt too many than one too few.
    pub(crate) fn new(content: Secret<Vec<u8>>) -> (Self, Departure) {
        let is_empty = content.expose().is_empty();
        let departure = Departure(Arc::new(AtomicBool::new(is_empty)));
        let body = Self {
            content: (!is_empty).then(|| Bytes::from_owner(Zeroised(content))),
            departure: departure.clone(),
        };
        (body, departure)
    }
}

impl Body for DepartingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.departure.0.store(true, Ordering::Release);
        Poll::Ready(self.content.take().map(|content| Ok(Frame::data(content))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.content.as_ref().map_or(0, Bytes::len);
        u64::try_from(length).map_or_else(|_| SizeHint::default(), SizeHint::with_exact)
    }
}

/// Lends the secret's bytes to the client without a copy; they are zeroised when it is done.
struct Zeroised(Secret<Vec<u8>>);

impl AsRef<[u8]> for Zeroised {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}
