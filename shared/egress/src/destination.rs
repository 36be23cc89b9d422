//! Which URLs a request may go to.

use std::net::IpAddr;

use latchkey_core::port::Refusal;
use url::{Host, Url};

use crate::{
    address::{AddressClass, classify},
    settings::Loopback,
};

/// Where a destination lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// On the public internet.
    Public,
    /// On this machine.
    Loopback,
}

impl Reach {
    /// The reach of `name`: only `localhost` is this machine, so that no name that somebody else
    /// controls can lead here (RFC 6761 §6.3).
    pub(crate) fn of_name(name: &str) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.eq_ignore_ascii_case("localhost") {
            Self::Loopback
        } else {
            Self::Public
        }
    }

    /// Whether a connection to a destination of this reach may end at `address`.
    pub(crate) fn admits(self, address: IpAddr) -> bool {
        match classify(address) {
            AddressClass::Public => self == Self::Public,
            AddressClass::Loopback => self == Self::Loopback,
            AddressClass::Special => false,
        }
    }

    fn of_literal(address: IpAddr) -> Option<Self> {
        match classify(address) {
            AddressClass::Public => Some(Self::Public),
            AddressClass::Loopback => Some(Self::Loopback),
            AddressClass::Special => None,
        }
    }
}

/// Checks all of `url` that can be checked before its name is resolved.
///
/// # Errors
/// The first rule that it breaks. An address literal is judged here: it never reaches a resolver.
pub(crate) fn check(url: &Url, loopback: Loopback) -> Result<Reach, Refusal> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::UserInformation);
    }
    let reach = match url.host() {
        None => return Err(Refusal::Scheme),
        Some(Host::Domain(name)) => Some(Reach::of_name(name)),
        Some(Host::Ipv4(address)) => Reach::of_literal(address.into()),
        Some(Host::Ipv6(address)) => Reach::of_literal(address.into()),
    };
    match (url.scheme(), reach, loopback) {
        ("https", Some(Reach::Public), _) => Ok(Reach::Public),
        ("http" | "https", Some(Reach::Loopback), Loopback::Allowed) => Ok(Reach::Loopback),
        ("https", Some(Reach::Loopback), Loopback::Refused) | ("https", None, _) => {
            Err(Refusal::Address)
        }
        _ => Err(Refusal::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::port::Refusal;

    use super::{Loopback, Reach, Url, check};

    type Verdict = Result<Reach, Refusal>;
    const PUBLIC: Verdict = Ok(Reach::Public);
    const HERE: Verdict = Ok(Reach::Loopback);
    const ADDRESS: Verdict = Err(Refusal::Address);
    const SCHEME: Verdict = Err(Refusal::Scheme);
    const USER: Verdict = Err(Refusal::UserInformation);

    /// URL, verdict with loopback refused, verdict with loopback allowed.
    const URLS: &[(&str, Verdict, Verdict)] = &[
        ("https://provider.example/token", PUBLIC, PUBLIC),
        ("https://provider.example:8443/token", PUBLIC, PUBLIC),
        ("https://1.1.1.1/", PUBLIC, PUBLIC),
        ("https://[2606:4700::1111]/", PUBLIC, PUBLIC),
        ("https://localhost.provider.example/", PUBLIC, PUBLIC),
        ("https://127.0.0.1.provider.example/", PUBLIC, PUBLIC),
        ("http://provider.example/token", SCHEME, SCHEME),
        ("http://1.1.1.1/", SCHEME, SCHEME),
        ("http://10.0.0.1/", SCHEME, SCHEME),
        ("ftp://provider.example/", SCHEME, SCHEME),
        ("ws://127.0.0.1/", SCHEME, SCHEME),
        ("file:///etc/passwd", SCHEME, SCHEME),
        ("data:text/plain,hello", SCHEME, SCHEME),
        ("gopher://127.0.0.1/", SCHEME, SCHEME),
        ("https://user@provider.example/", USER, USER),
        ("https://:secret@provider.example/", USER, USER),
        ("https://user:secret@127.0.0.1/", USER, USER),
        // This machine, in every spelling.
        ("http://127.0.0.1/", SCHEME, HERE),
        ("http://localhost:8080/", SCHEME, HERE),
        ("https://127.0.0.1/", ADDRESS, HERE),
        ("https://127.9.9.9/", ADDRESS, HERE),
        ("https://localhost/", ADDRESS, HERE),
        ("https://LocalHost/", ADDRESS, HERE),
        ("https://localhost./", ADDRESS, HERE),
        ("https://[::1]/", ADDRESS, HERE),
        ("https://[0:0:0:0:0:0:0:1]/", ADDRESS, HERE),
        ("https://2130706433/", ADDRESS, HERE),
        ("https://0x7f000001/", ADDRESS, HERE),
        ("https://0x7f.1/", ADDRESS, HERE),
        ("https://0177.0.0.1/", ADDRESS, HERE),
        ("https://127.1/", ADDRESS, HERE),
        ("https://127.0.0.1./", ADDRESS, HERE),
        ("https://%31%32%37.0.0.1/", ADDRESS, HERE),
        ("https://①②⑦.0.0.1/", ADDRESS, HERE),
        // Ways around the rule above, and all that is special otherwise.
        ("https://[::ffff:127.0.0.1]/", ADDRESS, ADDRESS),
        ("https://[::127.0.0.1]/", ADDRESS, ADDRESS),
        ("https://[64:ff9b::127.0.0.1]/", ADDRESS, ADDRESS),
        ("https://[2002:7f00:1::]/", ADDRESS, ADDRESS),
        ("https://0.0.0.0/", ADDRESS, ADDRESS),
        ("https://0/", ADDRESS, ADDRESS),
        ("https://[::]/", ADDRESS, ADDRESS),
        ("https://10.0.0.1/", ADDRESS, ADDRESS),
        (
            "https://169.254.169.254/latest/meta-data/",
            ADDRESS,
            ADDRESS,
        ),
        ("https://2852039166/latest/meta-data/", ADDRESS, ADDRESS),
        (
            "https://[fd00:ec2::254]/latest/meta-data/",
            ADDRESS,
            ADDRESS,
        ),
        ("https://[fe80::1]/", ADDRESS, ADDRESS),
    ];

    #[test]
    fn every_url_gets_its_verdict() {
        for (text, refused, allowed) in URLS {
            let url = Url::parse(text).unwrap();
            assert_eq!(check(&url, Loopback::Refused), *refused, "{text}, refused");
            assert_eq!(check(&url, Loopback::Allowed), *allowed, "{text}, allowed");
        }
    }
}
