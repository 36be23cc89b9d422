//! The vault: either what is sealed lies in the item itself, or Secrets Manager keeps it.

use crate::provider::Token;

/// Which vault holds refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VaultKind {
    /// They are sealed into the item.
    Sealed,
    /// Secrets Manager has them, one version each.
    SecretsManager,
}

impl VaultKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sealed, Self::SecretsManager];
}

/// One secret of Secrets Manager.
///
/// A version is named by its token, as `ClientRequestToken` is made
/// of the epoch: a repeated `PutSecretValue` is the same version. A version without a label is gone
/// at once, which is the worst that Secrets Manager may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vault {
    /// The version with the label `AWSPENDING`.
    pub pending: Token,
    /// The version with the label `AWSCURRENT`.
    pub current: Token,
    /// The version with the label `AWSPREVIOUS`; a reader by label may still take it for the current.
    pub previous: Token,
}

impl Vault {
    /// Whether a version is there.
    #[must_use]
    pub fn has(&self, token: Token) -> bool {
        token != Token::NONE && [self.pending, self.current, self.previous].contains(&token)
    }

    /// `PutSecretValue` with the label `AWSPENDING`.
    pub fn put(&mut self, token: Token) {
        if !self.has(token) {
            self.pending = token;
        }
    }

    /// Moves `AWSCURRENT` to a version from the one named; says whether it is there now.
    pub fn promote(&mut self, token: Token, from: Token) -> bool {
        if self.current == token {
            return true;
        }
        if self.current != from || !self.has(token) {
            return false;
        }
        if self.pending == token {
            self.pending = Token::NONE;
        }
        self.previous = self.current;
        self.current = token;
        true
    }
}
