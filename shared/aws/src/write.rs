//! Conditional writes: sending them, and telling a refusal from a failure.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError,
        transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::{TransactWriteItem, error::ConditionalCheckFailedException},
};
use latchkey_core::port::{Entropy, StoreError};

use crate::{entropy::OsEntropy, item::Item};

/// What became of a conditional write.
pub(crate) enum Written {
    /// It was made; here is what was asked to be returned.
    Done(Item),
    /// Its condition did not hold for the item as it is, if there is one.
    Refused(Option<Item>),
}

/// What became of a transaction.
pub(crate) enum Transacted {
    /// All of it was made.
    Done,
    /// None of it was made, for these parts did not hold, or did, in order.
    Refused(Vec<Part>),
}

/// What became of a part of a transaction that was not made.
pub(crate) enum Part {
    /// Its condition held.
    Held,
    /// Its condition did not hold for the item as it is, if there is one.
    Refused(Option<Item>),
}

/// Makes all writes or none.
pub(crate) async fn transact(
    client: &Client,
    parts: Vec<TransactWriteItem>,
) -> Result<Transacted, StoreError> {
    let request = client
        .transact_write_items()
        .set_transact_items(Some(parts));
    match persistently(|| request.clone().send()).await {
        Ok(_) => Ok(Transacted::Done),
        Err(error) => match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let parts: Vec<_> = cancelled
                    .cancellation_reasons()
                    .iter()
                    .map(|reason| match reason.code() {
                        Some(CONDITION_FAILED) => Part::Refused(some_item(reason.item().cloned())),
                        Some(_) | None => Part::Held,
                    })
                    .collect();
                if parts.iter().any(|part| matches!(part, Part::Refused(_))) {
                    Ok(Transacted::Refused(parts))
                } else {
                    Err(unavailable(&error))
                }
            }
            Some(_) | None => Err(unavailable(&error)),
        },
    }
}

/// Sends a conditional write, again while a transaction is at its item.
pub(crate) async fn write<T, E, R, F, Fut>(
    send: F,
    returned: impl FnOnce(T) -> Option<Item>,
) -> Result<Written, StoreError>
where
    E: WriteError,
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, SdkError<E, R>>>,
{
    match persistently(send).await {
        Ok(output) => Ok(Written::Done(returned(output).unwrap_or_default())),
        Err(error) => match error.as_service_error().and_then(WriteError::refusal) {
            Some(refusal) => Ok(Written::Refused(some_item(refusal.item().cloned()))),
            None => Err(unavailable(&error)),
        },
    }
}

/// Why the store did not answer, in a word or two of ours or the service's error code; never what
/// was sent.
pub(crate) fn unavailable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StoreError {
    StoreError::Unavailable(kind(error).to_owned())
}

/// Why a service did not answer, in a word or two of ours or its error code; never what was sent.
pub(crate) fn kind<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    match error {
        SdkError::ConstructionFailure(_) => NOT_MADE,
        SdkError::TimeoutError(_) => "time-out",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "unreadable answer",
        SdkError::ServiceError(service) => service.err().code().unwrap_or("service error"),
        _ => "unknown failure",
    }
}

/// What the SDK's builders say where a field is missing; we always give all.
pub(crate) fn incomplete(_: &BuildError) -> StoreError {
    StoreError::Unavailable(NOT_MADE.to_owned())
}

const NOT_MADE: &str = "the request could not be made";

/// The errors of writes.
pub(crate) trait WriteError: ProvideErrorMetadata {
    /// The refusal, if the write's condition did not hold.
    fn refusal(&self) -> Option<&ConditionalCheckFailedException> {
        None
    }

    /// Whether another transaction was at the same item, so that the same write may work at once.
    fn is_conflict(&self) -> bool {
        self.code() == Some("TransactionConflictException")
    }
}

impl WriteError for UpdateItemError {
    fn refusal(&self) -> Option<&ConditionalCheckFailedException> {
        let Self::ConditionalCheckFailedException(refusal) = self else {
            return None;
        };
        Some(refusal)
    }
}

impl WriteError for PutItemError {
    fn refusal(&self) -> Option<&ConditionalCheckFailedException> {
        let Self::ConditionalCheckFailedException(refusal) = self else {
            return None;
        };
        Some(refusal)
    }
}

impl WriteError for DeleteItemError {
    fn refusal(&self) -> Option<&ConditionalCheckFailedException> {
        let Self::ConditionalCheckFailedException(refusal) = self else {
            return None;
        };
        Some(refusal)
    }
}

impl WriteError for TransactWriteItemsError {
    fn is_conflict(&self) -> bool {
        let Self::TransactionCanceledException(cancelled) = self else {
            return false;
        };
        let has = |code| {
            let mut reasons = cancelled.cancellation_reasons().iter();
            reasons.any(|reason| reason.code() == Some(code))
        };
        has("TransactionConflict") && !has(CONDITION_FAILED)
    }
}

const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// How often a write is sent that others' transactions get in the way of, and the first wait.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// Sends until no other transaction is at the same item, which the SDK does not retry.
async fn persistently<T, E, R, F, Fut>(send: F) -> Result<T, SdkError<E, R>>
where
    E: WriteError,
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, SdkError<E, R>>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        match send().await {
            Err(error)
                if tries < TRIES
                    && error
                        .as_service_error()
                        .is_some_and(WriteError::is_conflict) =>
            {
                let most = FIRST_WAIT * 2_u32.pow(tries);
                let share = (&OsEntropy as &dyn Entropy).share();
                tokio::time::sleep(most.mul_f64(share)).await;
            }
            outcome => return outcome,
        }
    }
}

fn some_item(item: Option<Item>) -> Option<Item> {
    item.filter(|item| !item.is_empty())
}
