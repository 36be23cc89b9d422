//! A request as people read it: in parts, as HTTP, and as curl.

use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::protocol::{
    dialect::{Applied, title_case},
    wire::WireRequest,
};

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Named {
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// Where a caller's request goes when the definition doesn't say (RFC 6761 §6.4).
const NOWHERE: &str = "https://api.invalid/";

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Shown {
    /// The HTTP method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers, but for those of the transport.
    pub headers: Vec<Named>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// All of it as HTTP/1.1.
    pub http: String,
    /// All of it as a command of a shell.
    pub curl: String,
}

impl Shown {
    /// A request that is sent.
    pub(super) fn request(wire: &WireRequest) -> Self {
        let headers = wire.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            Named::new(&title_case(name), &value)
        });
        let body = String::from_utf8_lossy(wire.body.expose());
        Self::new(
            wire.method.as_str(),
            &wire.url,
            headers.collect(),
            body.into_owned(),
        )
    }

    /// A link that a browser opens.
    pub(super) fn link(url: &Url) -> Self {
        Self::new("GET", url, Vec::new(), String::new())
    }

    /// A caller's own request; where the API is unknown, at a host that doesn't exist.
    ///
    /// # Errors
    /// The base URL is none.
    pub(super) fn applied(applied: &Applied) -> Result<Self, url::ParseError> {
        let mut url = Url::parse(applied.base_url.as_deref().unwrap_or(NOWHERE))?;
        if !applied.query.is_empty() {
            let pairs = applied
                .query
                .iter()
                .map(|(name, value)| (name, value.expose()));
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let mut headers: Vec<_> = applied
            .headers
            .iter()
            .map(|(name, value)| Named::new(name, value.expose()))
            .collect();
        let pairs = applied
            .body
            .iter()
            .map(|(name, value)| (name, value.expose()));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let method = if body.is_empty() { "GET" } else { "POST" };
        if !body.is_empty() {
            let kind = "application/x-www-form-urlencoded";
            headers.push(Named::new("Content-Type", kind));
        }
        Ok(Self::new(method, &url, headers, body))
    }

    fn new(method: &str, url: &Url, headers: Vec<Named>, body: String) -> Self {
        Self {
            http: http(method, url, &headers, &body),
            curl: curl(method, url, &headers, &body),
            method: method.to_owned(),
            url: url.as_str().to_owned(),
            headers,
            body: (!body.is_empty()).then_some(body),
        }
    }
}

fn http(method: &str, url: &Url, headers: &[Named], body: &str) -> String {
    let query = url
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    let mut text = format!(
        "{method} {}{query} HTTP/1.1\nHost: {host}{port}\n",
        url.path()
    );
    for header in headers {
        text.push_str(&format!("{}: {}\n", header.name, header.value));
    }
    if !body.is_empty() {
        text.push_str(&format!("\n{body}\n"));
    }
    text
}

fn curl(method: &str, url: &Url, headers: &[Named], body: &str) -> String {
    let mut text = "curl".to_owned();
    if method != "GET" || !body.is_empty() {
        text.push_str(&format!(" -X {method}"));
    }
    text.push_str(&format!(" {}", quoted(url.as_str())));
    for header in headers {
        let header = format!("{}: {}", header.name, header.value);
        text.push_str(&format!(" \\\n  -H {}", quoted(&header)));
    }
    if !body.is_empty() {
        text.push_str(&format!(" \\\n  --data-raw {}", quoted(body)));
    }
    text
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
