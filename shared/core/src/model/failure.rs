//! What went wrong with a request to a provider, and whose matter it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose matter a failure is. It decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The user's: only a new consent helps.
    User,
    /// The builder's: the definition or its values are wrong.
    Builder,
    /// The provider's: it is unwell, slow or throttling; it passes.
    Provider,
    /// Our own.
    Ourselves,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// No connection came about; the provider has not seen the request.
    Unreachable,
    /// Our own rules refuse the destination.
    DestinationRefused,
    /// The provider's certificate is none that is trusted for its name; nothing was sent.
    CertificateRefused,
    /// The request was sent and its answer lost.
    AnswerLost,
    /// The provider answered with a server error.
    ProviderError,
    /// The provider asks for patience.
    Throttled,
    /// The provider refuses the client, the scope or the request as such.
    ClientRefused,
    /// The provider's answer could not be read.
    AnswerUnreadable,
    /// The provider refuses the code or the refresh token.
    GrantRefused,
    /// The provider refuses the refresh token after an earlier answer was lost, which may have
    /// brought the next one.
    GrantLost,
    /// The access token ended and there is no refresh token.
    NotRefreshable,
    /// The provider rejects the access token, and there is no refresh token.
    TokenRejected,
    /// A value that the request needs is missing or can't be used.
    RequestImpossible,
}

impl FailureCode {
    /// Whose matter it is.
    #[must_use]
    pub fn blame(self) -> Blame {
        match self {
            Self::Unreachable | Self::AnswerLost | Self::ProviderError | Self::Throttled => {
                Blame::Provider
            }
            Self::DestinationRefused
            | Self::CertificateRefused
            | Self::ClientRefused
            | Self::AnswerUnreadable
            | Self::RequestImpossible => Blame::Builder,
            Self::GrantRefused | Self::GrantLost | Self::NotRefreshable | Self::TokenRejected => {
                Blame::User
            }
        }
    }

    /// The failure as a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => "the provider could not be reached",
            Self::DestinationRefused => {
                "the provider's address is not one that requests may be sent to"
            }
            Self::CertificateRefused => {
                "the certificate of the provider's address is not trusted: check the URL"
            }
            Self::AnswerLost => "the request was sent, but the provider's answer was lost",
            Self::ProviderError => "the provider answered with a server error",
            Self::Throttled => "the provider asked for fewer requests",
            Self::ClientRefused => {
                "the provider refused the client: check client id, secret, scopes and URLs"
            }
            Self::AnswerUnreadable => {
                "the provider's answer could not be read as the definition says"
            }
            Self::GrantRefused => "the provider no longer accepts the user's grant",
            Self::GrantLost => {
                "the provider no longer accepts the user's grant, after an answer that may have replaced it was lost"
            }
            Self::NotRefreshable => {
                "the access token has ended and the provider gave no refresh token"
            }
            Self::TokenRejected => {
                "the provider rejects the access token and gave no refresh token"
            }
            Self::RequestImpossible => {
                "the request could not be made from the definition and its values"
            }
        }
    }
}

/// A failure, as remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// When it was noticed.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What it was.
    pub code: FailureCode,
    /// The provider's own words, secrets removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}
