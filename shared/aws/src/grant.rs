//! Stored grants as attributes: of an instance, or of an authorisation that waits for its platform.

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{model::grant::StoredGrant, port::StoreError};

use crate::item::{Reader, number, sealed, texts, time};

/// The attribute that shows that there is a grant.
pub(crate) const TOKENS: &str = "tokens";

/// The attributes of a grant.
pub(crate) fn attributes(grant: &StoredGrant) -> [(&'static str, Option<AttributeValue>); 8] {
    [
        ("committed_epoch", Some(number(grant.epoch))),
        (TOKENS, Some(sealed(&grant.tokens))),
        ("refreshable", Some(AttributeValue::Bool(grant.refreshable))),
        ("expires_at", grant.expires_at.map(time)),
        ("refresh_from", grant.refresh_from.map(time)),
        ("refresh_ends_at", grant.refresh_ends_at.map(time)),
        ("scopes", Some(texts(&grant.scopes))),
        ("received_at", Some(time(grant.received_at))),
    ]
}

/// Reads the grant among the attributes of an item.
pub(crate) fn read(item: Reader<'_>) -> Result<StoredGrant, StoreError> {
    Ok(StoredGrant {
        epoch: item.number("committed_epoch")?,
        tokens: item.sealed(TOKENS)?,
        refreshable: item.flag("refreshable")?,
        expires_at: item.time_if("expires_at")?,
        refresh_from: item.time_if("refresh_from")?,
        refresh_ends_at: item.time_if("refresh_ends_at")?,
        scopes: item.texts("scopes")?,
        received_at: item.time("received_at")?,
    })
}
