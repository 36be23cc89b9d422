//! How the client shows who it is (RFC 6749 §2.3, RFC 7523).

use http::{HeaderMap, header};
use oauth2::{AuthType, ClientId, ClientSecret, basic::BasicClient};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    dialect::DialectError,
    moment::Moment,
    overlay::{Pair, Pairs},
    scope::Scope,
};
use crate::model::{
    Secret,
    definition::{BasicEncoding, ClientAuthentication, SigningAlgorithm},
    function::{
        Function, Value as Piped,
        signing::{Algorithm, jws},
    },
    method::{Assertion, Client, Request},
    template::{Template, Unfilled},
};

/// Who the provider knows us as, and how it wants to be shown.
#[derive(Debug)]
pub struct Identity {
    /// The client id.
    pub id: String,
    /// The client secret, where there is one.
    pub secret: Option<Secret>,
    authentication: ClientAuthentication,
    basic_encoding: BasicEncoding,
    assertion: Option<Secret>,
}

/// Why a client can't show who it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A value is missing.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// The assertion can't be signed.
    #[error("the assertion could not be signed: {0}")]
    Signing(#[from] crate::model::function::signing::SigningError),
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Identity {
    /// The client as it shows itself to a request that goes to `url`.
    ///
    /// # Errors
    /// [`IdentityError`] if a value is missing or the key can't sign.
    pub fn new(
        client: &Client,
        request: &Request,
        url: &Url,
        moment: &Moment,
        scope: &Scope<'_>,
    ) -> Result<Self, IdentityError> {
        let id = client.id.fill(scope)?;
        let authentication = request.authentication;
        let needs_secret =
            authentication.has_secret() && authentication != ClientAuthentication::Custom;
        let secret = match client.secret.as_ref().map(|secret| secret.fill(scope)) {
            Some(Ok(secret)) => Some(Secret::new(secret)),
            Some(Err(missing)) if needs_secret => return Err(missing.into()),
            Some(Err(_)) | None => None,
        };
        let scope = Scope {
            client_id: Some(&id),
            client_secret: secret.as_ref(),
            moment: Some(moment),
            ..*scope
        };
        let assertion = client
            .assertion
            .as_ref()
            .filter(|_| authentication.signs())
            .map(|assertion| signed(assertion, url, moment, &scope))
            .transpose()?;
        Ok(Self {
            authentication,
            basic_encoding: client.basic_encoding,
            assertion,
            secret,
            id,
        })
    }

    /// The standard client that comes nearest (RFC 6749 §2.3.1).
    #[must_use]
    pub fn standard(&self) -> BasicClient {
        let basic = self.authentication == ClientAuthentication::Basic;
        let kind = if basic {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        };
        let client = BasicClient::new(ClientId::new(self.id.clone())).set_auth_type(kind);
        let secret = match self.authentication {
            ClientAuthentication::Basic
            | ClientAuthentication::Body
            | ClientAuthentication::BasicAndBody => self.secret.as_ref(),
            ClientAuthentication::SecretJwt => self.assertion.as_ref(),
            ClientAuthentication::None
            | ClientAuthentication::Bearer
            | ClientAuthentication::PrivateKeyJwt
            | ClientAuthentication::ClientSecretJwt
            | ClientAuthentication::Custom => None,
        };
        match secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().clone())),
            None => client,
        }
    }
}

