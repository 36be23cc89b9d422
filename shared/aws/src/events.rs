//! Events to EventBridge.

mod log;

use async_trait::async_trait;
use aws_sdk_eventbridge::{
    Client,
    primitives::DateTime,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use latchkey_core::{
    flow::{Mode, WARNING_DAYS},
    model::event::Event,
    port::{Events, PublishError},
};
use url::Url;

pub use self::log::LogEvents;
use crate::{
    client::{ConfigError, StoreSettings, Wanted},
    write::kind,
};

/// What all our events say they come from.
const SOURCE: &str = "latchkey";
/// The bus that every account has.
const DEFAULT_BUS: &str = "default";

/// Where events go, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSettings {
    /// The name of the bus, or its ARN; without one, events go to the log.
    pub bus: Option<String>,
    /// The endpoint, if it is not the region's own: https, or http to this machine.
    pub endpoint: Option<Url>,
    /// Whether every refresh is told.
    pub refreshed: bool,
    /// How many days before its end a connection's user is warned, where the definition does not say.
    pub warning_days: u16,
}

impl EventSettings {
    /// Reads the settings: `LATCHKEY_EVENT_BUS`, which is the account's own in AWS and none on a laptop
    /// unless it is set; `LATCHKEY_EVENTS_REFRESHED`, `on` or `off`, which is off unless it is set;
    /// `LATCHKEY_WARNING_DAYS`, 1 to 90, which is 7 unless it is set; and the endpoint by the names that AWS's own tools use.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn from_lookup(
        lookup: &dyn Fn(&str) -> Option<String>,
        mode: Mode,
    ) -> Result<Self, ConfigError> {
        let mut wanted = Wanted {
            lookup,
            faults: Vec::new(),
        };
        let own = match mode {
            Mode::Cloud | Mode::Emulated => Some(DEFAULT_BUS.to_owned()),
            Mode::Local => None,
        };
        let refreshed = match wanted.optional("LATCHKEY_EVENTS_REFRESHED").as_deref() {
            None | Some("off") => false,
            Some("on") => true,
            Some(_) => {
                let fault = "LATCHKEY_EVENTS_REFRESHED must be 'on' or 'off'";
                wanted.faults.push(fault.to_owned());
                false
            }
        };
        let warning_days = match wanted.optional("LATCHKEY_WARNING_DAYS") {
            None => WARNING_DAYS,
            Some(text) => match text.parse().ok().filter(|days| (1..=90).contains(days)) {
                Some(days) => days,
                None => {
                    let fault = "LATCHKEY_WARNING_DAYS must be a number from 1 to 90";
                    wanted.faults.push(fault.to_owned());
                    WARNING_DAYS
                }
            },
        };
        let settings = Self {
            bus: wanted.optional("LATCHKEY_EVENT_BUS").or(own),
            endpoint: wanted.endpoint(&["AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_ENDPOINT_URL"]),
            refreshed,
            warning_days,
        };
        if wanted.faults.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError(wanted.faults))
        }
    }
}

/// Puts each event on a bus of EventBridge.
#[derive(Clone)]
pub struct EventBridgeEvents {
    client: Client,
    bus: String,
}

impl std::fmt::Debug for EventBridgeEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventBridgeEvents")
    }
}

impl EventBridgeEvents {
    /// A bus, in the region and with the credentials of the store. Nothing is sent before the first call.
    #[must_use]
    pub fn new(bus: &str, endpoint: Option<&Url>, aws: &StoreSettings) -> Self {
        Self {
            client: Client::new(&aws.sdk(endpoint)),
            bus: bus.to_owned(),
        }
    }
}

#[async_trait]
impl Events for EventBridgeEvents {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.kind.name())
            .detail(detail(event)?)
            .time(DateTime::from_millis(event.time.as_millisecond()))
            .build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|error| PublishError(kind(&error).to_owned()))?;
        taken(answer.entries())
    }
}

/// Whether the one entry was taken: the answer as a whole is a success either way.
fn taken(entries: &[PutEventsResultEntry]) -> Result<(), PublishError> {
    let Some(entry) = entries.first() else {
        return Err(PublishError("no answer for the event".to_owned()));
    };
    match (entry.error_code(), entry.event_id()) {
        (None, Some(_)) => Ok(()),
        (code, _) => Err(PublishError(code.unwrap_or("refused").to_owned())),
    }
}

/// The event as JSON.
fn detail(event: &Event) -> Result<String, PublishError> {
    let failed = |_| PublishError("it can't be written as JSON".to_owned());
    serde_json::to_string(event).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)], mode: Mode) -> Result<EventSettings, ConfigError> {
        let find = |wanted: &str| {
            let found = values.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        EventSettings::from_lookup(&find, mode)
    }

    #[test]
    fn refreshes_are_told_and_a_bus_is_used_as_the_environment_says() {
        let bus = |values: &[_], mode| read(values, mode).unwrap().bus;
        assert_eq!(bus(&[], Mode::Cloud).as_deref(), Some("default"));
        assert_eq!(bus(&[], Mode::Local), None);
        let named = [("LATCHKEY_EVENT_BUS", "ours")];
        assert_eq!(bus(&named, Mode::Local).as_deref(), Some("ours"));
        for (value, refreshed) in [("on", true), ("off", false), ("", false)] {
            let settings = read(&[("LATCHKEY_EVENTS_REFRESHED", value)], Mode::Cloud);
            assert_eq!(settings.unwrap().refreshed, refreshed, "{value}");
        }
        for (value, days) in [("", 7), ("1", 1), ("90", 90)] {
            let settings = read(&[("LATCHKEY_WARNING_DAYS", value)], Mode::Cloud);
            assert_eq!(settings.unwrap().warning_days, days, "{value}");
        }
        let wrong = [
            ("LATCHKEY_EVENTS_REFRESHED", "yes"),
            ("LATCHKEY_WARNING_DAYS", "91"),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://bus.example"),
        ];
        assert_eq!(read(&wrong, Mode::Cloud).unwrap_err().0.len(), 3);
    }

    #[test]
    fn a_refused_entry_is_a_failure_whatever_the_answer_says() {
        let entry = PutEventsResultEntry::builder;
        let refused = entry().error_code("ThrottlingException").build();
        let error = taken(&[refused]).unwrap_err();
        assert!(error.to_string().contains("ThrottlingException"));
        assert!(taken(&[]).is_err());
        assert!(taken(&[entry().build()]).is_err());
        assert!(taken(&[entry().event_id("1").build()]).is_ok());
    }
}
