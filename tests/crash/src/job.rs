//! What a process does: one flow of the service, from its beginning.

use std::pin::pin;

use futures_util::{StreamExt as _, stream};
use latchkey_core::{
    flow::{
        complete::{Browser, Completion, UnverifiedAnswer},
        delete::DeleteError,
        vend::VendError,
    },
    model::{Secret, authorisation::Digest, id::InstanceKey, message::Message},
};
use serde::{Deserialize, Serialize};

use crate::ports::Ports;

/// A flow, with what it is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Job {
    /// A message of the queue: an instance may want attention. It is a [`Message`]'s text.
    Message(String),
    /// A tick of the schedule: what is due is worked, and what others have left is told.
    Sweep,
    /// Somebody asks for a credential.
    Vend(InstanceKey),
    /// A browser comes back from the provider.
    Callback(Callback),
    /// The platform completes what a callback has parked.
    Complete(InstanceKey, Consent),
    /// Somebody deletes an instance.
    Delete(InstanceKey),
}

/// What a browser brings back from the provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Callback {
    /// The authorisation.
    pub consent: Consent,
    /// The code.
    pub code: String,
}

/// An authorisation that has begun, as the browser knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Consent {
    /// The state.
    pub state: String,
    /// The cookie; none where the platform binds.
    pub cookie: Option<String>,
}

impl Consent {
    fn digest(&self) -> Digest {
        Digest::of(&Secret::from(self.state.as_str()))
    }
}

impl Job {
    /// The message that an instance may want attention.
    #[must_use]
    pub fn attend(instance: &InstanceKey) -> Self {
        let message = Message::Attend {
            instance: instance.clone(),
        };
        Self::Message(message.to_text().expect("a text"))
    }

    /// Does it, and says in words what came of it; what a caller would be told is the first word.
    pub async fn run(&self, ports: &Ports) -> String {
        match self {
            Self::Message(text) => {
                let message = Message::from_text(text).expect("a message");
                let sweep = ports.sweep();
                let mut outcomes = pin!(sweep.work(stream::iter([((), message)]), None));
                let outcome = outcomes.next().await;
                format!("{outcome:?}")
            }
            Self::Sweep => {
                let report = ports.sweep().sweep(None).await;
                let told = ports.announce().catch_up(None).await;
                format!("{report:?} {told:?}")
            }
            Self::Vend(key) => match ports.refresh().vend(key, None).await {
                Ok(credential) => format!("token {}", credential.access_token.expose()),
                Err(VendError::ReconnectRequired(failure)) => format!("reconnect {failure:?}"),
                Err(error) => format!("error {error:?}"),
            },
            Self::Callback(callback) => callback.run(ports).await,
            Self::Complete(key, consent) => {
                let complete = ports.complete();
                let completed = complete.complete(&key.tenant, &consent.digest()).await;
                match completed {
                    Ok(Some(Ok(_))) => "connected".to_owned(),
                    Ok(None) => "unknown".to_owned(),
                    other => format!("missed {other:?}"),
                }
            }
            Self::Delete(key) => match ports.delete().delete(key).await {
                Ok(revocation) => format!("deleted {revocation:?}"),
                Err(DeleteError::Gone) => "gone".to_owned(),
                Err(DeleteError::Store(error)) => format!("error {error}"),
            },
        }
    }
}

impl Callback {
    async fn run(&self, ports: &Ports) -> String {
        let Consent { state, cookie } = &self.consent;
        let parameters = [("state", state), ("code", &self.code)];
        let answer =
            UnverifiedAnswer::new(parameters.map(|(name, value)| (name.to_owned(), value.clone())));
        let expected = self.consent.digest();
        let holds = |digest: &Digest| {
            let cookie = cookie.as_deref().filter(|_| *digest == expected);
            cookie.map(Secret::from)
        };
        let browser = Browser {
            holds: &holds,
            waits: Vec::new(),
        };
        let complete = ports.complete();
        match complete.callback(answer, browser).await {
            Ok(Completion::Connected(_)) => "connected".to_owned(),
            Ok(Completion::Parked(_)) => "parked".to_owned(),
            Ok(Completion::Unfinished(_)) => "unfinished".to_owned(),
            Ok(Completion::Unknown) => "unknown".to_owned(),
            other => format!("missed {other:?}"),
        }
    }
}
