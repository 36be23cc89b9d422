//! Events on a bus of two emulators, as a rule's target receives them.

use aws_sdk_eventbridge::{
    Client as Bridge,
    config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider},
    types::Target,
};
use aws_sdk_sqs::{Client as Queue, types::QueueAttributeName};
use aws_types::SdkConfig;
use latchkey_aws::{EventBridgeEvents, StoreSettings};
use latchkey_core::{
    model::event::{Event, EventKind},
    port::Events as _,
};
use serde_json::Value;

use crate::world::{at, connector, failure, instance, method, tenant};

const REGION: &str = "eu-central-1";

/// A bus of one's own with a rule that sends all that is ours to a queue.
struct Bus {
    events: EventBridgeEvents,
    queue: Queue,
    url: String,
}

impl Bus {
    /// One at each emulator.
    async fn everywhere() -> [Self; 2] {
        let (ministack, moto) = (latchkey_emulators::ministack(), latchkey_emulators::moto());
        [Self::at(ministack).await, Self::at(moto).await]
    }

    async fn at(endpoint: &str) -> Self {
        let endpoint: url::Url = endpoint.parse().unwrap();
        let settings = StoreSettings {
            region: REGION.to_owned(),
            ..StoreSettings::local(endpoint.clone())
        };
        let sdk = sdk(endpoint.as_str());
        let (bridge, queue) = (Bridge::new(&sdk), Queue::new(&sdk));
        let name = format!(
            "latchkey-{}",
            instance(&method(&connector(&tenant())).key).key.id
        );
        bridge.create_event_bus().name(&name).send().await.unwrap();
        let made = queue.create_queue().queue_name(&name).send().await.unwrap();
        let url = made.queue_url().unwrap().to_owned();
        let arn = QueueAttributeName::QueueArn;
        let found = queue.get_queue_attributes().queue_url(&url);
        let found = found.attribute_names(arn.clone()).send().await.unwrap();
        let arn = found.attributes().unwrap()[&arn].clone();
        let rule = bridge.put_rule().name(&name).event_bus_name(&name);
        let pattern = r#"{"source": ["latchkey"], "detail-type": [{"prefix": "instance."}]}"#;
        rule.event_pattern(pattern).send().await.unwrap();
        let target = Target::builder().id("queue").arn(arn).build().unwrap();
        let targets = bridge.put_targets().rule(&name).event_bus_name(&name);
        let put = targets.targets(target).send().await.unwrap();
        assert_eq!(put.failed_entry_count(), 0);
        Self {
            events: EventBridgeEvents::new(&name, Some(&endpoint), &settings),
            queue,
            url,
        }
    }

    /// What the rule's target has received next.
    async fn received(&self) -> Value {
        loop {
            let request = self.queue.receive_message().queue_url(&self.url);
            let answer = request.wait_time_seconds(1).send().await.unwrap();
            if let Some(message) = answer.messages().first() {
                let delete = self.queue.delete_message().queue_url(&self.url);
                let handle = message.receipt_handle().unwrap();
                delete.receipt_handle(handle).send().await.unwrap();
                return serde_json::from_str(message.body().unwrap()).unwrap();
            }
        }
    }
}

fn sdk(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .build()
}

fn event(kind: EventKind) -> Event {
    let method = method(&connector(&tenant()));
    Event::of(&instance(&method.key), 7, at(100), kind)
}

#[tokio::test]
async fn a_rule_receives_an_event_as_documented() {
    for bus in Bus::everywhere().await {
        let faulty = EventKind::MethodFaulty { failure: failure() };
        bus.events.publish(&event(faulty)).await.unwrap();
        let ended = EventKind::ReconnectRequired { failure: failure() };
        for told in [event(ended), event(EventKind::Disconnected {})] {
            bus.events.publish(&told).await.unwrap();
            // What does not match the pattern has not come before it.
            let received = bus.received().await;
            assert_eq!(received["source"], "latchkey");
            assert_eq!(received["detail-type"], told.kind.name());
            let detail: Event = serde_json::from_value(received["detail"].clone()).unwrap();
            assert_eq!(detail, told);
        }
    }
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_not_published() {
    let nowhere = "http://127.0.0.1:9".parse().unwrap();
    let settings = StoreSettings::local(nowhere);
    let endpoint = settings.endpoint.as_ref();
    let events = EventBridgeEvents::new("default", endpoint, &settings);
    let error = events.publish(&event(EventKind::Disconnected {})).await;
    let text = error.unwrap_err().to_string();
    assert_eq!(text, "the event could not be published: no connection");
}
