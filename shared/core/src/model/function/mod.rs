//! The functions of the template language: `{{key | lower | base64}}`.
//!
//! # Why
//! Providers want values in other forms than we hold them: hashed, signed, encoded, cut. A closed set
//! of pure functions says so as data, and nothing in it can loop, call out or read what it isn't given.
//!
//! # How it works
//! [`Function::named`] and [`Function::check`] are for saving: a pipe that can't work is refused then.
//! [`Function::apply`] is for filling, and what goes wrong there depends on values. Neither error ever
//! contains a value.

mod check;
mod claim;
mod digest;
mod encode;
mod error;
#[cfg(test)]
mod keys;
mod name;
mod pem;
#[cfg(test)]
mod properties;
pub mod published;
pub mod signing;
mod text;
mod value;

pub use error::FunctionError;
pub use value::{Kind, Value};

use signing::Algorithm;

/// The longest value that a function makes, in bytes.
///
/// Without it a short template could ask for any amount of memory, as
/// `replace('a', 'aaaa')` makes its input four times as long each time.
pub const LONGEST: usize = 256 * 1024;

/// A function of the template language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
    /// No white space at either end.
    Trim,
    /// A part: from a character, and how many.
    Substr,
    /// Each occurrence of a text becomes another.
    Replace,
    /// Texts after it.
    Append,
    /// Texts before it.
    Prepend,
    /// What stands in where there is no value; whoever fills the template does that.
    Default,
    /// The parts between white space, with something else between them.
    Join,
    /// The host of a URL.
    Host,
    /// Percent-encoding (RFC 3986 §2.1).
    UrlEncode,
    /// A JSON string with its quotes.
    Json,
    /// Base64 with padding (RFC 4648 §4).
    Base64,
    /// Base64 for URLs, without padding (RFC 4648 §5).
    Base64Url,
    /// Small hexadecimal digits.
    Hex,
    /// The SHA-256 digest.
    Sha256,
    /// The SHA-1 digest.
    Sha1,
    /// The MD5 digest.
    Md5,
    /// A keyed digest (RFC 2104).
    Hmac,
    /// A signature with a private key.
    Sign,
    /// A signed JWT of claims given as JSON.
    Jwt,
    /// A claim of a JWT, which is not verified.
    JwtClaim,
}

impl Function {
    /// Applies it to `input`. The arguments are filled texts.
    ///
    /// # Errors
    /// [`FunctionError`] where the values don't allow it.
    pub fn apply(self, input: Value, arguments: &[String]) -> Result<Value, FunctionError> {
        if self == Self::Default {
            // There is a value, so nothing stands in for it.
            return Ok(input);
        }
        let output = self.output(&input, arguments)?;
        if output.as_bytes().len() > LONGEST {
            return Err(FunctionError::TooLong);
        }
        Ok(output)
    }

    fn output(self, input: &Value, arguments: &[String]) -> Result<Value, FunctionError> {
        let at = |place| argument(arguments, place);
        let bytes = input.as_bytes();
        match self {
            Self::Lower => Ok(Value::Text(words(input)?.to_lowercase())),
            Self::Upper => Ok(Value::Text(words(input)?.to_uppercase())),
            Self::Trim => Ok(Value::Text(words(input)?.trim().to_owned())),
            Self::Default => Ok(Value::Text(words(input)?.to_owned())),
            Self::Substr => {
                let length = arguments.get(1).map(String::as_str);
                text::part(words(input)?, at(0)?, length).map(Value::Text)
            }
            Self::Replace => text::replace(words(input)?, at(0)?, at(1)?).map(Value::Text),
            Self::Append => Ok(Value::Text(words(input)?.to_owned() + &arguments.concat())),
            Self::Prepend => Ok(Value::Text(arguments.concat() + words(input)?)),
            Self::Join => text::join(words(input)?, at(0)?).map(Value::Text),
            Self::Host => text::host(words(input)?).map(Value::Text),
            Self::UrlEncode => Ok(Value::Text(encode::percent(words(input)?))),
            Self::Json => Ok(Value::Text(encode::json(words(input)?))),
            Self::Base64 => Ok(Value::Text(encode::base64(bytes))),
            Self::Base64Url => Ok(Value::Text(encode::base64url(bytes))),
            Self::Hex => Ok(Value::Text(encode::hex(bytes))),
            Self::Sha256 => Ok(Value::Bytes(digest::sha256(bytes))),
            Self::Sha1 => Ok(Value::Bytes(digest::sha1(bytes))),
            Self::Md5 => Ok(Value::Bytes(digest::md5(bytes))),
            Self::Hmac => hmac(at(0)?, at(1)?, bytes).map(Value::Bytes),
            Self::Sign => sign(at(0)?, at(1)?, words(input)?).map(Value::Bytes),
            Self::Jwt => {
                let key_id = arguments.get(2).map(String::as_str);
                claim::token(words(input)?, at(0)?, at(1)?, key_id).map(Value::Text)
            }
            Self::JwtClaim => claim::read(words(input)?, at(0)?).map(Value::Text),
        }
    }
}

