//! The refresher's own side.

use std::{
    io::{BufRead as _, Write as _},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use latchkey_aws::{Keyring, LogEvents, OsEntropy, SealedVault, Store, StoreSettings};
use latchkey_core::{
    flow::{
        Deployment, Mode,
        refresh::{Breakers, Slots},
    },
    model::Secret,
    port::{Clock, Egress, SendError, Uncounted, WireAnswer, WireRequest},
};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use latchkey_refresher::{Ports, Settings};
use serde_json::Value;

use super::PATIENT;
use crate::clock::ShiftedClock;

/// Works as [`Refresher`](super::Refresher) says: `settings` is what it was started with, and each line
/// of the standard input is by how many seconds the clock is ahead, at a sweep.
pub fn work(settings: &str) {
    let told: Value = serde_json::from_str(settings).expect("settings");
    latchkey_aws::log::init(told["log"].as_str().expect("a filter"), std::io::stderr);
    // As the function has it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let clock = Arc::new(ShiftedClock::default());
    let ports = ports(&told, Arc::<ShiftedClock>::clone(&clock));
    for line in std::io::stdin().lock().lines() {
        let ahead: i64 = line.expect("a line").parse().expect("seconds");
        clock.advance(ahead - clock.shift());
        let report = runtime.block_on(latchkey_refresher::sweep(&ports, None));
        let report = report.expect("the store answers");
        let report = serde_json::to_string(&report).expect("JSON");
        writeln!(std::io::stdout().lock(), "{report}").expect("somebody reads it");
    }
}

/// The function's ports, wired as its `main` does, but for the clock and the limit.
fn ports(told: &Value, clock: Arc<dyn Clock>) -> Ports {
    let text = |name: &str| told[name].as_str().expect("a text");
    let number = |name: &str| told[name].as_u64().expect("a number");
    let store = StoreSettings::local(text("store").parse().expect("a URL"));
    let store = Store::new(&store, Arc::clone(&clock));
    let keyring = std::fs::read_to_string(text("keyring")).expect("a keyring");
    let keyring = Keyring::parse(&Secret::new(keyring)).expect("a keyring");
    let in_flight = usize::try_from(number("in_flight")).expect("a number");
    let egress = Hurried {
        inner: ReqwestEgress::new(EgressSettings::of(Mode::Local)).expect("an egress"),
        limit: Duration::from_millis(number("limit_ms")),
    };
    Ports {
        due: store.instances.clone(),
        leases: store.instances.clone(),
        deletions: store.instances,
        methods: store.methods.clone(),
        healths: store.methods,
        vault: Arc::new(SealedVault::new(keyring, Arc::new(OsEntropy))),
        egress: Arc::new(egress),
        outbox: store.outbox,
        breakers: Arc::new(Breakers::new(store.hosts)),
        events: Arc::new(LogEvents),
        metrics: Arc::new(Uncounted),
        clock,
        entropy: Arc::new(OsEntropy),
        queue: None,
        deployment: Deployment::new(&text("base_url").parse().expect("a URL")),
        settings: Settings {
            rounds: None,
            in_flight,
        },
        slots: Arc::new(Slots::of(in_flight)),
    }
}

/// The product's own way out, which gives up sooner.
struct Hurried {
    inner: ReqwestEgress,
    limit: Duration,
}

#[async_trait]
impl Egress for Hurried {
    async fn send(&self, mut request: WireRequest) -> Result<WireAnswer, SendError> {
        if !request.url.path().ends_with(PATIENT) {
            request.limit = request.limit.min(self.limit);
        }
        self.inner.send(request).await
    }
}
