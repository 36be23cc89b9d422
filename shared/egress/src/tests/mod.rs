//! The egress against real servers on loopback that misbehave.

mod connecting;
mod doubt;
mod limits;
mod sending;
mod server;
mod surroundings;
mod tls;

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use latchkey_core::{
    model::Secret,
    port::{Egress, SendError, WireAnswer, WireRequest},
};
use url::Url;

use crate::{EgressSettings, Loopback, ReqwestEgress, client, resolver::Lookup};

const LOCAL: EgressSettings = EgressSettings {
    loopback: Loopback::Allowed,
    connect_limit: Duration::from_secs(30),
    idle_limit: Duration::from_secs(30),
};

/// An egress as local mode has it.
fn local() -> ReqwestEgress {
    ReqwestEgress::new(LOCAL).unwrap()
}

/// An egress that asks `lookup` for addresses.
fn with_lookup(settings: EgressSettings, lookup: impl Lookup + 'static) -> ReqwestEgress {
    let tls = client::tls(client::public_roots()).unwrap();
    ReqwestEgress::assemble(settings, tls, Arc::new(lookup)).unwrap()
}

/// A token request as flows make it, with limits that no test should come near.
fn post(url: &str) -> WireRequest {
    WireRequest {
        method: Method::POST,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Secret::new(b"grant_type=refresh_token&refresh_token=r1".to_vec()),
        limit: Duration::from_secs(30),
    }
}

fn get(url: &str) -> WireRequest {
    WireRequest {
        method: Method::GET,
        body: Secret::new(Vec::new()),
        ..post(url)
    }
}

/// What `egress` makes of `request`.
async fn send(egress: &ReqwestEgress, request: WireRequest) -> Result<WireAnswer, SendError> {
    egress.send(request).await
}

/// The failure of a request that must fail.
async fn failure(egress: &ReqwestEgress, request: WireRequest) -> SendError {
    egress.send(request).await.unwrap_err()
}
