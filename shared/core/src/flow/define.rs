//! Connectors and auth methods, as builders make them.

use std::collections::BTreeMap;

use tracing::warn;

use super::{
    Deployment,
    authorise::state_length,
    discover::Whole,
    method_secrets::MethodSecrets,
    open::{bytes, plain_values},
};
use crate::{
    model::{
        Secret,
        connector::Connector,
        definition::{Definition, VariableDefinition},
        fault::{Faults, pointer_segment},
        health::MethodHealth,
        id::{ConnectorId, MethodId, MethodKey, TenantId},
        method::{AuthMethod, MethodValues, StoredMethod},
        values::{GivenValues, KnownValues, builder_value},
        variable::{Variable, missing_defaults},
    },
    port::{
        Change, Clock, Connectors, EditMethods, Egress, Entropy, MOST_METHODS, Removal, StoreError,
        Vault, VaultError,
    },
    protocol::scope::Scope,
};

/// The largest definition, in bytes of JSON.
const LARGEST_DEFINITION: usize = 64 * 1024;

/// Why a definition was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DefineError {
    /// The input has faults.
    #[error("the input has faults")]
    Faults(Faults),
    /// There is no such thing.
    #[error("there is no such {0}")]
    Gone(&'static str),
    /// Somebody else changed it first.
    #[error("it was changed since")]
    Lost,
    /// So many instances use it.
    #[error("{0} instances use it")]
    InUse(u64),
    /// The connector has as many auth methods as it may.
    #[error("a connector has {MOST_METHODS} auth methods at most")]
    Full,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// An auth method as a builder sends it.
#[derive(Debug)]
pub struct MethodDraft {
    /// The definition.
    pub definition: Definition,
    /// The definition as it was sent, which tells what it leaves blank.
    pub written: serde_json::Value,
    /// The builder's own values: one that is not named stays, `None` removes.
    pub values: BTreeMap<String, Option<Secret>>,
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Define<'a> {
    /// Connectors.
    pub connectors: &'a dyn Connectors,
    /// Auth methods.
    pub methods: &'a dyn EditMethods,
    /// The vault. Of what is in it nothing but an auth method's own secrets is opened.
    pub vault: &'a dyn Vault,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// The way out, to the metadata of providers.
    pub egress: &'a dyn Egress,
    /// Where we run.
    pub deployment: &'a Deployment,
}

impl std::fmt::Debug for Define<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Define")
    }
}

