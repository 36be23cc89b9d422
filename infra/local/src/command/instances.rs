//! `latchkey instances`: what an operator asks at three in the morning, answered from the store.

mod due;
mod explain;
mod retry;
mod stuck;
mod words;

use std::{process::ExitCode, sync::Arc};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use latchkey_aws::{Store, SystemClock};
use latchkey_core::{
    model::{
        host::Host,
        id::{InstanceId, InstanceKey, TenantId},
        instance::Instance,
        method::{FoundMethod, StoredMethod},
        pause::Pause,
    },
    port::{Hosts as _, Methods as _, ReadInstances as _, StoreError},
};
use serde_json::Value;

use self::{due::Due, explain::Explain, retry::Retry, stuck::Stuck};
use super::{CommandError, place::Place};
use crate::print;

/// What an operator asks of instances, answered from the store. Reads only, but for `retry`.
#[derive(Debug, Args)]
pub struct Instances {
    #[command(subcommand)]
    question: Question,

    #[command(flatten)]
    place: Place,

    /// How the answer is printed.
    #[arg(long, global = true, default_value = "text", value_name = "FORMAT")]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// How much is due, since when, and at which providers.
    Due(Due),
    /// Which instances are in trouble, by auth method, and who has to act.
    Stuck(Stuck),
    /// Lets an instance that waits be refreshed now.
    Retry(Retry),
    /// Everything about one instance: how it is, why, what happens next and when, and who has to act.
    Explain(Explain),
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

/// An answer, in both forms.
struct Answer {
    text: String,
    json: Value,
    /// Whether what was asked for was done.
    done: bool,
}

impl Instances {
    pub(super) async fn run(&self) -> Result<ExitCode, CommandError> {
        let store = Store::new(&self.place.settings()?, Arc::new(SystemClock));
        let answer = match &self.question {
            Question::Due(question) => question.answer(&store).await?,
            Question::Stuck(question) => question.answer(&store).await?,
            Question::Retry(question) => question.answer(&store).await?,
            Question::Explain(question) => question.answer(&store).await?,
        };
        match self.format {
            Format::Text => print::out(answer.text.trim_end())?,
            Format::Json => print::out(&format!("{:#}", answer.json))?,
        }
        Ok(ExitCode::from(u8::from(!answer.done)))
    }
}

/// Which instance.
#[derive(Debug, Args)]
struct Which {
    /// Its id.
    #[arg(value_name = "ID")]
    id: InstanceId,

    /// Its tenant.
    #[arg(long, default_value = "local", value_name = "NAME")]
    tenant: TenantId,
}

impl Which {
    /// The instance, with its auth method if that is there.
    async fn find(&self, store: &Store) -> Result<(Instance, Option<FoundMethod>), CommandError> {
        let key = InstanceKey {
            tenant: self.tenant.clone(),
            id: self.id.clone(),
        };
        let found = store.instances.find(&key).await?;
        let instance = found.ok_or(CommandError::NoInstance(key))?;
        let method = method_of(store, &instance).await?;
        Ok((instance, method))
    }
}

async fn method_of(store: &Store, instance: &Instance) -> Result<Option<FoundMethod>, StoreError> {
    store.methods.find(&instance.method_key()).await
}

/// What is paused of a method's instances, if anything is: the method itself, or the host that it
/// refreshes at, where it is the same for all.
async fn pause_of(
    store: &Store,
    method: Option<&StoredMethod>,
    now: Timestamp,
) -> Result<Option<Pause>, StoreError> {
    let Some(method) = method else {
        return Ok(None);
    };
    if let Some(quarantine) = method.health.quarantined(now) {
        return Ok(Some(quarantine.pause()));
    }
    let url = words::token_url(method).and_then(|url| url.parse().ok());
    let Some(host) = url.and_then(|url| Host::of(&url)) else {
        return Ok(None);
    };
    let breaker = store.hosts.breaker(&host).await?;
    Ok(breaker.map(|breaker| breaker.pause()))
}
