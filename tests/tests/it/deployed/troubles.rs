//! What seldom happens: providers that fail, a store that is down, and what others have left undone.

use latchkey_tests::{
    api::{Api, Reply},
    proxy::{Mode, Proxy},
    server::{AuthServer, Behaviour},
    shop,
    visitor::{Decision, Visitor},
};
use serde_json::{Value, json};
use url::Url;

use super::operator::{Function, Operator, until};

/// So many calls that fail in a row open a breaker.
const TO_OPEN: usize = 5;

/// A deployment and a provider that goes through trouble.
pub(super) struct Trouble<'a> {
    pub(super) api: &'a Api,
    pub(super) operator: &'a Operator,
    callback_url: &'a str,
    pub(super) provider: AuthServer,
    connector: String,
}

/// An auth method with a way to the provider of its own.
pub(super) struct Way {
    pub(super) method: String,
    pub(super) proxy: Proxy,
}

impl Way {
    /// The host that refreshes ask.
    fn host(&self) -> &str {
        self.proxy.url.trim_start_matches("http://")
    }

    fn refreshes(&self) -> usize {
        self.proxy.count("refresh_token")
    }
}

impl<'a> Trouble<'a> {
    pub(super) async fn of(api: &'a Api, operator: &'a Operator, callback_url: &'a str) -> Self {
        let behaviour: Behaviour = shop::behaviour(callback_url);
        Self {
            api,
            operator,
            callback_url,
            provider: AuthServer::oidc_provider(&behaviour).await,
            connector: api.connector("Troubled").await,
        }
    }

    /// All of it that either vault knows.
    pub(super) async fn go_through(&self) {
        let told_later = self.an_event_is_left().await;
        self.a_host_is_down().await;
        self.a_builder_errs().await;
        self.the_store_does_not_take_an_answer().await;
        self.nobody_asked_for_an_answer().await;
        self.somebody_else_publishes(told_later).await;
    }

    /// A new auth method, changed.
    pub(super) async fn way_with(&self, change: impl FnOnce(&mut Value)) -> Way {
        let proxy = Proxy::before(&self.provider.base).await;
        let mut body = shop::body(&self.provider, &proxy);
        change(&mut body);
        let method = self.api.method(&self.connector, &body).await;
        Way { method, proxy }
    }

    /// A new auth method.
    pub(super) async fn way(&self) -> Way {
        self.way_with(|_| {}).await
    }

    /// The path of an auth method.
    pub(super) fn path(&self, way: &Way) -> String {
        format!(
            "/v1/connectors/{}/auth-methods/{}",
            self.connector, way.method
        )
    }

    /// What names the secret of an auth method.
    pub(super) fn secret_of(&self, way: &Way) -> String {
        format!("{}/{}", self.connector, way.method)
    }

    /// A new instance, connected.
    pub(super) async fn connected(&self, way: &Way) -> String {
        let (instance, url) = self.session(way).await;
        self.consent(&url).await;
        instance
    }

    /// A new instance, and the link at which it is connected.
    pub(super) async fn session(&self, way: &Way) -> (String, String) {
        self.api.session(&self.connector, &way.method).await
    }

    /// Somebody says yes, from a connect link on.
    pub(super) async fn consent(&self, url: &str) {
        let page = Visitor::default().walk(url, &[], Decision::Allow).await;
        assert_eq!(page.heading(), "Connected", "{}", page.html);
    }

    /// A caller says that the provider has rejected the access token: another is wanted, by whoever comes
    /// first. Of an instance that is heard once in a while.
    pub(super) async fn rejected(&self, instance: &str) {
        let vended = self.api.vend(instance).await.ok();
        let body = json!({ "credential_id": vended["credential_id"] });
        let path = format!("/v1/instances/{instance}/credential/rejected");
        let heard = self.api.post(&path, &body).await;
        assert!(heard.status.is_success(), "{:?}", heard.body);
    }

    /// The credentials function refreshes an instance whose access token was rejected.
    pub(super) async fn refreshed(&self, way: &Way, instance: &str) {
        let before = way.refreshes();
        let token = self.api.access_token(instance).await;
        assert!(way.refreshes() > before);
        assert!(self.provider.is_active(&token).await);
    }

    /// The refresher does.
    pub(super) async fn refreshed_for_all(&self, way: &Way, instance: &str) {
        let before = way.refreshes();
        until("the refresher has asked", async || {
            self.operator.attend(&[instance]).await;
            way.refreshes() > before
        })
        .await;
        let token = self.api.access_token(instance).await;
        assert!(self.provider.is_active(&token).await);
    }

    /// Asks for a credential that no rejected access token will do for.
    async fn vend_anew(&self, instance: &str) -> Reply {
        let path = format!("/v1/instances/{instance}/credential?minimum_seconds=1");
        self.api.get(&path).await
    }

