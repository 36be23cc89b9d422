//! From nothing to the provider's consent page: instances, connect sessions, authorisations.

mod pin;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use url::Url;

pub(super) use self::pin::{Pinned, pin, pinned_token_url, redirect_uri, state_length};
use super::{
    Deployment,
    open::{bytes, plain_values},
};
use crate::{
    model::{
        Secret,
        authorisation::{Authorisation, Binding, ConnectSession, Digest, Progress},
        definition::StateCarrier,
        fault::Faults,
        id::{ConnectorId, InstanceId, InstanceKey, MethodId, MethodKey, TenantId},
        instance::{Instance, State, StoredValues},
        method::{AuthMethod, FoundMethod, StoredMethod},
        template::Unfilled,
        url_template::FillError,
        values::{GivenValues, KnownValues, Present, check_user_values},
    },
    port::{
        BeginAuthorisations, Clock, Creation, Entropy, Instances, Methods, ReadSettings, Seal,
        Sessions, StoreError, VaultError,
    },
    protocol::authorise_url::AuthoriseUrlError,
};

/// How long an authorisation stays open.
const OPEN_FOR: SignedDuration = SignedDuration::from_mins(10);
/// The longest life of a connect session.
pub const LONGEST_SESSION: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why nobody can be sent to the provider.
#[derive(Debug, thiserror::Error)]
pub enum AuthoriseError {
    /// The input has faults.
    #[error("the input has faults")]
    Faults(Faults),
    /// There is no such instance, or it is deleted.
    #[error("there is no such instance")]
    InstanceGone,
    /// There is no such auth method.
    #[error("there is no such auth method")]
    MethodGone,
    /// There is no such session, or it has ended.
    #[error("there is no such connect session")]
    SessionGone,
    /// The auth method lacks something; the pointers say what.
    #[error("the auth method is not complete")]
    Incomplete(Vec<String>),
    /// The values don't make a usable request; the sentence says why, without values.
    #[error("the authorise request can't be made: {0}")]
    Impossible(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A new instance, as asked for.
#[derive(Debug)]
pub struct NewInstance {
    /// Its connector.
    pub connector: ConnectorId,
    /// Its auth method.
    pub method: MethodId,
    /// The name that people see.
    pub name: String,
    /// Values of variables.
    pub values: GivenValues,
    /// Whether everything required must be there already, or may be asked on the connect page.
    pub complete: bool,
}

/// Who binds the authorisation to the person.
#[derive(Debug)]
pub enum Binder {
    /// A browser on our connect page, which gets a cookie; with the token of its session.
    Browser(Secret),
    /// The platform, which completes the authorisation itself.
    Platform,
}

/// The cookie that shows that a browser is the one that began.
#[derive(Debug)]
pub enum FlowCookie {
    /// Found by the state that comes back: a secret of its own.
    Named(Secret),
    /// Looked for where no state comes back, one for each instance: the state itself, which is nowhere else.
    Waiting(InstanceId, Secret),
}

/// An authorisation that has begun.
pub struct Begun {
    /// Where the person goes.
    pub authorise_url: Url,
    /// The digest of the state; names the authorisation.
    pub state: Digest,
    /// The browser's cookie; for a browser only.
    pub cookie: Option<FlowCookie>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The authorise URL carries the state.
impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The form of a connect session.
#[derive(Debug)]
pub struct ConnectForm {
    /// The session.
    pub session: ConnectSession,
    /// The instance.
    pub instance: Instance,
    /// The auth method, whose questions are asked.
    pub method: Arc<AuthMethod>,
    /// The auth method as it is kept, with the builder's values.
    pub stored: FoundMethod,
}

impl ConnectForm {
    /// The values that are there already.
    #[must_use]
    pub fn present(&self) -> Present<'_> {
        of_user(of_builder(&self.stored), &self.instance.values)
    }
}

/// What the flow needs.
#[derive(Clone, Copy)]
pub struct Authorise<'a> {
    /// Instances.
    pub instances: &'a dyn Instances,
    /// Auth methods.
    pub methods: &'a dyn Methods,
    /// Connect sessions.
    pub sessions: &'a dyn Sessions,
    /// Authorisations.
    pub authorisations: &'a dyn BeginAuthorisations,
    /// Return URLs.
    pub settings: &'a dyn ReadSettings,
    /// The vault's slot.
    pub seal: &'a dyn Seal,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// Where we run.
    pub deployment: &'a Deployment,
}

impl std::fmt::Debug for Authorise<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorise")
    }
}

