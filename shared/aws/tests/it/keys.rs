//! What a deployment has in secrets of its own: the vault's keyring and the first API key, at two emulators.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use latchkey_aws::{
    FirstApiKey, Keyring, Keys, OneSecret, OsEntropy, SealedVault, SecretsSettings, StoreSettings,
};
use latchkey_core::{
    model::{Secret, api_key::Scope, authorisation::Digest, id::KeyId},
    port::{ApiKeys as _, Clock, Seal as _, Vault as _, VaultError},
};

use crate::{
    vault::place,
    world::{HandClock, World, at, unique},
};

/// A secret of one's own at an emulator.
struct Deployed {
    client: Client,
    name: String,
    settings: StoreSettings,
    endpoint: &'static str,
    clock: Arc<HandClock>,
}

impl Deployed {
    fn everywhere() -> [Self; 2] {
        [latchkey_emulators::moto(), latchkey_emulators::ministack()].map(Self::at)
    }

    fn at(endpoint: &'static str) -> Self {
        let settings = StoreSettings {
            region: "eu-central-1".to_owned(),
            ..StoreSettings::local(endpoint.parse().unwrap())
        };
        let secrets = SecretsSettings {
            endpoint: Some(endpoint.parse().unwrap()),
            prefix: String::new(),
            recovery_days: 7,
            is_leaving: false,
        };
        Self {
            client: secrets.client(&settings),
            name: format!("deployed-{}", KeyId::new(at(0), &unique())),
            settings,
            endpoint,
            clock: Arc::new(HandClock::new(at(0))),
        }
    }

    fn secret(&self) -> OneSecret {
        let lookup = |name: &str| match name {
            "THE_SECRET" => Some(self.name.clone()),
            "AWS_ENDPOINT_URL" => Some(self.endpoint.to_owned()),
            _ => None,
        };
        let secret = OneSecret::from_lookup(&lookup, "THE_SECRET", &self.settings);
        secret.unwrap().unwrap()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn vault(&self) -> SealedVault {
        let keys = Keys::of_secret(self.secret(), self.clock());
        SealedVault::new(keys, Arc::new(OsEntropy))
    }

    async fn create(&self, text: &str) {
        let create = self.client.create_secret().name(&self.name);
        create.secret_string(text).send().await.unwrap();
    }

    async fn change(&self, text: &str) {
        let put = self.client.put_secret_value().secret_id(&self.name);
        put.secret_string(text).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_keyring_that_is_rotated_reaches_every_process() {
    for deployed in Deployed::everywhere() {
        let vault = deployed.vault();
        assert_eq!(vault.warm().await, Err(VaultError::Unavailable));
        let value = Secret::new(b"m4rker".to_vec());
        assert!(
            vault.seal(&place(), &value).is_err(),
            "there are no keys yet"
        );

        let first = Keyring::generate(&OsEntropy);
        deployed.create(first.to_text().expose()).await;
        vault.warm().await.unwrap();
        let old = vault.seal(&place(), &value).unwrap();

        deployed
            .change(first.rotated(&OsEntropy).to_text().expose())
            .await;
        let other = deployed.vault();
        other.warm().await.unwrap();
        let new = other.seal(&place(), &value).unwrap();
        assert_eq!(
            other.open(&place(), &old).await.unwrap().expose(),
            value.expose()
        );
        // A key that is not known is looked for at once, however young the keyring is.
        assert_eq!(
            vault.open(&place(), &new).await.unwrap().expose(),
            value.expose()
        );
        // One that is nowhere is not looked for again and again.
        let nowhere = SealedVault::new(
            Keyring::generate(&OsEntropy)
                .rotated(&OsEntropy)
                .rotated(&OsEntropy),
            Arc::new(OsEntropy),
        );
        let lost = nowhere.seal(&place(), &value).unwrap();
        for _ in 0..2 {
            let opened = vault.open(&place(), &lost).await;
            assert_eq!(opened.unwrap_err(), VaultError::UnknownKey);
        }
    }
}

#[tokio::test]
async fn of_two_who_change_a_secret_at_once_one_does_and_nothing_is_lost() {
    for deployed in Deployed::everywhere() {
        deployed.create("first").await;
        let secret = deployed.secret();
        let seen = secret.current().await.unwrap().unwrap();
        assert!(secret.replace(&seen, &"second".into()).await.unwrap());
        assert!(!secret.replace(&seen, &"third".into()).await.unwrap());
        let now = secret.read().await.unwrap().unwrap();
        assert_eq!(now.expose(), "second");
    }
}

#[tokio::test]
async fn an_old_keyring_is_read_again_and_goes_on_being_used_where_that_fails() {
    for deployed in Deployed::everywhere() {
        let first = Keyring::generate(&OsEntropy);
        deployed.create(first.to_text().expose()).await;
        let vault = deployed.vault();
        vault.warm().await.unwrap();
        let second = first.clone().rotated(&OsEntropy);
        deployed.change(second.to_text().expose()).await;
        let only_first = SealedVault::new(first, Arc::new(OsEntropy));
        let value = Secret::new(b"m4rker".to_vec());

        deployed.clock.set(at(3599));
        vault.warm().await.unwrap();
        let sealed = vault.seal(&place(), &value).unwrap();
        assert!(only_first.open(&place(), &sealed).await.is_ok());
        deployed.clock.set(at(3601));
        vault.warm().await.unwrap();
        let sealed = vault.seal(&place(), &value).unwrap();
        assert!(only_first.open(&place(), &sealed).await.is_err());

        deployed.change("no keyring").await;
        deployed.clock.set(at(9000));
        vault.warm().await.unwrap();
        assert!(vault.open(&place(), &sealed).await.is_ok());
    }
}

#[tokio::test]
async fn the_first_api_key_may_do_everything_until_its_secret_is_deleted() {
    let world = World::new().await;
    for deployed in Deployed::everywhere() {
        deployed.create("0f0f").await;
        let store = Arc::new(world.store.api_keys.as_ref().clone());
        let keys = FirstApiKey::new(store, deployed.secret(), deployed.clock());
        let first = Digest::of(&"lk_0f0f".into());
        let found = keys.find(&first).await.unwrap().unwrap();
        assert_eq!(found.tenant, None);
        assert_eq!(found.scopes, Scope::ALL.into_iter().collect());
        for other in ["0f0f", "lk_0f0", "lk_"] {
            let found = keys.find(&Digest::of(&other.into())).await.unwrap();
            assert!(found.is_none(), "{other}");
        }

        let delete = deployed.client.delete_secret().secret_id(&deployed.name);
        delete.recovery_window_in_days(7).send().await.unwrap();
        deployed.clock.set(at(61));
        assert!(keys.find(&first).await.unwrap().is_none());
    }
}
