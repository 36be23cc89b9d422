//! Instances as items.

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::{
        failure::Failure,
        id::InstanceKey,
        instance::{Instance, Lease, State, StoredValues},
    },
    port::{Due, StoreError},
};

use super::{
    spares::{read_spares, spares},
    upkeep::{read_upkeep, upkeep},
};
use crate::{
    expression::Expression,
    grant,
    item::{Item, Reader, item, json, number, sealed_map, second_after, text, text_map, time},
};

/// The states, as the attribute `status` spells them.
pub(super) const PENDING: &str = "pending";
pub(super) const ACTIVE: &str = "active";
pub(super) const SUSPECT: &str = "suspect";
pub(super) const RECONNECT_REQUIRED: &str = "reconnect_required";
pub(super) const DELETED: &str = "deleted";

/// The key of an instance.
pub(super) fn key(key: &InstanceKey) -> Item {
    item([
        ("tenant", text(key.tenant.as_str())),
        ("instance", text(key.id.as_str())),
    ])
}

/// What makes a new instance, which is counted at its auth method.
pub(super) fn new_item(instance: &Instance) -> Expression {
    let lease = instance.lease.as_ref();
    let expression = Expression::new()
        .when("attribute_not_exists(#tenant)")
        .set("v", number(1))
        .set("counted", AttributeValue::Bool(true))
        .set("connector", text(instance.connector.as_str()))
        .set("method", text(instance.method.as_str()))
        .set("name", text(&instance.name))
        .set("created_at", time(instance.created_at))
        .set("incarnation", number(instance.incarnation))
        .set("epoch", number(instance.epoch))
        .set("attempts", number(instance.attempts))
        .set("failures", number(instance.failures))
        .set_all(values(&instance.values))
        .set_if("spares", spares(&instance.spares))
        .set_if(
            "told_ended",
            instance.told_ended.then_some(AttributeValue::Bool(true)),
        )
        .set_all(upkeep(&instance.upkeep))
        .set_all([
            ("lease_until", lease.map(|lease| time(lease.until))),
            ("lease_nonce", lease.map(|lease| text(&lease.nonce))),
            ("last_send", instance.last_send.map(time)),
            ("not_before", instance.not_before.map(time)),
            ("last_failure", instance.last_failure.as_ref().map(json)),
        ]);
    let expression = match instance.grant() {
        Some(grant) => expression.set_all(grant::attributes(grant)),
        None => expression,
    };
    match &instance.state {
        State::Pending => expression.set("status", text(PENDING)),
        State::Active(_) => expression.set("status", text(ACTIVE)),
        State::Suspect { cause, .. } => expression
            .set("status", text(SUSPECT))
            .set("cause", json(cause)),
        State::ReconnectRequired { cause, .. } => expression
            .set("status", text(RECONNECT_REQUIRED))
            .set("cause", json(cause)),
        State::Deleted { at, .. } => expression
            .set("status", text(DELETED))
            .set("deleted_at", time(*at)),
    }
}

/// The attributes of a user's values.
pub(super) fn values(values: &StoredValues) -> [(&'static str, Option<AttributeValue>); 2] {
    [
        ("values", Some(text_map(&values.plain))),
        ("sealed_values", Some(sealed_map(&values.sealed))),
    ]
}

/// The attributes by which an instance stands in the index of due ones, or does not.
pub(super) fn due(due: Option<Due>) -> [(&'static str, Option<AttributeValue>); 2] {
    [
        ("due_shard", due.map(|due| number(due.shard))),
        ("due_at", due.map(|due| number(second_after(due.at)))),
    ]
}

/// Reads the key of an instance.
pub(super) fn read_key(item: Reader<'_>) -> Result<InstanceKey, StoreError> {
    Ok(InstanceKey {
        tenant: item.parsed("tenant")?,
        id: item.parsed("instance")?,
    })
}

/// Reads an instance.
pub(super) fn read(item: Reader<'_>) -> Result<Instance, StoreError> {
    let item = item.format_1()?;
    Ok(Instance {
        key: read_key(item)?,
        connector: item.parsed("connector")?,
        method: item.parsed("method")?,
        name: item.text("name")?.to_owned(),
        created_at: item.time("created_at")?,
        values: StoredValues {
            plain: item.text_map("values")?,
            sealed: item.sealed_map("sealed_values")?,
        },
        incarnation: item.number("incarnation")?,
        epoch: item.number("epoch")?,
        lease: read_lease(item)?,
        attempts: item.number_if("attempts")?.unwrap_or(0),
        last_send: item.time_if("last_send")?,
        not_before: item.time_if("not_before")?,
        failures: item.number_if("failures")?.unwrap_or(0),
        last_failure: item.json_if::<Failure>("last_failure")?,
        spares: read_spares(item)?,
        told_ended: item.has("told_ended"),
        upkeep: read_upkeep(item)?,
        state: read_state(item)?,
    })
}

fn read_lease(item: Reader<'_>) -> Result<Option<Lease>, StoreError> {
    let Some(until) = item.time_if("lease_until")? else {
        return Ok(None);
    };
    let nonce = item.text("lease_nonce")?.to_owned();
    Ok(Some(Lease { until, nonce }))
}

fn read_state(item: Reader<'_>) -> Result<State, StoreError> {
    Ok(match item.text("status")? {
        PENDING => State::Pending,
        ACTIVE => State::Active(grant::read(item)?),
        SUSPECT => State::Suspect {
            grant: grant::read(item)?,
            cause: item.json("cause")?,
        },
        RECONNECT_REQUIRED => State::ReconnectRequired {
            grant: grant::read(item)?,
            cause: item.json("cause")?,
        },
        DELETED => State::Deleted {
            grant: item
                .has(grant::TOKENS)
                .then(|| grant::read(item))
                .transpose()?,
            at: item.time("deleted_at")?,
        },
        _ => return Err(StoreError::Corrupt("status")),
    })
}
