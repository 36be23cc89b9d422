//! Identifiers: one type per entity, so that mixing two is a compile error.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A text that is not an identifier of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id")]
pub struct IdError {
    kind: &'static str,
}

impl IdError {
    /// A text that is not the id of such a thing.
    pub(super) fn of(kind: &'static str) -> Self {
        Self { kind }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Sortable by the time at which it was made.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, example = $example)]
        pub struct $name(Box<str>);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from the time and ten random bytes (the layout of UUID version 7, RFC 9562 §5.7).
            #[must_use]
            pub fn new(now: Timestamp, random: &[u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
                let uuid = uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid();
                Self(format!("{}{}", $prefix, uuid.simple()).into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let hex = text.strip_prefix($prefix).ok_or(IdError { kind: $kind })?;
                let lower = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                if hex.len() == 32 && lower {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { kind: $kind })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// The id of a connector.
    ConnectorId, "con_", "connector", "con_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    /// The id of an auth method.
    MethodId, "mth_", "auth method", "mth_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    /// The id of an instance.
    InstanceId, "ins_", "instance", "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
    /// The id of an API key; it is not the key.
    KeyId, "key_", "API key", "key_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e";
}

/// The name of a tenant: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
///
/// Every key of every item starts with one, so nothing of another tenant can be named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "acme")]
pub struct TenantId(Box<str>);

impl TenantId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(IdError { kind: "tenant" })
        }
    }
}

impl TryFrom<String> for TenantId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What names one instance: its tenant and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one it is.
    pub id: InstanceId,
}

/// What names one auth method: its tenant, its connector and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// The connector that it belongs to.
    pub connector: ConnectorId,
    /// Which one it is.
    pub id: MethodId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_at_which_they_were_made() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let early = InstanceId::new(at(1_700_000_000), &[0xff; 10]);
        let late = InstanceId::new(at(1_700_000_001), &[0; 10]);
        assert!(early < late);
        assert_eq!(late.as_str().parse(), Ok(late));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = InstanceId::new(Timestamp::UNIX_EPOCH, &[0; 10]);
        assert!(id.as_str().parse::<MethodId>().is_err());
        for text in [
            "",
            "ins_",
            "ins_xyz",
            "ins_0192F0C7D3A87B3E9D6C1F0A4B5C6D7E",
        ] {
            assert!(text.parse::<InstanceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tenant_is_a_short_plain_name() {
        for (text, good) in [
            ("acme", true),
            ("a-1", true),
            ("", false),
            ("A", false),
            ("a#b", false),
        ] {
            assert_eq!(text.parse::<TenantId>().is_ok(), good, "{text}");
        }
    }
}
