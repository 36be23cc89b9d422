//! What is said to the refresher's workers through a queue.
//!
//! A message may come twice, late, and out of order, from a version before this one or after it. So
//! it says what to look at, never what to do: the instance as it then is decides. It holds nothing
//! precious in the clear.

use serde::{Deserialize, Serialize};

use super::{grant::StoredGrant, id::InstanceKey, spare::Spare};

/// The version of the texts that are written, and the only one that is read.
const VERSION: u8 = 1;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// An instance may want attention.
    Attend {
        /// Which.
        instance: InstanceKey,
    },
    /// A provider's answer that the store did not take.
    Adopt(Box<Adoption>),
}

/// An answer on its way to its instance: what a commit would have said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// The instance.
    pub instance: InstanceKey,
    /// The consent that it was refreshed under.
    pub incarnation: u64,
    /// The grant whose refresh token was sent to get it.
    pub parent: StoredGrant,
    /// The nonce of the lease that it was asked for under.
    pub nonce: String,
    /// The sealed answer, with the epoch of its lease.
    pub answer: Spare,
    /// How often the store could not say its place.
    #[serde(default)]
    pub tries: u32,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    #[serde(flatten)]
    message: &'a Message,
}

#[derive(Deserialize)]
struct Version {
    v: u8,
}

/// A text that is no message of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message can't be read")]
pub struct UnreadableMessage;

impl Message {
    /// The message as the text that is sent.
    ///
    /// # Errors
    /// Never in practice: its parts can always be written as JSON.
    pub fn to_text(&self) -> Result<String, UnreadableMessage> {
        let written = Written {
            v: VERSION,
            message: self,
        };
        serde_json::to_string(&written).map_err(|_| UnreadableMessage)
    }

    /// Reads what [`Message::to_text`] wrote.
    ///
    /// # Errors
    /// [`UnreadableMessage`] if it is something else, or of another version.
    pub fn from_text(text: &str) -> Result<Self, UnreadableMessage> {
        let Version { v } = serde_json::from_str(text).map_err(|_| UnreadableMessage)?;
        if v != VERSION {
            return Err(UnreadableMessage);
        }
        serde_json::from_str(text).map_err(|_| UnreadableMessage)
    }

    /// The instance that it is about.
    #[must_use]
    pub fn instance(&self) -> &InstanceKey {
        match self {
            Self::Attend { instance } => instance,
            Self::Adopt(adoption) => &adoption.instance,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{
        grant::StoredGrant,
        refresh_tokens::{Journal, RefreshTokens},
        sealed::Sealed,
        secret_version::SecretVersion,
        spare::SpareAnswer,
        terms::Terms,
    };

    fn key() -> InstanceKey {
        InstanceKey {
            tenant: "acme".parse().unwrap(),
            id: "ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e".parse().unwrap(),
        }
    }

    fn adopt(answer: SpareAnswer) -> Message {
        Message::Adopt(Box::new(Adoption {
            instance: key(),
            incarnation: 2,
            parent: grant(6),
            nonce: "nonce".to_owned(),
            answer: Spare {
                epoch: 7,
                is_refused: false,
                in_doubt: false,
                answer,
            },
            tries: 3,
        }))
    }

    fn grant(epoch: u64) -> StoredGrant {
        StoredGrant {
            epoch,
            parent: Some(epoch - 1),
            answered_under: None,
            tokens: Sealed::new(vec![0, 255, 7]),
            refresh_tokens: RefreshTokens::Journal(Journal {
                epoch: 7,
                sealed: Sealed::new(vec![9; 40]),
                instead_of: Some(SecretVersion::stored("v1")),
            }),
            refreshable: true,
            expires_at: Some(Timestamp::from_millisecond(1_700_000_000_123).unwrap()),
            terms: Terms::default(),
            scopes: vec!["write:é".to_owned()],
            received_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn messages_are_read_as_they_were_written() {
        let raw = SpareAnswer::Raw {
            sealed: Sealed::new(vec![1; 40]),
            unread_by: 3,
        };
        for message in [
            Message::Attend { instance: key() },
            adopt(SpareAnswer::Grant(Box::new(grant(7)))),
            adopt(raw),
        ] {
            let text = message.to_text().unwrap();
            assert_eq!(Message::from_text(&text), Ok(message), "{text}");
        }
    }

    #[test]
    fn an_answer_of_a_version_that_counted_no_tries_is_read() {
        let message = adopt(SpareAnswer::Grant(Box::new(grant(7))));
        let text = message.to_text().unwrap().replace(",\"tries\":3", "");
        let Ok(Message::Adopt(read)) = Message::from_text(&text) else {
            panic!("{text}");
        };
        assert_eq!(read.tries, 0);
    }

    #[test]
    fn the_text_of_a_message_does_not_change() {
        let text = r#"{"v":1,"kind":"attend","instance":{"tenant":"acme","id":"ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e"}}"#;
        let message = Message::Attend { instance: key() };
        assert_eq!(message.to_text().unwrap(), text);
        // A later version may say more.
        let more = text.replace("\"kind\"", "\"why\":\"due\",\"kind\"");
        assert_eq!(Message::from_text(&more), Ok(message));
    }

    #[test]
    fn what_another_version_wrote_is_refused() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"v":1,"kind":"dance"}"#,
            r#"{"v":2,"kind":"attend","instance":{"tenant":"acme","id":"ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e"}}"#,
            r#"{"v":1,"kind":"attend","instance":{"tenant":"acme","id":"con_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e"}}"#,
        ] {
            assert_eq!(Message::from_text(text), Err(UnreadableMessage), "{text}");
        }
    }
}
