//! Notes beside the refresh protocol, in attributes of their own.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::upkeep::{Rejections, Upkeep},
    port::{Note, NoteUpkeep, Noted, Noting, StoreError},
};

use super::{
    DynamoInstances,
    item::{due, key, read},
    leases::{unmoved, usable},
};
use crate::{
    item::{Reader, json, number, time},
    write::Written,
};

/// The attributes of what is noted.
pub(super) fn upkeep(upkeep: &Upkeep) -> [(&'static str, Option<AttributeValue>); 3] {
    [
        ("used_at", upkeep.used_at.map(time)),
        ("rejections", rejections(&upkeep.rejections)),
        ("warned", upkeep.warned.map(number)),
    ]
}

/// Reads what is noted.
pub(super) fn read_upkeep(item: Reader<'_>) -> Result<Upkeep, StoreError> {
    Ok(Upkeep {
        used_at: item.time_if("used_at")?,
        rejections: item.json_if("rejections")?.unwrap_or_default(),
        warned: item.number_if("warned")?,
    })
}

fn rejections(rejections: &Rejections) -> Option<AttributeValue> {
    (*rejections != Rejections::default()).then(|| json(rejections))
}

#[async_trait]
impl NoteUpkeep for DynamoInstances {
    async fn note(&self, note: Note<'_>) -> Result<Noted, StoreError> {
        let expression = unmoved(usable(), note.incarnation, note.epoch).set_all(due(note.due));
        let expression = match note.what {
            Noting::Used { at } => expression.set("used_at", time(at)),
            Noting::NotDue { now } => expression
                .when("#due_at <= :now")
                .value("now", number(now.as_millisecond().div_euclid(1000))),
            Noting::Rejected { seen, kept } => match rejections(seen) {
                Some(seen) => expression
                    .when("#rejections = :seen_rejections")
                    .value("seen_rejections", seen),
                None => expression.when("attribute_not_exists(#rejections)"),
            }
            .set("rejections", json(kept)),
        };
        let now = match self.table.update(key(note.key), &expression).await? {
            Written::Done(_) => return Ok(Noted::Done),
            Written::Refused(None) => return Ok(Noted::Moved(None)),
            Written::Refused(Some(now)) => read(Reader(&now))?,
        };
        Ok(match note.what {
            // A repeated write finds its own: nobody else notes the very same time.
            Noting::Rejected { kept, .. } if now.upkeep.rejections == *kept => Noted::Done,
            Noting::Rejected { .. } | Noting::Used { .. } | Noting::NotDue { .. } => {
                Noted::Moved(Some(Box::new(now)))
            }
        })
    }
}
