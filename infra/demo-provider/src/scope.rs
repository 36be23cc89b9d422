//! What a client may be allowed to do.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Scope {
    #[serde(rename = "profile:read")]
    ProfileRead,
    #[serde(rename = "orders:read")]
    OrdersRead,
}

impl Scope {
    pub(crate) const ALL: [Self; 2] = [Self::ProfileRead, Self::OrdersRead];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ProfileRead => "profile:read",
            Self::OrdersRead => "orders:read",
        }
    }

    /// What the consent page calls it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::ProfileRead => "See your profile",
            Self::OrdersRead => "See your orders",
        }
    }

    /// What the consent page adds to its title.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::ProfileRead => "Your name and e-mail address.",
            Self::OrdersRead => {
                "What you bought, when, and what it cost. It can’t place or change one."
            }
        }
    }
}

/// A set of permissions, written as RFC 6749 §3.3 does: names with spaces between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scopes(BTreeSet<Scope>);

/// A scope that is malformed or that nobody here has heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownScope;

impl Scopes {
    /// What a client gets that does not say what it wants (RFC 6749 §3.3 asks for a documented default).
    pub(crate) fn all() -> Self {
        Self(Scope::ALL.into())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, UnknownScope> {
        text.split(' ')
            .map(|name| {
                Scope::ALL
                    .into_iter()
                    .find(|scope| scope.name() == name)
                    .ok_or(UnknownScope)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scopes, UnknownScope};

    #[test]
    fn scopes_read_back_as_they_are_written() {
        let all = Scopes::all();
        assert_eq!(all.to_string(), "profile:read orders:read");
        assert_eq!(Scopes::parse(&all.to_string()), Ok(all));
    }

    #[test]
    fn a_scope_that_is_not_known_is_refused() {
        for text in [
            "orders:write",
            "orders:read  profile:read",
            "ORDERS:READ",
            " orders:read",
        ] {
            assert_eq!(Scopes::parse(text), Err(UnknownScope), "{text:?}");
        }
    }
}
