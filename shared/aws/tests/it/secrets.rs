//! Secrets Manager, asked at two emulators that others wrote and at the one that crashes are tried over.

use aws_sdk_secretsmanager::Client;
use latchkey_aws::{AwsCredentials, SecretsManager, SecretsSettings, StoreSettings, TableNames};
use latchkey_core::{
    model::{Secret, id::InstanceKey, secret_version::SecretVersion},
    port::{Kept, NewVersion, Secrets as _, SecretsError},
};

use crate::world::{tenant, unique};

/// An emulator, and a secret of one's own there.
struct World {
    secrets: SecretsManager,
    client: Client,
    name: String,
    key: InstanceKey,
    /// Whether a version that is there may be put again with another value, as AWS never allows.
    overwrites: bool,
    /// What runs in this process.
    _own: Option<latchkey_emulators::secrets::Secrets>,
}

impl World {
    /// One at each emulator.
    async fn everywhere() -> [Self; 3] {
        let watch = std::sync::Arc::new(|_: &str, _| true);
        let own = latchkey_emulators::secrets::Secrets::start(watch).await;
        [
            Self::at(latchkey_emulators::moto(), false),
            Self::at(latchkey_emulators::ministack(), true),
            Self::at(&own.url.clone(), false).keeping(own),
        ]
    }

    fn keeping(self, own: latchkey_emulators::secrets::Secrets) -> Self {
        Self {
            _own: Some(own),
            ..self
        }
    }

    fn at(endpoint: &str, overwrites: bool) -> Self {
        let store = StoreSettings {
            region: "eu-central-1".to_owned(),
            endpoint: None,
            credentials: AwsCredentials {
                access_key_id: "test".to_owned(),
                secret_access_key: "test".into(),
                session_token: None,
            },
            tables: TableNames::with_prefix(""),
            connections: latchkey_aws::Connections::default(),
        };
        let settings = SecretsSettings {
            endpoint: Some(endpoint.parse().unwrap()),
            prefix: "prefix".to_owned(),
            recovery_days: 7,
            is_leaving: false,
        };
        let key = InstanceKey {
            tenant: tenant(),
            id: latchkey_core::model::id::InstanceId::new(crate::world::at(0), &unique()),
        };
        Self {
            secrets: SecretsManager::new(&settings, &store),
            client: settings.client(&store),
            name: format!("{}/{}", key.tenant, key.id),
            key,
            overwrites,
            _own: None,
        }
    }

    fn version(&self, epoch: u64) -> SecretVersion {
        SecretVersion::of(&self.key, 1, epoch, 0)
    }

    async fn keep(
        &self,
        epoch: u64,
        value: &str,
        instead_of: Option<u64>,
    ) -> Result<Kept, SecretsError> {
        self.keep_as(false, epoch, value, instead_of).await
    }

    /// Keeps what somebody may have begun to keep.
    async fn again(
        &self,
        epoch: u64,
        value: &str,
        instead_of: Option<u64>,
    ) -> Result<Kept, SecretsError> {
        self.keep_as(true, epoch, value, instead_of).await
    }

    async fn keep_as(
        &self,
        again: bool,
        epoch: u64,
        value: &str,
        instead_of: Option<u64>,
    ) -> Result<Kept, SecretsError> {
        let instead_of = instead_of.map(|epoch| self.version(epoch));
        let new = NewVersion {
            name: &self.name,
            version: &self.version(epoch),
            value: &Secret::from(value),
            instead_of: instead_of.as_ref(),
            again,
        };
        self.secrets.keep(new).await
    }

    /// Keeps a version, as the flow does: where the mark is elsewhere, it is moved from there.
    async fn kept(&self, epoch: u64, value: &str, instead_of: Option<u64>) {
        match self.keep(epoch, value, instead_of).await.unwrap() {
            Kept::Done => {}
            Kept::Elsewhere(current) => {
                let new = NewVersion {
                    name: &self.name,
                    version: &self.version(epoch),
                    value: &Secret::from(value),
                    instead_of: Some(&current),
                    again: true,
                };
                assert_eq!(self.secrets.keep(new).await.unwrap(), Kept::Done);
            }
            Kept::Taken => panic!("taken"),
        }
    }

    async fn read(&self, epoch: u64) -> Option<String> {
        let read = self.secrets.read(&self.name, &self.version(epoch)).await;
        read.unwrap().map(|value| value.expose().clone())
    }

    /// The epoch whose version AWS calls the current one.
    async fn is_current(&self, epoch: u64) -> bool {
        let request = self.client.describe_secret().secret_id(self.full());
        let versions = request.send().await.unwrap().version_ids_to_stages.unwrap();
        let stages = versions.get(self.version(epoch).as_str());
        stages.is_some_and(|stages| stages.contains(&"AWSCURRENT".to_owned()))
    }

