//! What can go wrong when a function is applied.

use super::{LONGEST, signing::SigningError};

/// Why a function could not be applied; its text never contains a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// It takes text and got bytes.
    #[error("it takes text, not bytes")]
    Bytes,
    /// An argument is not there.
    #[error("an argument is missing")]
    Arguments,
    /// An argument that counts characters is not a number.
    #[error("an argument is not a whole number")]
    Number,
    /// There is nothing to look for.
    #[error("the text to replace is empty")]
    EmptyPattern,
    /// The key of an HMAC is empty.
    #[error("the key is empty")]
    EmptyKey,
    /// The algorithm is not one that the function knows.
    #[error("the algorithm is not one of those that it knows")]
    Algorithm,
    /// What it would make is longer than [`LONGEST`].
    #[error("the result is longer than {LONGEST} bytes")]
    TooLong,
    /// The text is not a URL with a host.
    #[error("the text is not a URL with a host")]
    NoHost,
    /// The claims are not a JSON object.
    #[error("the claims are not a JSON object")]
    Claims,
    /// The text is not a JWT in its compact form.
    #[error("the text is not a signed JWT")]
    NotJwt,
    /// The JWT does not have the claim; a `default` may stand in.
    #[error("the JWT has no such claim")]
    NoClaim,
    /// The claim is a list or an object.
    #[error("the claim is neither a text nor a number nor a boolean")]
    ClaimShape,
    /// The signature could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
}
