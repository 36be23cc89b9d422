//! From what a flow refuses to the problem that a caller gets: the one mapping there is.

use latchkey_core::{
    flow::{
        authorise::AuthoriseError, complete::CompleteError, define::DefineError,
        delete::DeleteError, unasked::UnaskedError, vend::VendError,
    },
    model::fault::Faults,
    port::{StoreError, VaultError},
};
use tracing::error;

use crate::{
    instance::{Action, Next, needs},
    problem::{Problem, ProblemKind},
};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        error!(%error, "store");
        match error {
            StoreError::Unavailable(_) => unavailable(),
            StoreError::Corrupt(_) => Self::new(ProblemKind::Internal),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        error!(%error, "vault");
        match error {
            VaultError::Unavailable | VaultError::Missing => unavailable(),
            VaultError::UnknownKey | VaultError::Refused => Self::new(ProblemKind::Internal),
        }
    }
}

impl From<DefineError> for Problem {
    fn from(error: DefineError) -> Self {
        match error {
            DefineError::Faults(faults) => Self::invalid(faults),
            DefineError::Gone(what) => Self::not_found(what),
            DefineError::Lost => Self::new(ProblemKind::VersionMismatch)
                .detail("read it again and repeat the change"),
            DefineError::InUse(instances) => {
                let detail = format!(
                    "{instances} {} it; delete them first",
                    if instances == 1 {
                        "instance uses"
                    } else {
                        "instances use"
                    }
                );
                Self::new(ProblemKind::InUse)
                    .detail(detail)
                    .instances(instances)
            }
            DefineError::Full => Self::new(ProblemKind::Conflict).detail(error.to_string()),
            DefineError::Store(error) => error.into(),
            DefineError::Vault(error) => error.into(),
        }
    }
}

impl From<AuthoriseError> for Problem {
    fn from(error: AuthoriseError) -> Self {
        match error {
            AuthoriseError::Faults(faults) => Self::invalid(faults),
            AuthoriseError::InstanceGone => Self::not_found("instance"),
            AuthoriseError::MethodGone => Self::not_found("auth method"),
            AuthoriseError::SessionGone => Self::not_found("connect session"),
            AuthoriseError::Incomplete(lacks) => {
                let detail = "the builder must give what 'lacks' names before anyone can connect";
                Self::new(ProblemKind::MethodIncomplete)
                    .detail(detail)
                    .lacks(lacks)
            }
            AuthoriseError::Impossible(why) => Self::new(ProblemKind::MethodIncomplete).detail(why),
            AuthoriseError::Store(error) => error.into(),
            AuthoriseError::Vault(error) => error.into(),
        }
    }
}

impl From<CompleteError> for Problem {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Store(error) => error.into(),
            CompleteError::Vault(error) => error.into(),
            CompleteError::Contended => unavailable(),
        }
    }
}

impl From<UnaskedError> for Problem {
    fn from(error: UnaskedError) -> Self {
        match error {
            UnaskedError::BegunHere => Self::new(ProblemKind::Conflict).detail(error.to_string()),
            UnaskedError::Empty => {
                Self::invalid(Faults::one("/query", "missing", error.to_string()))
            }
            UnaskedError::Authorise(error) => error.into(),
            UnaskedError::Complete(error) => error.into(),
        }
    }
}

impl From<VendError> for Problem {
    fn from(error: VendError) -> Self {
        match error {
            VendError::Gone => Self::not_found("instance"),
            VendError::NotConnected => Self::new(ProblemKind::NotConnected)
                .detail("open a connect session and let the user consent"),
            VendError::ReconnectRequired(cause) => Self::new(ProblemKind::ReconnectRequired)
                .detail(cause.code.sentence())
                .needs(Some(cause.code.blame()))
                .failure(Some(cause)),
            VendError::Unavailable {
                failure,
                paused,
                at,
                retry_after,
            } => {
                let action = Action::after(paused, failure.as_ref());
                let why = failure
                    .as_ref()
                    .map_or("another request is refreshing it", |failure| {
                        failure.code.sentence()
                    });
                Self::new(ProblemKind::CredentialUnavailable)
                    .detail(why)
                    .needs(needs(paused, failure.as_ref()))
                    .next(Next { action, at })
                    .failure(failure)
                    .retry_after(retry_after)
            }
            VendError::Impossible => {
                Self::new(ProblemKind::CredentialUnavailable).detail(error.to_string())
            }
            VendError::Store(error) => error.into(),
            VendError::Vault(error) => error.into(),
        }
    }
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Gone => Self::not_found("instance"),
            DeleteError::Store(error) => error.into(),
        }
    }
}

fn unavailable() -> Problem {
    Problem::new(ProblemKind::Unavailable).retry_after(std::time::Duration::from_secs(1))
}
