//! What is there before anybody dies: a provider's definition, instances, and consents.

use jiff::Timestamp;
use latchkey_core::{
    flow::{
        authorise::{Binder, FlowCookie, NewInstance},
        define::MethodDraft,
    },
    model::{
        Secret,
        id::{InstanceKey, MethodKey, TenantId},
        values::GivenValues,
    },
};
use latchkey_model::provider::Policy;
use serde_json::{Value, json};

use crate::{
    job::{Callback, Consent, Job},
    provider::GRACE_SECONDS,
    world::World,
};

/// Who binds a consent to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A browser with a cookie.
    Browser,
    /// The platform.
    Platform,
}

impl World {
    /// An auth method at the provider.
    pub async fn method(&self, now: Timestamp) -> MethodKey {
        let ports = self.ports(now);
        let tenant: TenantId = "acme".parse().expect("a tenant");
        let define = ports.define();
        let connector = define.create_connector(&tenant, "Shop".to_owned(), Vec::new());
        let connector = connector.await.expect("a connector");
        let written = self.definition();
        let draft = MethodDraft {
            definition: serde_json::from_value(written.clone()).expect("a definition"),
            written,
            values: [("client_id", "id"), ("client_secret", "secret")]
                .map(|(key, value)| (key.to_owned(), Some(Secret::from(value))))
                .into(),
        };
        let method = define.create_method(&tenant, &connector.id, draft).await;
        method.expect("an auth method").key
    }

    fn definition(&self) -> Value {
        let url = &self.provider.url;
        let rotation = match self.configuration.policy {
            Policy::NoRotation => json!("none"),
            Policy::UntilUsed => json!("until_used"),
            Policy::Overlap => json!({ "grace": { "seconds": GRACE_SECONDS } }),
            Policy::Strict | Policy::StrictFamily => json!("single_use"),
        };
        json!({
            "name": "Shop",
            "authorise": { "url": format!("{url}/authorise") },
            "token": { "url": format!("{url}/token") },
            "refresh": { "rotation": rotation, "policy": "always_eager" },
            "revoke": { "url": format!("{url}/revoke") },
        })
    }

    /// An instance that nobody has consented to.
    pub async fn pending(&self, now: Timestamp, method: &MethodKey) -> InstanceKey {
        let ports = self.ports(now);
        let new = NewInstance {
            connector: method.connector.clone(),
            method: method.id.clone(),
            name: String::new(),
            values: GivenValues::new(),
            complete: true,
        };
        let made = ports.authorise().create(&method.tenant, new).await;
        made.expect("an instance").key
    }

    /// A person who has said yes at the provider, and whose browser is on its way back.
    pub async fn consent(
        &self,
        now: Timestamp,
        instance: &InstanceKey,
        binding: Binding,
    ) -> Callback {
        let ports = self.ports(now);
        let binder = match binding {
            Binding::Browser => Binder::Browser(Secret::from("session")),
            Binding::Platform => Binder::Platform,
        };
        let none = GivenValues::new();
        let begun = ports.authorise().begin(instance, &none, None, binder).await;
        let begun = begun.expect("an authorisation");
        let mut query = begun.authorise_url.query_pairs();
        let state = query.find(|(name, _)| name == "state").expect("a state").1;
        let cookie = begun.cookie.map(|cookie| match cookie {
            FlowCookie::Named(secret) | FlowCookie::Waiting(_, secret) => secret.expose().clone(),
        });
        Callback {
            consent: Consent {
                state: state.into_owned(),
                cookie,
            },
            code: self.provider.known().consent(),
        }
    }

    /// An instance that is connected.
    pub async fn connected(&self, now: Timestamp, method: &MethodKey) -> InstanceKey {
        let instance = self.pending(now, method).await;
        let callback = self.consent(now, &instance, Binding::Browser).await;
        let said = self.unharmed(now, &Job::Callback(callback)).await;
        assert_eq!(said, "connected");
        instance
    }
}
