//! The host of a provider's token endpoint, across tenants and auth methods.

use std::fmt;

use url::Url;

/// A host and its port, as the URL standard spells them. Whoever asks there shares its fate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// The host that a URL leads to, if it names one.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        Some(Self(format!("{host}:{port}").into()))
    }

    /// The host as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_one_server_have_one_host() {
        for (url, host) in [
            ("https://Auth.Example/token", Some("auth.example:443")),
            (
                "https://auth.example:443/other?x=1",
                Some("auth.example:443"),
            ),
            ("https://auth.example:8443/", Some("auth.example:8443")),
            ("http://[::1]:9000/", Some("[::1]:9000")),
            ("mailto:ada@example.org", None),
        ] {
            let read = Host::of(&Url::parse(url).unwrap());
            assert_eq!(read.as_ref().map(Host::as_str), host, "{url}");
        }
    }
}
