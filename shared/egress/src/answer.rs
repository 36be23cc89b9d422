//! Reading a bounded answer.

use std::time::Duration;

use latchkey_core::port::{InDoubt, SendError, WireAnswer};
use reqwest::Response;

use crate::destination::Reach;

/// The most bytes that a body may have: 256 KiB.
///
/// A worker has tens of calls under way, and all of their bodies may be this large at once. An item of
/// the store takes no more than 400 KB, so that nothing larger could be kept anyway.
pub(crate) const MOST_BYTES: usize = 256 << 10;

/// Reads all of `response`; `round_trip` is left at zero for the caller to fill in.
///
/// # Errors
/// All are [`SendError::InDoubt`], since the request has been seen: `TooLarge` as soon as the length
/// is known to pass [`MOST_BYTES`], `Lost` if the connection ends early, or if the answer came from
/// an address that `reach` does not admit (which the resolver rules out; it is checked all the
/// same, so that a mistake there can't show anyone an inner service's answer).
pub(crate) async fn read(mut response: Response, reach: Reach) -> Result<WireAnswer, SendError> {
    let address = response.remote_addr().map(|socket| socket.ip());
    if !address.is_some_and(|address| reach.admits(address)) {
        tracing::error!("an answer came from an address that should have been refused");
        return Err(SendError::InDoubt(InDoubt::Lost));
    }
    let body = read_body(&mut response).await?;
    Ok(WireAnswer {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body: body.into(),
        round_trip: Duration::ZERO,
    })
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, SendError> {
    let announced = match response.content_length().map(usize::try_from) {
        None => 0,
        Some(Ok(length)) if length <= MOST_BYTES => length,
        Some(Ok(_) | Err(_)) => return Err(SendError::InDoubt(InDoubt::TooLarge)),
    };
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|_| LOST)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(SendError::InDoubt(InDoubt::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

const LOST: SendError = SendError::InDoubt(InDoubt::Lost);
