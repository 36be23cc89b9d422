//! The product's way out, led to a provider on this machine that stands for all hosts.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use latchkey_core::{
    flow::Mode,
    port::{Egress, SendError, WireAnswer, WireRequest},
};
use latchkey_egress::{EgressSettings, ReqwestEgress};
use url::Url;

use crate::scripted::ORIGIN;

/// Sends every request to one address, over the product's own egress.
#[derive(Debug)]
pub struct RoutedEgress {
    inner: ReqwestEgress,
    address: Mutex<Option<Url>>,
}

impl RoutedEgress {
    /// One that leads nowhere yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let inner = ReqwestEgress::new(EgressSettings::of(Mode::Local)).expect("an egress");
        Arc::new(Self {
            inner,
            address: Mutex::default(),
        })
    }

    fn address(&self) -> Option<Url> {
        let address = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        address.clone()
    }

    /// Leads to `address` from now on: `http://127.0.0.1:PORT`.
    pub fn lead_to(&self, address: &str) {
        let address = Url::parse(address).expect("a URL");
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}

#[async_trait]
impl Egress for RoutedEgress {
    async fn send(&self, mut request: WireRequest) -> Result<WireAnswer, SendError> {
        let address = self.address().expect("somewhere to lead to");
        let origin = request.url.origin().ascii_serialization();
        let origin = origin.parse().expect("a header's value");
        request.headers.insert(ORIGIN, origin);
        request.url.set_scheme(address.scheme()).expect("a scheme");
        request.url.set_host(address.host_str()).expect("a host");
        request.url.set_port(address.port()).expect("a port");
        self.inner.send(request).await
    }
}
