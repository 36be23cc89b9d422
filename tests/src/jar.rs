//! Cookies, as a browser keeps them (RFC 6265).

use jiff::{Timestamp, fmt::rfc2822};
use latchkey_aws::SystemClock;
use latchkey_core::port::Clock as _;
use reqwest::header::{HeaderMap, SET_COOKIE};
use url::Url;

/// The cookies of one browser.
///
/// Ports share them, as they do in browsers (§8.5). All are of the host that set them and of no
/// other; `SameSite` is not looked at.
#[derive(Debug, Clone, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Debug, Clone)]
struct Cookie {
    host: String,
    path: String,
    name: String,
    value: String,
    secure: bool,
}

impl Jar {
    /// Keeps what an answer from `url` sets, and forgets what it ends.
    pub fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().expect("a text");
            let (cookie, ended) = parse(url, text);
            let same = |kept: &Cookie| {
                (&kept.host, &kept.path, &kept.name) == (&cookie.host, &cookie.path, &cookie.name)
            };
            self.0.retain(|kept| !same(kept));
            if !ended {
                self.0.push(cookie);
            }
        }
    }

    /// The `Cookie` header of a request to `url`, if there is one; longer paths first (§5.4).
    #[must_use]
    pub fn header(&self, url: &Url) -> Option<String> {
        let host = url.host_str()?;
        let goes = |cookie: &&Cookie| {
            cookie.host == host
                && path_matches(&cookie.path, url.path())
                && (!cookie.secure || is_trustworthy(url))
        };
        let mut cookies: Vec<_> = self.0.iter().filter(goes).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// A `Set-Cookie` header, and whether it ends the cookie (§5.2).
fn parse(url: &Url, text: &str) -> (Cookie, bool) {
    let mut parts = text.split(';');
    let pair = parts.next().expect("a part");
    let (name, value) = pair.split_once('=').expect("a pair");
    let mut cookie = Cookie {
        host: url.host_str().expect("a host").to_owned(),
        path: default_path(url).to_owned(),
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
        secure: false,
    };
    let (mut expires, mut max_age) = (false, None);
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "max-age" => max_age = value.parse::<i64>().ok().map(|seconds| seconds <= 0),
            "expires" => expires = has_passed(value),
            _ => {}
        }
    }
    (cookie, max_age.unwrap_or(expires))
}

fn has_passed(date: &str) -> bool {
    rfc2822::parse(date).is_ok_and(|date| Timestamp::from(date) <= SystemClock.now())
}

/// The folder that a page is in (§5.1.4).
fn default_path(url: &Url) -> &str {
    match url.path().rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((folder, _)) => folder,
    }
}

/// Whether a request's path is a cookie's or below it (§5.1.4).
fn path_matches(cookie: &str, request: &str) -> bool {
    request
        .strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.ends_with('/'))
}

/// Browsers trust a loopback address without TLS as much as others with it.
fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(from: &str, cookies: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for cookie in cookies {
            let headers = HeaderMap::from_iter([(SET_COOKIE, cookie.parse().unwrap())]);
            jar.keep(&from.parse().unwrap(), &headers);
        }
        jar
    }

    fn sent(jar: &Jar, to: &str) -> String {
        jar.header(&to.parse().unwrap()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_to_its_host_and_path_and_nowhere_else() {
        let jar = jar("http://127.0.0.1:1/a/page", &["x=1; Path=/a"]);
        for (to, expected) in [
            ("http://127.0.0.1:1/a", "x=1"),
            ("http://127.0.0.1:2/a/b", "x=1"),
            ("http://127.0.0.1:1/ab", ""),
            ("http://127.0.0.1:1/", ""),
            ("http://localhost:1/a", ""),
            ("http://127.0.0.2:1/a", ""),
        ] {
            assert_eq!(sent(&jar, to), expected, "{to}");
        }
    }

    #[test]
    fn without_a_path_it_is_the_pages_folder() {
        let jar = jar("http://127.0.0.1/a/b/page", &["x=1"]);
        assert_eq!(sent(&jar, "http://127.0.0.1/a/b/other"), "x=1");
        assert_eq!(sent(&jar, "http://127.0.0.1/a"), "");
    }

    #[test]
    fn a_later_one_replaces_the_one_of_its_name_and_path_only() {
        let cookies = ["x=1; Path=/", "x=2; Path=/a", "x=3; Path=/"];
        let jar = jar("http://127.0.0.1/", &cookies);
        assert_eq!(sent(&jar, "http://127.0.0.1/a"), "x=2; x=3");
    }

    #[test]
    fn one_that_has_ended_is_forgotten() {
        for end in [
            "Max-Age=0",
            "max-age=-1",
            "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            let jar = jar(
                "http://127.0.0.1/",
                &["x=1; Path=/", &format!("x=; Path=/; {end}")],
            );
            assert_eq!(sent(&jar, "http://127.0.0.1/"), "", "{end}");
        }
        let lasting = "x=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        let jar = jar("http://127.0.0.1/", &[lasting]);
        assert_eq!(
            sent(&jar, "http://127.0.0.1/"),
            "x=1",
            "Max-Age wins (§5.3)"
        );
    }

    #[test]
    fn a_secure_one_goes_over_tls_and_to_loopback() {
        for (host, expected) in [
            ("http://127.0.0.1/", "x=1"),
            ("http://localhost/", "x=1"),
            ("https://shop.example/", "x=1"),
            ("http://shop.example/", ""),
        ] {
            assert_eq!(sent(&jar(host, &["x=1; Secure"]), host), expected, "{host}");
        }
    }
}
