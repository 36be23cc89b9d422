//! Functions from text to text.

use url::Url;

use super::{FunctionError, LONGEST};

/// The characters of `text` from `start`, `length` of them at most.
pub(super) fn part(text: &str, start: &str, length: Option<&str>) -> Result<String, FunctionError> {
    let characters = text.chars().skip(number(start)?);
    Ok(match length {
        None => characters.collect(),
        Some(length) => characters.take(number(length)?).collect(),
    })
}

/// A number as it stands in a template: digits and nothing else.
pub(super) fn number(digits: &str) -> Result<usize, FunctionError> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FunctionError::Number);
    }
    digits.parse().map_err(|_| FunctionError::Number)
}

pub(super) fn replace(text: &str, from: &str, to: &str) -> Result<String, FunctionError> {
    if from.is_empty() {
        return Err(FunctionError::EmptyPattern);
    }
    // The length is known before the memory is asked for.
    let times = text.matches(from).count();
    room(text.len() - times * from.len(), times, to)?;
    Ok(text.replace(from, to))
}

pub(super) fn join(text: &str, separator: &str) -> Result<String, FunctionError> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    room(text.len(), parts.len(), separator)?;
    Ok(parts.join(separator))
}

/// Refuses a text of `length` bytes with `times` times `piece` in it that would be too long.
fn room(length: usize, times: usize, piece: &str) -> Result<(), FunctionError> {
    let total = length.saturating_add(times.saturating_mul(piece.len()));
    if total > LONGEST {
        return Err(FunctionError::TooLong);
    }
    Ok(())
}

/// The host of a URL as browsers write it: small letters, punycode, brackets around IPv6.
pub(super) fn host(text: &str) -> Result<String, FunctionError> {
    let url = Url::parse(text).map_err(|_| FunctionError::NoHost)?;
    url.host_str()
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
        .ok_or(FunctionError::NoHost)
}
