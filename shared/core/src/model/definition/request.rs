//! Requests to the provider, as they are written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    client::ClientAuthentication,
    parameter::{Condition, Parameters},
    response::ResponseDefinition,
    scalar::Texts,
};
use crate::model::rotation::Rotation;

/// A request with the parameters that an RFC gives it, and what is its own.
macro_rules! request {
    ($(#[$meta:meta])* $name:ident { $($(#[$own_meta:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// The HTTP method.
            #[serde(skip_serializing_if = "is_default")]
            pub method: RequestMethod,
            /// The URL, or several: the first whose values are all there.
            #[serde(skip_serializing_if = "Texts::is_empty")]
            #[schema(example = "https://oauth.myapp.com/token/{{account}}")]
            pub url: Texts,
            /// How the client shows who it is, in place of the client's own way.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub authentication: Option<ClientAuthentication>,
            /// Headers added; those of the token request if not given.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(value_type = Option<std::collections::BTreeMap<String, super::Parameter>>)]
            pub headers: Option<Parameters>,
            /// Query parameters added.
            #[serde(skip_serializing_if = "Parameters::is_empty")]
            #[schema(value_type = std::collections::BTreeMap<String, super::Parameter>)]
            pub query: Parameters,
            /// Body parameters added to the standard ones, or in their place.
            #[serde(skip_serializing_if = "Parameters::is_empty")]
            #[schema(value_type = std::collections::BTreeMap<String, super::Parameter>)]
            pub body: Parameters,
            /// How the body is written; as for the token request if not given.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub body_format: Option<BodyFormat>,
            /// Where the standard parameters go: the body, or the query of a `get`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub parameters_in: Option<ParameterPlace>,
            /// How the answer is read; as for the token request if not given.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub response: Option<ResponseDefinition>,
            /// Requests made first.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub before: Vec<StepDefinition>,
            /// Requests made afterwards.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub after: Vec<StepDefinition>,
            $($(#[$own_meta])* pub $own: $type,)*
        }

        impl $name {
            /// What it has in common with the other requests.
            #[must_use]
            pub fn parts(&self) -> RequestParts<'_> {
                RequestParts {
                    method: self.method,
                    url: &self.url,
                    authentication: self.authentication,
                    headers: self.headers.as_ref(),
                    query: &self.query,
                    body: &self.body,
                    body_format: self.body_format,
                    parameters_in: self.parameters_in,
                    response: self.response.as_ref(),
                    before: &self.before,
                    after: &self.after,
                }
            }
        }
    };
}

request! {
    /// The token request (RFC 6749 §4.1.3).
    TokenDefinition {
        /// How many seconds an access token lives where the answer doesn't say.
        #[serde(skip_serializing_if = "Option::is_none")]
        lifetime_seconds: Option<u64>,
    }
}

request! {
    /// The re-authenticate request (RFC 6749 §6). Its URL is the token URL if it has none.
    RefreshDefinition {
        /// What is given for a new access token.
        #[serde(skip_serializing_if = "is_default")]
        mode: RefreshMode,
        /// What becomes of a refresh token once it is used.
        rotation: Rotation,
        /// Whether the refresh token stays.
        #[serde(skip_serializing_if = "is_default")]
        keep_refresh_token: KeepRefreshToken,
        /// Whether the access token stays, prolonged, where the answer brings none.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        keep_access_token: bool,
        /// The provider refuses a refresh before the last so many seconds of the access token's life.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seconds: Option<u64>,
        /// When access tokens are refreshed without anybody asking.
        #[serde(skip_serializing_if = "is_default")]
        policy: RefreshPolicy,
        /// The refresh token ends when it isn't used for so many seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        idle_seconds: Option<u64>,
        /// The connection ends so many seconds after the consent, however often it is refreshed.
        #[serde(skip_serializing_if = "Option::is_none")]
        absolute_seconds: Option<u64>,
        /// How many days before its end a connection's user is warned.
        #[serde(skip_serializing_if = "Option::is_none")]
        warning_days: Option<u16>,
    }
}

request! {
    /// The revocation request (RFC 7009 §2.1).
    RevokeDefinition {}
}

request! {
    /// The introspection request (RFC 7662 §2.1).
    IntrospectDefinition {}
}

/// What all requests have in common.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// The HTTP method.
    pub method: RequestMethod,
    /// The URLs.
    pub url: &'a Texts,
    /// How the client shows who it is.
    pub authentication: Option<ClientAuthentication>,
    /// Headers.
    pub headers: Option<&'a Parameters>,
    /// Query parameters.
    pub query: &'a Parameters,
    /// Body parameters.
    pub body: &'a Parameters,
    /// How the body is written.
    pub body_format: Option<BodyFormat>,
    /// Where the standard parameters go.
    pub parameters_in: Option<ParameterPlace>,
    /// How the answer is read.
    pub response: Option<&'a ResponseDefinition>,
    /// Requests made first.
    pub before: &'a [StepDefinition],
    /// Requests made afterwards.
    pub after: &'a [StepDefinition],
}

/// A request with no parameter and no authentication but those that it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDefinition {
    /// Its name; its answer is `step.ID`.
    pub id: String,
    /// Made only if this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// The HTTP method.
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: RequestMethod,
    /// The URL, or several: the first whose values are all there.
    pub url: Texts,
    /// Headers.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, super::Parameter>)]
    pub headers: Parameters,
    /// Query parameters.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, super::Parameter>)]
    pub query: Parameters,
    /// Body parameters.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, super::Parameter>)]
    pub body: Parameters,
    /// How the body is written; there is none with `get` unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_format: Option<BodyFormat>,
    /// How the answer is read, and which tokens it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseDefinition>,
}

/// An HTTP method (RFC 9110 §9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestMethod {
    /// `POST`.
    #[default]
    Post,
    /// `GET`.
    Get,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`, the standard.
    #[default]
    Form,
    /// `application/json`.
    Json,
    /// There is no body.
    None,
}

/// Where the standard parameters of a request go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterPlace {
    /// The body.
    #[default]
    Body,
    /// The query of the URL.
    Query,
    /// Headers.
    Headers,
}

/// What is given for a new access token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshMode {
    /// The refresh token (RFC 6749 §6).
    #[default]
    RefreshToken,
    /// The access token, while it lives.
    AccessToken,
    /// The client's own credentials (RFC 6749 §4.4).
    ClientCredentials,
    /// What the definition says, and nothing else.
    Resign,
    /// There is no refresh.
    None,
}

/// When access tokens are refreshed without anybody asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// In good time before they end while somebody uses the instance; while nobody does, as `keep_alive`.
    #[default]
    EagerWhileUsed,
    /// So often that the refresh token doesn't end; a stale access token is refreshed when it is asked for.
    KeepAlive,
    /// In good time before they end.
    AlwaysEager,
}

/// Whether the refresh token stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepRefreshToken {
    /// Where the answer brings no other.
    #[default]
    IfAbsent,
    /// Whatever the answer brings.
    Always,
    /// Never: an answer without one ends it.
    Never,
}

fn get() -> RequestMethod {
    RequestMethod::Get
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_get(method: &RequestMethod) -> bool {
    *method == RequestMethod::Get
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
