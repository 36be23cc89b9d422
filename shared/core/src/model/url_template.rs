//! A URL with holes, whose meaning no value can change.
//!
//! # Why
//! A value typed by a user ends up in a URL that is sent a client secret. `..`, `@`, `#`, `\`, a
//! dot too many or a line break must not turn it into another URL.
//!
//! # How it works
//! The scheme is literal. Where a hole lands decides what its value may be: in the host, host
//! labels; in the path, one percent-encoded segment or a part of one; in the query, form-encoded.
//! After filling, the URL is parsed again and must be, part by part, what the template says.

mod parts;

use url::Url;

use self::parts::Parts;
use super::template::{Piece, Pipe, Reference, Template, TemplateError, Unfilled, Values};

/// Why a text is not a URL template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlTemplateError {
    /// It is not a template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// It does not begin with `https://`, or a hole for scheme, host and path.
    #[error(
        "it must begin with 'https://' ('http://' only to this machine itself), or with a variable of the type 'url'"
    )]
    Scheme,
    /// Its host is missing or holds something that a host can't.
    #[error("its host is not a host name")]
    Host,
    /// It carries a user name or password.
    #[error("it must not carry user information")]
    UserInformation,
    /// It has a fragment.
    #[error("it must not have a fragment")]
    Fragment,
    /// Its path or query holds something that must be percent-encoded.
    #[error("its path or query is not a valid one: percent-encode it")]
    Path,
}

/// Why a URL could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// A hole can't be filled.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// A value can't stand where its hole is.
    #[error("a value{0} can't stand in this place of a URL")]
    Value(Named),
    /// The values together make another URL than the template means.
    #[error("the values make another URL than the template means")]
    Changed,
}

/// A parsed URL template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    /// A hole for scheme, host and the beginning of the path, in place of scheme, host and port.
    base: Option<Pipe>,
    scheme: &'static str,
    host: Vec<Piece>,
    /// `:` and digits, or nothing.
    port: Box<str>,
    path: Vec<Piece>,
    /// With its question mark; empty for no query.
    query: Vec<Piece>,
    /// Without its hash sign; a route of an application in the browser.
    fragment: Box<str>,
}

/// The name of a value, where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named(Option<Reference>);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(reference) => write!(f, " of '{reference}'"),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Path,
    Query,
}

