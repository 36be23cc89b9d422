//! Whose metadata a URL leads to.

use url::Url;

const WELL_KNOWN: &str = "/.well-known/";

/// The issuer that a URL of metadata belongs to, without a slash at its end.
///
/// The well-known part stands between host and path (RFC 8414 §3.1), or behind the path (`OpenID` Connect Discovery
/// 1.0 §4). Either way, what is left of the URL without it is the issuer.
pub(super) fn of(url: &Url) -> Option<String> {
    let (before, rest) = url.path().split_once(WELL_KNOWN)?;
    let (name, after) = rest.split_once('/').unwrap_or((rest, ""));
    if name.is_empty() || (!before.is_empty() && !after.is_empty()) {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    let path = match after {
        "" => before.to_owned(),
        after => format!("/{after}"),
    };
    Some(format!("{origin}{path}"))
}

/// Whether an issuer is the one that a URL belongs to (RFC 8414 §3.3, `OpenID` Connect Discovery 1.0 §4.3). A slash at
/// its end was taken off before the well-known part was put there.
pub(super) fn is_same(named: &str, of_url: &str) -> bool {
    let without = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
    without(named) == without(of_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_belongs_to_one_issuer() {
        let cases = [
            (
                "https://a.example/.well-known/openid-configuration",
                Some("https://a.example"),
            ),
            (
                "https://a.example/t/x/.well-known/openid-configuration",
                Some("https://a.example/t/x"),
            ),
            (
                "https://a.example/.well-known/oauth-authorization-server",
                Some("https://a.example"),
            ),
            (
                "https://a.example/.well-known/oauth-authorization-server/o",
                Some("https://a.example/o"),
            ),
            (
                "https://a.example:8443/.well-known/x/t/1",
                Some("https://a.example:8443/t/1"),
            ),
            ("https://a.example/.well-known/", None),
            ("https://a.example/t/.well-known/x/t", None),
            ("https://a.example/metadata", None),
            ("https://a.example/?x=/.well-known/y", None),
        ];
        for (url, issuer) in cases {
            assert_eq!(of(&url.parse().unwrap()).as_deref(), issuer, "{url}");
        }
    }

    #[test]
    fn an_issuer_is_the_same_but_for_one_slash() {
        let cases = [
            ("https://a.example", true),
            ("https://a.example/", true),
            ("https://a.example//", false),
            ("https://a.example/x", false),
            ("https://A.example", false),
            ("http://a.example", false),
            ("https://b.example", false),
            ("", false),
        ];
        for (named, same) in cases {
            assert_eq!(is_same(named, "https://a.example"), same, "{named}");
        }
    }
}
