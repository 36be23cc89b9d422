//! Spares as an attribute: a list of maps, each a grant or an answer as received.

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::spare::{Spare, SpareAnswer},
    port::{Spares, StoreError},
};

use crate::{
    expression::Expression,
    grant,
    item::{Item, Reader, item, item_if, number, sealed},
};

/// The attribute of a spare that the provider has refused once.
const REFUSED: &str = "refused";
/// The attribute of one that a request whose fate is unknown was made with.
const IN_DOUBT: &str = "in_doubt";

/// The attribute; there is none without spares.
pub(super) fn spares(spares: &[Spare]) -> Option<AttributeValue> {
    let written = spares.iter().map(|spare| AttributeValue::M(write(spare)));
    (!spares.is_empty()).then(|| AttributeValue::L(written.collect()))
}

/// Changes the spares if they are as seen.
pub(super) fn changing(expression: Expression, change: Spares<'_>) -> Expression {
    seeing(expression, change.seen).set_if("spares", spares(change.kept))
}

/// Holds only if the spares are as seen.
pub(super) fn seeing(expression: Expression, seen: &[Spare]) -> Expression {
    match spares(seen) {
        Some(seen) => expression
            .when("#spares = :seen_spares")
            .value("seen_spares", seen),
        None => expression.when("attribute_not_exists(#spares)"),
    }
}

fn write(spare: &Spare) -> Item {
    match &spare.answer {
        SpareAnswer::Grant(grant) => {
            let mut written = item_if(grant::attributes(grant));
            for (mark, is_so) in [(REFUSED, spare.is_refused), (IN_DOUBT, spare.in_doubt)] {
                if is_so {
                    written.insert(mark.to_owned(), AttributeValue::Bool(true));
                }
            }
            written
        }
        SpareAnswer::Raw {
            sealed: answer,
            unread_by,
        } => item([
            ("epoch", number(spare.epoch)),
            ("answer", sealed(answer)),
            ("unread_by", number(unread_by)),
        ]),
    }
}

/// Reads the spares of an instance.
pub(super) fn read_spares(item: Reader<'_>) -> Result<Vec<Spare>, StoreError> {
    item.items("spares")?.into_iter().map(read).collect()
}

fn read(item: Reader<'_>) -> Result<Spare, StoreError> {
    let Some(answer) = item.sealed_if("answer")? else {
        return Ok(Spare {
            is_refused: item.has(REFUSED),
            in_doubt: item.has(IN_DOUBT),
            ..Spare::of(grant::read(item)?)
        });
    };
    Ok(Spare {
        epoch: item.number("epoch")?,
        is_refused: false,
        in_doubt: false,
        answer: SpareAnswer::Raw {
            sealed: answer,
            unread_by: item.number("unread_by")?,
        },
    })
}
