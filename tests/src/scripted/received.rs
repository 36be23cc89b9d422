//! A request as it came.

use super::codec;

/// A request.
#[derive(Debug, Clone, Default)]
pub(super) struct Received {
    /// In lower case.
    pub(super) method: String,
    /// Scheme and authority of the original URL, in lower case.
    pub(super) origin: String,
    /// The path as written.
    pub(super) path: String,
    /// The query as written.
    pub(super) query: String,
    /// The fragment as written; only of an authorise URL.
    pub(super) fragment: Option<String>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Received {
    /// A visit to a URL.
    pub(super) fn visit(url: &str) -> Self {
        let (address, fragment) = match url.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment.to_owned())),
            None => (url, None),
        };
        let (address, query) = address.split_once('?').unwrap_or((address, ""));
        let (origin, path) = origin_and_path(address);
        Self {
            method: "get".to_owned(),
            origin,
            path,
            query: query.to_owned(),
            fragment,
            ..Self::default()
        }
    }

    /// The first header of a name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(present, _)| present == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The media type of the body.
    pub(super) fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let media_type = value.split(';').next().unwrap_or_default();
        Some(media_type.trim().to_ascii_lowercase())
    }

    /// Its URL as a text for people.
    pub(super) fn url(&self) -> String {
        let query = if self.query.is_empty() { "" } else { "?" };
        format!("{}{}{query}{}", self.origin, self.path, self.query)
    }
}

/// Parts the address of a URL.
pub(super) fn origin_and_path(address: &str) -> (String, String) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (
        normal_origin(&format!("{scheme}://{host}")),
        path.to_owned(),
    )
}

/// An origin in lower case, without the port that goes without saying.
pub(super) fn normal_origin(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let plain = origin
        .strip_suffix(":443")
        .filter(|_| origin.starts_with("https:"));
    plain.map(str::to_owned).unwrap_or(origin)
}

/// The segments of a path, decoded; an empty path is `/`.
pub(super) fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/').map(codec::percent_decode).collect()
}
