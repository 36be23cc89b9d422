//! Where in a definition a template stands, and what it may name there.

use crate::model::template::Namespace;

/// Where in a definition a template stands, which decides what it may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The client id.
    ClientId,
    /// The client secret.
    ClientSecret,
    /// The callback URL.
    RedirectUri,
    /// The authorise request.
    Authorise,
    /// The token request.
    Token,
    /// The re-authenticate request.
    Refresh,
    /// The revocation request.
    Revoke,
    /// Where things are in an answer, and other settings.
    Response,
    /// What a credential looks like.
    Use,
}

impl Place {
    /// Whether a template here may name a key of a namespace.
    pub(super) fn allows(self, namespace: Namespace, key: &str) -> bool {
        match namespace {
            Namespace::Variable => true,
            Namespace::Client => match self {
                Self::Token | Self::Refresh | Self::Revoke => true,
                Self::Authorise | Self::Use => key == "id",
                Self::ClientId | Self::ClientSecret | Self::RedirectUri | Self::Response => false,
            },
            Namespace::Flow => match self {
                Self::RedirectUri => key == "callback_url",
                Self::Authorise => true,
                Self::Token => matches!(key, "redirect_uri" | "callback_url" | "scope"),
                Self::ClientId
                | Self::ClientSecret
                | Self::Refresh
                | Self::Revoke
                | Self::Response
                | Self::Use => false,
            },
            Namespace::Callback => self == Self::Token,
            Namespace::Token => match self {
                Self::Refresh | Self::Revoke => true,
                // The refresh token never leaves by any API.
                Self::Use => key == "access_token",
                Self::ClientId
                | Self::ClientSecret
                | Self::RedirectUri
                | Self::Authorise
                | Self::Token
                | Self::Response => false,
            },
        }
    }

    /// Whether people or logs may see what is rendered here.
    pub(super) fn is_visible(self) -> bool {
        matches!(
            self,
            Self::ClientId | Self::Authorise | Self::RedirectUri | Self::Response
        )
    }
}