    fn full(&self) -> String {
        format!("prefix/{}", self.name)
    }
}

#[tokio::test]
async fn a_first_version_is_current_and_read_by_its_id() {
    for world in World::everywhere().await {
        assert_eq!(world.read(1).await, None, "no secret yet");
        world.kept(1, "r1?&+%:/=é", None).await;
        for _ in 0..2 {
            assert_eq!(world.again(1, "r1?&+%:/=é", None).await, Ok(Kept::Done));
            assert_eq!(world.read(1).await.as_deref(), Some("r1?&+%:/=é"));
            assert!(world.is_current(1).await);
            assert_eq!(world.read(2).await, None, "no such version");
        }
    }
}

#[tokio::test]
async fn the_next_version_becomes_current_and_the_one_before_is_still_read() {
    for world in World::everywhere().await {
        world.kept(1, "r1", None).await;
        assert_eq!(world.keep(2, "r2", Some(1)).await, Ok(Kept::Done));
        for _ in 0..2 {
            assert_eq!(world.again(2, "r2", Some(1)).await, Ok(Kept::Done));
            assert!(world.is_current(2).await && !world.is_current(1).await);
            assert_eq!(world.read(1).await.as_deref(), Some("r1"));
            assert_eq!(world.read(2).await.as_deref(), Some("r2"));
        }
        assert_eq!(world.keep(3, "r3", Some(2)).await, Ok(Kept::Done));
        assert!(world.is_current(3).await);
    }
}

#[tokio::test]
async fn whoever_was_overtaken_moves_no_mark() {
    for world in World::everywhere().await {
        world.kept(1, "r1", None).await;
        world.kept(3, "r3", Some(1)).await;
        let late = world.keep(2, "r2", Some(1)).await;
        assert_eq!(late, Ok(Kept::Elsewhere(world.version(3))));
        assert!(world.is_current(3).await);
        assert_eq!(world.read(2).await.as_deref(), Some("r2"));
        assert_eq!(world.read(3).await.as_deref(), Some("r3"));
    }
}

#[tokio::test]
async fn what_was_begun_is_finished() {
    for world in World::everywhere().await {
        world.kept(1, "r1", None).await;
        // It was put, and then whoever did it died.
        let put = world
            .client
            .put_secret_value()
            .secret_id(world.full())
            .client_request_token(world.version(2).as_str())
            .secret_string("r2")
            .version_stages("AWSPENDING");
        put.send().await.unwrap();
        assert!(world.is_current(1).await);
        assert_eq!(world.again(2, "r2", Some(1)).await, Ok(Kept::Done));
        assert!(world.is_current(2).await);
        // Nothing at all was done yet.
        assert_eq!(world.again(3, "r3", Some(2)).await, Ok(Kept::Done));
        assert!(world.is_current(3).await);
        assert_eq!(world.read(2).await.as_deref(), Some("r2"));
    }
}

#[tokio::test]
async fn an_id_that_has_another_value_is_taken() {
    for world in World::everywhere().await {
        world.kept(1, "r1", None).await;
        if world.overwrites {
            continue;
        }
        for instead_of in [None, Some(1)] {
            assert_eq!(world.keep(1, "other", instead_of).await, Ok(Kept::Taken));
            assert_eq!(world.read(1).await.as_deref(), Some("r1"));
        }
    }
}

#[tokio::test]
async fn a_deleted_secret_is_told_and_restored() {
    for world in World::everywhere().await {
        world.secrets.delete(&world.name).await.unwrap();
        world.kept(1, "r1", None).await;
        for _ in 0..2 {
            world.secrets.delete(&world.name).await.unwrap();
        }
        let read = world.secrets.read(&world.name, &world.version(1)).await;
        assert_eq!(read.map(drop), Err(SecretsError::Deleted));
        let described = world.client.describe_secret().secret_id(world.full());
        assert!(described.send().await.unwrap().deleted_date.is_some());
        world.secrets.restore(&world.name).await.unwrap();
        assert_eq!(world.read(1).await.as_deref(), Some("r1"));
        assert_eq!(world.keep(2, "r2", Some(1)).await, Ok(Kept::Done));
    }
}

#[tokio::test]
async fn a_secrets_manager_that_is_not_there_is_unavailable() {
    // Nothing listens on port 1.
    let world = World::at("http://127.0.0.1:1", false);
    for error in [
        world.keep(1, "m4rker", None).await.map(drop),
        world
            .secrets
            .read(&world.name, &world.version(1))
            .await
            .map(drop),
        world.secrets.restore(&world.name).await,
        world.secrets.delete(&world.name).await,
    ] {
        let error = error.unwrap_err();
        assert!(matches!(error, SecretsError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("m4rker"));
    }
}
