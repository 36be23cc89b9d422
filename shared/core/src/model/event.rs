//! Events: what a platform may want to act on, told as it happens.
//!
//! An event may be told more than once, and two may come out of order: its id is the same each time,
//! since it follows from what happened, and its time says what came first. Nothing secret is in one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    failure::Failure,
    id::{ConnectorId, InstanceId, InstanceKey, MethodId, MethodKey, TenantId, id_text},
    instance::Instance,
};

/// The version of the format. A change that a reader must know of starts the next; fields may be added.
pub const VERSION: u32 = 1;

/// The namespace of the ids (RFC 9562 §5.5); random, and never changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d0c_3c0e_9b7a_4c55_8d35_2f0a_71c4_9e18);

/// Something that happened to an instance or to an auth method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// The version of the format: 1.
    #[schema(example = 1)]
    pub v: u32,
    /// The same however often the event is told.
    pub id: EventId,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Whose it is.
    pub tenant: TenantId,
    /// The connector.
    pub connector: ConnectorId,
    /// The auth method.
    pub auth_method: MethodId,
    /// The instance; not there if the event is the auth method's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "detail")]
pub enum EventKind {
    /// A consent has taken effect: credentials can be had.
    #[serde(rename = "instance.connected")]
    Connected {
        /// Whether the instance had been connected before.
        reconnected: bool,
    },
    /// There is a new access token. Not told unless the deployment is set to.
    #[serde(rename = "instance.refreshed")]
    Refreshed {
        /// When the access token ends, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, format = DateTime)]
        expires_at: Option<Timestamp>,
    },
    /// Only a new consent helps.
    #[serde(rename = "instance.reconnect_required")]
    ReconnectRequired {
        /// Why the grant ended.
        failure: Failure,
    },
    /// What `instance.reconnect_required` said is no longer so, without anything that the user did.
    #[serde(rename = "instance.recovered")]
    Recovered {},
    /// The connection will end, by its age or for want of use, unless the user consents again.
    #[serde(rename = "instance.expiring")]
    Expiring {
        /// When it ends.
        #[schema(value_type = String, format = DateTime)]
        ends_at: Timestamp,
    },
    /// The instance was deleted, and its tokens with it.
    #[serde(rename = "instance.disconnected")]
    Disconnected {},
    /// The provider refuses the client, or its answers can't be read: the builder has to act.
    #[serde(rename = "auth_method.faulty")]
    MethodFaulty {
        /// What goes wrong.
        failure: Failure,
    },
    /// An auth method that was faulty works again.
    #[serde(rename = "auth_method.recovered")]
    MethodRecovered {},
}

impl EventKind {
    /// The name of the kind, as `type` spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connected { .. } => "instance.connected",
            Self::Refreshed { .. } => "instance.refreshed",
            Self::ReconnectRequired { .. } => "instance.reconnect_required",
            Self::Recovered {} => "instance.recovered",
            Self::Expiring { .. } => "instance.expiring",
            Self::Disconnected {} => "instance.disconnected",
            Self::MethodFaulty { .. } => "auth_method.faulty",
            Self::MethodRecovered {} => "auth_method.recovered",
        }
    }

    /// Whether it tells that an instance's grant has ended, or that this is not so; the instance remembers
    /// which was told last.
    #[must_use]
    pub fn tells_end(&self) -> Option<bool> {
        match self {
            Self::ReconnectRequired { .. } => Some(true),
            Self::Connected { .. } | Self::Recovered {} => Some(false),
            Self::Refreshed { .. }
            | Self::Expiring { .. }
            | Self::Disconnected {}
            | Self::MethodFaulty { .. }
            | Self::MethodRecovered {} => None,
        }
    }
}

/// What names one event: its tenant and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one it is.
    pub id: EventId,
}

/// Where in an instance's life something happened. No two consents, leases or grants of one instance
/// share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The consent that the instance lives by.
    pub incarnation: u64,
    /// The epoch of the lease, of the grant, or of the instance as it is.
    pub epoch: u64,
}

impl Event {
    /// An event of an instance.
    #[must_use]
    pub fn of_instance(
        key: &InstanceKey,
        method: &MethodKey,
        moment: Moment,
        time: Timestamp,
        kind: EventKind,
    ) -> Self {
        let Moment { incarnation, epoch } = moment;
        let subject = format!("{}/{}/{incarnation}/{epoch}", key.tenant, key.id);
        Self {
            instance: Some(key.id.clone()),
            ..Self::new(method, &subject, time, kind)
        }
    }

