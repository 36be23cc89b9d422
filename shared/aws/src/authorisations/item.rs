//! Authorisations as items.

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::{
        authorisation::{Authorisation, Binding, Digest, Progress},
        grant::StoredGrant,
        id::InstanceKey,
        instance::StoredValues,
    },
    port::StoreError,
};
use url::Url;

use super::clean_up_at;
use crate::{
    grant,
    item::{
        Item, Reader, item, item_if, number, sealed, sealed_map, text, text_map, texts, time, word,
    },
    tables::EXPIRES,
};

/// The attribute that says how far it has come.
pub(super) const PROGRESS: &str = "progress";

/// The key of an authorisation.
pub(super) fn key(state: &Digest) -> Item {
    item([("id", text(format!("state#{}", state.as_str())))])
}

/// An authorisation as an item.
pub(super) fn new_item(authorisation: &Authorisation) -> Item {
    let url = |url: &Url| text(url.as_str());
    let mut item = key(&authorisation.state);
    item.extend(item_if([
        ("v", Some(number(1))),
        ("tenant", Some(text(authorisation.instance.tenant.as_str()))),
        ("instance", Some(text(authorisation.instance.id.as_str()))),
        ("connector", Some(text(authorisation.connector.as_str()))),
        ("method", Some(text(authorisation.method.as_str()))),
        ("method_version", Some(number(authorisation.method_version))),
        ("incarnation", Some(number(authorisation.incarnation))),
        ("token_url", authorisation.token_url.as_ref().map(url)),
        ("redirect_uri", Some(url(&authorisation.redirect_uri))),
        ("scopes", Some(texts(&authorisation.scopes))),
        ("verifier", authorisation.verifier.as_ref().map(sealed)),
        ("issuer", authorisation.issuer.as_ref().map(text)),
        ("return_url", authorisation.return_url.as_ref().map(url)),
        ("values", Some(text_map(&authorisation.values.plain))),
        (
            "sealed_values",
            Some(sealed_map(&authorisation.values.sealed)),
        ),
        ("session", authorisation.session.as_ref().map(sealed)),
        ("created_at", Some(time(authorisation.created_at))),
        ("expires_at", Some(time(authorisation.expires_at))),
        (EXPIRES, Some(clean_up_at(authorisation.expires_at))),
    ]));
    item.extend(binding(&authorisation.binding));
    item.extend(progress(&authorisation.progress));
    item
}

/// Reads an authorisation.
pub(super) fn read(state: &Digest, item: Reader<'_>) -> Result<Authorisation, StoreError> {
    let item = item.format_1()?;
    Ok(Authorisation {
        state: state.clone(),
        instance: InstanceKey {
            tenant: item.parsed("tenant")?,
            id: item.parsed("instance")?,
        },
        connector: item.parsed("connector")?,
        method: item.parsed("method")?,
        method_version: item.number("method_version")?,
        incarnation: item.number("incarnation")?,
        token_url: item.parsed_if("token_url")?,
        redirect_uri: item.parsed("redirect_uri")?,
        scopes: item.texts("scopes")?,
        verifier: item.sealed_if("verifier")?,
        issuer: item.text_if("issuer")?.map(str::to_owned),
        return_url: item.parsed_if("return_url")?,
        binding: read_binding(item)?,
        values: StoredValues {
            plain: item.text_map("values")?,
            sealed: item.sealed_map("sealed_values")?,
        },
        session: item.sealed_if("session")?,
        created_at: item.time("created_at")?,
        expires_at: item.time("expires_at")?,
        progress: read_progress(item)?,
    })
}

fn binding(binding: &Binding) -> Item {
    match binding {
        Binding::Platform => item([("binding", text("platform"))]),
        Binding::Browser(cookie) => item([
            ("binding", text("browser")),
            ("cookie", text(cookie.as_str())),
        ]),
    }
}

fn read_binding(item: Reader<'_>) -> Result<Binding, StoreError> {
    match item.text("binding")? {
        "platform" => Ok(Binding::Platform),
        "browser" => Digest::parse(item.text("cookie")?)
            .map(Binding::Browser)
            .ok_or(StoreError::Corrupt("cookie")),
        _ => Err(StoreError::Corrupt("binding")),
    }
}

fn progress(progress: &Progress) -> Item {
    match progress {
        Progress::Open => item([(PROGRESS, text("open"))]),
        Progress::Taken => item([(PROGRESS, text("taken"))]),
        Progress::Failed(miss) => item([(PROGRESS, text("failed")), ("miss", word(miss))]),
        Progress::Parked(grant) => with_grant("parked", Some(grant)),
        Progress::Completed(grant) => with_grant("completed", grant.as_deref()),
    }
}

fn with_grant(word: &str, grant: Option<&StoredGrant>) -> Item {
    let grant = grant.map(|grant| AttributeValue::M(item_if(grant::attributes(grant))));
    item_if([(PROGRESS, Some(text(word))), ("grant", grant)])
}

fn read_progress(item: Reader<'_>) -> Result<Progress, StoreError> {
    Ok(match item.text(PROGRESS)? {
        "open" => Progress::Open,
        "taken" => Progress::Taken,
        "completed" => Progress::Completed(read_grant(item)?),
        "failed" => Progress::Failed(item.word("miss")?),
        "parked" => Progress::Parked(read_grant(item)?.ok_or(StoreError::Corrupt("grant"))?),
        _ => return Err(StoreError::Corrupt(PROGRESS)),
    })
}

fn read_grant(item: Reader<'_>) -> Result<Option<Box<StoredGrant>>, StoreError> {
    let inner = item.inner_if("grant")?;
    inner
        .map(|inner| grant::read(inner).map(Box::new))
        .transpose()
}
