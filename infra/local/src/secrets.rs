//! A secrets manager beside the server.

use latchkey_aws::{SecretsManager, SecretsSettings, StoreSettings};
use url::Url;

/// Secrets Manager as an emulator on this machine has it.
#[must_use]
pub fn secrets(url: &Url) -> SecretsManager {
    let settings = SecretsSettings {
        endpoint: Some(url.clone()),
        prefix: "latchkey".to_owned(),
        recovery_days: SecretsSettings::RECOVERY_DAYS,
        is_leaving: false,
    };
    let store = StoreSettings {
        // An emulator may know AWS's regions alone.
        region: "us-east-1".to_owned(),
        ..StoreSettings::local(url.clone())
    };
    SecretsManager::new(&settings, &store)
}
