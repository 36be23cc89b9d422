//! What a credential looks like, as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a caller puts on its own requests to the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UseDefinition {
    /// Headers.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: IndexMap<String, String>,
    /// Query parameters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub query: IndexMap<String, String>,
    /// Body parameters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub body: IndexMap<String, String>,
    /// Where the provider's API is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The statuses of the provider's API that mean that the access token has ended; 401 if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expired_statuses: Vec<u16>,
    /// Further texts that a caller needs.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub values: IndexMap<String, String>,
}

impl Default for UseDefinition {
    /// The Bearer header (RFC 6750 §2.1).
    fn default() -> Self {
        let bearer = (
            "Authorization".to_owned(),
            "Bearer {{token.access_token}}".to_owned(),
        );
        Self {
            headers: IndexMap::from([bearer]),
            query: IndexMap::new(),
            body: IndexMap::new(),
            base_url: None,
            expired_statuses: Vec::new(),
            values: IndexMap::new(),
        }
    }
}