    /// A host that is down is left alone until it answers, whichever function finds out.
    async fn a_host_is_down(&self) {
        let way = self.way().await;
        let mut instances = Vec::new();
        for _ in 0..=TO_OPEN {
            let instance = self.connected(&way).await;
            self.rejected(&instance).await;
            instances.push(instance);
        }
        let all: Vec<_> = instances.iter().map(String::as_str).collect();
        let (one, others) = all.split_first().unwrap();
        let throttled = Mode::json(429, &json!({ "error": "slow_down" }));
        let is_open = async || self.operator.is_open(way.host()).await;

        way.proxy.set(throttled.clone());
        until("the refresher has opened the breaker", async || {
            self.operator.attend(&all).await;
            is_open().await
        })
        .await;
        way.proxy.set(Mode::Pass);
        self.operator.let_through(way.host()).await;
        until("the refresher has closed it", async || {
            self.operator.attend(&[one]).await;
            !is_open().await
        })
        .await;

        way.proxy.set(throttled);
        until("credentials have opened it", async || {
            for instance in others {
                assert_eq!(self.vend_anew(instance).await.status, 503);
            }
            is_open().await
        })
        .await;
        way.proxy.set(Mode::Pass);
        self.operator.let_through(way.host()).await;
        until("credentials have closed it", async || {
            for instance in others {
                let _ = self.vend_anew(instance).await;
            }
            !is_open().await
        })
        .await;
    }

    /// The refresher finds an auth method faulty, and tells it.
    async fn a_builder_errs(&self) {
        let way = self.way().await;
        let instance = self.connected(&way).await;
        self.rejected(&instance).await;
        let refused = Mode::json(401, &json!({ "error": "invalid_client" }));
        way.proxy.set(refused);
        until("the auth method is faulty", async || {
            self.operator.attend(&[&instance]).await;
            let found = self.api.get(&self.path(&way)).await.ok();
            found["health"]["status"] == "faulty"
        })
        .await;
    }

    /// The store is down when an answer comes: the caller has it, and the queue, and then the store.
    async fn the_store_does_not_take_an_answer(&self) {
        let way = self.way().await;
        let instance = self.connected(&way).await;
        self.rejected(&instance).await;
        way.proxy.set(Mode::HoldAnswers);
        let down = [("dynamodb:UpdateItem", "refuse")];
        let meanwhile = async {
            way.proxy.held().await;
            self.operator.fail(Function::Credentials, &down).await;
            way.proxy.release();
        };
        let (vended, ()) = tokio::join!(self.vend_anew(&instance), meanwhile);
        let vended = vended.ok();
        self.operator.mend(Function::Credentials).await;
        until("the answer is out of the queue", async || {
            self.api.access_token(&instance).await == vended["access_token"]
        })
        .await;
        assert_eq!(way.refreshes(), 1);
    }

    /// People begin at the provider, and the platform hands in what they came back with.
    async fn nobody_asked_for_an_answer(&self) {
        let way = self
            .way_with(|body| {
                body["definition"]["authorise"]["start"] = json!("provider");
                body["definition"]["authorise"]["pkce"] = json!("none");
                body["values"]["client_id"] = json!("installed");
            })
            .await;
        let page = Url::parse_with_params(
            &self.provider.authorise_url,
            [
                ("response_type", "code"),
                ("client_id", "installed"),
                ("redirect_uri", self.callback_url),
                ("scope", "openid offline_access"),
                ("prompt", "consent"),
            ],
        );
        let mut visitor = Visitor::default().stopping_before(self.callback_url);
        let page = visitor.open(page.unwrap().as_str()).await;
        let back = visitor.decide(page, Decision::Allow).await.url;
        let new = json!({ "connector": self.connector, "auth_method": way.method });
        let instance = self.api.post("/v1/instances", &new).await.created("id");
        let path = format!("/v1/instances/{instance}/answer");
        let query = json!({ "query": back.query() });
        let answered = self.api.post(&path, &query).await.ok();
        assert_eq!(answered["instance"], json!(instance));
        let token = self.api.access_token(&instance).await;
        assert!(self.provider.is_active(&token).await);
    }

    /// Somebody connects, and it can't be told.
    async fn an_event_is_left(&self) -> usize {
        let way = self.way().await;
        let before = self.operator.pending_events().await;
        let down = [("events:PutEvents", "refuse")];
        self.operator.fail(Function::Callback, &down).await;
        let _ = self.connected(&way).await;
        self.operator.mend(Function::Callback).await;
        let left = self.operator.pending_events().await;
        assert_eq!(left, before + 1);
        left
    }

    /// A tick publishes what was left.
    async fn somebody_else_publishes(&self, left: usize) {
        until("what was left is published", async || {
            let _ = self.operator.refresher(&json!({})).await;
            self.operator.pending_events().await < left
        })
        .await;
    }
}
