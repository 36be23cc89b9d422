//! The provider of the schedules: what it does with a refresh token that has been used.
//!
//! The same five sorts as those of the protocol's model (`tests/model`), with a clock.

use std::{collections::BTreeSet, fmt};

/// The five sorts of provider; what a definition says with `rotation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The token stays as it is.
    NoRotation,
    /// A new one comes with each answer, and the old one works until a new one is used.
    UntilUsed,
    /// The old one works for a while: [`WINDOW`].
    Overlap,
    /// The token works once.
    Strict,
    /// It works once, and using it again ends all that came of the consent (RFC 9700 §4.14.2).
    StrictFamily,
}

/// How many milliseconds a used token works yet, where it does so for a while.
pub const WINDOW: i64 = 3_600_000;

impl Policy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NoRotation,
        Self::UntilUsed,
        Self::Overlap,
        Self::Strict,
        Self::StrictFamily,
    ];

    /// What a definition says of it.
    #[must_use]
    pub fn rotation(self) -> serde_json::Value {
        match self {
            Self::NoRotation => "none".into(),
            Self::UntilUsed => "until_used".into(),
            Self::Overlap => serde_json::json!({ "grace": { "seconds": WINDOW / 1000 } }),
            Self::Strict | Self::StrictFamily => "single_use".into(),
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

/// A token: whose it is, and its number in the order of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The account.
    pub account: usize,
    /// The number; access and refresh token that came together share it.
    pub number: u32,
}

/// What makes a token as long as tokens are: what is shorter is not looked for in an unreadable answer.
const LONG: &str = "-as-long-as-tokens-are";

impl Token {
    /// The first text of the form `X-ACCOUNT-NUMBER` among these bytes, where X is `kind`.
    #[must_use]
    pub fn find(kind: &str, bytes: &[u8]) -> Option<Self> {
        let kind = kind.as_bytes();
        let start = bytes.windows(kind.len()).position(|seen| seen == kind)? + kind.len();
        let mut numbers = bytes.get(start..)?.split(|byte| !byte.is_ascii_digit());
        let mut number = || {
            std::str::from_utf8(numbers.next()?)
                .ok()?
                .parse::<u32>()
                .ok()
        };
        Some(Self {
            account: usize::try_from(number()?).ok()?,
            number: number()?,
        })
    }

    /// As an access token.
    #[must_use]
    pub fn access(self) -> String {
        format!("access-{}-{}{LONG}", self.account, self.number)
    }

    /// As a refresh token.
    #[must_use]
    pub fn refresh(self) -> String {
        format!("refresh-{}-{}{LONG}", self.account, self.number)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.account, self.number)
    }
}

/// What the provider says to a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A grant with this token.
    Granted(Token),
    /// `invalid_grant`.
    Refused,
    /// `invalid_grant`, and whatever worked works no more: a used token had come again.
    Revoked,
}

/// What a provider remembers of one user.
#[derive(Debug)]
pub struct Account {
    number: usize,
    policy: Policy,
    /// Whether an answer to a token that was asked with before ends the tokens of its other answers.
    is_displacing: bool,
    /// The first token of each consent.
    firsts: Vec<u32>,
    last: u32,
    live: BTreeSet<u32>,
    /// The token that the live ones came of, and until when it works too.
    parent: Option<(u32, i64)>,
    is_withdrawn: bool,
}

impl Account {
    /// A user who has not consented yet.
    #[must_use]
    pub fn new(number: usize, policy: Policy, is_displacing: bool) -> Self {
        Self {
            number,
            policy,
            is_displacing,
            firsts: Vec::new(),
            last: 0,
            live: BTreeSet::new(),
            parent: None,
            is_withdrawn: false,
        }
    }

    /// The user consents; what an earlier consent brought works no more.
    pub fn consent(&mut self) -> Token {
        let token = self.issue();
        self.firsts.push(token.number);
        self.live = BTreeSet::from([token.number]);
        self.parent = None;
        self.is_withdrawn = false;
        token
    }

    /// The user withdraws the consent.
    pub fn withdraw(&mut self) {
        self.live.clear();
        self.parent = None;
        self.is_withdrawn = true;
    }

    /// One of its tokens.
    #[must_use]
    pub fn token(&self, number: u32) -> Token {
        Token {
            account: self.number,
            number,
        }
    }

    /// Which consent a token came of, from 1.
    #[must_use]
    pub fn consent_of(&self, token: Token) -> usize {
        self.firsts.partition_point(|first| *first <= token.number)
    }

    /// The first token of a consent.
    #[must_use]
    pub fn first_of(&self, consent: usize) -> Option<u32> {
        self.firsts.get(consent.checked_sub(1)?).copied()
    }

    /// Whether a consent is the newest, and has not been withdrawn.
    #[must_use]
    pub fn stands(&self, consent: usize) -> bool {
        consent == self.firsts.len() && !self.is_withdrawn
    }

    /// Whether a token would be answered with a grant.
    #[must_use]
    pub fn takes(&self, token: Token, now: i64) -> bool {
        let parent = self.parent.filter(|(_, until)| now < *until);
        self.live.contains(&token.number) || parent.is_some_and(|(old, _)| old == token.number)
    }

    /// Answers a refresh.
    pub fn ask(&mut self, token: Token, now: i64) -> Answer {
        if !self.takes(token, now) {
            let is_reuse = self.stands(self.consent_of(token)) && !self.live.is_empty();
            if self.policy == Policy::StrictFamily && is_reuse {
                self.live.clear();
                return Answer::Revoked;
            }
            return Answer::Refused;
        }
        let until = match self.policy {
            // A new access token beside the same refresh token.
            Policy::NoRotation => {
                let next = self.issue();
                self.live.insert(next.number);
                return Answer::Granted(next);
            }
            Policy::UntilUsed => i64::MAX,
            Policy::Overlap => now.saturating_add(WINDOW),
            Policy::Strict | Policy::StrictFamily => i64::MIN,
        };
        let is_first = self.live.contains(&token.number);
        let next = self.issue();
        if is_first || self.is_displacing {
            self.live.clear();
        }
        if is_first {
            self.parent = Some((token.number, until));
        }
        self.live.insert(next.number);
        Answer::Granted(next)
    }

    fn issue(&mut self) -> Token {
        self.last += 1;
        self.token(self.last)
    }
}
