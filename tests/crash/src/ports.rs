//! Everything that a process of the service reaches, each port told of ([`Crashing`]).

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_aws::{
    Client, DynamoAuthorisations, DynamoHosts, DynamoInstances, DynamoMethods, DynamoOutbox,
    Keyring, OsEntropy, SealedVault, SecretsManager, SecretsSettings, Store, StoreSettings,
    TableNames,
};
use latchkey_core::{
    flow::{
        Deployment, Mode,
        announce::Announce,
        authorise::Authorise,
        complete::Complete,
        define::Define,
        delete::Delete,
        refresh::{Breakers, Refresh, Slots},
        sweep::Sweep,
    },
    model::{Secret, event::Event},
    port::{Clock, Events, Hosts, Posting, PublishError, Queue, QueueError, Secrets, Uncounted},
};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{clock::SteppedClock, crashing::Crashing, outside::Outside};

/// Where a process finds what it reaches.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    /// The store.
    pub store: Url,
    /// The secrets manager, if refresh tokens are there.
    pub secrets: Option<Url>,
    /// The keyring, as text.
    pub keyring: String,
}

/// Clients that are ready. Nothing that is known leaks through them, so those whom nobody kills share
/// theirs: it takes longer to make them than to do most jobs.
pub struct Clients {
    store: Client,
    tables: TableNames,
    secrets: Option<Arc<SecretsManager>>,
    egress: Arc<ReqwestEgress>,
    keyring: String,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clients")
    }
}

impl Clients {
    /// Clients of what is to be found at a place.
    #[must_use]
    pub fn of(place: &Place) -> Self {
        let settings = StoreSettings::local(place.store.clone());
        let egress = ReqwestEgress::new(EgressSettings::of(Mode::Local)).expect("a way out");
        Self {
            store: settings.client(),
            tables: settings.tables,
            secrets: place.secrets.as_ref().map(|url| Arc::new(secrets(url))),
            egress: Arc::new(egress),
            keyring: place.keyring.clone(),
        }
    }
}

/// What a process reaches; it lives as long as the process.
pub struct Ports {
    /// The store as it is, for what is not the service's doing.
    pub store: Store,
    /// The vault.
    pub vault: Crashing<SealedVault>,
    /// The clock.
    pub clock: Arc<SteppedClock>,
    /// Where the process runs.
    pub deployment: Deployment,
    instances: Crashing<DynamoInstances>,
    methods: Crashing<DynamoMethods>,
    healths: Crashing<DynamoMethods>,
    authorisations: Crashing<DynamoAuthorisations>,
    outbox: Crashing<DynamoOutbox>,
    egress: Crashing<ReqwestEgress>,
    events: Crashing<Told>,
    queue: Crashing<Told>,
    breakers: Breakers,
    slots: Slots,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

impl Ports {
    /// The ports of a process that begins now.
    #[must_use]
    pub fn new(clients: &Clients, now: Timestamp, outside: &Arc<dyn Outside>) -> Self {
        let clock = Arc::new(SteppedClock::at(now, outside));
        let shared: Arc<dyn Clock> = Arc::<SteppedClock>::clone(&clock);
        let store = Store::with_client(&clients.store, &clients.tables, shared);
        let keyring = Keyring::parse(&Secret::from(clients.keyring.as_str())).expect("a keyring");
        let secrets = clients.secrets.as_ref().map(|secrets| -> Arc<dyn Secrets> {
            Arc::new(Crashing::new("secrets", Arc::clone(secrets), outside))
        });
        let vault = SealedVault::new(keyring, Arc::new(OsEntropy)).with_secrets(secrets);
        let told = Arc::new(Told(Arc::clone(outside)));
        let hosts: Arc<DynamoHosts> = Arc::clone(&store.hosts);
        let hosts: Arc<dyn Hosts> = Arc::new(Crashing::new("hosts", hosts, outside));
        let base = Url::parse("http://127.0.0.1:1").expect("a URL");
        Self {
            vault: Crashing::new("vault", Arc::new(vault), outside),
            instances: Crashing::new("instances", Arc::clone(&store.instances), outside),
            methods: Crashing::new("methods", Arc::clone(&store.methods), outside),
            healths: Crashing::new("healths", Arc::clone(&store.methods), outside),
            authorisations: Crashing::new(
                "authorisations",
                Arc::clone(&store.authorisations),
                outside,
            ),
            outbox: Crashing::new("outbox", Arc::clone(&store.outbox), outside),
            egress: Crashing::new("egress", Arc::clone(&clients.egress), outside),
            events: Crashing::new("events", Arc::clone(&told), outside),
            queue: Crashing::new("queue", told, outside),
            breakers: Breakers::new(hosts),
            slots: Slots::of(16),
            deployment: Deployment::new(&base),
            clock,
            store,
        }
    }

