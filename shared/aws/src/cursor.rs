//! Where the next page of the table of instances begins, as text: pending events are items of it too.

use latchkey_core::port::StoreError;

use crate::item::{Item, Reader, item, number, text};

/// After an item, in the order of the table.
pub(crate) fn of_item(last: Reader<'_>) -> Result<String, StoreError> {
    let (tenant, id) = (last.text("tenant")?, last.text("instance")?);
    Ok(format!("{tenant}#{id}"))
}

/// The key that [`of_item`] has told.
pub(crate) fn item_after(cursor: &str) -> Result<Item, StoreError> {
    let (tenant, id) = cursor.split_once('#').ok_or(CORRUPT)?;
    Ok(item([("tenant", text(tenant)), ("instance", text(id))]))
}

/// After an item, in the order of a shard of what is due: many may be due in one second, so the key
/// goes with it.
pub(crate) fn of_due(last: Reader<'_>) -> Result<String, StoreError> {
    let due_at: i64 = last.number("due_at")?;
    Ok(format!("{due_at}#{}", of_item(last)?))
}

/// The place in a shard that [`of_due`] has told.
pub(crate) fn due_after(shard: u8, cursor: &str) -> Result<Item, StoreError> {
    let (due_at, rest) = cursor.split_once('#').ok_or(CORRUPT)?;
    let due_at: i64 = due_at.parse().map_err(|_| CORRUPT)?;
    let mut start = item_after(rest)?;
    start.extend(item([
        ("due_shard", number(shard)),
        ("due_at", number(due_at)),
    ]));
    Ok(start)
}

const CORRUPT: StoreError = StoreError::Corrupt("cursor");
