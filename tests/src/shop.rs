//! A Latchkey and a provider that know each other, with a proxy between them.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::{
    api::Api,
    process::Process,
    proxy::{Proxy, Quirk},
    server::{AuthServer, Behaviour, SECRET},
    visitor::{Decision, Page, Visitor},
    world::World,
};

/// How long access tokens live here, in seconds.
pub const ACCESS_TTL: i64 = 600;

/// A Latchkey and a provider.
#[derive(Debug)]
pub struct Shop {
    /// Latchkey.
    pub world: World,
    /// The provider.
    pub provider: AuthServer,
    /// What stands between Latchkey and the provider's token and revocation endpoints.
    pub proxy: Proxy,
    /// The connector.
    pub connector: String,
    /// The auth method.
    pub method: String,
}

impl Shop {
    /// With `oidc-provider`, which rotates refresh tokens and ends a connection whose old one is used.
    pub async fn oidc_provider() -> Self {
        Self::oidc_provider_of(World::start().await).await
    }

    /// The same with this Latchkey.
    pub async fn oidc_provider_of(world: World) -> Self {
        let provider = AuthServer::oidc_provider(&behaviour(&world.callback_url())).await;
        let proxy = Proxy::before(&provider.base).await;
        Self::define(world, provider, proxy, |_| {}).await
    }

    /// With `django-oauth-toolkit`.
    pub async fn django_oauth_toolkit() -> Self {
        let world = World::start().await;
        let provider = AuthServer::django_oauth_toolkit(&behaviour(&world.callback_url())).await;
        let proxy = Proxy::before(&provider.base).await;
        let change = |body: &mut Value| {
            let authorise = &mut body["definition"]["authorise"];
            *authorise = json!({ "url": authorise["url"], "scopes": ["api:read"] });
        };
        Self::define(world, provider, proxy, change).await
    }