impl Authorise<'_> {
    /// Makes an instance that nobody has consented to yet.
    ///
    /// # Errors
    /// [`AuthoriseError::Faults`] with pointers into the request body, and the like.
    pub async fn create(
        &self,
        tenant: &TenantId,
        new: NewInstance,
    ) -> Result<Instance, AuthoriseError> {
        let key = MethodKey {
            tenant: tenant.clone(),
            connector: new.connector,
            id: new.method,
        };
        let (stored, method) = self.method(&key).await?;
        let mut faults = Faults::new();
        if new.name.len() > 200 {
            faults.add("/name", "too_long", "a name has 200 bytes at most");
        }
        let present = of_builder(&stored);
        if let Err(found) = check_user_values(&method, &new.values, &present, new.complete) {
            faults.extend(found.under("/values"));
        }
        faults.or(()).map_err(AuthoriseError::Faults)?;

        let now = self.clock.now();
        let instance_key = InstanceKey {
            tenant: tenant.clone(),
            id: InstanceId::new(now, &self.entropy.id()),
        };
        let values = self
            .merged(
                &instance_key,
                &method,
                &StoredValues::default(),
                &new.values,
            )
            .await?;
        let name = if new.name.trim().is_empty() {
            method.name.to_string()
        } else {
            new.name
        };
        let instance = Instance {
            values,
            ..Instance::pending(instance_key, key.connector, key.id, name, now)
        };
        match self.instances.create(&instance).await? {
            Creation::Done => Ok(instance),
            Creation::MethodGone => Err(AuthoriseError::MethodGone),
        }
    }

    /// Opens a connect session for an instance: the returned token makes its link.
    ///
    /// # Errors
    /// [`AuthoriseError::InstanceGone`], [`AuthoriseError::Faults`] for a return URL that is not registered.
    pub async fn open_session(
        &self,
        instance: &InstanceKey,
        return_url: Option<&str>,
        lifetime: Duration,
    ) -> Result<(Secret, Timestamp), AuthoriseError> {
        let return_url = self.return_url(&instance.tenant, return_url).await?;
        self.instance(instance).await?;
        let token = self.entropy.secret();
        let lifetime = lifetime.clamp(Duration::from_secs(60), LONGEST_SESSION);
        let expires_at = self
            .clock
            .now()
            .saturating_add(lifetime)
            .unwrap_or(Timestamp::MAX);
        let session = ConnectSession {
            token: Digest::of(&token),
            instance: instance.clone(),
            return_url,
            expires_at,
        };
        self.sessions.put(&session).await?;
        Ok((token, expires_at))
    }

    /// What the page of a connect session shows.
    ///
    /// # Errors
    /// [`AuthoriseError::SessionGone`] if there is none, or it has ended.
    pub async fn form(&self, token: &Secret) -> Result<ConnectForm, AuthoriseError> {
        let session = self
            .sessions
            .find(&Digest::of(token))
            .await?
            .ok_or(AuthoriseError::SessionGone)?;
        if session.expires_at <= self.clock.now() {
            return Err(AuthoriseError::SessionGone);
        }
        let instance = self.instance(&session.instance).await?;
        let (stored, method) = self.method(&instance.method_key()).await?;
        complete(&stored, &method)?;
        Ok(ConnectForm {
            session,
            instance,
            method,
            stored,
        })
    }

    /// Begins an authorisation: pins all that it depends on, and says where the person goes.
    ///
    /// Values given now take effect with the consent, and not before.
    ///
    /// # Errors
    /// [`AuthoriseError`] says why it can't begin.
    pub async fn begin(
        &self,
        instance: &InstanceKey,
        given: &GivenValues,
        return_url: Option<Url>,
        binder: Binder,
    ) -> Result<Begun, AuthoriseError> {
        let instance = self.instance(instance).await?;
        let (stored, method) = self.method(&instance.method_key()).await?;
        complete(&stored, &method)?;
        let values = &instance.values;
        let present = of_user(of_builder(&stored), values);
        check_user_values(&method, given, &present, true)
            .map_err(|faults| AuthoriseError::Faults(faults.under("/values")))?;
        let values = self
            .merged(&instance.key, &method, &instance.values, given)
            .await?;

        let known = KnownValues::resolve(
            &method,
            &plain_values(&stored.values.plain),
            &with_given(&method, plain_values(&values.plain), given),
            &GivenValues::new(),
            self.deployment.callback_url(),
        );
        let callback_url = self.deployment.callback_url();
        let pinned = pin(&method, &known, callback_url, self.clock, self.entropy)?;
        let session = match &binder {
            Binder::Browser(token) => {
                Some(self.seal(&instance.key, &pinned.digest, "session", token)?)
            }
            Binder::Platform => None,
        };
        let cookie = match (&session, method.authorise.state_carrier) {
            (Some(_), StateCarrier::Query | StateCarrier::RedirectUri) => {
                Some(FlowCookie::Named(self.entropy.secret()))
            }
            (Some(_), StateCarrier::Cookie) => Some(FlowCookie::Waiting(
                instance.key.id.clone(),
                pinned.state.clone(),
            )),
            (None, StateCarrier::Query | StateCarrier::RedirectUri) => None,
            // The platform's session is known only after the callback, which nothing would lead to.
            (None, StateCarrier::Cookie) => {
                let why =
                    "the provider returns no state, so people have to begin on the connect page";
                return Err(AuthoriseError::Impossible(why.to_owned()));
            }
        };
        let verifier = pinned.verifier.as_ref();
        let verifier = verifier
            .map(|v| self.seal(&instance.key, &pinned.digest, "verifier", v))
            .transpose()?;
        let now = self.clock.now();
        let authorisation = Authorisation {
            state: pinned.digest.clone(),
            connector: instance.connector,
            method: instance.method,
            method_version: stored.version,
            incarnation: instance.incarnation,
            instance: instance.key,
            token_url: pinned.token_url,
            redirect_uri: pinned.redirect_uri,
            scopes: pinned.scopes,
            verifier,
            issuer: method.authorise.issuer.as_deref().map(str::to_owned),
            return_url,
            binding: match &cookie {
                None => Binding::Platform,
                Some(FlowCookie::Named(secret) | FlowCookie::Waiting(_, secret)) => {
                    Binding::Browser(Digest::of(secret))
                }
            },
            values,
            session,
            created_at: now,
            expires_at: now.saturating_add(OPEN_FOR).unwrap_or(Timestamp::MAX),
            progress: Progress::Open,
        };
        self.authorisations.put(&authorisation).await?;
        Ok(Begun {
            authorise_url: pinned.authorise_url,
            state: pinned.digest,
            cookie,
            expires_at: authorisation.expires_at,
        })
    }

    /// A registered return URL.
    ///
    /// # Errors
    /// [`AuthoriseError::Faults`] if it is not registered for the tenant.
    pub async fn return_url(
        &self,
        tenant: &TenantId,
        text: Option<&str>,
    ) -> Result<Option<Url>, AuthoriseError> {
        let Some(text) = text else { return Ok(None) };
        let recent = self.settings.recent(tenant);
        // One that was registered just now counts at once.
        let allowed = recent.is_some_and(|settings| settings.allows(text))
            || self.settings.settings(tenant).await?.allows(text);
        let parsed = Url::parse(text).ok().filter(|_| allowed);
        let why = "it is not among the return URLs in the tenant's settings";
        let faults = || AuthoriseError::Faults(Faults::one("/return_url", "not_registered", why));
        parsed.map(Some).ok_or_else(faults)
    }

    async fn instance(&self, key: &InstanceKey) -> Result<Instance, AuthoriseError> {
        let found = self.instances.find(key).await?;
        found
            .filter(|instance| !matches!(instance.state, State::Deleted { .. }))
            .ok_or(AuthoriseError::InstanceGone)
    }

    async fn method(
        &self,
        key: &MethodKey,
    ) -> Result<(FoundMethod, Arc<AuthMethod>), AuthoriseError> {
        let stored = self
            .methods
            .find(key)
            .await?
            .ok_or(AuthoriseError::MethodGone)?;
        let method = stored.parse()?;
        Ok((stored, method))
    }

    /// The values that are there, with those now given in their place, secrets sealed.
    async fn merged(
        &self,
        instance: &InstanceKey,
        method: &AuthMethod,
        present: &StoredValues,
        given: &GivenValues,
    ) -> Result<StoredValues, AuthoriseError> {
        self.seal.warm().await?;
        let mut values = present.clone();
        for (key, value) in given.iter().filter(|(_, value)| !value.expose().is_empty()) {
            let Some(variable) = method.variable(key) else {
                continue;
            };
            let value = Secret::new(variable.uniform(value.expose()));
            if variable.is_secret() {
                let sealed = self
                    .seal
                    .seal(&Instance::value_place(instance, key), &bytes(&value))?;
                values.sealed.insert(key.clone(), sealed);
            } else {
                values.plain.insert(key.clone(), value.expose().clone());
            }
        }
        Ok(values)
    }

    fn seal(
        &self,
        instance: &InstanceKey,
        state: &Digest,
        part: &str,
        secret: &Secret,
    ) -> Result<crate::model::sealed::Sealed, VaultError> {
        self.seal
            .seal(&Authorisation::place(instance, state, part), &bytes(secret))
    }
}

