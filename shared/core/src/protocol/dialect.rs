//! The standard request, as this provider wants it.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use oauth2::HttpRequest;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{
    overlay::{Pairs, fill_all, lay, wire},
    wire::WireRequest,
};
use crate::model::{
    Secret,
    definition::BodyFormat,
    method::{Request, Use},
    template::{MissingValue, Values},
};

/// Why a request could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// A value is missing.
    #[error(transparent)]
    Missing(#[from] MissingValue),
    /// A header's value has characters that no header may have.
    #[error("the value of the header '{0}' has characters that no header may have")]
    Header(HeaderName),
}

/// Re-expresses a standard request.
///
/// `url` is where it goes, whatever the standard request says. `wired` names the built-in
/// parameters whose value is that of a default variable.
///
/// # Errors
/// [`DialectError`] if a value is missing or can't stand where it should.
pub fn express(
    standard: HttpRequest,
    request: &Request,
    url: Url,
    wired: &[(&str, &str)],
    values: &dyn Values,
    limit: Duration,
) -> Result<WireRequest, DialectError> {
    let (parts, standard_body) = standard.into_parts();
    let body = body(&standard_body, request, wired, values)?;
    let content_type = match request.format {
        BodyFormat::Form => "application/x-www-form-urlencoded",
        BodyFormat::Json => "application/json",
    };
    let mut headers = parts.headers;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in fill_all(&request.headers, values)? {
        let value =
            HeaderValue::from_str(&value).map_err(|_| DialectError::Header(name.clone()))?;
        headers.insert(name, value);
    }
    headers
        .values_mut()
        .for_each(|value| value.set_sensitive(true));
    Ok(WireRequest {
        method: parts.method,
        url: with_query(url, request, values)?,
        headers,
        body,
        limit,
    })
}

/// Some providers refuse requests without one.
const USER_AGENT: &str = concat!("latchkey/", env!("CARGO_PKG_VERSION"));

fn body(
    standard: &[u8],
    request: &Request,
    wired: &[(&str, &str)],
    values: &dyn Values,
) -> Result<Secret<Vec<u8>>, MissingValue> {
    let pairs: Pairs = form_urlencoded::parse(standard)
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let mut wanted = pairs.clone();
    for (name, variable) in wired {
        wire(&mut wanted, name, variable, values);
    }
    lay(&mut wanted, &request.body, values)?;
    let bytes = match request.format {
        // Nothing changed: byte for byte what the standard says.
        BodyFormat::Form if wanted == pairs => standard.to_vec(),
        BodyFormat::Form => form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&wanted)
            .finish()
            .into_bytes(),
        BodyFormat::Json => {
            let members = wanted
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)));
            Value::Object(members.collect()).to_string().into_bytes()
        }
    };
    Ok(Secret::new(bytes))
}

fn with_query(mut url: Url, request: &Request, values: &dyn Values) -> Result<Url, MissingValue> {
    if request.query.is_empty() {
        return Ok(url);
    }
    let mut pairs: Pairs = url
        .query_pairs()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    lay(&mut pairs, &request.query, values)?;
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(&pairs);
    }
    Ok(url)
}

/// What a caller puts on its own request.
#[derive(Debug)]
pub struct Applied {
    /// Headers.
    pub headers: Vec<(String, Secret)>,
    /// Query parameters.
    pub query: Vec<(String, Secret)>,
    /// Body parameters.
    pub body: Vec<(String, Secret)>,
}

/// Fills what a caller puts on its own request.
///
/// # Errors
/// A value is missing.
pub fn apply(credential: &Use, values: &dyn Values) -> Result<Applied, MissingValue> {
    let named = |(name, value): (Box<str>, String)| (name.into_string(), Secret::new(value));
    Ok(Applied {
        headers: fill_all(&credential.headers, values)?
            .into_iter()
            .map(|(name, value)| (title_case(&name), Secret::new(value)))
            .collect(),
        query: fill_all(&credential.query, values)?
            .into_iter()
            .map(named)
            .collect(),
        body: fill_all(&credential.body, values)?
            .into_iter()
            .map(named)
            .collect(),
    })
}

/// A header's name as people write it; names are case-insensitive (RFC 9110 §5.1).
fn title_case(name: &HeaderName) -> String {
    let mut upper = true;
    let cased = name.as_str().chars().map(|c| {
        let cased = if upper { c.to_ascii_uppercase() } else { c };
        upper = c == '-';
        cased
    });
    cased.collect()
}
