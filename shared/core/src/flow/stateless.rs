//! Answers without a state, found by the browser's cookie.
//!
//! # Why
//! A few providers send people back with a code and nothing else. Where the redirect URI can carry the state it does
//! (`carrier: redirect_uri`); where it can't, the browser that began is all there is to go by (`carrier: cookie`).
//!
//! # How it works
//! The state is the value of a cookie of the browser that began (`HttpOnly`, `SameSite=Lax`, `__Host-` over TLS, one for
//! each instance), and is nowhere else: not in the authorise URL, not at the provider, not in a log. So
//!
//! - an answer in another browser finds nothing, and whoever steals an answer can't finish it elsewhere;
//! - the answer must be the only one that this browser waits for. If it waits for more, it can't be told whose code it
//!   is, and a code of one provider would go to another (mix-up, RFC 9700 §4.4): all of them end, and the person starts
//!   again. A second try for the same instance replaces the first, in the cookie too;
//! - an answer that brings a `state` is not of such a provider, and is never taken for one;
//! - each works once and for ten minutes, as all do.
//!
//! What is left: while a browser waits, somebody who makes it open the callback URL with a code of their own connects
//! *their* account to the instance (login CSRF, RFC 9700 §4.7). PKCE closes this, since their code is bound to another
//! challenge (§4.7.1); without PKCE the linter notes it (`unbound_code`).

use super::complete::{Complete, CompleteError, Completion};
use crate::{
    model::{
        Secret,
        authorisation::{Authorisation, Digest, Miss, Progress},
    },
    port::Take,
    protocol::callback::UnverifiedAnswer,
};

/// How many answers a browser may wait for before none is looked up any more.
const MOST_WAITING: usize = 8;

impl Complete<'_> {
    /// Sees the one authorisation through whose answer the browser waits for.
    pub(super) async fn without_state(
        &self,
        answer: &UnverifiedAnswer,
        waits: &[Secret],
    ) -> Result<Completion, CompleteError> {
        if answer.has("state") || waits.len() > MOST_WAITING {
            return Ok(Completion::Unknown);
        }
        let mut known = Vec::new();
        for state in waits {
            let found = self.authorisations.find(&Digest::of(state)).await?;
            known.extend(
                found
                    .filter(Authorisation::is_stateless)
                    .map(|found| (state, found)),
            );
        }
        let now = self.clock.now();
        let is_open = |authorisation: &Authorisation| {
            matches!(authorisation.progress, Progress::Open) && now < authorisation.expires_at
        };
        let open: Vec<_> = known.iter().filter(|(_, found)| is_open(found)).collect();
        match (open.as_slice(), known.as_slice()) {
            ([(state, found)], _) => match self.authorisations.take(&found.state, now).await? {
                Take::Taken(authorisation) => self.taken(authorisation, state, answer).await,
                Take::Replayed(authorisation) => self.result(authorisation).await,
                Take::Expired => Ok(Completion::Expired),
                Take::Unknown => Ok(Completion::Unknown),
            },
            // The page is loaded again.
            ([], [(_, found)]) if found.progress == Progress::Open => Ok(Completion::Expired),
            ([], [(_, found)]) => self.result(Box::new(found.clone())).await,
            ([], _) => Ok(Completion::Unknown),
            (several, _) => self.ambiguous(several.iter().map(|(_, found)| found)).await,
        }
    }

    /// Ends all that the answer could belong to; the page leads back to the one begun last.
    async fn ambiguous(
        &self,
        several: impl Iterator<Item = &Authorisation> + Send,
    ) -> Result<Completion, CompleteError> {
        let mut last: Option<Box<Authorisation>> = None;
        for found in several {
            let taken = self
                .authorisations
                .take(&found.state, self.clock.now())
                .await?;
            let Take::Taken(authorisation) = taken else {
                continue;
            };
            self.authorisations
                .fail(&found.state, Miss::Ambiguous)
                .await?;
            if last
                .as_ref()
                .is_none_or(|last| last.created_at <= authorisation.created_at)
            {
                last = Some(authorisation);
            }
        }
        Ok(last.map_or(Completion::Unknown, |last| {
            Completion::Missed(last, Miss::Ambiguous)
        }))
    }
}
