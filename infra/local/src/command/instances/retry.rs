//! `latchkey instances retry`.

use clap::Args;
use jiff::Timestamp;
use latchkey_aws::{Store, SystemClock};
use latchkey_core::{
    model::instance::{Instance, State},
    port::{Clock as _, Due, Overview as _},
};
use serde_json::json;

use super::{Answer, Which, words};
use crate::command::CommandError;

/// Lets an instance that waits after a failure be refreshed by the next sweep. It changes when, and
/// nothing else: the refresh itself keeps to all its rules.
#[derive(Debug, Args)]
pub(super) struct Retry {
    #[command(flatten)]
    which: Which,

    /// Also where the provider has refused the grant once: refusing it again ends the connection.
    #[arg(long)]
    suspect: bool,
}

impl Retry {
    pub(super) async fn answer(&self, store: &Store) -> Result<Answer, CommandError> {
        let now = SystemClock.now();
        let (instance, _) = self.which.find(store).await?;
        let (done, text) = match self.refusal(&instance, now) {
            Some(why) => (false, why),
            None => {
                let due = Due::of(&instance.key, now);
                match store.instances.hasten(&instance, due).await? {
                    true => (
                        true,
                        "It is due now; the next sweep refreshes it.".to_owned(),
                    ),
                    false => (false, "It has just changed: look again.".to_owned()),
                }
            }
        };
        let id = &instance.key.id;
        Ok(Answer {
            json: json!({ "id": id, "due": done, "detail": text }),
            text: format!("{id}: {text}"),
            done,
        })
    }

    /// Why trying again is useless, or worse.
    fn refusal(&self, instance: &Instance, now: Timestamp) -> Option<String> {
        let grant = match &instance.state {
            State::Pending => {
                return Some("There is nothing to refresh: nobody has consented yet.".to_owned());
            }
            State::Deleted { .. } => return Some("It is deleted.".to_owned()),
            State::ReconnectRequired { cause, .. } => {
                return Some(format!(
                    "Asking again is useless: {}. Only a new consent helps: send the user a connect session.",
                    words::failure(cause, now)
                ));
            }
            State::Suspect { .. } if !self.suspect => {
                return Some(
                    "The provider has refused the grant, and is asked once more after a quarter of an hour, since outages look \
                     the same. A second refusal ends the connection. With --suspect it is asked now."
                        .to_owned(),
                );
            }
            State::Suspect { grant, .. } | State::Active(grant) => grant,
        };
        if let Some(lease) = instance.held_lease(now) {
            let until = words::when(lease.until, now);
            return Some(format!(
                "Somebody is refreshing it, or has died doing so; nobody else may before {until}."
            ));
        }
        let due = instance.schedule_with(grant).refresh_at();
        match due {
            _ if !grant.refreshable => Some(
                "There is no refresh token: only a new consent brings another token.".to_owned(),
            ),
            None => {
                Some("Nothing wants a refresh before somebody asks for its credential.".to_owned())
            }
            Some(due) if now < due => Some(format!(
                "It need not be refreshed before {}.",
                words::when(due, now)
            )),
            Some(_) => None,
        }
    }
}