impl Define<'_> {
    /// Makes a connector.
    ///
    /// # Errors
    /// [`DefineError::Faults`] with pointers into the request body.
    pub async fn create_connector(
        &self,
        tenant: &TenantId,
        name: String,
        variables: Vec<VariableDefinition>,
    ) -> Result<Connector, DefineError> {
        Connector::check(&name, &variables).map_err(DefineError::Faults)?;
        let now = self.clock.now();
        let connector = Connector {
            tenant: tenant.clone(),
            id: ConnectorId::new(now, &self.entropy.id()),
            version: 1,
            name,
            variables,
            created_at: now,
            updated_at: now,
        };
        self.connectors.create(&connector).await?;
        Ok(connector)
    }

    /// Changes a connector that has the version `seen`. Its auth methods keep the copies of its
    /// variables that they were saved with.
    ///
    /// # Errors
    /// [`DefineError::Lost`] if it has another version by now, and the like.
    pub async fn update_connector(
        &self,
        tenant: &TenantId,
        id: &ConnectorId,
        seen: u64,
        name: String,
        variables: Vec<VariableDefinition>,
    ) -> Result<Connector, DefineError> {
        Connector::check(&name, &variables).map_err(DefineError::Faults)?;
        let current = self
            .connectors
            .find(tenant, id)
            .await?
            .ok_or(DefineError::Gone("connector"))?;
        let next = Connector {
            version: seen + 1,
            name,
            variables,
            updated_at: self.clock.now(),
            ..current
        };
        changed(self.connectors.update(&next).await?, "connector")?;
        Ok(next)
    }

    /// Makes an auth method.
    ///
    /// # Errors
    /// [`DefineError::Faults`] with pointers into the request body, and the like.
    pub async fn create_method(
        &self,
        tenant: &TenantId,
        connector: &ConnectorId,
        draft: MethodDraft,
    ) -> Result<StoredMethod, DefineError> {
        let now = self.clock.now();
        let key = MethodKey {
            tenant: tenant.clone(),
            connector: connector.clone(),
            id: MethodId::new(now, &self.entropy.id()),
        };
        let blank = StoredMethod {
            key,
            version: 0,
            definition: draft.definition.clone(),
            inherited: Vec::new(),
            discovered: BTreeMap::new(),
            values: MethodValues::default(),
            instances: 0,
            health: MethodHealth::default(),
            created_at: now,
            updated_at: now,
        };
        let method = Box::pin(self.revised(blank, draft)).await?;
        match self.methods.create(&method).await? {
            Change::Done => Ok(Box::pin(self.secrets().tidy(None, method)).await),
            Change::Lost => Err(DefineError::Full),
            Change::Gone => Err(DefineError::Gone("connector")),
        }
    }

    /// Changes an auth method that has the version `seen`.
    ///
    /// # Errors
    /// [`DefineError::Lost`] if it has another version by now, and the like.
    pub async fn update_method(
        &self,
        key: &MethodKey,
        seen: u64,
        draft: MethodDraft,
    ) -> Result<StoredMethod, DefineError> {
        let current = self
            .methods
            .load(key)
            .await?
            .ok_or(DefineError::Gone("auth method"))?;
        if current.version != seen {
            return Err(DefineError::Lost);
        }
        let before = current.values.clone();
        let method = Box::pin(self.revised(current, draft)).await?;
        changed(self.methods.update(&method).await?, "auth method")?;
        Ok(Box::pin(self.secrets().tidy(Some(&before), method)).await)
    }

    /// Removes an auth method that no instance uses, and then its secret. Whoever is told that one of them could not be
    /// done may ask again, even if there is no such method any more.
    ///
    /// # Errors
    /// [`DefineError::InUse`] if instances use it, and the like.
    pub async fn delete_method(
        &self,
        key: &MethodKey,
        version: Option<u64>,
    ) -> Result<(), DefineError> {
        let removal = self.methods.delete(key, version).await?;
        if matches!(removal, Removal::Done | Removal::Gone) {
            let deleted = self.secrets().delete(key).await;
            deleted.map_err(|error| {
                warn!(method = %key.id, %error, "secret not deleted");
                VaultError::Unavailable
            })?;
        }
        removed(removal, "auth method")
    }

    fn secrets(&self) -> MethodSecrets<'_> {
        MethodSecrets {
            methods: self.methods,
            vault: self.vault,
            clock: self.clock,
        }
    }

    /// The next version of an auth method.
    async fn revised(
        &self,
        current: StoredMethod,
        draft: MethodDraft,
    ) -> Result<StoredMethod, DefineError> {
        let connector = self
            .connectors
            .find(&current.key.tenant, &current.key.connector)
            .await?;
        let connector = connector.ok_or(DefineError::Gone("connector"))?;
        check_size(&draft.definition).map_err(DefineError::Faults)?;
        let inherited = draft.definition.inherited(&connector.variables);
        let Whole {
            mut definition,
            method,
            discovered,
        } = self.completed(&current, &inherited, &draft).await?;
        definition
            .variables
            .extend(missing_defaults(&definition.variables));
        let values = self.values(&current, &method, draft.values).await?;
        check_state_length(
            &method,
            &plain_values(&values.plain),
            self.deployment.callback_url(),
        )
        .map_err(DefineError::Faults)?;
        Ok(StoredMethod {
            version: current.version + 1,
            definition,
            inherited,
            discovered,
            values,
            updated_at: self.clock.now(),
            ..current
        })
    }

    /// The builder's values after a change, secrets sealed.
    async fn values(
        &self,
        current: &StoredMethod,
        method: &AuthMethod,
        changes: BTreeMap<String, Option<Secret>>,
    ) -> Result<MethodValues, DefineError> {
        self.vault.warm().await?;
        let mut values = current.values.clone();
        // A variable that is gone, or has become secret or ceased to be, loses its value.
        let is = |key: &str, secret| {
            method
                .variable(key)
                .is_some_and(|variable| variable.is_secret() == secret)
        };
        values.plain.retain(|key, _| is(key, false));
        values.retain_secrets(|key| is(key, true));
        let mut faults = Faults::new();
        for (key, change) in changes {
            values.plain.remove(&key);
            values.sealed.remove(&key);
            let Some(value) = change.filter(|value| !value.expose().is_empty()) else {
                values.retain_secrets(|name| name != key);
                continue;
            };
            match builder_value(method, &key, &value) {
                Err(found) => faults.extend(found.under("/values")),
                Ok(value) if method.variable(&key).is_some_and(Variable::is_secret) => {
                    let place = StoredMethod::value_place(&current.key, &key);
                    let sealed = self.vault.seal(&place, &bytes(&value))?;
                    values.sealed.insert(key, sealed);
                }
                Ok(value) => {
                    values.plain.insert(key, value.expose().clone());
                }
            }
        }
        faults.or(values).map_err(DefineError::Faults)
    }
}

/// Checks how large a definition is.
///
/// # Errors
/// It is too large; with a pointer into the request body.
pub fn check_size(definition: &Definition) -> Result<(), Faults> {
    if serde_json::to_vec(definition).is_ok_and(|text| text.len() > LARGEST_DEFINITION) {
        let why = "a definition has 64 KiB at most";
        return Err(Faults::one("/definition", "too_long", why));
    }
    Ok(())
}

/// Checks the length of the state, which is found when it is written, if users have no say in it.
///
/// # Errors
/// It is out of its bounds; with a pointer into the request body.
pub fn check_state_length(
    method: &AuthMethod,
    builder: &GivenValues,
    callback_url: &str,
) -> Result<(), Faults> {
    let none = GivenValues::new();
    let known = KnownValues::resolve(method, builder, &none, &none, callback_url);
    let scope = Scope::new(&known, callback_url);
    if method.authorise.state_length.fill(&scope).is_err() {
        return Ok(());
    }
    let pointer = match builder.contains_key("state_length") {
        true => format!("/values/{}", pointer_segment("state_length")),
        false => "/definition/authorise/state/length".to_owned(),
    };
    state_length(method, &scope)
        .map(drop)
        .map_err(|error| Faults::one(pointer, "out_of_range", error.to_string()))
}

/// What a removal's outcome means to whoever asked for it.
///
/// # Errors
/// Every outcome but [`Removal::Done`].
pub fn removed(removal: Removal, what: &'static str) -> Result<(), DefineError> {
    match removal {
        Removal::Done => Ok(()),
        Removal::Lost => Err(DefineError::Lost),
        Removal::Gone => Err(DefineError::Gone(what)),
        Removal::InUse(instances) => Err(DefineError::InUse(instances)),
    }
}

fn changed(change: Change, what: &'static str) -> Result<(), DefineError> {
    match change {
        Change::Done => Ok(()),
        Change::Lost => Err(DefineError::Lost),
        Change::Gone => Err(DefineError::Gone(what)),
    }
}
