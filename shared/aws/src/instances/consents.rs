//! Consents take effect.

use async_trait::async_trait;
use latchkey_core::{
    model::instance::State,
    port::{Connect, Connected, Consents, StoreError},
};

use super::{
    DynamoInstances,
    item::{ACTIVE, DELETED, due, read, values},
};
use crate::{
    expression::Expression,
    grant,
    item::{Reader, number, text},
    write::Written,
};

#[async_trait]
impl Consents for DynamoInstances {
    async fn connect(&self, connect: Connect<'_>) -> Result<Connected, StoreError> {
        let expression = Expression::new()
            .when(
                "#status <> :deleted AND #epoch = :seen_epoch AND #incarnation = :seen_incarnation",
            )
            .value("deleted", text(DELETED))
            .value("seen_epoch", number(connect.epoch))
            .value("seen_incarnation", number(connect.incarnation))
            .set("status", text(ACTIVE))
            .set("epoch", number(connect.grant.epoch))
            .set("incarnation", number(connect.incarnation + 1))
            .set_all(grant::attributes(connect.grant))
            .set_all(values(connect.values))
            .set_all(due(connect.due))
            .remove(&["lease_until", "lease_nonce", "attempts", "last_send"])
            .remove(&["not_before", "failures", "last_failure", "cause", "spares"]);
        let now = match self.change(connect.key, expression, connect.events).await? {
            Written::Done(_) => return Ok(Connected::Done),
            Written::Refused(None) => return Ok(Connected::Gone),
            Written::Refused(Some(now)) => read(Reader(&now))?,
        };
        Ok(match now.state {
            State::Deleted { .. } => Connected::Gone,
            State::Pending
            | State::Active(_)
            | State::Suspect { .. }
            | State::ReconnectRequired { .. } => Connected::Moved(Box::new(now)),
        })
    }
}