    /// Refreshing, and vending.
    #[must_use]
    pub fn refresh(&self) -> Refresh<'_> {
        Refresh {
            instances: &self.instances,
            methods: &self.methods,
            vault: &self.vault,
            egress: &self.egress,
            breakers: &self.breakers,
            healths: &self.healths,
            announce: self.announce(),
            metrics: &Uncounted,
            clock: &*self.clock,
            entropy: &OsEntropy,
            queue: Some(&self.queue),
            deployment: &self.deployment,
            slots: Some(&self.slots),
        }
    }

    /// The sweep.
    #[must_use]
    pub fn sweep(&self) -> Sweep<'_> {
        Sweep {
            due: &self.instances,
            refresh: self.refresh(),
            delete: self.delete(),
            in_flight: 16,
        }
    }

    /// Deleting.
    #[must_use]
    pub fn delete(&self) -> Delete<'_> {
        Delete {
            instances: &self.instances,
            methods: &self.methods,
            vault: &self.vault,
            egress: &self.egress,
            announce: self.announce(),
            clock: &*self.clock,
            entropy: &OsEntropy,
            deployment: &self.deployment,
        }
    }

    /// The callback.
    #[must_use]
    pub fn complete(&self) -> Complete<'_> {
        Complete {
            authorisations: &self.authorisations,
            instances: &self.instances,
            methods: &self.methods,
            vault: &self.vault,
            egress: &self.egress,
            announce: self.announce(),
            clock: &*self.clock,
            entropy: &OsEntropy,
            deployment: &self.deployment,
        }
    }

    /// What builders do. It is not told of.
    #[must_use]
    pub fn define(&self) -> Define<'_> {
        Define {
            connectors: &*self.store.connectors,
            methods: &*self.store.methods,
            vault: &self.vault,
            clock: &*self.clock,
            entropy: &OsEntropy,
            egress: &self.egress,
            deployment: &self.deployment,
        }
    }

    /// What leads to a consent. It is not told of.
    #[must_use]
    pub fn authorise(&self) -> Authorise<'_> {
        Authorise {
            instances: &*self.store.instances,
            methods: &*self.store.methods,
            sessions: &*self.store.sessions,
            authorisations: &*self.store.authorisations,
            settings: &*self.store.settings,
            seal: &self.vault,
            clock: &*self.clock,
            entropy: &OsEntropy,
            deployment: &self.deployment,
        }
    }

    /// Telling others.
    #[must_use]
    pub fn announce(&self) -> Announce<'_> {
        Announce {
            outbox: &self.outbox,
            events: &self.events,
            clock: &*self.clock,
        }
    }
}

/// The secrets manager at a URL.
fn secrets(url: &Url) -> SecretsManager {
    let settings = SecretsSettings {
        endpoint: Some(url.clone()),
        prefix: "latchkey".to_owned(),
        recovery_days: SecretsSettings::RECOVERY_DAYS,
        is_leaving: false,
    };
    SecretsManager::new(&settings, &StoreSettings::local(url.clone()))
}

/// Events and messages go to whoever watches.
struct Told(Arc<dyn Outside>);

#[async_trait]
impl Events for Told {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        self.0.publish(event.kind.name());
        Ok(())
    }
}

#[async_trait]
impl Queue for Told {
    async fn send(&self, postings: &[Posting]) -> Result<(), QueueError> {
        for posting in postings {
            let text = posting.message.to_text().expect("a text");
            self.0.post(posting.delay, &text);
        }
        Ok(())
    }
}
