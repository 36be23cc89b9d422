//! What can be said of a function before there are values.

use std::ops::RangeInclusive;

use super::{
    Function, Kind,
    digest::Digest,
    signing::{self, Algorithm},
    text,
};

/// How a function may be used.
struct Signature {
    takes: &'static [Kind],
    makes: Kind,
    arguments: RangeInclusive<usize>,
}

const TEXT: &[Kind] = &[Kind::Text];
const ANY: &[Kind] = &[Kind::Text, Kind::Bytes];

impl Function {
    /// The kind that it makes of `input`; an argument that isn't a literal is `None`.
    ///
    /// # Errors
    /// A sentence that says why it is impossible.
    pub fn check(self, input: Kind, arguments: &[Option<&str>]) -> Result<Kind, String> {
        let signature = self.signature();
        if !signature.arguments.contains(&arguments.len()) {
            let wanted = count(&signature.arguments);
            return Err(format!(
                "'{}' takes {wanted}, and has {}",
                self.name(),
                arguments.len()
            ));
        }
        if !signature.takes.contains(&input) {
            return Err(format!(
                "'{}' takes text, and gets {}: put 'hex', 'base64' or 'base64url' before it",
                self.name(),
                input.word()
            ));
        }
        self.check_literals(arguments)
            .map_err(|problem| format!("'{}': {problem}", self.name()))?;
        Ok(signature.makes)
    }

    fn signature(self) -> Signature {
        let (takes, makes, arguments) = match self {
            Self::Lower | Self::Upper | Self::Trim | Self::Host | Self::UrlEncode | Self::Json => {
                (TEXT, Kind::Text, 0..=0)
            }
            Self::Substr => (TEXT, Kind::Text, 1..=2),
            Self::Replace => (TEXT, Kind::Text, 2..=2),
            Self::Append | Self::Prepend => (TEXT, Kind::Text, 1..=usize::MAX),
            Self::Default | Self::Join | Self::JwtClaim => (TEXT, Kind::Text, 1..=1),
            Self::Base64 | Self::Base64Url | Self::Hex => (ANY, Kind::Text, 0..=0),
            Self::Sha256 | Self::Sha1 | Self::Md5 => (ANY, Kind::Bytes, 0..=0),
            Self::Hmac => (ANY, Kind::Bytes, 2..=2),
            Self::Sign => (TEXT, Kind::Bytes, 2..=2),
            Self::Jwt => (TEXT, Kind::Text, 2..=3),
        };
        Signature {
            takes,
            makes,
            arguments,
        }
    }

    fn check_literals(self, arguments: &[Option<&str>]) -> Result<(), String> {
        let first = arguments.first().copied().flatten();
        let second = arguments.get(1).copied().flatten();
        match self {
            Self::Substr => arguments.iter().try_for_each(|digits| number(*digits)),
            Self::Replace => not_empty(first, "the text to replace is empty"),
            Self::JwtClaim => not_empty(first, "the name of the claim is empty"),
            Self::Hmac => {
                let known = first.and_then(Digest::named);
                known.ok_or("the first argument must be 'sha256', 'sha1' or 'sha512'")?;
                not_empty(second, "the key is empty")
            }
            Self::Sign => {
                let public = Algorithm::named(first.unwrap_or_default())
                    .filter(|algorithm| algorithm.is_public_key());
                key(
                    public.ok_or("the first argument must be 'RS256', 'ES256' or 'PS256'")?,
                    second,
                )
            }
            Self::Jwt => key(
                first
                    .and_then(Algorithm::named)
                    .ok_or("the first argument must be 'RS256', 'ES256', 'PS256' or 'HS256'")?,
                second,
            ),
            Self::Lower
            | Self::Upper
            | Self::Trim
            | Self::Append
            | Self::Prepend
            | Self::Default
            | Self::Join
            | Self::Host
            | Self::UrlEncode
            | Self::Json
            | Self::Base64
            | Self::Base64Url
            | Self::Hex
            | Self::Sha256
            | Self::Sha1
            | Self::Md5 => Ok(()),
        }
    }
}

fn number(digits: Option<&str>) -> Result<(), String> {
    digits
        .and_then(|digits| text::number(digits).ok())
        .map(drop)
        .ok_or_else(|| "its arguments must be whole numbers, written out".to_owned())
}

fn not_empty(literal: Option<&str>, problem: &str) -> Result<(), String> {
    match literal {
        Some("") => Err(problem.to_owned()),
        _ => Ok(()),
    }
}

fn key(algorithm: Algorithm, literal: Option<&str>) -> Result<(), String> {
    literal.map_or(Ok(()), |key| {
        signing::check_for(algorithm, key).map_err(|error| error.to_string())
    })
}