/// Shows who the client is, beyond what the standard request already says.
///
/// # Errors
/// [`DialectError::Header`] if a credential can't stand in a header.
pub(super) fn authenticate(
    identity: &Identity,
    pairs: &mut Pairs,
    headers: &mut HeaderMap,
) -> Result<(), DialectError> {
    let secret = || identity.secret.as_ref().map_or("", |s| s.expose().as_str());
    let mut authorization = |text: &str| {
        let value = super::header::value(&header::AUTHORIZATION, text)?;
        headers.insert(header::AUTHORIZATION, value);
        Ok::<(), DialectError>(())
    };
    match identity.authentication {
        // The standard request has it already.
        ClientAuthentication::Basic if identity.basic_encoding == BasicEncoding::Form => {}
        ClientAuthentication::Basic | ClientAuthentication::BasicAndBody => {
            authorization(&basic(&identity.id, secret(), identity.basic_encoding))?;
        }
        ClientAuthentication::Bearer => {
            pairs.retain(|pair| pair.name != "client_id");
            authorization(&format!("Bearer {}", secret()))?;
        }
        ClientAuthentication::PrivateKeyJwt | ClientAuthentication::ClientSecretJwt => {
            let assertion = identity.assertion.as_ref().map(|a| a.expose().as_str());
            pairs.push(Pair::new("client_assertion_type", ASSERTION_TYPE));
            pairs.push(Pair::new("client_assertion", assertion.unwrap_or_default()));
        }
        ClientAuthentication::Custom => {
            pairs.retain(|pair| !matches!(&*pair.name, "client_id" | "client_secret"));
        }
        ClientAuthentication::Body
        | ClientAuthentication::None
        | ClientAuthentication::SecretJwt => {}
    }
    Ok(())
}

fn basic(id: &str, secret: &str, encoding: BasicEncoding) -> String {
    let written = |text: &str| match encoding {
        BasicEncoding::Form => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        BasicEncoding::Raw => text.to_owned(),
    };
    let pair = Piped::Text(format!("{}:{}", written(id), written(secret)));
    let encoded = Function::Base64.apply(pair, &[]).ok();
    let encoded = encoded.and_then(Piped::into_text).unwrap_or_default();
    format!("Basic {encoded}")
}

/// The JWT that shows who the client is (RFC 7523 §3).
fn signed(
    assertion: &Assertion,
    url: &Url,
    moment: &Moment,
    scope: &Scope<'_>,
) -> Result<Secret, IdentityError> {
    let part = |template: &Option<Template>| template.as_ref().map(|t| t.fill(scope)).transpose();
    let client = scope.client_id.unwrap_or_default();
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!("JWT"));
    if let Some(id) = part(&assertion.key_id)? {
        header.insert("kid".to_owned(), Value::String(id));
    }
    let issued = moment.now.as_second();
    let lifetime = i64::try_from(assertion.lifetime.as_secs()).unwrap_or(i64::MAX);
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    claim(
        "iss",
        json!(part(&assertion.issuer)?.as_deref().unwrap_or(client)),
    );
    claim(
        "sub",
        json!(part(&assertion.subject)?.as_deref().unwrap_or(client)),
    );
    let audience = part(&assertion.audience)?;
    claim("aud", json!(audience.as_deref().unwrap_or(url.as_str())));
    claim("iat", json!(issued));
    claim("exp", json!(issued.saturating_add(lifetime)));
    claim("jti", json!(moment.uuid));
    for (members, written) in [
        (&mut header, &assertion.header),
        (&mut claims, &assertion.claims),
    ] {
        for (name, template) in written {
            members.insert(name.to_string(), Value::String(template.fill(scope)?));
        }
    }
    let key = match part(&assertion.key)? {
        Some(key) => Secret::new(key),
        None => scope.client_secret.cloned().unwrap_or_else(|| "".into()),
    };
    let jwt = jws(
        &header,
        &claims,
        algorithm(assertion.algorithm),
        key.expose(),
    )?;
    Ok(Secret::new(jwt))
}

fn algorithm(written: SigningAlgorithm) -> Algorithm {
    match written {
        SigningAlgorithm::Rs256 => Algorithm::Rs256,
        SigningAlgorithm::Ps256 => Algorithm::Ps256,
        SigningAlgorithm::Es256 => Algorithm::Es256,
        SigningAlgorithm::Hs256 => Algorithm::Hs256,
    }
}