/// The values at hand, secrets among them that the person has just given.
fn with_given(method: &AuthMethod, mut present: GivenValues, given: &GivenValues) -> GivenValues {
    for (key, value) in given.iter().filter(|(_, value)| !value.expose().is_empty()) {
        if let Some(variable) = method.variable(key) {
            let uniform = variable.uniform(value.expose());
            present.insert(key.clone(), Secret::new(uniform));
        }
    }
    present
}

/// Whether the builder has given all that an authorisation needs.
///
/// # Errors
/// [`AuthoriseError::Incomplete`] if not.
pub(super) fn complete(stored: &StoredMethod, method: &AuthMethod) -> Result<(), AuthoriseError> {
    let lacks = method.lacks(&stored.values);
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(AuthoriseError::Incomplete(lacks))
    }
}

fn of_builder(stored: &StoredMethod) -> Present<'_> {
    Present::default().before(&stored.values.plain, stored.values.secret_names())
}

fn of_user<'a>(others: Present<'a>, values: &'a StoredValues) -> Present<'a> {
    others.before(&values.plain, values.sealed.keys().map(String::as_str))
}

/// What a definition that was kept can't be read by.
impl From<Faults> for AuthoriseError {
    fn from(faults: Faults) -> Self {
        let pointers = faults.into_vec().into_iter().map(|fault| fault.pointer);
        Self::Incomplete(pointers.collect())
    }
}

impl From<Unfilled> for AuthoriseError {
    fn from(missing: Unfilled) -> Self {
        Self::Impossible(missing.to_string())
    }
}

impl From<FillError> for AuthoriseError {
    fn from(error: FillError) -> Self {
        Self::Impossible(error.to_string())
    }
}

impl From<AuthoriseUrlError> for AuthoriseError {
    fn from(error: AuthoriseUrlError) -> Self {
        Self::Impossible(error.to_string())
    }
}
