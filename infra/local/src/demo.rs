//! The demo: a provider beside us, a connector and an auth method for it, an instance, and what a
//! newcomer does with them.

use std::{fmt, sync::Arc, time::Duration};

use latchkey_core::{
    flow::{authorise::NewInstance, define::MethodDraft},
    model::{
        Secret,
        id::{ConnectorId, InstanceId, InstanceKey, MethodId},
        values::GivenValues,
    },
    port::Clock,
};
use latchkey_demo_provider::{DemoProvider, DemoSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinHandle;
use url::Url;

use crate::{Options, Server, StartError, store::listen};

const FILE: &str = "demo.json";
const PROVIDER_FILE: &str = "demo-provider.json";
const CLIENT_ID: &str = "latchkey";
/// A newcomer may come back to the link after lunch.
const LINK_LIVES: Duration = Duration::from_secs(24 * 3600);

/// The demo, as it runs; it ends with this value.
#[derive(Debug)]
pub struct Demo {
    /// Where the demo provider is.
    pub provider_url: Url,
    /// The link by which a person connects the demo instance.
    pub connect_url: Secret,
    /// The demo instance.
    pub instance: InstanceId,
    task: JoinHandle<()>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What was made at the first start.
#[derive(Serialize, Deserialize)]
struct Made {
    client_secret: String,
    provider_url: Url,
    connector: ConnectorId,
    method: MethodId,
    instance: InstanceId,
}

impl Demo {
    /// Starts the demo provider and makes what is missing of connector, auth method and instance.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way, and which flag helps.
    pub async fn start(
        options: &Options,
        server: &Server,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let (listener, provider_url) = listen(options.provider_port, "--provider-port").await?;
        let text = server.directory.read(FILE).map_err(StartError::Directory)?;
        let made = text.and_then(|text| serde_json::from_str::<Made>(&text).ok());
        let made = made.filter(|made| made.provider_url == provider_url);
        let secret = match &made {
            Some(made) => made.client_secret.clone(),
            None => server.functions.authorise.entropy.secret().expose().clone(),
        };
        let made = match made {
            Some(made) => still_there(server, made).await?,
            None => make(server, &provider_url, secret).await?,
        };
        let text = serde_json::to_string(&made).map_err(failed)?;
        server
            .directory
            .write(FILE, &text)
            .map_err(StartError::Directory)?;

        let now = Arc::clone(clock);
        let provider = DemoProvider::new(DemoSettings {
            base_url: provider_url.as_str().trim_end_matches('/').to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: made.client_secret.clone(),
            redirect_uris: vec![
                server
                    .functions
                    .authorise
                    .deployment
                    .callback_url()
                    .to_owned(),
            ],
            access_token_lifetime: DemoSettings::ACCESS_TOKEN_LIFETIME,
            now: Arc::new(move || now.now()),
            state_file: Some(server.directory.file(PROVIDER_FILE)),
        });
        let router = provider.map_err(failed)?.router();
        let task =
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap_or_default() });

        let key = InstanceKey {
            tenant: server.tenant.clone(),
            id: made.instance.clone(),
        };
        let (token, _) = server
            .functions
            .authorise
            .authorise()
            .open_session(&key, None, LINK_LIVES)
            .await
            .map_err(failed)?;
        let connect_url = Secret::new(format!(
            "{}/connect/{}",
            server.functions.authorise.deployment.base_url(),
            token.expose()
        ));
        Ok(Self {
            provider_url,
            connect_url,
            instance: made.instance,
            task,
        })
    }
}

/// What was made, with a new instance where the old one was deleted.
async fn still_there(server: &Server, made: Made) -> Result<Made, StartError> {
    let key = InstanceKey {
        tenant: server.tenant.clone(),
        id: made.instance.clone(),
    };
    let found = server.functions.credentials.leases.find(&key).await?;
    let is_there = found.is_some_and(|instance| {
        !matches!(
            instance.state,
            latchkey_core::model::instance::State::Deleted { .. }
        )
    });
    if is_there {
        return Ok(made);
    }
    match instance(server, &made.connector, &made.method).await {
        Ok(instance) => Ok(Made { instance, ..made }),
        // The newcomer has deleted the connector as well: it is made again.
        Err(_) => make(server, &made.provider_url, made.client_secret).await,
    }
}

async fn make(server: &Server, provider: &Url, client_secret: String) -> Result<Made, StartError> {
    let define = server.functions.auth_methods.define();
    let connector = define
        .create_connector(&server.tenant, "Demo shop".to_owned(), Vec::new())
        .await
        .map_err(failed)?;
    let values = [
        ("client_id", CLIENT_ID),
        ("client_secret", client_secret.as_str()),
    ];
    let written = definition(provider);
    let draft = MethodDraft {
        definition: serde_json::from_value(written.clone()).map_err(failed)?,
        written,
        values: values
            .into_iter()
            .map(|(key, value)| (key.to_owned(), Some(Secret::from(value))))
            .collect(),
    };
    let method = define
        .create_method(&server.tenant, &connector.id, draft)
        .await
        .map_err(failed)?;
    let instance = instance(server, &connector.id, &method.key.id).await?;
    Ok(Made {
        client_secret,
        provider_url: provider.clone(),
        connector: connector.id,
        method: method.key.id,
        instance,
    })
}

/// The demo provider as data: this is all that Latchkey knows of it.
fn definition(provider: &Url) -> Value {
    let base = provider.as_str().trim_end_matches('/');
    serde_json::json!({
        "name": "Demo shop",
        "documentation_url": format!("{base}/"),
        "authorise": {
            "url": format!("{base}/authorize"),
            "scopes": ["profile:read", "orders:read"],
            "issuer": base,
        },
        "token": { "url": format!("{base}/token") },
        "refresh": { "rotation": "single_use" },
        "revoke": { "url": format!("{base}/revoke") },
    })
}

async fn instance(
    server: &Server,
    connector: &ConnectorId,
    method: &MethodId,
) -> Result<InstanceId, StartError> {
    let new = NewInstance {
        connector: connector.clone(),
        method: method.clone(),
        name: "My demo shop".to_owned(),
        values: GivenValues::new(),
        complete: true,
    };
    let made = server
        .functions
        .authorise
        .authorise()
        .create(&server.tenant, new)
        .await
        .map_err(failed)?;
    Ok(made.key.id)
}

fn failed(error: impl fmt::Display) -> StartError {
    StartError::Demo(error.to_string())
}
