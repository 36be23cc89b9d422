//! Postman collections, version 2 and 2.1.

mod auth;
mod parameters;
mod variables;

use serde_json::{Map, Value};

use crate::{ImportError, Imported, document::skipped, fields::Fields};

pub(crate) fn looks_like(document: &Value) -> bool {
    let collection = document.get("collection").unwrap_or(document);
    collection.get("info").is_some_and(Value::is_object)
        && collection.get("item").is_some_and(Value::is_array)
}

/// Reads what a collection, its folders and its requests say on OAuth 2; what is said again counts once.
pub(crate) fn import(text: &str) -> Result<Vec<Imported>, ImportError> {
    let document: Value = serde_json::from_str(text)?;
    let collection = document.get("collection").unwrap_or(&document);
    if !looks_like(collection) {
        return Err(ImportError::shape("info, item", "a collection has both"));
    }
    let title = collection
        .get("info")
        .and_then(|info| info.get("name"))
        .and_then(Value::as_str)
        .unwrap_or("Collection");
    let mut found = Vec::new();
    gather(collection, title, "", &mut found);
    let mut entries: Vec<Imported> = Vec::new();
    for auth in found {
        let entry = read(&auth, collection);
        let same = |other: &Imported| {
            !entry.definition.is_null() && same_flow(&other.definition, &entry.definition)
        };
        if !entries.iter().any(same) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// An `auth` object of type `oauth2`, and where it was found.
struct Found<'d> {
    title: String,
    at: String,
    auth: &'d Value,
}

fn gather<'d>(holder: &'d Value, title: &str, at: &str, found: &mut Vec<Found<'d>>) {
    let auths = [
        ("auth", holder.get("auth")),
        (
            "request.auth",
            holder
                .get("request")
                .and_then(|request| request.get("auth")),
        ),
    ];
    for (key, auth) in auths {
        if let Some(auth) =
            auth.filter(|auth| auth.get("type").and_then(Value::as_str) == Some("oauth2"))
        {
            found.push(Found {
                title: title.to_owned(),
                at: format!("{at}{key}.oauth2"),
                auth,
            });
        }
    }
    for (index, item) in holder
        .get("item")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let name = item
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("request");
        gather(
            item,
            &format!("{title} {name}"),
            &format!("{at}item.{index}."),
            found,
        );
    }
}

fn read(found: &Found<'_>, collection: &Value) -> Imported {
    match settings(found.auth.get("oauth2")) {
        Some(settings) => auth::read(Fields::new(&found.at, settings), &found.title, collection),
        None => skipped(
            &found.title,
            &found.at,
            "a list of keys and values was expected",
        ),
    }
}

/// The settings as an object; version 2.1 writes them as a list of keys and values.
fn settings(oauth2: Option<&Value>) -> Option<Map<String, Value>> {
    match oauth2? {
        Value::Object(settings) => Some(settings.clone()),
        Value::Array(pairs) => {
            let pair = |pair: &Value| {
                Some((
                    pair.get("key")?.as_str()?.to_owned(),
                    pair.get("value").cloned().unwrap_or_default(),
                ))
            };
            Some(pairs.iter().filter_map(pair).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Whether two definitions differ in their names only.
fn same_flow(one: &Value, other: &Value) -> bool {
    let bare = |definition: &Value| {
        let mut members = definition.as_object().cloned().unwrap_or_default();
        members.shift_remove("name");
        members
    };
    bare(one) == bare(other)
}
