//! All that a refresh request needs, found and opened.

use std::sync::Arc;

use super::{Refresh, RefreshError, Refreshed, Slot};
use crate::{
    flow::{
        exchange::Client,
        open::{Whose, known_values, open_tokens, plain_values},
    },
    model::{
        grant::{StoredGrant, Tokens},
        health::MethodHealth,
        host::Host,
        id::MethodKey,
        instance::Instance,
        limits::Limits,
        method::{AuthMethod, FoundMethod},
        rotation::Rotation,
        values::{GivenValues, KnownValues},
    },
};

/// The auth method of an instance, as it was when it was read.
pub(super) struct Found {
    stored: FoundMethod,
    pub(super) method: Arc<AuthMethod>,
}

/// All that a refresh request needs, opened.
pub(super) struct Prepared {
    pub(super) found: Found,
    pub(super) values: KnownValues,
    pub(super) tokens: Tokens,
    /// The host that is asked.
    pub(super) host: Option<Host>,
}

impl Found {
    /// What names it.
    pub(super) fn key(&self) -> &MethodKey {
        &self.stored.key
    }

    /// Which version of it this is.
    pub(super) fn version(&self) -> u64 {
        self.stored.version
    }

    /// How it was.
    pub(super) fn health(&self) -> &MethodHealth {
        &self.stored.health
    }

    pub(super) fn rotation(&self) -> Rotation {
        self.stored.definition.refresh.rotation
    }

    /// How long its calls and their leases last.
    pub(super) fn limits(&self) -> Limits {
        Limits::of(self.rotation(), self.method.refresh.request.before.len())
    }
}

impl Prepared {
    pub(super) fn rotation(&self) -> Rotation {
        self.found.rotation()
    }
}

impl Refresh<'_> {
    /// The auth method; `None` if it is gone or its definition can't be read.
    pub(super) async fn found(&self, instance: &Instance) -> Result<Option<Found>, RefreshError> {
        let stored = self.methods.find(&instance.method_key()).await?;
        let found = stored.and_then(|stored| {
            let method = stored.parse().ok()?;
            Some(Found { stored, method })
        });
        Ok(found)
    }

    /// The host that a refresh asks, as far as that can be told without opening anything.
    pub(super) fn named_host(&self, found: &Found, instance: &Instance) -> Option<Host> {
        let values = KnownValues::resolve(
            &found.method,
            &plain_values(&found.stored.values.plain),
            &plain_values(&instance.values.plain),
            &GivenValues::new(),
            self.deployment.callback_url(),
        );
        self.client_of(&found.method, &values).named_host()
    }

    /// A slot at the host, if the worker counts them, and leave to ask; or why there is none.
    pub(super) async fn admitted<'s>(
        &'s self,
        found: &Found,
        host: Option<&Host>,
        slot: &mut Option<Slot<'s>>,
    ) -> Result<Option<Refreshed>, RefreshError> {
        if let (Some(slots), Some(host), None) = (self.slots, host, &slot) {
            *slot = slots.take(host);
            if slot.is_none() {
                return Ok(Some(Refreshed::Busy(host.clone())));
            }
        }
        Ok(self.paused(found, host).await?.map(Refreshed::Paused))
    }

    /// Opens all that the request needs.
    pub(super) async fn opened(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
        found: Found,
    ) -> Result<Prepared, RefreshError> {
        let (key, values) = (&instance.key, &instance.values);
        let tokens = open_tokens(self.vault, self.clock, key, grant).await?;
        let values = known_values(
            self.vault,
            self.clock,
            (&found.stored, &found.method),
            Whose {
                instance: key,
                values,
                captured: &tokens.captured,
            },
            self.deployment.callback_url(),
        )
        .await?;
        let host = self.client_of(&found.method, &values).refresh_host(&tokens);
        Ok(Prepared {
            found,
            values,
            tokens,
            host,
        })
    }

    /// Finds and opens all that the request needs; `None` if the method is gone or its definition can't
    /// be read.
    pub(super) async fn prepared(
        &self,
        instance: &Instance,
        grant: &StoredGrant,
    ) -> Result<Option<Prepared>, RefreshError> {
        match self.found(instance).await? {
            Some(found) => self.opened(instance, grant, found).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn client<'s>(&'s self, prepared: &'s Prepared) -> Client<'s> {
        self.client_of(&prepared.found.method, &prepared.values)
    }

    fn client_of<'s>(&'s self, method: &'s AuthMethod, values: &'s KnownValues) -> Client<'s> {
        Client {
            egress: self.egress,
            clock: self.clock,
            entropy: self.entropy,
            method,
            values,
            callback_url: self.deployment.callback_url(),
            warning: self.deployment.warning(),
        }
    }
}
