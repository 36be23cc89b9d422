//! Where in a definition a template stands, and what it may name there.

use crate::model::{definition::Origin, template::Namespace};

/// Where in a definition a template stands, which decides what it may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The URL of the provider's metadata, which is read when the definition is saved.
    Discovery,
    /// The client id.
    ClientId,
    /// The client secret.
    ClientSecret,
    /// The callback URL.
    RedirectUri,
    /// The authorise request.
    Authorise,
    /// The key of a callback's digest.
    Verify,
    /// The token request.
    Token,
    /// The re-authenticate request.
    Refresh,
    /// The revocation and the introspection request.
    Revoke,
    /// A lookup.
    Lookup,
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
                Self::Token | Self::Refresh | Self::Revoke | Self::Lookup | Self::Verify => true,
                // A secret that only feeds a digest is told apart by what is visible.
                Self::Authorise | Self::Use => true,
                Self::Discovery
                | Self::ClientId
                | Self::ClientSecret
                | Self::RedirectUri
                | Self::Response => false,
            },
            Namespace::Flow => match self {
                Self::RedirectUri => key == "callback_url",
                Self::Authorise => true,
                Self::Token => key != "code_challenge",
                Self::Refresh | Self::Revoke | Self::Lookup => {
                    matches!(key, "redirect_uri" | "callback_url" | "scope")
                }
                Self::Discovery
                | Self::ClientId
                | Self::ClientSecret
                | Self::Response
                | Self::Use
                | Self::Verify => false,
            },
            Namespace::Callback => matches!(self, Self::Token | Self::Lookup),
            Namespace::Token => match self {
                Self::Token | Self::Refresh | Self::Revoke | Self::Lookup => true,
                // The refresh token never leaves by any API.
                Self::Use => !key.ends_with("refresh_token"),
                Self::Discovery
                | Self::ClientId
                | Self::ClientSecret
                | Self::RedirectUri
                | Self::Authorise
                | Self::Verify
                | Self::Response => false,
            },
            Namespace::Step => {
                matches!(
                    self,
                    Self::Token | Self::Refresh | Self::Revoke | Self::Lookup
                )
            }
            Namespace::Request => matches!(
                self,
                Self::Authorise | Self::Token | Self::Refresh | Self::Revoke | Self::Lookup
            ),
            Namespace::Moment => matches!(
                self,
                Self::Authorise | Self::Token | Self::Refresh | Self::Revoke | Self::Lookup
            ),
        }
    }

    /// Whether people or logs may see what is rendered here.
    pub(super) fn is_visible(self) -> bool {
        matches!(
            self,
            Self::ClientId | Self::Authorise | Self::RedirectUri | Self::Response
        )
    }

    /// Whether a value that the provider brings from `origin` is there by now.
    pub(super) fn knows(self, origin: Origin) -> bool {
        match origin {
            Origin::Builder => true,
            Origin::User => self != Self::Discovery,
            Origin::Callback => !matches!(
                self,
                Self::Discovery
                    | Self::ClientId
                    | Self::RedirectUri
                    | Self::Authorise
                    | Self::Verify
            ),
            Origin::Token | Origin::Lookup => matches!(
                self,
                Self::Token | Self::Refresh | Self::Revoke | Self::Lookup | Self::Use
            ),
        }
    }
}
