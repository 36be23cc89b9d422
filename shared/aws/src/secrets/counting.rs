//! What the quotas of Secrets Manager are counted by: every attempt, also those that the SDK repeats.

use std::{fmt, sync::Arc};

use aws_sdk_secretsmanager::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
    },
    error::BoxError,
};
use latchkey_core::port::{Counted, Metrics};

/// What requests say that they are for.
const TARGET: &str = "x-amz-target";
const WRITES: [&str; 2] = [
    "secretsmanager.CreateSecret",
    "secretsmanager.PutSecretValue",
];
/// What an answer says that refuses a request as one too many.
const THROTTLED: &[u8] = b"ThrottlingException";

/// Counts writes and throttles.
pub(super) struct Counting(pub(super) Arc<dyn Metrics>);

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

impl Intercept for Counting {
    fn name(&self) -> &'static str {
        "Counting"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get(TARGET);
        if target.is_some_and(|target| WRITES.contains(&target)) {
            self.0.count(Counted::VaultWrite);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let refusal = context
            .response()
            .filter(|response| response.status().is_client_error())
            .and_then(|response| response.body().bytes());
        if refusal.is_some_and(is_throttled) {
            self.0.count(Counted::VaultThrottled);
        }
        Ok(())
    }
}

/// Whether the answer's body, which is short, says so.
fn is_throttled(body: &[u8]) -> bool {
    body.windows(THROTTLED.len())
        .any(|window| window == THROTTLED)
}
