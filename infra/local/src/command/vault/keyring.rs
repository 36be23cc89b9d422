//! Where the keyring is, to be changed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use latchkey_aws::{CurrentVersion, Keyring, OneSecret, StoreSettings};
use latchkey_core::model::Secret;

use crate::{command::CommandError, state::StateDirectory};

/// Where the keyring is.
pub(super) enum KeyringPlace {
    /// In a secret of the deployment's.
    Secret(OneSecret),
    /// In a file of a local server's.
    File(PathBuf),
}

/// A keyring, as it was read.
pub(super) struct Seen {
    pub(super) keyring: Keyring,
    version: Version,
}

enum Version {
    Secret(CurrentVersion),
    File(Timestamp),
}

impl Seen {
    /// When it was last changed.
    pub(super) fn made_at(&self) -> Timestamp {
        match &self.version {
            Version::Secret(version) => version.made_at,
            Version::File(at) => *at,
        }
    }
}

impl KeyringPlace {
    /// The secret that `LATCHKEY_KEYRING_SECRET` names.
    pub(super) fn secret(
        lookup: &dyn Fn(&str) -> Option<String>,
        aws: &StoreSettings,
    ) -> Result<Self, CommandError> {
        let secret = OneSecret::from_lookup(lookup, "LATCHKEY_KEYRING_SECRET", aws);
        let secret = secret.map_err(CommandError::Where)?;
        secret.map(Self::Secret).ok_or(CommandError::NoKeyring)
    }

    /// The keyring.
    pub(super) async fn read(&self) -> Result<Seen, CommandError> {
        let (text, version) = match self {
            Self::Secret(secret) => {
                let current = secret.current().await?.ok_or(CommandError::NoKeyring)?;
                (current.text.clone(), Version::Secret(current))
            }
            Self::File(path) => {
                let read = fs::read_to_string(path).and_then(|text| {
                    let changed = fs::metadata(path)?.modified()?;
                    Ok((Secret::new(text), changed))
                });
                let (text, changed) = read.map_err(|why| CommandError::file(path, why))?;
                let changed = Timestamp::try_from(changed).unwrap_or(Timestamp::MAX);
                (text, Version::File(changed))
            }
        };
        let keyring = Keyring::parse(&text).map_err(CommandError::Keyring)?;
        Ok(Seen { keyring, version })
    }

    /// Puts another keyring in the place of the one that was seen, if that is still there. Says whether it was.
    pub(super) async fn replace(&self, seen: &Seen, next: &Keyring) -> Result<bool, CommandError> {
        match (self, &seen.version) {
            (Self::Secret(secret), Version::Secret(version)) => {
                Ok(secret.replace(version, &next.to_text()).await?)
            }
            (Self::File(path), _) => {
                let failed = |why| CommandError::file(path, why);
                let name = path.file_name().and_then(|name| name.to_str());
                let parent = path.parent().unwrap_or_else(|| Path::new("."));
                let directory = StateDirectory::open(parent).map_err(failed)?;
                let text = next.to_text();
                directory
                    .write(name.unwrap_or_default(), text.expose())
                    .map_err(failed)?;
                Ok(true)
            }
            // A keyring of the one is never seen at the other.
            (Self::Secret(_), Version::File(_)) => Ok(false),
        }
    }
}