    /// An event of an auth method. `turn` tells apart the times at which it became faulty.
    #[must_use]
    pub fn of_method(key: &MethodKey, turn: u64, time: Timestamp, kind: EventKind) -> Self {
        let subject = format!("{}/{}/{}/{turn}", key.tenant, key.connector, key.id);
        Self::new(key, &subject, time, kind)
    }

    /// An event of an instance, as it is but for its epoch.
    #[must_use]
    pub fn of(instance: &Instance, epoch: u64, time: Timestamp, kind: EventKind) -> Self {
        let moment = Moment {
            incarnation: instance.incarnation,
            epoch,
        };
        Self::of_instance(&instance.key, &instance.method_key(), moment, time, kind)
    }

    /// What names it.
    #[must_use]
    pub fn key(&self) -> EventKey {
        EventKey {
            tenant: self.tenant.clone(),
            id: self.id.clone(),
        }
    }

    fn new(method: &MethodKey, subject: &str, time: Timestamp, kind: EventKind) -> Self {
        Self {
            v: VERSION,
            id: EventId::of(subject, kind.name()),
            time,
            tenant: method.tenant.clone(),
            connector: method.connector.clone(),
            auth_method: method.id.clone(),
            instance: None,
            kind,
        }
    }
}

/// The id of an event. It follows from what happened, and to what (UUID version 5, RFC 9562 §5.5).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "evt_6f1d7c3a8b3e5d6c9f0a4b5c6d7e0192")]
pub struct EventId(Box<str>);

id_text!(EventId, "evt_", "event");

impl EventId {
    fn of(subject: &str, kind: &str) -> Self {
        let uuid = Uuid::new_v5(&NAMESPACE, format!("{subject}/{kind}").as_bytes());
        Self::of_bytes(uuid.into_bytes())
    }

    /// A number fixed for each event that spreads events over shards.
    #[must_use]
    pub fn spread(&self) -> u8 {
        let tail = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or("0");
        u8::from_str_radix(tail, 16).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::FailureCode;

    fn method() -> MethodKey {
        MethodKey {
            tenant: "acme".parse().unwrap(),
            connector: ConnectorId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
            id: MethodId::new(Timestamp::UNIX_EPOCH, &[2; 10]),
        }
    }

    fn instance() -> InstanceKey {
        InstanceKey {
            tenant: "acme".parse().unwrap(),
            id: InstanceId::new(Timestamp::UNIX_EPOCH, &[3; 10]),
        }
    }

    fn failure() -> Failure {
        Failure {
            at: Timestamp::UNIX_EPOCH,
            code: FailureCode::GrantRefused,
            words: Some("invalid_grant".to_owned()),
        }
    }

    fn every_kind() -> [EventKind; 8] {
        [
            EventKind::Connected { reconnected: true },
            EventKind::Refreshed { expires_at: None },
            EventKind::ReconnectRequired { failure: failure() },
            EventKind::Recovered {},
            EventKind::Expiring {
                ends_at: Timestamp::UNIX_EPOCH,
            },
            EventKind::Disconnected {},
            EventKind::MethodFaulty { failure: failure() },
            EventKind::MethodRecovered {},
        ]
    }

    #[test]
    fn an_event_is_read_back_as_it_was_written_and_has_its_kinds_name() {
        let moment = Moment {
            incarnation: 1,
            epoch: 1,
        };
        for kind in every_kind() {
            let name = kind.name();
            for event in [
                Event::of_instance(&instance(), &method(), moment, Timestamp::MAX, kind.clone()),
                Event::of_method(&method(), 1, Timestamp::MAX, kind),
            ] {
                let written = serde_json::to_value(&event).unwrap();
                assert_eq!(written["type"], name);
                assert!(written["detail"].is_object(), "{written}");
                assert_eq!(written["v"], 1);
                assert_eq!(serde_json::from_value::<Event>(written).unwrap(), event);
            }
        }
    }

    #[test]
    fn an_id_tells_what_happened_and_nothing_else_does() {
        let of = |incarnation, epoch, second, kind| {
            let time = Timestamp::from_second(second).unwrap();
            let moment = Moment { incarnation, epoch };
            Event::of_instance(&instance(), &method(), moment, time, kind).id
        };
        let disconnected = || EventKind::Disconnected {};
        let id = of(1, 2, 0, disconnected());
        assert_eq!(id, of(1, 2, 9, disconnected()), "told again");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        let others = [
            of(1, 3, 0, disconnected()),
            of(2, 2, 0, disconnected()),
            of(12, 2, 0, disconnected()),
            of(1, 2, 0, EventKind::Refreshed { expires_at: None }),
            Event::of_method(&method(), 2, Timestamp::UNIX_EPOCH, disconnected()).id,
        ];
        assert!(!others.contains(&id), "{others:?}");
        assert!("evt_6F".parse::<EventId>().is_err());
    }
}
