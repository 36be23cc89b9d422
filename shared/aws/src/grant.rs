//! Stored grants as attributes: of an instance, or of an authorisation that waits for its platform.

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::{
        grant::StoredGrant,
        refresh_tokens::{Journal, RefreshTokens},
        secret_version::SecretVersion,
    },
    port::StoreError,
};

use crate::item::{Reader, json, number, sealed, text, texts, time};

/// The attribute that shows that there is a grant.
pub(crate) const TOKENS: &str = "tokens";

/// The refresh tokens on their way to the secrets manager, and the epoch that brought them.
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const JOURNAL_EPOCH: &str = "journal_epoch";
/// The version in the secrets manager that holds the refresh tokens; beside a journal, the one that
/// they take the place of.
pub(crate) const VERSION: &str = "refresh_version";

/// The attributes of a grant.
pub(crate) fn attributes(grant: &StoredGrant) -> [(&'static str, Option<AttributeValue>); 12] {
    let refresh_tokens = &grant.refresh_tokens;
    let journal = refresh_tokens.journal();
    let version = refresh_tokens.version();
    [
        ("committed_epoch", Some(number(grant.epoch))),
        ("parent_epoch", grant.parent.map(number)),
        ("answer_epoch", grant.answered_under.map(number)),
        (TOKENS, Some(sealed(&grant.tokens))),
        (JOURNAL, journal.map(|journal| sealed(&journal.sealed))),
        (JOURNAL_EPOCH, journal.map(|journal| number(journal.epoch))),
        (VERSION, version.map(|version| text(version.as_str()))),
        ("refreshable", Some(AttributeValue::Bool(grant.refreshable))),
        ("expires_at", grant.expires_at.map(time)),
        ("terms", Some(json(&grant.terms))),
        ("scopes", Some(texts(&grant.scopes))),
        ("received_at", Some(time(grant.received_at))),
    ]
}

/// Reads the grant among the attributes of an item.
pub(crate) fn read(item: Reader<'_>) -> Result<StoredGrant, StoreError> {
    Ok(StoredGrant {
        epoch: item.number("committed_epoch")?,
        parent: item.number_if("parent_epoch")?,
        answered_under: item.number_if("answer_epoch")?,
        tokens: item.sealed(TOKENS)?,
        refresh_tokens: read_refresh_tokens(item)?,
        refreshable: item.flag("refreshable")?,
        expires_at: item.time_if("expires_at")?,
        terms: item.json_if("terms")?.unwrap_or_default(),
        scopes: item.texts("scopes")?,
        received_at: item.time("received_at")?,
    })
}

fn read_refresh_tokens(item: Reader<'_>) -> Result<RefreshTokens, StoreError> {
    let version = item.text_if(VERSION)?.map(SecretVersion::stored);
    let Some(sealed) = item.sealed_if(JOURNAL)? else {
        return Ok(version.map_or(RefreshTokens::Inside, RefreshTokens::Version));
    };
    Ok(RefreshTokens::Journal(Journal {
        epoch: item.number(JOURNAL_EPOCH)?,
        sealed,
        instead_of: version,
    }))
}