impl UrlTemplate {
    /// Parses a text as a URL with holes.
    ///
    /// # Errors
    /// [`UrlTemplateError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlTemplateError> {
        let (scheme, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => ("https", rest),
            (None, Some(rest)) => ("http", rest),
            (None, None) if text.starts_with("{{") => ("", text),
            (None, None) => return Err(UrlTemplateError::Scheme),
        };
        let parsed = Template::parse(rest)?;
        let mut pieces = parsed.pieces();
        let mut base = None;
        if let (true, [Piece::Hole(pipe), rest @ ..]) = (scheme.is_empty(), pieces) {
            let continues = rest.first().is_none_or(
                |piece| matches!(piece, Piece::Literal(text) if text.starts_with(['/', '?'])),
            );
            if !continues {
                return Err(UrlTemplateError::Host);
            }
            (base, pieces) = (Some(pipe.clone()), rest);
        }
        let mut parts = Parts {
            part: base.is_some().then_some(Part::Path),
            ..Parts::default()
        };
        for piece in pieces {
            match piece {
                Piece::Hole(_) => parts.push(piece.clone()),
                Piece::Literal(literal) => parts.literal(literal)?,
            }
        }
        let template = Self {
            base,
            scheme,
            host: parts.host,
            port: parts.port.into(),
            path: parts.path,
            query: parts.query,
            fragment: Box::default(),
        };
        template.check(scheme == "http")?;
        Ok(template)
    }

    /// Parses the URL of an application that routes in the fragment: `https://app.example/#/route`.
    /// Other URLs are parsed as ever.
    ///
    /// # Errors
    /// [`UrlTemplateError`] says what is wrong with it.
    pub fn parse_routed(text: &str) -> Result<Self, UrlTemplateError> {
        let Some((url, route)) = text.split_once('#') else {
            return Self::parse(text);
        };
        if route.contains("{{") || route.contains('?') {
            return Err(UrlTemplateError::Fragment);
        }
        Ok(Self {
            fragment: route.into(),
            ..Self::parse(url)?
        })
    }

    /// The route in the fragment, if there is one.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        (!self.fragment.is_empty()).then_some(&*self.fragment)
    }

    /// What stands for scheme, host and the beginning of the path.
    pub fn base_references(&self) -> impl Iterator<Item = &Reference> {
        self.base.iter().flat_map(Pipe::references)
    }

    /// What stands in the host.
    pub fn host_references(&self) -> impl Iterator<Item = &Reference> {
        self.base_references().chain(references(&self.host))
    }

    /// Its holes.
    pub fn pipes(&self) -> impl Iterator<Item = &Pipe> {
        self.base
            .iter()
            .chain(pipes(&self.host))
            .chain(pipes(&self.path))
            .chain(pipes(&self.query))
    }

    /// What all holes name.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.pipes().flat_map(Pipe::references)
    }

    /// The host, if no hole is in it.
    #[must_use]
    pub fn literal_host(&self) -> Option<&str> {
        match self.host.as_slice() {
            [Piece::Literal(host)] => Some(host),
            _ => None,
        }
    }

    /// Fills every hole.
    ///
    /// # Errors
    /// [`FillError`] if a value is missing or would change what the URL means.
    pub fn fill(&self, values: &dyn Values) -> Result<Url, FillError> {
        let mut path = fill(&self.path, values, Part::Path)?;
        let query = fill(&self.query, values, Part::Query)?;
        if let Some(base) = &self.base {
            let value = base.fill(values)?;
            let base = Base::parse(&value).ok_or_else(|| value_error(base))?;
            path.insert_str(0, &base.path);
            return parsed(base.scheme, &base.host, &base.port, &path, &query)
                .ok_or(FillError::Changed);
        }
        let host = fill(&self.host, values, Part::Host)?.to_ascii_lowercase();
        // Values that fit alone may be too long together.
        let too_long =
            host.len() > LONGEST_HOST || host.split('.').any(|it| it.len() > LONGEST_LABEL);
        if self.literal_host().is_none() && too_long {
            return Err(FillError::Changed);
        }
        parsed(self.scheme, &host, &self.port, &path, &query).ok_or(FillError::Changed)
    }

    /// Checks the literal parts by filling all holes with a letter.
    fn check(&self, plain_http: bool) -> Result<(), UrlTemplateError> {
        struct Letter;
        impl Values for Letter {
            fn value(&self, _: &Reference) -> Option<std::borrow::Cow<'_, str>> {
                Some("a".into())
            }
        }
        // Functions may refuse the letter; what they make is checked when they are filled.
        let called = self.pipes().any(|pipe| pipe.plain().is_none());
        if plain_http && !self.literal_host().is_some_and(is_this_machine) {
            return Err(UrlTemplateError::Scheme);
        }
        if self.base.is_some() {
            return Ok(());
        }
        if called {
            return self.check_literals();
        }
        let host = fill(&self.host, &Letter, Part::Host).map_err(|_| UrlTemplateError::Host)?;
        let host = host.to_ascii_lowercase();
        if parsed(self.scheme, &host, &self.port, "/", "").is_none() {
            return Err(UrlTemplateError::Host);
        }
        self.fill(&Letter)
            .map(drop)
            .map_err(|_| UrlTemplateError::Path)
    }

    /// The same for a URL with functions: each stands for a letter.
    fn check_literals(&self) -> Result<(), UrlTemplateError> {
        let plain = |pieces: &[Piece]| {
            let texts = pieces.iter().map(|piece| match piece {
                Piece::Literal(text) => text,
                Piece::Hole(_) => "a",
            });
            texts.collect::<String>()
        };
        let host = plain(&self.host).to_ascii_lowercase();
        if parsed(self.scheme, &host, &self.port, "/", "").is_none() {
            return Err(UrlTemplateError::Host);
        }
        let (path, query) = (plain(&self.path), plain(&self.query));
        parsed(self.scheme, &host, &self.port, &path, &query)
            .map(drop)
            .ok_or(UrlTemplateError::Path)
    }
}

