//! The provider: what it does with a refresh token that has been used.

/// A refresh token, numbered in the order of issue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u8);

impl Token {
    /// There is none.
    pub const NONE: Self = Self(0);
}

/// A set of refresh tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tokens(u64);

impl Tokens {
    /// How many tokens a story may have; one that ends here still has room for those of its healing.
    pub const MOST: u8 = 16;

    /// The set of one token.
    #[must_use]
    pub fn of(token: Token) -> Self {
        let mut tokens = Self::default();
        tokens.add(token);
        tokens
    }

    /// Adds a token; there is no such token as none.
    pub fn add(&mut self, token: Token) {
        if token != Token::NONE {
            self.0 |= 1 << token.0;
        }
    }

    /// Whether a token is in the set.
    #[must_use]
    pub fn has(self, token: Token) -> bool {
        self.0 & (1 << token.0) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The five sorts of provider; what a definition says with `rotation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The token stays as it is.
    NoRotation,
    /// A new one comes with each answer, and the old one works until a new one is used.
    UntilUsed,
    /// The old one works for a while. The window stays open while the instance's item has nothing
    /// newer that works: the insurance message of `refresh.md` brings the next attempt in time.
    Overlap,
    /// The token works once.
    Strict,
    /// It works once, and using it again ends all that came of the consent (RFC 9700 §4.14.2).
    StrictFamily,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NoRotation,
        Self::UntilUsed,
        Self::Overlap,
        Self::Strict,
        Self::StrictFamily,
    ];

    /// Whether one token may be answered twice, with tokens of which one is the other's sibling.
    #[must_use]
    pub fn has_siblings(self) -> bool {
        match self {
            Self::UntilUsed | Self::Overlap => true,
            Self::NoRotation | Self::Strict | Self::StrictFamily => false,
        }
    }

    /// Whether a lost answer is lost for good: the one honest row of the page's table.
    #[must_use]
    pub fn is_single_use(self) -> bool {
        match self {
            Self::NoRotation | Self::UntilUsed | Self::Overlap => false,
            Self::Strict | Self::StrictFamily => true,
        }
    }
}

/// What the provider says to a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A grant with this refresh token.
    Granted(Token),
    /// `invalid_grant`.
    Refused,
    /// `invalid_grant`, and whatever worked works no more: a used token had come again.
    Revoked,
}

/// What the provider remembers of the user's newest consent. Tokens of an earlier one are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provider {
    /// Which consent it is.
    pub consent: u8,
    /// The first token of this consent.
    pub first: Token,
    /// The last token issued.
    pub last: Token,
    /// The tokens that work: several where one token was refreshed more than once.
    pub live: Tokens,
    /// The token that they came of, while it works too.
    pub parent: Token,
    /// Whether the user has withdrawn the consent.
    pub withdrawn: bool,
}

impl Provider {
    /// The user consents; what an earlier consent brought works no more.
    pub fn consent(&mut self) -> Token {
        let token = self.issue();
        *self = Self {
            consent: self.consent + 1,
            first: token,
            last: token,
            live: Tokens::of(token),
            parent: Token::NONE,
            withdrawn: false,
        };
        token
    }

    /// A provider whose user has consented once.
    #[must_use]
    pub fn new() -> Self {
        let mut provider = Self {
            consent: 0,
            first: Token::NONE,
            last: Token::NONE,
            live: Tokens::default(),
            parent: Token::NONE,
            withdrawn: false,
        };
        provider.consent();
        provider
    }

    /// The user withdraws the consent.
    pub fn withdraw(&mut self) {
        self.live = Tokens::default();
        self.parent = Token::NONE;
        self.withdrawn = true;
    }

    /// Whether a token would be answered with a grant.
    #[must_use]
    pub fn takes(&self, token: Token) -> bool {
        token != Token::NONE && (self.live.has(token) || self.parent == token)
    }

    /// Answers a refresh.
    pub fn ask(&mut self, policy: Policy, is_displacing: bool, token: Token) -> Answer {
        if !self.takes(token) {
            let is_reuse = token >= self.first && !self.live.is_empty();
            if policy == Policy::StrictFamily && is_reuse {
                self.live = Tokens::default();
                return Answer::Revoked;
            }
            return Answer::Refused;
        }
        match policy {
            Policy::NoRotation => Answer::Granted(token),
            Policy::UntilUsed | Policy::Overlap if self.live.has(token) => {
                let next = self.issue();
                self.live = Tokens::of(next);
                self.parent = token;
                Answer::Granted(next)
            }
            Policy::UntilUsed | Policy::Overlap => {
                let sibling = self.issue();
                if is_displacing {
                    self.live = Tokens::default();
                }
                self.live.add(sibling);
                Answer::Granted(sibling)
            }
            Policy::Strict | Policy::StrictFamily => {
                let next = self.issue();
                self.live = Tokens::of(next);
                Answer::Granted(next)
            }
        }
    }

    fn issue(&mut self) -> Token {
        self.last = Token(self.last.0 + 1);
        self.last
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::new()
    }
}
