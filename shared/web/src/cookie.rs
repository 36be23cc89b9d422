//! The cookies that bind a browser to what it began, one for each flow.

use http::{HeaderMap, HeaderValue, header};
use latchkey_core::{
    flow::Deployment,
    model::{Secret, authorisation::Digest, id::InstanceId},
};

/// How long a browser keeps one, in seconds: as long as an authorisation is open.
const MAX_AGE: u32 = 600;

/// The name of the cookie of one flow. Parallel logins would collide if they shared one.
fn name(deployment: &Deployment, flow: &Digest) -> String {
    format!("{}{}", prefix(deployment), flow.short())
}

/// What the names begin with of cookies that keep a state themselves.
fn waiting(deployment: &Deployment) -> String {
    format!("{}waits-", prefix(deployment))
}

/// `__Host-` makes browsers insist on TLS, the whole host and no other (RFC 6265bis §4.1.3.2).
fn prefix(deployment: &Deployment) -> &'static str {
    match deployment.is_secure() {
        true => "__Host-latchkey-",
        false => "latchkey-",
    }
}

/// The header that gives a browser the cookie of a flow.
///
/// `SameSite=Lax` lets it come along when the provider sends the browser back, and at no other
/// request from elsewhere.
#[must_use]
pub fn give(deployment: &Deployment, flow: &Digest, secret: &Secret) -> Option<HeaderValue> {
    header(deployment, &name(deployment, flow), secret)
}

/// The header that gives a browser the state of an instance's authorisation to keep, in place of an earlier one.
#[must_use]
pub fn have_wait(
    deployment: &Deployment,
    instance: &InstanceId,
    state: &Secret,
) -> Option<HeaderValue> {
    let name = format!("{}{instance}", waiting(deployment));
    header(deployment, &name, state)
}

fn header(deployment: &Deployment, name: &str, secret: &Secret) -> Option<HeaderValue> {
    let secure = if deployment.is_secure() {
        "; Secure"
    } else {
        ""
    };
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
    cookies(headers)
        .find(|(key, _)| *key == name)
        .map(|(_, value)| Secret::from(value))
}

/// The states that a browser keeps itself.
#[must_use]
pub fn kept(deployment: &Deployment, headers: &HeaderMap) -> Vec<Secret> {
    let prefix = waiting(deployment);
    cookies(headers)
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(_, value)| Secret::from(value))
        .collect()
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    lines
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
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

    #[test]
    fn a_browser_keeps_the_states_of_several_instances() {
        let secure = deployment("https://latchkey.example/");
        let instance: InstanceId = "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e".parse().unwrap();
        let given = have_wait(&secure, &instance, &"s1".into()).unwrap();
        let name = format!("__Host-latchkey-waits-{instance}");
        assert!(
            given
                .to_str()
                .unwrap()
                .starts_with(&format!("{name}=s1; Path=/; HttpOnly"))
        );
        let line = format!(
            "{name}=s1; __Host-latchkey-waits-x=s2; __Host-latchkey-0123=s3; latchkey-waits-y=s4"
        );
        let headers = HeaderMap::from_iter([(header::COOKIE, line.parse().unwrap())]);
        let kept = kept(&secure, &headers);
        let kept: Vec<_> = kept.iter().map(|state| state.expose().as_str()).collect();
        assert_eq!(kept, ["s1", "s2"]);
    }
}
