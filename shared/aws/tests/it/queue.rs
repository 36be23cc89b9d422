//! Messages in a queue, sent to two emulators and received there.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::QueueAttributeName,
};
use latchkey_aws::{QueueSettings, SqsQueue, StoreSettings};
use latchkey_core::{
    model::{
        id::{InstanceId, InstanceKey},
        message::{Adoption, Message},
        sealed::Sealed,
        spare::{Spare, SpareAnswer},
    },
    port::{LARGEST_MESSAGE, Posting, Queue as _, QueueError},
};

use crate::world::{at, grant, tenant, unique};

const REGION: &str = "eu-central-1";

/// A queue of one's own at an emulator.
struct Sqs {
    client: Client,
    url: String,
    queue: SqsQueue,
}

impl Sqs {
    /// One at each emulator.
    async fn everywhere() -> [Self; 2] {
        let (ministack, moto) = (latchkey_emulators::ministack(), latchkey_emulators::moto());
        [Self::at(ministack).await, Self::at(moto).await]
    }

    async fn at(endpoint: &str) -> Self {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(endpoint);
        let client = Client::from_conf(config.build());
        let name = format!("q-{}", instance_key().id);
        let made = client.create_queue().queue_name(name).send().await.unwrap();
        let url = made.queue_url.unwrap();
        let settings = QueueSettings {
            url: url.parse().unwrap(),
            endpoint: Some(endpoint.parse().unwrap()),
        };
        let aws = StoreSettings {
            region: REGION.to_owned(),
            ..StoreSettings::local(endpoint.parse().unwrap())
        };
        let queue = SqsQueue::new(&settings, &aws);
        Self { client, url, queue }
    }

    async fn count(&self, name: QueueAttributeName) -> usize {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(name.clone()).send().await.unwrap();
        let attributes = answer.attributes.unwrap();
        attributes.get(&name).unwrap().parse().unwrap()
    }

    /// Takes so many messages.
    async fn take(&self, count: usize) -> Vec<Message> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let request = self.client.receive_message().queue_url(&self.url);
            let request = request.max_number_of_messages(10).wait_time_seconds(5);
            for message in request.send().await.unwrap().messages.unwrap_or_default() {
                taken.push(Message::from_text(message.body().unwrap()).unwrap());
            }
        }
        taken
    }
}

fn instance_key() -> InstanceKey {
    InstanceKey {
        tenant: tenant(),
        id: InstanceId::new(at(0), &unique()),
    }
}

fn attend() -> Message {
    Message::Attend {
        instance: instance_key(),
    }
}

fn adopt(bytes: usize) -> Message {
    Message::Adopt(Box::new(Adoption {
        instance: instance_key(),
        incarnation: 1,
        parent: grant(1),
        nonce: "nonce".to_owned(),
        answer: Spare {
            epoch: 2,
            is_refused: false,
            in_doubt: false,
            answer: SpareAnswer::Raw {
                sealed: Sealed::new(vec![7; bytes]),
                unread_by: 1,
            },
        },
        tries: 0,
    }))
}

#[tokio::test]
async fn all_messages_arrive_whatever_their_number_and_size() {
    for sqs in Sqs::everywhere().await {
        let mut sent: Vec<Message> = (0..25).map(|_| attend()).collect();
        // More than one may hold altogether.
        sent.extend([adopt(150_000), adopt(150_000), adopt(150_000)]);
        let postings: Vec<_> = sent.iter().cloned().map(Posting::now).collect();
        sqs.queue.send(&postings).await.unwrap();
        let text = |messages: &[Message]| -> BTreeSet<String> {
            messages
                .iter()
                .map(|message| message.to_text().unwrap())
                .collect()
        };
        assert_eq!(text(&sqs.take(28).await), text(&sent));
        sqs.queue.send(&[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_waits_as_long_as_it_is_told_and_a_quarter_of_an_hour_at_most() {
    for sqs in Sqs::everywhere().await {
        let later = |seconds| Posting {
            message: attend(),
            delay: Duration::from_secs(seconds),
        };
        let postings = [later(600), later(86_400), Posting::now(attend())];
        sqs.queue.send(&postings).await.unwrap();
        let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
        assert_eq!(sqs.count(delayed).await, 2);
        assert_eq!(sqs.take(1).await, [postings[2].message.clone()]);
    }
}

#[tokio::test]
async fn what_is_not_taken_is_said() {
    for sqs in Sqs::everywhere().await {
        let large = [Posting::now(attend()), Posting::now(adopt(LARGEST_MESSAGE))];
        assert_eq!(sqs.queue.send(&large).await, Err(QueueError::TooLarge));
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        assert_eq!(sqs.count(visible).await, 0);
        sqs.client
            .delete_queue()
            .queue_url(&sqs.url)
            .send()
            .await
            .unwrap();
        let postings: Vec<_> = (0..12).map(|_| Posting::now(attend())).collect();
        let refused = sqs.queue.send(&postings).await;
        assert!(
            matches!(refused, Err(QueueError::Unavailable { untaken: 12, .. })),
            "{refused:?}"
        );
    }
}
