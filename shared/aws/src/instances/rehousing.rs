//! All instances, and how what is in them is sealed.

use async_trait::async_trait;
use latchkey_core::{
    model::{instance::Instance, refresh_tokens::RefreshTokens},
    port::{Page, PageAsk, RehouseInstances, StoreError},
};

use super::{
    DynamoInstances,
    item::{key, read, values},
    spares::{seeing, spares},
};
use crate::{
    expression::Expression,
    grant::{JOURNAL, JOURNAL_EPOCH, TOKENS, VERSION},
    item::{Reader, number, sealed, sealed_map, text},
    write::Written,
};

#[async_trait]
impl RehouseInstances for DynamoInstances {
    async fn every(&self, page: &PageAsk) -> Result<Page<Instance>, StoreError> {
        // Pending events are items of the table too, and have no status.
        let filter = Expression::new().when("attribute_exists(#status)");
        self.scanned(&filter, page).await
    }

    async fn reseal(&self, seen: &Instance, next: &Instance) -> Result<bool, StoreError> {
        let expression = changing(as_seen(seen), next);
        let written = self.table.update(key(&seen.key), &expression).await?;
        Ok(match written {
            Written::Done(_) => true,
            Written::Refused(None) => false,
            Written::Refused(Some(now)) => {
                let now = read(Reader(&now))?;
                let parts = |instance: &Instance| {
                    let grant = instance.grant();
                    let grant =
                        grant.map(|grant| (grant.tokens.clone(), grant.refresh_tokens.clone()));
                    (
                        instance.values.sealed.clone(),
                        grant,
                        instance.spares.clone(),
                    )
                };
                parts(&now) == parts(next)
            }
        })
    }
}

/// Holds only if everything that is sealed is as seen.
fn as_seen(seen: &Instance) -> Expression {
    let expression = seeing(Expression::new(), &seen.spares)
        .when("#incarnation = :seen_incarnation AND #sealed_values = :seen_values")
        .value("seen_incarnation", number(seen.incarnation))
        .value("seen_values", sealed_map(&seen.values.sealed));
    let Some(grant) = seen.grant() else {
        return expression.when("attribute_not_exists(#tokens)");
    };
    let expression = expression
        .when("#tokens = :seen_tokens")
        .value("seen_tokens", sealed(&grant.tokens));
    let expression = match grant.refresh_tokens.journal() {
        Some(journal) => expression
            .when("#journal = :seen_journal")
            .value("seen_journal", sealed(&journal.sealed)),
        None => expression.when("attribute_not_exists(#journal)"),
    };
    match grant.refresh_tokens.version() {
        Some(version) => expression
            .when("#refresh_version = :seen_version")
            .value("seen_version", text(version.as_str())),
        None => expression.when("attribute_not_exists(#refresh_version)"),
    }
}

/// Changes everything that is sealed, and where refresh tokens are.
fn changing(expression: Expression, next: &Instance) -> Expression {
    let [_, sealed_values] = values(&next.values);
    let expression = expression
        .set_all([sealed_values])
        .set_if("spares", spares(&next.spares));
    let Some(grant) = next.grant() else {
        return expression;
    };
    let refresh_tokens: &RefreshTokens = &grant.refresh_tokens;
    let (journal, version) = (refresh_tokens.journal(), refresh_tokens.version());
    expression.set_all([
        (TOKENS, Some(sealed(&grant.tokens))),
        (JOURNAL, journal.map(|journal| sealed(&journal.sealed))),
        (JOURNAL_EPOCH, journal.map(|journal| number(journal.epoch))),
        (VERSION, version.map(|version| text(version.as_str()))),
    ])
}
