//! What can be set on the command line.

use std::{num::NonZeroU16, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use latchkey_core::flow::sweep::Rounds;
use latchkey_refresher::Settings;

/// Keeps OAuth 2 connections alive: the whole service in one process, on this machine.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The directory with the data file, the key file and the API key; made if it is missing.
    #[arg(long, default_value = ".latchkey", value_name = "PATH")]
    pub directory: PathBuf,

    /// The port of the API and the pages, on this machine only; 0 for any that is free.
    #[arg(long, default_value_t = 8787)]
    pub port: u16,

    /// The port of the demo provider; 0 for any that is free.
    #[arg(long, default_value_t = 8788)]
    pub provider_port: u16,

    /// The port of the store, for `cargo lambda watch` and for looking at it; 0 for any that is free.
    #[arg(long, default_value_t = 8789)]
    pub store_port: u16,

    /// Whether the demo provider runs, and a demo connector is made for it.
    #[arg(long, default_value = "on", value_name = "ON|OFF")]
    pub demo: Switch,

    /// How many seconds pass between two sweeps for what is due; 0 for no sweeps.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    pub schedule: u64,

    /// Whether `instance.refreshed` is told, for every refresh.
    #[arg(long, default_value = "off", value_name = "ON|OFF")]
    pub refreshed_events: Switch,

    /// How many days before a connection ends `instance.expiring` is told, where the definition does not say.
    #[arg(long, default_value_t = latchkey_core::flow::WARNING_DAYS, value_name = "DAYS",
        value_parser = clap::value_parser!(u16).range(1..=90))]
    pub warning_days: u16,

    /// Whether a sweep hands what is due to a queue in this process, or works it itself.
    #[arg(long, default_value = "queue", value_name = "QUEUE|DIRECT")]
    pub sweep: Sweeping,

    /// How many instances are refreshed at once.
    #[arg(long, default_value = "64", value_name = "NUMBER")]
    pub in_flight: NonZeroU16,

    /// Where people reach this server, if it is not `http://127.0.0.1:PORT`.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<url::Url>,

    /// Where refresh tokens are kept, if not sealed into the store: the URL of an emulator of AWS
    /// Secrets Manager on this machine.
    #[arg(long, value_name = "URL")]
    pub secrets_url: Option<url::Url>,

    /// Which events are logged, to the standard error: a `tracing` filter. The store's own warnings
    /// are left out: a lost race is one to it, and daily business here.
    #[arg(long, default_value = "info,dynoxide=error", value_name = "FILTER")]
    pub log: String,

    /// Prints the OpenAPI document and ends.
    #[arg(long)]
    pub openapi: bool,

    /// Prints the JSON Schema of a definition and ends.
    #[arg(long)]
    pub schema: bool,
}

/// How a sweep works what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sweeping {
    /// It hands it to the queue.
    Queue,
    /// It works it itself.
    Direct,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Options {
    /// The time between two sweeps; `None` for no sweeps.
    #[must_use]
    pub fn every(&self) -> Option<Duration> {
        (self.schedule > 0).then(|| Duration::from_secs(self.schedule))
    }

    /// How the refresher works.
    #[must_use]
    pub fn refresher(&self) -> Settings {
        let rounds = match self.sweep {
            Sweeping::Queue => self.every().map(|period| Rounds { period }),
            Sweeping::Direct => None,
        };
        Settings {
            rounds,
            in_flight: usize::from(self.in_flight.get()),
        }
    }
}
