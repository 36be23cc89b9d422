//! Discovery: what a definition leaves blank, out of the provider's metadata.
//!
//! # Why
//! It happens when a definition is saved, and at no other time. What is saved is whole, so no authorisation and no
//! refresh waits for metadata, and a provider's metadata that changes, or that somebody else has got hold of, does not
//! redirect the tokens of those who are connected: a builder saves, sees what has changed, and people consent anew.
//!
//! # How it works
//! The URL is rendered with what the builder gives; one that needs a value of a user can't be. The metadata is read
//! through the egress with all of its rules, checked against the URL, laid into the blanks, and the result is parsed like
//! any definition. What was filled in is kept beside it, so that saving the same again follows the metadata.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use url::Url;

use super::{
    define::{Define, DefineError, MethodDraft},
    open::plain_values,
};
use crate::{
    model::{
        Secret,
        definition::{Definition, VariableDefinition},
        fault::{Fault, Faults},
        method::{AuthMethod, StoredMethod},
        url_template::UrlTemplate,
        values::{GivenValues, KnownValues, builder_value},
    },
    port::{SendError, WireRequest},
    protocol::{
        metadata::{Metadata, Unusable, fill},
        scope::Scope,
    },
};

const DISCOVERY_URL: &str = "/definition/discovery_url";

/// A definition whose blanks are filled.
pub(super) struct Whole {
    pub(super) definition: Definition,
    pub(super) method: AuthMethod,
    /// What the metadata has filled in.
    pub(super) discovered: BTreeMap<String, Value>,
}

/// Why metadata is of no use.
#[derive(Debug, thiserror::Error)]
enum NoMetadata {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("the answer has status {0}, not 200 (RFC 8414 §3.2)")]
    Status(StatusCode),
    #[error("the answer is no JSON object")]
    Malformed,
}

impl NoMetadata {
    fn code(&self) -> &'static str {
        match self {
            Self::Unusable(_) => "wrong_metadata",
            Self::Send(_) | Self::Status(_) | Self::Malformed => "no_metadata",
        }
    }
}

impl Define<'_> {
    /// Parses a draft, with its blanks filled from the provider's metadata if it says where that is.
    ///
    /// # Errors
    /// [`DefineError::Faults`] with pointers into the request body.
    pub(super) async fn completed(
        &self,
        current: &StoredMethod,
        inherited: &[VariableDefinition],
        draft: &MethodDraft,
    ) -> Result<Whole, DefineError> {
        let faults = |faults: Faults| DefineError::Faults(faults.under("/definition"));
        let method = AuthMethod::parse(&draft.definition, inherited).map_err(faults)?;
        let url = method.discovery.as_ref();
        let url = url.map(|template| self.metadata_url(template, &method, current, draft));
        let Some(Some(url)) = url else {
            let waiting = url.map(|_| current.discovered.clone());
            return Ok(Whole {
                definition: draft.definition.clone(),
                method,
                discovered: waiting.unwrap_or_default(),
            });
        };
        let found = self.metadata(url, method.timeout).await;
        let metadata = found.map_err(|why| {
            let fault = Faults::one(DISCOVERY_URL, why.code(), why.to_string());
            DefineError::Faults(fault)
        })?;
        filled(&metadata, current, inherited, draft).map_err(DefineError::Faults)
    }

    /// The URL of the metadata; `None` while a value of the builder's is missing, which `lacks` names.
    fn metadata_url(
        &self,
        template: &UrlTemplate,
        method: &AuthMethod,
        current: &StoredMethod,
        draft: &MethodDraft,
    ) -> Option<Url> {
        let mut given = plain_values(&current.values.plain);
        for (key, value) in &draft.values {
            given.remove(key);
            let value = value
                .as_ref()
                .and_then(|value| builder_value(method, key, value).ok());
            given.extend(value.map(|value| (key.clone(), value)));
        }
        let (none, callback_url) = (GivenValues::new(), self.deployment.callback_url());
        let known = KnownValues::resolve(method, &given, &none, &none, callback_url);
        template.fill(&Scope::new(&known, callback_url)).ok()
    }

    /// Reads and checks metadata. Whoever answers is asked once, and sent nowhere else.
    async fn metadata(&self, url: Url, limit: Duration) -> Result<Metadata, NoMetadata> {
        let accept = (header::ACCEPT, HeaderValue::from_static("application/json"));
        let request = WireRequest {
            method: Method::GET,
            url: url.clone(),
            headers: HeaderMap::from_iter([accept]),
            body: Secret::new(Vec::new()),
            limit,
        };
        let answer = self.egress.send(request).await?;
        if answer.status != StatusCode::OK {
            return Err(NoMetadata::Status(answer.status));
        }
        let members = serde_json::from_slice(answer.body.expose());
        let metadata = Metadata::new(members.map_err(|_| NoMetadata::Malformed)?);
        metadata.check(&url)?;
        Ok(metadata)
    }
}

fn filled(
    metadata: &Metadata,
    current: &StoredMethod,
    inherited: &[VariableDefinition],
    draft: &MethodDraft,
) -> Result<Whole, Faults> {
    let mut written = draft.written.clone();
    let discovered = fill(&mut written, metadata, &current.discovered);
    let unreadable = |_| {
        let why = "with what its metadata says, it is no definition";
        Faults::one(DISCOVERY_URL, "wrong_metadata", why)
    };
    let definition: Definition = serde_json::from_value(written).map_err(unreadable)?;
    let parsed = AuthMethod::parse(&definition, inherited);
    let method = parsed.map_err(|faults| blamed(faults, &discovered))?;
    Ok(Whole {
        definition,
        method,
        discovered,
    })
}

/// The faults of what the metadata has filled in, at the URL that it comes from.
fn blamed(faults: Faults, discovered: &BTreeMap<String, Value>) -> Faults {
    let mut blamed = Faults::new();
    for Fault {
        pointer,
        code,
        detail,
    } in faults.into_vec()
    {
        if discovered.keys().any(|filled| pointer.starts_with(filled)) {
            let why = format!("what its metadata says for {pointer} can't be: {detail}");
            blamed.add(DISCOVERY_URL, "wrong_metadata", why);
        } else {
            blamed.add(format!("/definition{pointer}"), code, detail);
        }
    }
    blamed
}
