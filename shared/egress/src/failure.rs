//! What a client's error says about the request.

use std::{error::Error, io};

use latchkey_core::port::{InDoubt, NotSent, Refusal, SendError};

use crate::{body::Departure, resolver::Unresolved};

/// Classifies the error of a call that got no answer.
///
/// The error itself goes no further: its text holds the URL, and may hold more.
pub(crate) fn classify(error: &reqwest::Error, departure: &Departure) -> SendError {
    if let Some(unresolved) = find_unresolved(error) {
        return match unresolved {
            Unresolved::Forbidden => SendError::Refused(Refusal::Address),
            Unresolved::NotFound => SendError::NotSent(NotSent::Name),
        };
    }
    if is_untrusted(error) {
        return SendError::NotSent(NotSent::Trust);
    }
    // A request that reqwest could not even put together went nowhere.
    if error.is_connect() || error.is_builder() {
        return SendError::NotSent(NotSent::Connection);
    }
    cut_off(departure, InDoubt::Lost)
}

/// What a call that ended before its answer leaves: a doubt, if the request may be on its way.
pub(crate) fn cut_off(departure: &Departure, doubt: InDoubt) -> SendError {
    if departure.may_have_begun() {
        SendError::InDoubt(doubt)
    } else {
        SendError::NotSent(NotSent::Connection)
    }
}

/// Whether a handshake ended because the server's certificate is not one to trust.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        // An I/O error's source is that of the error inside it, which may be the one.
        let mut inner = error;
        while let Some(wrapped) = inner
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            inner = wrapped;
        }
        if let Some(rustls::Error::InvalidCertificate(_)) = inner.downcast_ref() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn find_unresolved(error: &reqwest::Error) -> Option<Unresolved> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(unresolved) = error.downcast_ref() {
            return Some(*unresolved);
        }
        cause = error.source();
    }
    None
}
