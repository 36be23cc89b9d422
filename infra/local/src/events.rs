//! Events on a laptop: a line of the log for each, and a stream (server-sent events) for a platform
//! that is being developed.
//!
//! In AWS there is no such stream: events go to EventBridge, whose rules send them on.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{self, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt as _, future, stream};
use latchkey_aws::LogEvents;
use latchkey_core::{
    model::event::Event,
    port::{Events, PublishError},
};
use latchkey_web::{
    caller::{Caller, InstancesRead},
    problem::Problems,
};
use tokio::sync::broadcast::{self, Receiver, Sender};
use utoipa_axum::{router::OpenApiRouter, routes};

/// How many events are remembered, for those who come back to the stream.
const REMEMBERED: usize = 1000;

/// Tells everybody who listens, each event once.
#[derive(Debug)]
pub(crate) struct LocalEvents {
    recent: Mutex<VecDeque<Arc<Event>>>,
    sender: Sender<Arc<Event>>,
}

impl LocalEvents {
    pub(crate) fn new() -> Self {
        Self {
            recent: Mutex::default(),
            sender: broadcast::channel(REMEMBERED).0,
        }
    }

    /// Remembers an event and passes it on, unless it was told before.
    fn tell(&self, event: &Event) -> bool {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.iter().any(|told| told.id == event.id) {
            return false;
        }
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        let event = Arc::new(event.clone());
        recent.push_back(Arc::clone(&event));
        // It is an error only if nobody listens.
        self.sender.send(event).ok();
        true
    }

    /// What comes from now on; and before it what has come since the event `last`, or all that is
    /// remembered if that event is not.
    fn listen(&self, last: Option<&str>) -> (Vec<Arc<Event>>, Receiver<Arc<Event>>) {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = last.map(|last| {
            let seen = recent.iter().rposition(|event| event.id.as_str() == last);
            let from = seen.map_or(0, |seen| seen + 1);
            recent.iter().skip(from).cloned().collect()
        });
        (missed.unwrap_or_default(), self.sender.subscribe())
    }
}

#[async_trait]
impl Events for LocalEvents {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        if self.tell(event) {
            LogEvents.publish(event).await?;
        }
        Ok(())
    }
}

/// The stream's route, with what the OpenAPI document says of it.
pub(crate) fn router() -> OpenApiRouter<Arc<LocalEvents>> {
    OpenApiRouter::new().routes(routes!(listen))
}

/// Tells what happens to the tenant's instances and auth methods, as it happens.
///
/// A stream of server-sent events that does not end by itself: `event` is the type, `id` the id, and
/// `data` the event as JSON. With the header `Last-Event-ID` it begins with what was missed since, as
/// far as that is remembered: a thousand events, until the server is restarted. An event that comes
/// twice has the same id.
///
/// Only the local server has this stream. In AWS the same events go to EventBridge, with the source
/// `latchkey`, the type as detail type and the event as detail.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    params(("last-event-id" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, description = "The events", body = Event, content_type = "text/event-stream"), Problems)
)]
async fn listen(
    caller: Caller<InstancesRead>,
    State(events): State<Arc<LocalEvents>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let last = headers.get("last-event-id");
    let (missed, receiver) = events.listen(last.and_then(|last| last.to_str().ok()));
    let coming = stream::unfold(receiver, async |mut receiver| {
        // Who can't keep up is cut off, and comes back with the last id that it has seen.
        let event = receiver.recv().await.ok()?;
        Some((event, receiver))
    });
    let told = stream::iter(missed)
        .chain(coming)
        .filter(move |event| future::ready(event.tenant == caller.tenant))
        .map(|event| Ok(written(&event)));
    Sse::new(told).keep_alive(KeepAlive::default())
}

fn written(event: &Event) -> sse::Event {
    // Texts and numbers can always be written as JSON.
    let text = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default()
        .event(event.kind.name())
        .id(event.id.as_str())
        .data(text)
}

#[cfg(test)]
mod tests {
    use latchkey_core::model::{
        event::{EventKind, Moment},
        id::{ConnectorId, InstanceId, InstanceKey, MethodId, MethodKey, TenantId},
    };

    use super::*;

    fn event(epoch: u64) -> Event {
        let (now, tenant): (_, TenantId) = (jiff::Timestamp::UNIX_EPOCH, "acme".parse().unwrap());
        let method = MethodKey {
            tenant: tenant.clone(),
            connector: ConnectorId::new(now, &[1; 10]),
            id: MethodId::new(now, &[2; 10]),
        };
        let key = InstanceKey {
            tenant,
            id: InstanceId::new(now, &[3; 10]),
        };
        let moment = Moment {
            incarnation: 1,
            epoch,
        };
        Event::of_instance(&key, &method, moment, now, EventKind::Recovered {})
    }

    fn missed(events: &LocalEvents, last: Option<&Event>) -> Vec<Event> {
        let (missed, _) = events.listen(last.map(|last| last.id.as_str()));
        missed.iter().map(|event| (**event).clone()).collect()
    }

    #[test]
    fn who_comes_back_is_told_what_was_missed() {
        let events = LocalEvents::new();
        let told: Vec<_> = (0..3).map(event).collect();
        assert!(told.iter().all(|event| events.tell(event)));
        assert_eq!(missed(&events, None), [], "who is new is told what comes");
        assert_eq!(missed(&events, Some(&told[0])), told[1..]);
        assert_eq!(missed(&events, Some(&told[2])), []);
        assert_eq!(
            missed(&events, Some(&event(9))),
            told,
            "nothing is held back"
        );
    }

    #[test]
    fn an_event_is_told_once_and_a_thousand_are_remembered() {
        let events = LocalEvents::new();
        assert!(events.tell(&event(0)));
        assert!(!events.tell(&event(0)));
        let (_, mut receiver) = events.listen(None);
        for epoch in 1..=1000 {
            assert!(events.tell(&event(epoch)));
        }
        assert_eq!(receiver.try_recv().unwrap().id, event(1).id);
        assert_eq!(missed(&events, Some(&event(0))).len(), REMEMBERED);
        assert!(events.tell(&event(0)), "what is forgotten is told again");
    }
}