fn argument(arguments: &[String], place: usize) -> Result<&str, FunctionError> {
    arguments
        .get(place)
        .map(String::as_str)
        .ok_or(FunctionError::Arguments)
}

fn words(input: &Value) -> Result<&str, FunctionError> {
    input.text().ok_or(FunctionError::Bytes)
}

fn hmac(algorithm: &str, key: &str, message: &[u8]) -> Result<Vec<u8>, FunctionError> {
    let digest = digest::Digest::named(algorithm).ok_or(FunctionError::Algorithm)?;
    if key.is_empty() {
        return Err(FunctionError::EmptyKey);
    }
    Ok(digest::hmac(digest, key.as_bytes(), message))
}

fn sign(algorithm: &str, key: &str, message: &str) -> Result<Vec<u8>, FunctionError> {
    let algorithm = Algorithm::named(algorithm)
        .filter(|algorithm| algorithm.is_public_key())
        .ok_or(FunctionError::Algorithm)?;
    Ok(signing::sign(algorithm, key, message.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::{Function, FunctionError, Value, keys};

    fn applied(
        function: Function,
        input: Value,
        arguments: &[&str],
    ) -> Result<Value, FunctionError> {
        let arguments: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
        function.apply(input, &arguments)
    }

    fn text(function: Function, input: &str, arguments: &[&str]) -> Result<String, FunctionError> {
        applied(function, Value::Text(input.to_owned()), arguments).map(|value| {
            value
                .into_text()
                .unwrap_or_else(|| panic!("{function:?} makes text"))
        })
    }

    #[test]
    fn each_function_makes_of_a_text_what_its_page_says() {
        use Function as F;
        for (function, input, arguments, output) in [
            (F::Lower, "AcME Ünï", &[][..], "acme ünï"),
            (F::Upper, "acme straße", &[], "ACME STRASSE"),
            (F::Trim, " \t a b\r\n", &[], "a b"),
            (F::Substr, "añb€c", &["1"], "ñb€c"),
            (F::Substr, "añb€c", &["1", "3"], "ñb€"),
            (F::Substr, "abc", &["3"], ""),
            (F::Substr, "abc", &["9", "9"], ""),
            (F::Substr, "abc", &["0", "18446744073709551615"], "abc"),
            (F::Replace, "a-b-c", &["-", ""], "abc"),
            (F::Replace, "aaa", &["aa", "b"], "ba"),
            (F::Replace, "$1", &["$1", "\\0"], "\\0"),
            (F::Append, "a", &["b", "", "c"], "abc"),
            (F::Prepend, "c", &["a", "b"], "abc"),
            (F::Default, "a", &["b"], "a"),
            (F::Join, "read  write\nadmin ", &[","], "read,write,admin"),
            (F::Join, "", &[","], ""),
            (
                F::Host,
                "https://u:p@Shop.Example.com:8443/a?b#c",
                &[],
                "shop.example.com",
            ),
            (
                F::Host,
                "https://bücher.example",
                &[],
                "xn--bcher-kva.example",
            ),
            (F::Host, "http://[2001:db8::1]/", &[], "[2001:db8::1]"),
            (F::UrlEncode, "a b+c/ü~._-", &[], "a%20b%2Bc%2F%C3%BC~._-"),
            (F::Json, "a\"b\\\n\u{1}é", &[], "\"a\\\"b\\\\\\n\\u0001é\""),
            (F::Base64, "id:sécret?", &[], "aWQ6c8OpY3JldD8="),
            (F::Base64Url, "~~~???", &[], "fn5-Pz8_"),
            (F::Hex, "\u{0}é", &[], "00c3a9"),
        ] {
            let made = text(function, input, arguments);
            assert_eq!(made.as_deref(), Ok(output), "{function:?} {input}");
        }
    }

    #[test]
    fn a_pipe_hashes_signs_and_encodes() {
        let key = "a\u{1f511}";
        let tag = applied(Function::Hmac, Value::Text("1".into()), &["sha256", key]).unwrap();
        let again = applied(
            Function::Hmac,
            Value::Bytes(b"1".to_vec()),
            &["sha256", key],
        )
        .unwrap();
        assert_eq!(tag.as_bytes(), again.as_bytes());
        let hex = applied(Function::Hex, tag, &[]).unwrap();
        assert_eq!(hex.as_bytes().len(), 64);
        let signature = applied(
            Function::Sign,
            Value::Text("1".into()),
            &["RS256", keys::RSA],
        );
        assert_eq!(signature.unwrap().as_bytes().len(), 256);
    }

    #[test]
    fn what_values_do_not_allow_says_why() {
        use Function as F;
        let long = "a".repeat(super::LONGEST);
        for (function, input, arguments, error) in [
            (F::Substr, "abc", &["-1"][..], FunctionError::Number),
            (F::Substr, "abc", &["+1"], FunctionError::Number),
            (F::Substr, "abc", &[""], FunctionError::Number),
            (
                F::Substr,
                "abc",
                &["1", "99999999999999999999"],
                FunctionError::Number,
            ),
            (F::Substr, "abc", &[], FunctionError::Arguments),
            (F::Replace, "abc", &["", "x"], FunctionError::EmptyPattern),
            (F::Replace, &long, &["a", "bb"], FunctionError::TooLong),
            (F::Replace, "aaaa", &["a", &long], FunctionError::TooLong),
            (F::Join, "a b c", &[&long], FunctionError::TooLong),
            (F::Append, "a", &[&long], FunctionError::TooLong),
            (F::Hex, &long, &[], FunctionError::TooLong),
            (F::Host, "shop.example.com/path", &[], FunctionError::NoHost),
            (F::Host, "mailto:a@b.example", &[], FunctionError::NoHost),
            (F::Host, "file:///etc", &[], FunctionError::NoHost),
            (F::Host, "https://", &[], FunctionError::NoHost),
            (F::Hmac, "a", &["md5", "k"], FunctionError::Algorithm),
            (F::Hmac, "a", &["sha256", ""], FunctionError::EmptyKey),
            (F::Sign, "a", &["HS256", "k"], FunctionError::Algorithm),
            (F::Jwt, "{}", &["none", ""], FunctionError::Algorithm),
            (F::Jwt, "[]", &["HS256", "k"], FunctionError::Claims),
            (F::Jwt, "{", &["HS256", "k"], FunctionError::Claims),
        ] {
            assert_eq!(text(function, input, arguments), Err(error), "{function:?}");
        }
    }

    #[test]
    fn bytes_are_not_read_as_text() {
        for function in Function::ALL {
            let output = applied(*function, Value::Bytes(vec![0xff]), &["1", "2"]);
            if function
                .check(super::Kind::Bytes, &[])
                .is_err_and(|error| error.contains("text"))
            {
                assert_eq!(output.unwrap_err(), FunctionError::Bytes, "{function:?}");
            }
        }
    }

    #[test]
    fn an_error_has_no_value_in_it() {
        let geheim = ["geheim", "geheim", "geheim"];
        for function in Function::ALL {
            if let Err(error) = applied(*function, Value::Text("geheim".into()), &geheim) {
                assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
            }
        }
    }
}
