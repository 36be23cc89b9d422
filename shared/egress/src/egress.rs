//! The port, stage by stage.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use latchkey_core::port::{Egress, InDoubt, SendError, WireAnswer, WireRequest};
use reqwest::{Body, Client, Request};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout};

use crate::{
    answer,
    body::{DepartingBody, Departure},
    client::{self, SetUpError},
    destination::{self, Reach},
    failure, headers,
    resolver::{GuardedResolver, Lookup, SystemLookup},
    settings::{EgressSettings, Loopback},
};

/// The [`Egress`] port over one reqwest client.
///
/// Make one for the process and keep it: its connections are what it saves.
pub struct ReqwestEgress {
    client: Client,
    loopback: Loopback,
}

impl ReqwestEgress {
    /// Sets the client up; nothing is connected yet.
    ///
    /// # Errors
    /// [`SetUpError`] if TLS or the client refuse their configuration, which is the same for all.
    pub fn new(settings: EgressSettings) -> Result<Self, SetUpError> {
        let tls = client::tls(client::public_roots())?;
        Self::assemble(settings, tls, Arc::new(SystemLookup))
    }

    /// Puts the parts together that tests replace.
    pub(crate) fn assemble(
        settings: EgressSettings,
        tls: ClientConfig,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SetUpError> {
        let loopback = settings.loopback;
        let resolver = GuardedResolver { loopback, lookup };
        let client = client::build(settings, tls, resolver)?;
        Ok(Self { client, loopback })
    }

    async fn send_within_limit(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let reach = destination::check(&request.url, self.loopback).map_err(SendError::Refused)?;
        let limit = request.limit;
        let (request, departure) = prepare(request);
        timeout(limit, self.exchange(request, &departure, reach))
            .await
            .unwrap_or_else(|_| Err(failure::cut_off(&departure, InDoubt::TimedOut)))
    }

    async fn exchange(
        &self,
        request: Request,
        departure: &Departure,
        reach: Reach,
    ) -> Result<WireAnswer, SendError> {
        match self.client.execute(request).await {
            Ok(response) => answer::read(response, reach).await,
            Err(error) => Err(failure::classify(&error, departure)),
        }
    }
}

#[async_trait]
impl Egress for ReqwestEgress {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, SendError> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let began = Instant::now();
        let outcome = self.send_within_limit(request).await;
        let round_trip = began.elapsed();
        log(&host, &outcome, round_trip);
        outcome.map(|answer| WireAnswer {
            round_trip,
            ..answer
        })
    }
}

/// Shows nothing of the client, whose own `Debug` lists its configuration.
impl fmt::Debug for ReqwestEgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestEgress")
            .field("loopback", &self.loopback)
            .finish_non_exhaustive()
    }
}

fn prepare(request: WireRequest) -> (Request, Departure) {
    let mut prepared = Request::new(request.method, request.url);
    *prepared.headers_mut() = request.headers;
    let body_is_empty = request.body.expose().is_empty();
    let method = prepared.method().clone();
    headers::settle(prepared.headers_mut(), &method, body_is_empty);
    let (body, departure) = DepartingBody::new(request.body);
    *prepared.body_mut() = Some(Body::wrap(body));
    (prepared, departure)
}

fn log(host: &str, outcome: &Result<WireAnswer, SendError>, took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(answer) => tracing::debug!(host, status = answer.status.as_u16(), ms, "answered"),
        Err(error) => tracing::debug!(host, %error, ms, "not answered"),
    }
}
