//! Authorisations: attempts to get consent, and the sessions in which people make them.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    Secret,
    grant::StoredGrant,
    id::{ConnectorId, InstanceKey, MethodId, MethodKey},
    instance::StoredValues,
    sealed::{Place, PlaceKind, Sealed},
};

/// The SHA-256 of a secret, by which a thing is found without the secret being kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self(hex(&Sha256::digest(secret.expose())))
    }

    /// Reads a digest: 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (text.len() == 64 && lower).then(|| Self(text.to_owned()))
    }

    /// As lower-case hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, enough to name a cookie by.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..16).unwrap_or(&self.0)
    }

    /// Whether it is the digest of `secret`, in constant time.
    #[must_use]
    pub fn matches(&self, secret: &Secret) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), Self::of(secret).0.as_bytes()).into()
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({}…)", self.short())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An authorisation: what is pinned when a person is sent to the provider.
#[derive(Debug, Clone)]
pub struct Authorisation {
    /// The digest of its state.
    pub state: Digest,
    /// The instance that it is for.
    pub instance: InstanceKey,
    /// The connector of the instance.
    pub connector: ConnectorId,
    /// The auth method of the instance.
    pub method: MethodId,
    /// The version of the auth method that it was begun with.
    pub method_version: u64,
    /// The consent that the instance lived by when it was begun.
    pub incarnation: u64,
    /// The token URL, resolved: the code and the client secret go there and nowhere else. `None` where
    /// it depends on what the callback brings, which the definition bounds.
    pub token_url: Option<Url>,
    /// The redirect URI that was sent.
    pub redirect_uri: Url,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The sealed PKCE verifier (RFC 7636 §4.1).
    pub verifier: Option<Sealed>,
    /// The issuer that must come back (RFC 9207).
    pub issuer: Option<String>,
    /// Where the person goes afterwards; our own page if nowhere else.
    pub return_url: Option<Url>,
    /// How the person who finishes is known to be the one who began.
    pub binding: Binding,
    /// The user's values that take effect with the consent.
    pub values: StoredValues,
    /// The sealed token of the connect session, for another try in one click.
    pub session: Option<Sealed>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub progress: Progress,
}

/// How the person who finishes is known to be the one who began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// The browser carries a cookie with this digest.
    Browser(Digest),
    /// The platform completes it, in the person's own session with it.
    Platform,
}

/// How far an authorisation has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The person is at the provider.
    Open,
    /// The callback has taken its state; what became of it shows in the instance, or here if it failed.
    Taken,
    /// The grant waits for the platform's `complete`.
    Parked(Box<StoredGrant>),
    /// The platform has completed it. The grant stays: whoever completes it may die before the instance
    /// has it. None in what earlier versions have completed.
    Completed(Option<Box<StoredGrant>>),
    /// It failed.
    Failed(Miss),
}

/// Why an authorisation brought no grant.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// The person, or the provider in their name, said no (`access_denied`, RFC 6749 §4.1.2.1).
    Denied,
    /// The provider answered with another error.
    ProviderRefused,
    /// The answer was not one to this authorisation (no code, or another issuer).
    Mismatch,
    /// The browser is not the one that began.
    OtherBrowser,
    /// No state came back, and the browser was waiting for more than one answer.
    Ambiguous,
    /// The provider refused the client or the request: the builder must act.
    Misconfigured,
    /// The provider refused the code.
    CodeRefused,
    /// The provider could not be reached, or is unwell.
    ProviderUnwell,
    /// The code was sent and the answer lost.
    AnswerLost,
    /// The instance was deleted meanwhile.
    InstanceGone,
}

impl Authorisation {
    /// Where its sealed parts belong.
    #[must_use]
    pub fn place(instance: &InstanceKey, state: &Digest, part: &str) -> Place {
        let id = format!("{}/{part}", state.as_str());
        Place {
            tenant: instance.tenant.clone(),
            kind: PlaceKind::Authorisation,
            id,
            version: 0,
        }
    }

    /// Whether its state is in the browser's cookie and nowhere else.
    ///
    /// The cookie of any other authorisation is a secret of its own, so that what is looked for without a state can be
    /// one of these only.
    #[must_use]
    pub fn is_stateless(&self) -> bool {
        self.binding == Binding::Browser(self.state.clone())
    }

    /// What names its auth method.
    #[must_use]
    pub fn method_key(&self) -> MethodKey {
        MethodKey {
            tenant: self.instance.tenant.clone(),
            connector: self.connector.clone(),
            id: self.method.clone(),
        }
    }
}

/// A connect session: the right of whoever holds its link to connect one instance.
#[derive(Debug, Clone)]
pub struct ConnectSession {
    /// The digest of its token.
    pub token: Digest,
    /// The instance that it is for.
    pub instance: InstanceKey,
    /// Where the person goes afterwards.
    pub return_url: Option<Url>,
    /// When it ends.
    pub expires_at: Timestamp,
}