    /// With `oidc-provider` behind a quirk, which is told the provider's authorise URL, and a
    /// definition that is told where the quirky provider is.
    pub async fn quirky_at<Q: Quirk + 'static>(
        quirk: impl FnOnce(String) -> Q,
        change: impl FnOnce(&str, &mut Value),
    ) -> Self {
        let world = World::start().await;
        let provider = AuthServer::oidc_provider(&behaviour(&world.callback_url())).await;
        let proxy = Proxy::quirky(&provider.base, quirk(provider.authorise_url.clone())).await;
        let url = proxy.url.clone();
        Self::define(world, provider, proxy, |body| change(&url, body)).await
    }

    /// With `oidc-provider` whose access tokens live five seconds, for servers whose clock can't be moved.
    pub async fn short_lived(rotate: bool) -> Self {
        Self::short_lived_with(rotate, None).await
    }

    /// With `oidc-provider`, and refresh tokens in the Secrets Manager at a URL.
    pub async fn vaulted(secrets_url: &str) -> Self {
        let secrets_url = secrets_url.parse().expect("a URL");
        Self::oidc_provider_of(World::start_with(Some(secrets_url)).await).await
    }

    /// As [`Shop::short_lived`], with refresh tokens in the Secrets Manager at a URL, if it is given.
    pub async fn short_lived_with(rotate: bool, secrets_url: Option<&str>) -> Self {
        let secrets_url = secrets_url.map(|url| url.parse().expect("a URL"));
        let world = World::start_with(secrets_url).await;
        let behaviour = Behaviour {
            access_ttl: 5,
            rotate,
            ..behaviour(&world.callback_url())
        };
        let provider = AuthServer::oidc_provider(&behaviour).await;
        let proxy = Proxy::before(&provider.base).await;
        let change = |body: &mut Value| {
            let rotation = if rotate { "single_use" } else { "none" };
            body["definition"]["refresh"]["rotation"] = json!(rotation);
        };
        Self::define(world, provider, proxy, change).await
    }

    /// Has a process of its own take over, kills it as `kill -9` does once `action` has come to its
    /// end, and starts again over what it has left, with all clocks `ahead` by so many seconds.
    pub async fn killed(
        self,
        schedule: &str,
        ahead: i64,
        action: impl AsyncFnOnce(&Api, &Proxy),
    ) -> Self {
        let flags = ["--schedule", schedule];
        self.ended(&flags, None, ahead, action).await
    }

    /// The same with a process that does nothing by itself and logs no more than `filter` says, to `log`.
    pub async fn killed_at_its_log(
        self,
        filter: &str,
        log: Stdio,
        action: impl AsyncFnOnce(&Api, &Proxy),
    ) -> Self {
        let flags = ["--schedule", "0", "--log", filter];
        self.ended(&flags, Some(log), 0, action).await
    }

    async fn ended(
        self,
        flags: &[&str],
        log: Option<Stdio>,
        ahead: i64,
        action: impl AsyncFnOnce(&Api, &Proxy),
    ) -> Self {
        let Self {
            world,
            provider,
            proxy,
            connector,
            method,
        } = self;
        let left = world.stop().await;
        let port_text = left.port.to_string();
        let same = ["--port", &port_text, "--store-port", "0", "--demo", "off"];
        let mut flags = [&same, flags].concat();
        if let Some(url) = &left.secrets_url {
            flags.extend(["--secrets-url", url.as_str()]);
        }
        let mut process = match log {
            Some(log) => Process::start_logging(left.directory.path(), &flags, log),
            None => Process::start(left.directory.path(), &flags),
        };
        process.says("API key").await;
        action(&left.api, &proxy).await;
        process.kill().await;
        proxy.release();
        provider.advance(ahead).await;
        let world = World::start_in(left, ahead).await;
        Self {
            world,
            provider,
            proxy,
            connector,
            method,
        }
    }

    async fn define(
        world: World,
        provider: AuthServer,
        proxy: Proxy,
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let connector = world.api.connector("Shop").await;
        let mut body = body(&provider, &proxy);
        change(&mut body);
        let method = world.api.method(&connector, &body).await;
        Self {
            world,
            provider,
            proxy,
            connector,
            method,
        }
    }

    /// The auth method, as it was sent.
    #[must_use]
    pub fn body(&self) -> Value {
        body(&self.provider, &self.proxy)
    }

    /// The path of the auth method.
    #[must_use]
    pub fn method_path(&self) -> String {
        format!(
            "/v1/connectors/{}/auth-methods/{}",
            self.connector, self.method
        )
    }

    /// Opens a connect session for a new instance: the instance, and the link.
    pub async fn session(&self) -> (String, String) {
        self.world.api.session(&self.connector, &self.method).await
    }

    /// Opens a connect session for an instance that is there, and gives the link.
    pub async fn reconnect_url(&self, instance: &str) -> String {
        self.world
            .api
            .post("/v1/connect-sessions", &json!({ "instance": instance }))
            .await
            .created("connect_url")
    }

    /// A new instance, connected.
    pub async fn connected(&self) -> String {
        let (instance, url) = self.session().await;
        let page = self
            .walk(&mut Visitor::default(), &url, &[], Decision::Allow)
            .await;
        assert_eq!(page.heading(), "Connected", "{}", page.html);
        instance
    }

    /// Walks from a link to the end: fills in the form, and decides at the provider.
    pub async fn walk(
        &self,
        visitor: &mut Visitor,
        url: &str,
        filled: &[(&str, &str)],
        decision: Decision,
    ) -> Page {
        visitor.walk(url, filled, decision).await
    }

    /// Moves both clocks on.
    pub async fn advance(&self, seconds: i64) {
        self.world.clock.advance(seconds);
        self.provider.advance(seconds).await;
    }
}

/// How the provider behaves.
#[must_use]
pub fn behaviour(callback_url: &str) -> Behaviour {
    Behaviour {
        callback_url: callback_url.to_owned(),
        access_ttl: ACCESS_TTL.unsigned_abs(),
        rotate: true,
    }
}

/// The provider as data.
#[must_use]
pub fn body(provider: &AuthServer, proxy: &Proxy) -> Value {
    json!({
        "definition": {
            "name": "Shop",
            "authorise": {
                "url": provider.authorise_url,
                "scopes": ["openid", "offline_access", "api:read"],
                "query": { "prompt": "consent" },
                "issuer": provider.base,
            },
            "token": { "url": format!("{}{}", proxy.url, provider.token_path) },
            "refresh": { "rotation": "single_use" },
            "revoke": { "url": format!("{}{}", proxy.url, provider.revoke_path) },
        },
        "values": { "client_id": "basic", "client_secret": SECRET },
    })
}
