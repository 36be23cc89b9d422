//! Token hosts in DynamoDB: an item for each whose breaker is open, of all tenants.

use async_trait::async_trait;
use jiff::SignedDuration;
use latchkey_core::{
    model::{breaker::Breaker, host::Host},
    port::{Hosts, StoreError, Turned},
};

use crate::{
    expression::Expression,
    item::{Item, Reader, item, number, second_after, text, time, word},
    table::Table,
    tables::EXPIRES,
    write::Written,
};

/// Token hosts in DynamoDB.
#[derive(Clone)]
pub struct DynamoHosts(pub(crate) Table);

impl std::fmt::Debug for DynamoHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoHosts")
    }
}

#[async_trait]
impl Hosts for DynamoHosts {
    async fn breaker(&self, host: &Host) -> Result<Option<Breaker>, StoreError> {
        let found = self.0.get(key(host)).await?;
        found.map(|item| read(Reader(&item))).transpose()
    }

    async fn turn(
        &self,
        host: &Host,
        seen: Option<&Breaker>,
        next: &Breaker,
    ) -> Result<Turned<Option<Breaker>>, StoreError> {
        let expression = match seen {
            Some(seen) => marked(seen),
            None => Expression::new().when("attribute_not_exists(#host)"),
        };
        let expression = expression
            .set("v", number(1))
            .set("mark", text(&next.mark))
            .set("opened_at", time(next.opened_at))
            .set("probe_at", time(next.probe_at))
            .set("cause", word(next.cause))
            .set(EXPIRES, number(second_after(forgotten_at(next))));
        Ok(match self.0.update(key(host), &expression).await? {
            Written::Done(_) => Turned::Done,
            Written::Refused(None) => Turned::Lost(None),
            Written::Refused(Some(now)) => match read(Reader(&now))? {
                now if now.mark == next.mark => Turned::Done,
                now => Turned::Lost(Some(now)),
            },
        })
    }

    async fn close(&self, host: &Host, seen: &Breaker) -> Result<bool, StoreError> {
        Ok(match self.0.delete(key(host), &marked(seen)).await? {
            Written::Done(_) => true,
            Written::Refused(_) => false,
        })
    }
}

/// How long a breaker is kept that nobody asks for any more.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

fn forgotten_at(breaker: &Breaker) -> jiff::Timestamp {
    let at = breaker.probe_at.saturating_add(KEPT);
    at.unwrap_or(breaker.probe_at)
}

/// Holds only for the breaker that was seen.
fn marked(seen: &Breaker) -> Expression {
    Expression::new()
        .when("#mark = :seen")
        .value("seen", text(&seen.mark))
}

fn key(host: &Host) -> Item {
    item([("host", text(host.as_str()))])
}

fn read(item: Reader<'_>) -> Result<Breaker, StoreError> {
    let item = item.format_1()?;
    Ok(Breaker {
        mark: item.text("mark")?.to_owned(),
        opened_at: item.time("opened_at")?,
        probe_at: item.time("probe_at")?,
        cause: item.word("cause")?,
    })
}
