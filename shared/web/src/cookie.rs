//! The cookies that bind a browser to what it began, one for each flow.

use http::{HeaderMap, HeaderValue, header};
use latchkey_core::{
    flow::Deployment,
    model::{Secret, authorisation::Digest},
};

/// How long a browser keeps one, in seconds: as long as an authorisation is open.
const MAX_AGE: u32 = 600;

/// The name of the cookie of one flow. Parallel logins would collide if they shared one.
fn name(deployment: &Deployment, flow: &Digest) -> String {
    // `__Host-` makes browsers insist on TLS, the whole host and no other (RFC 6265bis §4.1.3.2).
    let prefix = if deployment.is_secure() {
        "__Host-"
    } else {
        ""
    };
    format!("{prefix}latchkey-{}", flow.short())
}

/// The header that gives a browser the cookie of a flow.
///
/// `SameSite=Lax` lets it come along when the provider sends the browser back, and at no other
/// request from elsewhere.
#[must_use]
pub fn give(deployment: &Deployment, flow: &Digest, secret: &Secret) -> Option<HeaderValue> {
    let secure = if deployment.is_secure() {
        "; Secure"
    } else {
        ""
    };
    let name = name(deployment, flow);
    let text = format!(
        "{name}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}{secure}",
        secret.expose()
    );
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The secret that a browser holds for a flow.
#[must_use]
pub fn held(deployment: &Deployment, flow: &Digest, headers: &HeaderMap) -> Option<Secret> {
    let name = name(deployment, flow);
    let cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| Secret::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(url: &str) -> Deployment {
        Deployment::new(&url.parse().unwrap())
    }

    #[test]
    fn a_cookie_is_bound_to_its_host_and_its_flow() {
        let (flow, other) = (Digest::of(&"state".into()), Digest::of(&"other".into()));
        let secure = deployment("https://latchkey.example/");
        let given = give(&secure, &flow, &"s3cr3t".into()).unwrap();
        assert_eq!(
            given.to_str().unwrap(),
            format!(
                "__Host-latchkey-{}=s3cr3t; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure",
                flow.short()
            )
        );
        assert!(!format!("{given:?}").contains("s3cr3t"));
        let line = format!("a=b; __Host-latchkey-{}=s3cr3t; c", flow.short());
        let headers = HeaderMap::from_iter([(header::COOKIE, line.parse().unwrap())]);
        assert_eq!(held(&secure, &flow, &headers).unwrap().expose(), "s3cr3t");
        assert!(held(&secure, &other, &headers).is_none());
        // Browsers refuse the prefix without TLS, which a laptop has not.
        let plain = deployment("http://127.0.0.1:8787");
        assert!(held(&plain, &flow, &headers).is_none());
        assert!(
            !give(&plain, &flow, &"x".into())
                .unwrap()
                .to_str()
                .unwrap()
                .contains("Secure")
        );
    }
}