/// Parses the parts put together, and gives the URL only if it has just these parts, and is one by RFC 3986 too: other
/// parsers than this one must not read it otherwise.
fn parsed(scheme: &str, host: &str, port: &str, path: &str, query: &str) -> Option<Url> {
    let path = if path.is_empty() { "/" } else { path };
    if !is_written_out(path, b"/") || !is_written_out(query, b"/?") {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{host}{port}{path}{query}")).ok()?;
    let port = port
        .strip_prefix(':')
        .map(str::parse::<u16>)
        .transpose()
        .ok()?;
    let same = url.scheme() == scheme
        && url.host_str() == Some(host)
        && port.is_none_or(|port| url.port_or_known_default() == Some(port))
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == path
        && url.query().unwrap_or("") == query.strip_prefix('?').unwrap_or("")
        && url.fragment().is_none();
    same.then_some(url)
}

/// Whether a text has only what paths may have (`pchar`, RFC 3986 §3.3), and `further` bytes.
fn is_written_out(text: &str, further: &[u8]) -> bool {
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                after
            }
            (byte, _) if byte.is_ascii_alphanumeric() || PATH_MARKS.contains(byte) => after,
            (byte, _) if further.contains(byte) => after,
            _ => return false,
        };
    }
    true
}

/// The marks that may stand in a path without being encoded.
const PATH_MARKS: &[u8] = b"-._~!$&'()*+,;=:@";

/// What a value for scheme, host and path says.
struct Base {
    scheme: &'static str,
    host: String,
    port: String,
    /// Without a slash at its end.
    path: String,
}

impl Base {
    /// A value must already be written as it will be read: nothing in it is dropped or made right.
    fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = match (
            value.strip_prefix("https://"),
            value.strip_prefix("http://"),
        ) {
            (Some(rest), _) => ("https", rest),
            (None, Some(rest)) => ("http", rest),
            (None, None) => return None,
        };
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, format!(":{}", port.parse::<u16>().ok()?)),
            None => (authority, String::new()),
        };
        let plain_http = scheme == "http" && !is_this_machine(host);
        let path = path.trim_end_matches('/');
        if plain_http || !is_host_labels(host) {
            return None;
        }
        let host = host.to_ascii_lowercase();
        parsed(scheme, &host, &port, path, "").map(|_| Self {
            scheme,
            host,
            port,
            path: path.to_owned(),
        })
    }
}

fn pipes(pieces: &[Piece]) -> impl Iterator<Item = &Pipe> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Hole(pipe) => Some(pipe),
        Piece::Literal(_) => None,
    })
}

fn references(pieces: &[Piece]) -> impl Iterator<Item = &Reference> {
    pipes(pieces).flat_map(Pipe::references)
}

fn fill(pieces: &[Piece], values: &dyn Values, part: Part) -> Result<String, FillError> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Hole(pipe) => {
                let value = pipe.fill(values)?;
                text.push_str(&escaped(&value, part).ok_or_else(|| value_error(pipe))?);
            }
        }
    }
    Ok(text)
}

fn value_error(pipe: &Pipe) -> FillError {
    FillError::Value(Named(pipe.plain().cloned()))
}

/// The value as it may stand in `part`, or `None` if it can't stand there at all.
fn escaped(value: &str, part: Part) -> Option<String> {
    match part {
        Part::Host => is_host_labels(value).then(|| value.to_owned()),
        Part::Path => (!value.is_empty() && value != "." && value != "..")
            .then(|| percent_encoding::utf8_percent_encode(value, UNRESERVED_ONLY).to_string()),
        Part::Query => Some(url::form_urlencoded::byte_serialize(value.as_bytes()).collect()),
    }
}

/// Everything but the unreserved characters (RFC 3986 §2.3).
const UNRESERVED_ONLY: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The longest host, in bytes (RFC 1035 §2.3.4, without the dot at its end).
const LONGEST_HOST: usize = 253;
/// The longest label of a host, in bytes.
const LONGEST_LABEL: usize = 63;

/// The host of an `https` or `http` URL, if it is a name that every parser finds: there is no user information, and no
/// backslash, which some take for a slash.
#[must_use]
pub fn host_as_written(url: &str) -> Option<String> {
    let parsed = Url::parse(url).ok()?;
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\', '@']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(end)?;
    let (host, _) = authority.split_once(':').unwrap_or((authority, ""));
    let host = host.to_ascii_lowercase();
    let same = matches!(parsed.scheme(), "https" | "http")
        && !after.starts_with(['\\', '@'])
        && is_host_labels(&host)
        && parsed.host_str() == Some(&*host);
    same.then_some(host)
}

/// Whether `text` is one or more host labels (RFC 1123 §2.1).
#[must_use]
pub fn is_host_labels(text: &str) -> bool {
    text.len() <= LONGEST_HOST
        && text.split('.').all(|label| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// Whether a literal host is the machine that we run on; the one place where plain HTTP is thinkable.
fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests;
