//! `latchkey vault`: the keys that seal, and the vault that refresh tokens and secrets are in, changed while everybody works.

mod keyring;
mod pass;
mod rotate;

use std::{process::ExitCode, sync::Arc};

use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;
use latchkey_aws::{
    Keys, OsEntropy, SealedVault, SecretsManager, SecretsSettings, Store, StoreSettings,
    SystemClock, variable,
};
use latchkey_core::{
    flow::rehouse::{Rehouse, What},
    port::{Clock as _, Secrets},
};
use url::Url;

use self::{keyring::KeyringPlace, pass::Pace};
use super::{CommandError, place::Place};
use crate::print;

/// For how long after a rotation something may still be sealed with the key before it: every process reads the keyring
/// again each hour, and an authorisation under way holds for some minutes.
const STILL_IN_USE: SignedDuration = SignedDuration::from_hours(2);

/// Changes the keys that seal, and the vault, while everybody works.
#[derive(Debug, Args)]
pub struct Vault {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    place: Place,

    /// The secret with the keyring, by its ARN or name; unless it is given, `LATCHKEY_KEYRING_SECRET` names it.
    #[arg(
        long,
        global = true,
        value_name = "SECRET",
        conflicts_with = "keyring_file"
    )]
    keyring_secret: Option<String>,

    /// The file with the keyring, as a local server has it, which must not be running.
    #[arg(long, global = true, value_name = "FILE")]
    keyring_file: Option<std::path::PathBuf>,

    /// What the names of secrets begin with, before a slash: the deployment's parameter `SecretPrefix`.
    #[arg(long, global = true, default_value = "latchkey", value_name = "PREFIX")]
    secret_prefix: String,

    /// The URL of an emulator of Secrets Manager, in place of AWS.
    #[arg(long, global = true, value_name = "URL")]
    secrets_url: Option<Url>,

    /// How many instances and auth methods are changed in a second at most. Secrets Manager takes 50 writes a second in an
    /// account and region, those of the deployment included.
    #[arg(long, global = true, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_second: u32,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a new key, with which everything is sealed from now on; the others still open. Every process has it within the
    /// hour.
    Rotate,
    /// Seals everything anew that is sealed with another key than the one that seals now. It may be stopped and run again.
    Reseal,
    /// Does the same, and then removes all other keys from the keyring if nothing is sealed with them any more. What is in the
    /// queue or its dead-letter queue by then can't be opened again: see that both are empty.
    Retire {
        /// Even if the keyring has changed within two hours. Only where nothing runs that may have the one before.
        #[arg(long)]
        at_once: bool,
    },
    /// Moves refresh tokens and the secrets of auth methods to the other vault. The deployment's parameter `Vault` must be
    /// `secrets-manager`, or `leaving-secrets-manager`, for two minutes by then. It may be stopped and run again.
    Migrate {
        /// Where they are to be.
        #[arg(long, value_name = "VAULT")]
        to: Target,
    },
}

/// A vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// One secret for each instance and auth method.
    SecretsManager,
    /// Sealed into the tables.
    Sealed,
}

impl Vault {
    pub(super) async fn run(&self) -> Result<ExitCode, CommandError> {
        let aws = self.place.settings()?;
        let keyring = self.keyring(&aws)?;
        match &self.action {
            Action::Rotate => rotate::rotate(&keyring).await,
            Action::Reseal => Ok(self.pass(&aws, &keyring, What::OtherKeys, false).await?.1),
            Action::Migrate { to } => {
                let is_leaving = *to == Target::Sealed;
                let passed = self.pass(&aws, &keyring, What::OtherVault, is_leaving);
                Ok(passed.await?.1)
            }
            Action::Retire { at_once } => {
                let before = keyring.read().await?;
                let changed = SystemClock.now().duration_since(before.made_at());
                if !at_once && changed < STILL_IN_USE {
                    print::warn(
                        "latchkey: the keyring has changed within two hours: something may still be sealed with another key. \
                         Nothing was done.",
                    );
                    return Ok(ExitCode::FAILURE);
                }
                let (is_whole, code) = self.pass(&aws, &keyring, What::OtherKeys, false).await?;
                if !is_whole {
                    return Ok(code);
                }
                rotate::retire(&keyring, before).await
            }
        }
    }

    fn keyring(&self, aws: &StoreSettings) -> Result<KeyringPlace, CommandError> {
        match &self.keyring_file {
            Some(path) => Ok(KeyringPlace::File(path.clone())),
            None => KeyringPlace::secret(&|name| self.told(name), aws),
        }
    }

    /// A variable of the environment, or what the command line says in its place.
    fn told(&self, name: &str) -> Option<String> {
        let told = match name {
            "LATCHKEY_KEYRING_SECRET" => self.keyring_secret.clone(),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER" => self.secrets_url.as_ref().map(Url::to_string),
            _ => None,
        };
        told.or_else(|| variable(name))
    }

    /// Goes through everything once, and says how it went: whether nothing is left, and with which code to end.
    async fn pass(
        &self,
        aws: &StoreSettings,
        keyring: &KeyringPlace,
        what: What,
        is_leaving: bool,
    ) -> Result<(bool, ExitCode), CommandError> {
        let keys = Keys::from(keyring.read().await?.keyring);
        let settings = SecretsSettings {
            endpoint: self
                .told("AWS_ENDPOINT_URL_SECRETS_MANAGER")
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .and_then(|url| url.parse().ok()),
            prefix: self.secret_prefix.clone(),
            recovery_days: SecretsSettings::RECOVERY_DAYS,
            is_leaving,
        };
        let secrets: Arc<dyn Secrets> = Arc::new(SecretsManager::new(&settings, aws));
        let vault = SealedVault::new(keys, Arc::new(OsEntropy))
            .with_secrets(Some(secrets))
            .leaving(is_leaving);
        let store = Store::new(aws, Arc::new(SystemClock));
        let rehouse = Rehouse {
            instances: &*store.instances,
            methods: &*store.methods,
            vault: &vault,
            clock: &SystemClock,
            entropy: &OsEntropy,
        };
        let pace = Pace::of(self.per_second);
        let tally = Box::pin(pass::pass(&rehouse, what, pace)).await?;
        print::out(&tally.to_string())?;
        let is_whole = tally.is_whole();
        Ok((is_whole, ExitCode::from(u8::from(!is_whole))))
    }
}
