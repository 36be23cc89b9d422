//! The queue in SQS: messages in batches, each looked at.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use latchkey_core::port::{
    LARGEST_MESSAGE, LONGEST_DELAY, POSTINGS_AT_ONCE, Posting, Queue, QueueError,
};
use url::Url;

use crate::{
    client::{ConfigError, StoreSettings, Wanted},
    write::kind,
};

/// How often those that were not taken are sent, and the first wait in between.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Where the queue is.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// The URL of the queue.
    pub url: Url,
    /// The endpoint, if it is not the region's own: https, or http to this machine.
    pub endpoint: Option<Url>,
}

impl QueueSettings {
    /// Reads the settings: `LATCHKEY_QUEUE_URL`, and the endpoint by the names that AWS's own tools
    /// use. `None` if there is no queue.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_lookup(
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let mut wanted = Wanted {
            lookup,
            faults: Vec::new(),
        };
        if wanted.optional("LATCHKEY_QUEUE_URL").is_none() {
            return Ok(None);
        }
        let url = wanted.endpoint(&["LATCHKEY_QUEUE_URL"]);
        let endpoint = wanted.endpoint(&["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"]);
        match (url, wanted.faults.is_empty()) {
            (Some(url), true) => Ok(Some(Self { url, endpoint })),
            _ => Err(ConfigError(wanted.faults)),
        }
    }
}

/// A queue in SQS.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl std::fmt::Debug for SqsQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqsQueue")
    }
}

impl SqsQueue {
    /// The queue of these settings, in the region and with the credentials of the store. Nothing is
    /// sent before the first call.
    #[must_use]
    pub fn new(queue: &QueueSettings, aws: &StoreSettings) -> Self {
        Self {
            client: Client::new(&aws.sdk(queue.endpoint.as_ref())),
            url: queue.url.to_string(),
        }
    }

    /// Sends a batch until all of it is taken. Says how many were not, and why.
    async fn send_batch(&self, batch: &[Entry]) -> Result<(), QueueError> {
        let mut left: Vec<usize> = (0..batch.len()).collect();
        let mut why = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(FIRST_WAIT * 2_u32.pow(attempt)).await;
            }
            let sent = self.try_batch(batch, &left).await?;
            let Some(code) = sent.code else {
                return Ok(());
            };
            (left, why) = (sent.untaken, code);
        }
        Err(QueueError::Unavailable {
            untaken: left.len(),
            why,
        })
    }

    async fn try_batch(&self, batch: &[Entry], left: &[usize]) -> Result<Sent, QueueError> {
        let unavailable = |why: String| QueueError::Unavailable {
            untaken: left.len(),
            why,
        };
        let entries: Result<Vec<_>, _> = left
            .iter()
            .filter_map(|index| Some((index, batch.get(*index)?)))
            .map(|(index, entry)| {
                SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(&entry.text)
                    .delay_seconds(entry.delay)
                    .build()
            })
            .collect();
        let entries =
            entries.map_err(|_| unavailable("the request could not be made".to_owned()))?;
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| unavailable(kind(&error).to_owned()))?;
        Ok(Sent {
            untaken: answer
                .failed()
                .iter()
                .filter_map(|failed| failed.id().parse().ok())
                .collect(),
            code: answer
                .failed()
                .first()
                .map(|failed| failed.code().to_owned()),
        })
    }
}

/// What became of a batch.
struct Sent {
    untaken: Vec<usize>,
    /// Why, of the first.
    code: Option<String>,
}

/// A message as it is sent.
struct Entry {
    text: String,
    /// In seconds.
    delay: i32,
}

impl Entry {
    fn of(posting: &Posting) -> Result<Self, QueueError> {
        let text = posting.message.to_text().unwrap_or_default();
        if text.len() > LARGEST_MESSAGE {
            return Err(QueueError::TooLarge);
        }
        // Never earlier than asked for.
        let delay = posting.delay.min(LONGEST_DELAY);
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        Ok(Self {
            text,
            delay: i32::try_from(seconds).unwrap_or(0),
        })
    }
}

/// Batches that SQS takes: so many messages at most, and all together no larger than one may be.
fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut size = 0;
    for entry in entries {
        size += entry.text.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < POSTINGS_AT_ONCE && size <= LARGEST_MESSAGE => {
                batch.push(entry);
            }
            Some(_) | None => {
                size = entry.text.len();
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, postings: &[Posting]) -> Result<(), QueueError> {
        let entries: Result<Vec<_>, _> = postings.iter().map(Entry::of).collect();
        let mut failed: Option<(usize, String)> = None;
        for batch in batches(entries?) {
            match self.send_batch(&batch).await {
                Ok(()) => {}
                Err(QueueError::Unavailable { untaken, why }) => {
                    let before = failed.map_or(0, |(count, _)| count);
                    failed = Some((before + untaken, why));
                }
                Err(error @ QueueError::TooLarge) => return Err(error),
            }
        }
        match failed {
            None => Ok(()),
            Some((untaken, why)) => Err(QueueError::Unavailable { untaken, why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::model::message::Message;

    use super::*;

    fn entry(size: usize) -> Entry {
        Entry {
            text: "x".repeat(size),
            delay: 0,
        }
    }

    #[test]
    fn batches_keep_to_the_limits() {
        let half = LARGEST_MESSAGE / 2;
        for (sizes, expected) in [
            (vec![], vec![]),
            (vec![10; 10], vec![10]),
            (vec![10; 21], vec![10, 10, 1]),
            (vec![LARGEST_MESSAGE, 1], vec![1, 1]),
            (vec![half, half, half, half, half], vec![2, 2, 1]),
            (vec![1, LARGEST_MESSAGE, 1], vec![1, 1, 1]),
        ] {
            let batches = batches(sizes.iter().copied().map(entry).collect());
            let lengths: Vec<_> = batches.iter().map(Vec::len).collect();
            assert_eq!(lengths, expected, "{sizes:?}");
        }
    }

    #[test]
    fn a_delay_is_in_whole_seconds_and_a_quarter_of_an_hour_at_most() {
        let message = Message::from_text(
            r#"{"v":1,"kind":"attend","instance":{"tenant":"acme","id":"ins_0192f0c7d3a87b3e9d6c1f0a4b5c6d7e"}}"#,
        );
        let message = message.unwrap();
        for (millis, seconds) in [(0, 0), (1, 1), (2000, 2), (900_000, 900), (86_400_000, 900)] {
            let posting = Posting {
                message: message.clone(),
                delay: Duration::from_millis(millis),
            };
            assert_eq!(Entry::of(&posting).unwrap().delay, seconds, "{millis}");
        }
    }
}
