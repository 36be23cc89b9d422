//! Who says what a URL means: the parser that the service uses, and one that others wrote after RFC 3986 to the letter.

use iri_string::types::UriStr;
use url::Url;

/// What two parsers agree that a URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As written.
    pub(crate) segments: Vec<String>,
    /// As written.
    pub(crate) query: Option<String>,
    /// As written.
    pub(crate) fragment: Option<String>,
}

/// Reads a URL with both parsers.
///
/// # Errors
/// What they don't agree on, or why one of them refuses it.
pub(crate) fn meaning(text: &str) -> Result<Meaning, String> {
    let (ours, theirs) = (lenient(text)?, strict(text)?);
    if ours == theirs {
        Ok(ours)
    } else {
        Err(format!("one parser reads {ours:?}, the other {theirs:?}"))
    }
}

/// As the service reads it (WHATWG URL).
fn lenient(text: &str) -> Result<Meaning, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has user information".to_owned());
    }
    let segments = url.path_segments().ok_or("it has no path")?;
    Ok(Meaning {
        scheme: url.scheme().to_owned(),
        host: url.host_str().ok_or("it has no host")?.to_owned(),
        port: url.port_or_known_default().ok_or("it has no port")?,
        segments: segments.map(str::to_owned).collect(),
        query: url.query().map(str::to_owned),
        fragment: url.fragment().map(str::to_owned),
    })
}

/// As RFC 3986 reads it.
fn strict(text: &str) -> Result<Meaning, String> {
    let uri = UriStr::new(text).map_err(|error| error.to_string())?;
    let authority = uri.authority_components().ok_or("it has no authority")?;
    if authority.userinfo().is_some() {
        return Err("it has user information".to_owned());
    }
    let usual = match uri.scheme_str() {
        "https" => 443,
        "http" => 80,
        other => return Err(format!("its scheme is {other}")),
    };
    let port = authority.port().map(str::parse).transpose();
    let path = uri.path_str();
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err("it has a dot segment".to_owned());
    }
    let segments = path.strip_prefix('/').ok_or("it has no path")?;
    Ok(Meaning {
        scheme: uri.scheme_str().to_owned(),
        host: authority.host().to_owned(),
        port: port.map_err(|_| "its port is no port")?.unwrap_or(usual),
        segments: segments.split('/').map(str::to_owned).collect(),
        query: uri.query_str().map(str::to_owned),
        fragment: uri.fragment().map(|fragment| fragment.as_str().to_owned()),
    })
}

/// Percent-decoding alone, to the byte.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// A form or a query, decoded: names and values, in order.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}
