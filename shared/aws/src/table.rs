//! A table, and what is done to it.

use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{
        AttributeValue, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use latchkey_core::port::{PageAsk, StoreError};

use crate::{
    expression::Expression,
    item::{Item, Reader, number, text},
    write::{Transacted, Written, incomplete, transact, unavailable, write},
};

/// A table.
#[derive(Clone)]
pub(crate) struct Table {
    client: Client,
    name: String,
}

/// Some rows in order, and where the next begin.
pub(crate) struct Rows {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<String>,
}

/// A list of items: those under one hash key, in the order of a range key.
pub(crate) struct List<'a> {
    /// The index, if it is not the table itself.
    pub(crate) index: Option<&'a str>,
    /// The name of the hash key, and its value.
    pub(crate) hash: (&'static str, AttributeValue),
    /// The name of the range key.
    pub(crate) range: &'static str,
}

/// On a refusal, the item as it is.
const AS_IT_IS: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

impl Table {
    /// The table of this name.
    pub(crate) fn new(client: &Client, name: &str) -> Self {
        Self {
            client: client.clone(),
            name: name.to_owned(),
        }
    }

    /// The item, as strongly consistent read.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.name);
        let answer = request
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(answer.item)
    }

    /// A page of a list. Strongly consistent but for an index, which can't be.
    pub(crate) async fn page(&self, list: &List<'_>, ask: &PageAsk) -> Result<Rows, StoreError> {
        let after = ask.after.as_deref().filter(|after| !after.is_empty());
        let (hash, range) = (list.hash.0, list.range);
        let condition = match after {
            None => format!("#{hash} = :hash"),
            Some(_) => format!("#{hash} = :hash AND #{range} > :after"),
        };
        let mut expression = Expression::new()
            .when(&condition)
            .value("hash", list.hash.1.clone());
        if let Some(after) = after {
            expression = expression.value("after", text(after));
        }
        let answer = self
            .query(list, condition, &expression)
            // One more than asked for tells whether there are more.
            .limit(i32::from(ask.limit) + 1)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        let is_cut = answer.last_evaluated_key.is_some();
        rows(answer.items.unwrap_or_default(), is_cut, ask.limit, range)
    }

    /// The one item of a list with this range key.
    pub(crate) async fn exact(
        &self,
        list: &List<'_>,
        range: AttributeValue,
    ) -> Result<Option<Item>, StoreError> {
        let condition = format!("#{} = :hash AND #{} = :range", list.hash.0, list.range);
        let expression = Expression::new()
            .when(&condition)
            .value("hash", list.hash.1.clone())
            .value("range", range);
        let answer = self
            .query(list, condition, &expression)
            .limit(1)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(answer.items.unwrap_or_default().pop())
    }

    /// The items of an index's partition between two numbers, both included, in order, from a key
    /// on; and whether there may be more.
    pub(crate) async fn between(
        &self,
        list: &List<'_>,
        (least, most): (i64, i64),
        after: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let (hash, range) = (list.hash.0, list.range);
        let condition = format!("#{hash} = :hash AND #{range} BETWEEN :least AND :most");
        let expression = Expression::new()
            .when(&condition)
            .value("hash", list.hash.1.clone())
            .value("least", number(least))
            .value("most", number(most));
        let answer = self
            .query(list, condition, &expression)
            .set_exclusive_start_key(after)
            .limit(i32::from(limit))
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        let has_more = answer.last_evaluated_key.is_some();
        Ok((answer.items.unwrap_or_default(), has_more))
    }

    /// Items that the filter lets through, in no order, of so many that are looked at; and the key of
    /// the last of these, if there may be more.
    pub(crate) async fn scan(
        &self,
        filter: &Expression,
        after: Option<Item>,
        limit: u16,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let answer = self
            .client
            .scan()
            .table_name(&self.name)
            .set_filter_expression(filter.condition_text())
            .set_expression_attribute_names(filter.names())
            .set_expression_attribute_values(filter.values())
            .set_exclusive_start_key(after)
            .limit(i32::from(limit))
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    fn query(
        &self,
        list: &List<'_>,
        condition: String,
        expression: &Expression,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .set_index_name(list.index.map(str::to_owned))
            .key_condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .consistent_read(list.index.is_none())
    }

    /// Changes an item as the expression says.
    pub(crate) async fn update(
        &self,
        key: Item,
        expression: &Expression,
    ) -> Result<Written, StoreError> {
        self.update_returning(key, expression, ReturnValue::None)
            .await
    }

    /// Changes an item as the expression says, and returns it as it is then.
    pub(crate) async fn update_and_read(
        &self,
        key: Item,
        expression: &Expression,
    ) -> Result<Written, StoreError> {
        self.update_returning(key, expression, ReturnValue::AllNew)
            .await
    }

    async fn update_returning(
        &self,
        key: Item,
        expression: &Expression,
        returned: ReturnValue,
    ) -> Result<Written, StoreError> {
        let send = || {
            self.client
                .update_item()
                .table_name(&self.name)
                .set_key(Some(key.clone()))
                .update_expression(expression.update_text())
                .set_condition_expression(expression.condition_text())
                .set_expression_attribute_names(expression.names())
                .set_expression_attribute_values(expression.values())
                .return_values(returned.clone())
                .return_values_on_condition_check_failure(AS_IT_IS)
                .send()
        };
        write(send, |answer| answer.attributes).await
    }

    /// Puts an item if the condition holds, in place of another if there is one.
    pub(crate) async fn put(
        &self,
        item: Item,
        condition: &Expression,
    ) -> Result<Written, StoreError> {
        let send = || {
            self.client
                .put_item()
                .table_name(&self.name)
                .set_item(Some(item.clone()))
                .set_condition_expression(condition.condition_text())
                .set_expression_attribute_names(condition.names())
                .set_expression_attribute_values(condition.values())
                .send()
        };
        write(send, |_| None).await
    }

    /// Deletes an item if the condition holds.
    pub(crate) async fn delete(
        &self,
        key: Item,
        condition: &Expression,
    ) -> Result<Written, StoreError> {
        let send = || {
            self.client
                .delete_item()
                .table_name(&self.name)
                .set_key(Some(key.clone()))
                .set_condition_expression(condition.condition_text())
                .set_expression_attribute_names(condition.names())
                .set_expression_attribute_values(condition.values())
                .return_values_on_condition_check_failure(AS_IT_IS)
                .send()
        };
        write(send, |_| None).await
    }

    /// A change as part of a transaction.
    pub(crate) fn update_part(
        &self,
        key: Item,
        expression: &Expression,
    ) -> Result<TransactWriteItem, StoreError> {
        let part = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .update_expression(expression.update_text())
            .set_condition_expression(expression.condition_text())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(AS_IT_IS)
            .build()
            .map_err(|error| incomplete(&error))?;
        Ok(TransactWriteItem::builder().update(part).build())
    }

    /// An item that is put as part of a transaction, in place of another if there is one.
    pub(crate) fn put_part(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let part = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .build()
            .map_err(|error| incomplete(&error))?;
        Ok(TransactWriteItem::builder().put(part).build())
    }

    /// A deletion as part of a transaction.
    pub(crate) fn delete_part(
        &self,
        key: Item,
        condition: &Expression,
    ) -> Result<TransactWriteItem, StoreError> {
        let part = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .set_condition_expression(condition.condition_text())
            .set_expression_attribute_names(condition.names())
            .set_expression_attribute_values(condition.values())
            .return_values_on_condition_check_failure(AS_IT_IS)
            .build()
            .map_err(|error| incomplete(&error))?;
        Ok(TransactWriteItem::builder().delete(part).build())
    }

    /// Makes all writes or none.
    pub(crate) async fn transact(
        &self,
        parts: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        transact(&self.client, parts).await
    }
}

fn rows(
    mut items: Vec<Item>,
    is_cut: bool,
    limit: u16,
    range: &'static str,
) -> Result<Rows, StoreError> {
    let limit = usize::from(limit);
    let has_more = is_cut || items.len() > limit;
    items.truncate(limit);
    let next = match items.last() {
        Some(last) if has_more => Some(Reader(last).text(range)?.to_owned()),
        Some(_) | None => None,
    };
    Ok(Rows { items, next })
}
