//! What the provider is told at its start.

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use url::Url;

/// Tells the time; a test's clock moves when the test says so.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The settings of a [`DemoProvider`](crate::DemoProvider).
#[derive(Clone)]
pub struct DemoSettings {
    /// The issuer (RFC 8414 §2): scheme, host and port at which the router is served, without a path.
    pub base_url: String,
    /// The id of the one client that is registered.
    pub client_id: String,
    /// The secret of that client.
    pub client_secret: String,
    /// Where people may be sent back to. An authorisation request must name one of them, character
    /// for character (RFC 9700 §2.1).
    pub redirect_uris: Vec<String>,
    /// How long an access token lives. [`DemoSettings::ACCESS_TOKEN_LIFETIME`] is a good choice.
    pub access_token_lifetime: Duration,
    /// What time it is.
    pub now: Clock,
    /// Where the tokens' hashes are kept over a restart, in a directory that exists; without it they
    /// end with the process.
    pub state_file: Option<PathBuf>,
}

impl DemoSettings {
    /// A minute: short enough that somebody who has just connected sees a refresh.
    pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(60);
}

impl fmt::Debug for DemoSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoSettings")
            .field("base_url", &self.base_url)
            .field("client_id", &self.client_id)
            .field("redirect_uris", &self.redirect_uris)
            .field("access_token_lifetime", &self.access_token_lifetime)
            .field("state_file", &self.state_file)
            .finish_non_exhaustive()
    }
}

/// Why a provider could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The base URL is not just a scheme, a host and perhaps a port.
    #[error("use the base URL, which must be http or https without a path, query or fragment")]
    BaseUrl,
    /// A client without an id or a secret can't authenticate.
    #[error("use an empty client id or client secret")]
    Client,
    /// No redirect URI is registered, so nobody could be sent back.
    #[error("start without a redirect URI")]
    NoRedirectUri,
    /// A redirect URI is not absolute, or has a fragment (RFC 6749 §3.1.2).
    #[error("use the redirect URI {0:?}, which must be absolute and have no fragment")]
    RedirectUri(String),
    /// The state file is there but could not be read.
    #[error("read the state file {}", path.display())]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What the file system, or the parser, said.
        #[source]
        source: io::Error,
    },
    /// The state file was written by another version of this provider.
    #[error("read version {version} of the state file {}", path.display())]
    StateVersion {
        /// The file.
        path: PathBuf,
        /// The version that the file says it is.
        version: u32,
    },
}

/// Settings that have been checked.
pub(crate) struct Settings {
    /// The issuer, without a slash at its end.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) access_token_lifetime: Duration,
}

/// A registered redirect URI: as it must be spelt, and as it is used.
#[derive(Debug, Clone)]
pub(crate) struct RedirectUri {
    pub(crate) text: String,
    pub(crate) url: Url,
}

impl Settings {
    /// Whether cookies may be marked `Secure`.
    pub(crate) fn is_https(&self) -> bool {
        self.issuer.starts_with("https:")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("redirect_uris", &self.redirect_uris)
            .finish_non_exhaustive()
    }
}

/// Parses the settings once, into types that can't be wrong.
pub(crate) fn checked(
    settings: DemoSettings,
) -> Result<(Settings, Clock, Option<PathBuf>), DemoError> {
    if settings.client_id.is_empty() || settings.client_secret.is_empty() {
        return Err(DemoError::Client);
    }
    if settings.redirect_uris.is_empty() {
        return Err(DemoError::NoRedirectUri);
    }
    let redirect_uris = settings
        .redirect_uris
        .into_iter()
        .map(redirect_uri)
        .collect::<Result<_, _>>()?;
    let checked = Settings {
        issuer: issuer(&settings.base_url)?,
        client_id: settings.client_id,
        client_secret: settings.client_secret,
        redirect_uris,
        access_token_lifetime: settings.access_token_lifetime,
    };
    Ok((checked, settings.now, settings.state_file))
}

fn issuer(base_url: &str) -> Result<String, DemoError> {
    let url = Url::parse(base_url).map_err(|_| DemoError::BaseUrl)?;
    let text = base_url.strip_suffix('/').unwrap_or(base_url);
    let is_origin = url.origin().ascii_serialization() == text;
    if is_origin && matches!(url.scheme(), "http" | "https") {
        Ok(text.to_owned())
    } else {
        Err(DemoError::BaseUrl)
    }
}

fn redirect_uri(text: String) -> Result<RedirectUri, DemoError> {
    match Url::parse(&text) {
        Ok(url) if url.fragment().is_none() => Ok(RedirectUri { text, url }),
        Ok(_) | Err(_) => Err(DemoError::RedirectUri(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::issuer;

    #[test]
    fn an_issuer_is_an_origin() {
        for (base_url, expected) in [
            ("http://127.0.0.1:8788", Some("http://127.0.0.1:8788")),
            ("http://127.0.0.1:8788/", Some("http://127.0.0.1:8788")),
            ("https://shop.example", Some("https://shop.example")),
            ("https://shop.example/a", None),
            ("https://shop.example?a", None),
            ("https://shop.example/#a", None),
            ("https://user@shop.example", None),
            ("ftp://shop.example", None),
            ("shop", None),
        ] {
            assert_eq!(issuer(base_url).ok().as_deref(), expected, "{base_url}");
        }
    }
}
