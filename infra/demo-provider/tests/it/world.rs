#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a harness stops at the first surprise"
)]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderMap, Request, StatusCode, header};
use jiff::Timestamp;
use latchkey_demo_provider::{DemoError, DemoProvider, DemoSettings};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use url::{Url, form_urlencoded};

pub(crate) const ISSUER: &str = "http://127.0.0.1:8788";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:8787/oauth/authenticate?via=demo";
pub(crate) const CLIENT_ID: &str = "latchkey & co";
/// All that a careless encoder would trip over.
pub(crate) const CLIENT_SECRET: &str = "s?&+%:/= é";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const STATE: &str = "a state & more=é+/";

/// A provider with one client, a clock that stands still, and a browser.
pub(crate) struct World {
    router: Router,
    clock: Arc<AtomicI64>,
}

/// What the provider answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What a client keeps.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn kept_in(state_file: PathBuf) -> Self {
        Self::with(|settings| settings.state_file = Some(state_file))
    }

    pub(crate) fn with(change: impl FnOnce(&mut DemoSettings)) -> Self {
        Self::start(change).unwrap()
    }

    pub(crate) fn start(change: impl FnOnce(&mut DemoSettings)) -> Result<Self, DemoError> {
        let clock = Arc::new(AtomicI64::new(1_800_000_000));
        let mut settings = settings(&clock);
        change(&mut settings);
        Ok(Self {
            router: DemoProvider::new(settings)?.router(),
            clock,
        })
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.clock
            .fetch_add(duration.as_secs().try_into().unwrap(), Ordering::SeqCst);
    }

    /// Goes through consent and exchanges the code.
    pub(crate) async fn connect(&self) -> Tokens {
        let code = self.code().await;
        self.redeem(&code).await.tokens()
    }

    /// Goes through consent.
    pub(crate) async fn code(&self) -> String {
        let answer = self.consent(&request(), "allow").await;
        answer.returned("code").unwrap()
    }

    /// Opens the consent page for `query`, and presses a button.
    pub(crate) async fn consent(&self, query: &[(&str, &str)], decision: &str) -> Answer {
        let page = self.authorize(query).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let form = [("form_token", page.form_token()), ("decision", decision)];
        let cookie = (header::COOKIE.as_str(), page.cookie());
        self.post(&authorize_path(query), &[cookie], &form).await
    }

    pub(crate) async fn authorize(&self, query: &[(&str, &str)]) -> Answer {
        self.get(&authorize_path(query), &[]).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.token(&redemption(code)).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.as_client("/token", form).await
    }

    /// Posts with the client's right credentials.
    pub(crate) async fn as_client(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let credentials = basic(CLIENT_ID, CLIENT_SECRET);
        self.post(
            path,
            &[(header::AUTHORIZATION.as_str(), &credentials)],
            form,
        )
        .await
    }

    pub(crate) async fn orders(&self, access_token: &str) -> Answer {
        let header = format!("Bearer {access_token}");
        self.get("/api/orders", &[(header::AUTHORIZATION.as_str(), &header)])
            .await
    }

    pub(crate) async fn introspect(&self, token: &str) -> Value {
        let answer = self.as_client("/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, String::new()).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push((
            header::CONTENT_TYPE.as_str(),
            "application/x-www-form-urlencoded",
        ));
        self.send("POST", path, &headers, encoded(form)).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let builder = Request::builder().method(method).uri(path);
        let builder = headers.iter().fold(builder, |builder, (name, value)| {
            builder.header(*name, *value)
        });
        let request = builder.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(body.into()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The status and the error of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.text("error"))
    }

    pub(crate) fn tokens(&self) -> Tokens {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        Tokens {
            access: self.text("access_token"),
            refresh: self.text("refresh_token"),
        }
    }

    /// Where the browser is sent.
    pub(crate) fn location(&self) -> Url {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        Url::parse(self.header("location")).unwrap()
    }

    /// A parameter of where the browser is sent.
    pub(crate) fn returned(&self, name: &str) -> Option<String> {
        let location = self.location();
        let mut found = location.query_pairs().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        assert!(found.next().is_none(), "{name} is returned once");
        value
    }

    pub(crate) fn form_token(&self) -> &str {
        let (_, rest) = self
            .body
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        rest.split('"').next().unwrap()
    }

    /// The cookie as a browser sends it back.
    pub(crate) fn cookie(&self) -> &str {
        self.header("set-cookie").split(';').next().unwrap()
    }

    fn text(&self, name: &str) -> String {
        let json = self.json();
        json.get(name)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {name} in {json}"))
            .to_owned()
    }
}

/// The authorisation request of an honest client.
pub(crate) fn request() -> Vec<(&'static str, &'static str)> {
    vec![
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "profile:read orders:read"),
        ("state", STATE),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ]
}

/// The token request of an honest client.
pub(crate) fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

/// `fields`, but with `name` set to `value`, or left out.
pub(crate) fn but<'a>(
    fields: &[(&'a str, &'a str)],
    name: &'a str,
    value: Option<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let others = fields.iter().copied().filter(|(key, _)| *key != name);
    others.chain(value.map(|value| (name, value))).collect()
}

/// RFC 6749 §2.3.1.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encode(id), encode(secret)))
    )
}

pub(crate) fn authorize_path(query: &[(&str, &str)]) -> String {
    format!("/authorize?{}", encoded(query))
}

/// The source expression of a policy that lets exactly `source` in.
pub(crate) fn policy_hash(source: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(source)))
}

/// How a digest is written down.
pub(crate) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

fn settings(clock: &Arc<AtomicI64>) -> DemoSettings {
    let clock = Arc::clone(clock);
    DemoSettings {
        base_url: ISSUER.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        access_token_lifetime: DemoSettings::ACCESS_TOKEN_LIFETIME,
        now: Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap()),
        state_file: None,
    }
}
