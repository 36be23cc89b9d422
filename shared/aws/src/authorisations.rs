//! Authorisations in DynamoDB, found by the digest of their state.

mod item;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::{
    model::{
        authorisation::{Authorisation, Digest, Miss, Progress},
        grant::StoredGrant,
    },
    port::{Authorisations, BeginAuthorisations, Entropy, StoreError, Take},
};

use self::item::{PROGRESS, key, new_item, read};
use crate::{
    entropy::OsEntropy,
    expression::Expression,
    grant,
    item::{Item, Reader, item_if, number, second_after, text, time, word},
    table::Table,
    write::Written,
};

/// Authorisations in DynamoDB.
#[derive(Clone)]
pub struct DynamoAuthorisations(pub(crate) Table);

impl std::fmt::Debug for DynamoAuthorisations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoAuthorisations")
    }
}

#[async_trait]
impl BeginAuthorisations for DynamoAuthorisations {
    async fn put(&self, authorisation: &Authorisation) -> Result<(), StoreError> {
        let new = Expression::new().when("attribute_not_exists(#id)");
        match self.0.put(new_item(authorisation), &new).await? {
            // The state is random: what is there is an earlier try of ours.
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Authorisations for DynamoAuthorisations {
    async fn take(&self, state: &Digest, now: Timestamp) -> Result<Take, StoreError> {
        let taker = taker();
        let expression = Expression::new()
            .when("#progress = :open AND #expires_at > :now")
            .value("open", text("open"))
            .value("now", time(now))
            .set(PROGRESS, text("taken"))
            .set("taken_by", text(&taker));
        let item = match self.0.update_and_read(key(state), &expression).await? {
            Written::Done(item) => return taken(state, &item),
            Written::Refused(None) => return Ok(Take::Unknown),
            Written::Refused(Some(item)) => item,
        };
        if is_by(&taker, &item)? {
            return taken(state, &item);
        }
        let authorisation = read(state, Reader(&item))?;
        Ok(match authorisation.progress {
            Progress::Open => Take::Expired,
            Progress::Taken
            | Progress::Parked(_)
            | Progress::Completed(_)
            | Progress::Failed(_) => Take::Replayed(Box::new(authorisation)),
        })
    }

    async fn fail(&self, state: &Digest, miss: Miss) -> Result<(), StoreError> {
        let expression = if_taken()
            .set(PROGRESS, text("failed"))
            .set("miss", word(miss));
        match self.0.update(key(state), &expression).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn park(&self, state: &Digest, grant: &StoredGrant) -> Result<(), StoreError> {
        let grant = AttributeValue::M(item_if(grant::attributes(grant)));
        let expression = Expression::new()
            .set(PROGRESS, text("parked"))
            .set("grant", grant);
        let conditional = expression
            .clone()
            .when("#progress = :taken")
            .value("taken", text("taken"));
        match self.0.update(key(state), &conditional).await? {
            Written::Done(_) => Ok(()),
            Written::Refused(Some(now)) if expression.is_applied_to(&now) => Ok(()),
            // A grant must not be dropped in silence.
            Written::Refused(_) => Err(StoreError::Unavailable(
                "the authorisation takes no grant".to_owned(),
            )),
        }
    }

    async fn find(&self, state: &Digest) -> Result<Option<Authorisation>, StoreError> {
        let found = self.0.get(key(state)).await?;
        found.map(|item| read(state, Reader(&item))).transpose()
    }

    async fn complete(&self, state: &Digest) -> Result<bool, StoreError> {
        let taker = taker();
        let expression = Expression::new()
            .when("#progress = :parked")
            .value("parked", text("parked"))
            .set(PROGRESS, text("completed"))
            .set("taken_by", text(&taker));
        match self.0.update(key(state), &expression).await? {
            Written::Done(_) => Ok(true),
            Written::Refused(None) => Ok(false),
            Written::Refused(Some(now)) => is_by(&taker, &now),
        }
    }
}

/// How long an authorisation is kept after its end, so that a replay can be told from an unknown state.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// When DynamoDB may remove what ends at `expires_at`, in seconds since 1970.
pub(crate) fn clean_up_at(expires_at: Timestamp) -> AttributeValue {
    number(second_after(
        expires_at.saturating_add(KEPT).unwrap_or(expires_at),
    ))
}

fn if_taken() -> Expression {
    Expression::new()
        .when("#progress = :taken")
        .value("taken", text("taken"))
}

fn taken(state: &Digest, item: &Item) -> Result<Take, StoreError> {
    Ok(Take::Taken(Box::new(read(state, Reader(item))?)))
}

/// Who takes it: random, so that a repeated write whose first answer was lost knows its own.
fn taker() -> String {
    (&OsEntropy as &dyn Entropy).secret().expose().clone()
}

fn is_by(taker: &str, item: &Item) -> Result<bool, StoreError> {
    Ok(Reader(item).text_if("taken_by")? == Some(taker))
}
