//! Values of headers.

use http::{HeaderName, HeaderValue};

use super::dialect::DialectError;

/// A text as the value of a header (RFC 9110 §5.5).
///
/// # Errors
/// [`DialectError::Header`] if it has a control character: a line break would begin another header, and the rest, TAB
/// among them, some recipients take for one.
pub(super) fn value(name: &HeaderName, text: &str) -> Result<HeaderValue, DialectError> {
    HeaderValue::from_str(text)
        .ok()
        .filter(|_| !text.contains(char::is_control))
        .ok_or_else(|| DialectError::Header(name.clone()))
}
