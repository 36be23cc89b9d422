//! What is there when a simulation begins: auth methods, and instances whose users have consented.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    model::{
        Secret,
        definition::RefreshPolicy,
        grant::{StoredGrant, TokenSet, Tokens},
        health::MethodHealth,
        id::{ConnectorId, InstanceId, InstanceKey, MethodId, MethodKey},
        instance::{Instance, State},
        method::{MethodValues, StoredMethod},
        refresh_tokens::{Journal, RefreshTokens},
        sealed::{Place, Sealed},
        terms::Terms,
    },
    port::{Clock as _, Due, Entropy, Seal as _, Vault as _},
};
use serde_json::{Value, json};

use super::{World, read, tenant};
use crate::provider::Token;

impl World {
    /// An auth method whose tokens come from this host; `refresh` is what its definition says of refreshes.
    pub fn method(&self, host: &str, refresh: &Value) -> MethodKey {
        let now = self.timeline.now();
        let key = MethodKey {
            tenant: tenant(),
            connector: ConnectorId::new(now, &self.entropy().id()),
            id: MethodId::new(now, &self.entropy().id()),
        };
        let definition = json!({
            "name": host,
            "authorise": { "url": format!("https://{host}/authorise") },
            "token": { "url": format!("https://{host}/token") },
            "revoke": { "url": format!("https://{host}/revoke") },
            "refresh": refresh,
        });
        let secret = Secret::new(b"client-secret".to_vec());
        let place = StoredMethod::value_place(&key, "client_secret");
        let sealed = self.vault.seal(&place, &secret).ok();
        let named = |value| ("client_secret".to_owned(), value);
        self.store.put_method(StoredMethod {
            key: key.clone(),
            version: 1,
            definition: read(definition),
            inherited: Vec::new(),
            discovered: BTreeMap::new(),
            values: MethodValues {
                plain: BTreeMap::from([("client_id".to_owned(), "client".to_owned())]),
                sealed: sealed.map(named).into_iter().collect(),
                apart: None,
            },
            instances: 0,
            health: MethodHealth::default(),
            created_at: now,
            updated_at: now,
        });
        key
    }

    fn entropy(&self) -> &dyn Entropy {
        &*self.chance
    }

    /// The name of a new instance.
    #[must_use]
    pub fn name(&self) -> InstanceKey {
        InstanceKey {
            tenant: tenant(),
            id: InstanceId::new(self.timeline.now(), &self.entropy().id()),
        }
    }

    /// An instance whose user consented when its access token was received, which is due when its
    /// schedule says.
    pub fn connected(
        &self,
        key: &InstanceKey,
        method: &MethodKey,
        token: Token,
        life: Life,
    ) -> Instance {
        let tokens = Tokens {
            main: TokenSet {
                access_token: token.access().into(),
                refresh_token: Some(token.refresh().into()),
                id_token: None,
                token_type: "bearer".to_owned(),
                expires_at: Some(life.ends_at()),
            },
            sets: BTreeMap::new(),
            captured: BTreeMap::new(),
        };
        let grant = StoredGrant {
            epoch: 1,
            parent: None,
            answered_under: None,
            tokens: self.sealed(key, &tokens),
            refresh_tokens: self.journal(key, &tokens),
            refreshable: true,
            expires_at: Some(life.ends_at()),
            terms: Terms {
                policy: life.policy,
                consented_at: Some(life.from),
                use_by: life.use_by,
                ..Terms::default()
            },
            scopes: Vec::new(),
            received_at: life.from,
        };
        let (connector, id) = (method.connector.clone(), method.id.clone());
        let name = "One of many".to_owned();
        let instance = Instance {
            incarnation: 1,
            epoch: 1,
            state: State::Active(grant),
            ..Instance::pending(key.clone(), connector, id, name, life.from)
        };
        let due = instance.schedule().and_then(|next| Due::next(key, &next));
        self.store.place(instance.clone(), due);
        instance
    }

    fn sealed(&self, key: &InstanceKey, tokens: &Tokens) -> Sealed {
        let rest = match self.vault.secrets() {
            Some(_) => tokens.without_refresh_tokens(),
            None => tokens.clone(),
        };
        let plaintext = rest
            .to_plaintext()
            .unwrap_or_else(|_| Secret::new(Vec::new()));
        self.seal(&Instance::tokens_place(key, 1), &plaintext)
    }

    /// Refresh tokens as a consent leaves them: the first lease sees the journal through.
    fn journal(&self, key: &InstanceKey, tokens: &Tokens) -> RefreshTokens {
        if self.vault.secrets().is_none() {
            return RefreshTokens::Inside;
        }
        let text = Secret::new(tokens.refresh_text().expose().as_bytes().to_vec());
        RefreshTokens::Journal(Journal {
            epoch: 1,
            sealed: self.seal(&Instance::refresh_place(key, 1), &text),
            instead_of: None,
        })
    }

    fn seal(&self, place: &Place, value: &Secret<Vec<u8>>) -> Sealed {
        let sealed = self.vault.seal(place, value);
        sealed.unwrap_or_else(|_| Sealed::new(Vec::new()))
    }
}

/// The life of a first access token.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// When it was received.
    pub from: Timestamp,
    /// How long it lives.
    pub span: SignedDuration,
    /// When it is refreshed without anybody asking.
    pub policy: RefreshPolicy,
    /// By when its refresh token must be used.
    pub use_by: Option<Timestamp>,
}

impl Life {
    fn ends_at(&self) -> Timestamp {
        self.from
            .saturating_add(self.span)
            .unwrap_or(Timestamp::MAX)
    }
}
