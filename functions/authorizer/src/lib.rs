//! The `authorizer` function: API Gateway asks it who is asking, and hands its answer on to the
//! function that the request is for (HTTP API Lambda authorizer, payload 2.0, simple response).

use std::{collections::BTreeMap, sync::Arc};

use latchkey_core::{
    flow::authenticate::{authenticate, bearer},
    model::{Secret, api_key::Principal},
    port::{ApiKeys, Clock, StoreError},
};
use serde::{Deserialize, Serialize};
use tracing::info;

/// What the function reaches.
#[derive(Clone)]
pub struct Ports {
    /// Where API keys are found.
    pub keys: Arc<dyn ApiKeys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// What the gateway asks; of a request it needs the headers only.
#[derive(Debug, Deserialize)]
pub struct Question {
    /// The request's headers, names in lower case.
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
}

/// What the gateway is answered.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether the request may go on.
    #[serde(rename = "isAuthorized")]
    is_authorized: bool,
    /// What the function is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Debug, Serialize)]
struct Context {
    /// The principal as JSON text; the gateway hands on texts.
    principal: String,
}

/// Says who is asking.
///
/// # Errors
/// [`StoreError`] if it could not be found out: the gateway answers 500, and nobody is let in.
pub async fn answer(ports: &Ports, question: &Question) -> Result<Answer, StoreError> {
    let key = question
        .headers
        .get("authorization")
        .and_then(|value| bearer(value.expose()));
    let principal = match key {
        Some(key) => authenticate(&*ports.keys, &key, ports.clock.now()).await?,
        None => None,
    };
    match &principal {
        Some(Principal { key, .. }) => info!(key, "authorised"),
        None => info!("refused"),
    }
    let context = principal
        .and_then(|principal| serde_json::to_string(&principal).ok())
        .map(|principal| Context { principal });
    Ok(Answer {
        is_authorized: context.is_some(),
        context,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_never_prints_its_key() {
        let question = r#"{"headers":{"authorization":"Bearer lk_secret"},"routeKey":"GET /v1/x"}"#;
        let question: Question = serde_json::from_str(question).unwrap();
        assert!(!format!("{question:?}").contains("lk_secret"));
        assert_eq!(
            bearer(question.headers["authorization"].expose())
                .unwrap()
                .expose(),
            "lk_secret"
        );
    }
}