fn count(arguments: &RangeInclusive<usize>) -> String {
    match (*arguments.start(), *arguments.end()) {
        (0, 0) => "no argument".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, usize::MAX) => format!("at least {least} argument"),
        (least, most) => format!("{least} or {most} arguments"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{keys, signing::SigningError},
        Function, Kind,
    };

    const NO_KEY: Option<&str> = None;

    #[test]
    fn what_is_possible_has_a_kind() {
        use Function as F;
        for (function, input, arguments, output) in [
            (F::Lower, Kind::Text, &[][..], Kind::Text),
            (F::Substr, Kind::Text, &[Some("0"), Some("8")], Kind::Text),
            (F::Replace, Kind::Text, &[None, Some("")], Kind::Text),
            (F::Append, Kind::Text, &[None, Some("a"), None], Kind::Text),
            (F::Default, Kind::Text, &[Some("")], Kind::Text),
            (F::Base64, Kind::Bytes, &[], Kind::Text),
            (F::Hex, Kind::Text, &[], Kind::Text),
            (F::Sha256, Kind::Bytes, &[], Kind::Bytes),
            (F::Md5, Kind::Text, &[], Kind::Bytes),
            (F::Hmac, Kind::Bytes, &[Some("sha512"), NO_KEY], Kind::Bytes),
            (F::Sign, Kind::Text, &[Some("ES256"), NO_KEY], Kind::Bytes),
            (
                F::Sign,
                Kind::Text,
                &[Some("PS256"), Some(keys::RSA)],
                Kind::Bytes,
            ),
            (
                F::Jwt,
                Kind::Text,
                &[Some("HS256"), Some("k"), None],
                Kind::Text,
            ),
            (F::JwtClaim, Kind::Text, &[Some("exp")], Kind::Text),
        ] {
            assert_eq!(function.check(input, arguments), Ok(output), "{function:?}");
        }
    }

    #[test]
    fn what_is_impossible_says_why() {
        use Function as F;
        let wrong_key = SigningError::WrongKey(super::Algorithm::Es256).to_string();
        for (function, input, arguments, problem) in [
            (
                F::Lower,
                Kind::Text,
                &[Some("a")][..],
                "takes no argument, and has 1",
            ),
            (F::Join, Kind::Text, &[], "takes one argument, and has 0"),
            (
                F::Replace,
                Kind::Text,
                &[None],
                "takes 2 arguments, and has 1",
            ),
            (
                F::Append,
                Kind::Text,
                &[],
                "takes at least 1 argument, and has 0",
            ),
            (
                F::Jwt,
                Kind::Text,
                &[None],
                "takes 2 or 3 arguments, and has 1",
            ),
            (F::Lower, Kind::Bytes, &[], "takes text, and gets bytes"),
            (
                F::Default,
                Kind::Bytes,
                &[None],
                "takes text, and gets bytes",
            ),
            (
                F::Sign,
                Kind::Bytes,
                &[Some("RS256"), None],
                "takes text, and gets bytes",
            ),
            (F::Substr, Kind::Text, &[None], "whole numbers, written out"),
            (
                F::Substr,
                Kind::Text,
                &[Some("0"), Some("-1")],
                "whole numbers, written out",
            ),
            (
                F::Replace,
                Kind::Text,
                &[Some(""), None],
                "the text to replace is empty",
            ),
            (
                F::JwtClaim,
                Kind::Text,
                &[Some("")],
                "the name of the claim is empty",
            ),
            (
                F::Hmac,
                Kind::Text,
                &[None, None],
                "must be 'sha256', 'sha1' or 'sha512'",
            ),
            (
                F::Hmac,
                Kind::Text,
                &[Some("SHA256"), None],
                "must be 'sha256', 'sha1' or 'sha512'",
            ),
            (
                F::Hmac,
                Kind::Text,
                &[Some("sha1"), Some("")],
                "the key is empty",
            ),
            (
                F::Sign,
                Kind::Text,
                &[Some("HS256"), None],
                "must be 'RS256', 'ES256' or 'PS256'",
            ),
            (
                F::Sign,
                Kind::Text,
                &[Some("ES256"), Some(keys::RSA)],
                &wrong_key,
            ),
            (
                F::Jwt,
                Kind::Text,
                &[Some("none"), None],
                "must be 'RS256', 'ES256', 'PS256' or 'HS256'",
            ),
            (
                F::Jwt,
                Kind::Text,
                &[Some("RS256"), Some("geheim")],
                "the key is not a PEM",
            ),
        ] {
            let error = function.check(input, arguments).unwrap_err();
            assert!(error.contains(problem), "{function:?}: {error}");
            assert!(
                error.starts_with(&format!("'{}'", function.name())),
                "{error}"
            );
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
