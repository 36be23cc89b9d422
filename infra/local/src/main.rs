//! `latchkey`: starts the local server and says what to do next.

use std::{io, process::ExitCode, sync::Arc};

use clap::Parser as _;
use latchkey_aws::SystemClock;
use latchkey_core::model::definition::json_schema;
use latchkey_core::port::Clock;
use latchkey_local::{CommandLine, Demo, Options, Server, StartError, openapi, print};

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { options, command } = CommandLine::parse();
    if let Some(command) = command {
        return Box::pin(command.run()).await;
    }
    if options.openapi {
        let text = openapi().to_pretty_json().map_err(io::Error::other);
        return finish(&text.and_then(|text| print::out(&text)));
    }
    if options.schema {
        return finish(&print::out(&format!("{:#}", json_schema())));
    }
    latchkey_aws::log::init(&options.log, io::stderr);
    match Box::pin(run(&options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::warn(&format!("latchkey: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let server = Server::start(options, Arc::clone(&clock)).await?;
    let demo = match options.demo {
        latchkey_local::Switch::On => Some(Demo::start(options, &server, &clock).await?),
        latchkey_local::Switch::Off => None,
    };
    print::out(&welcome(&server, demo.as_ref())).map_err(StartError::Directory)?;
    tokio::signal::ctrl_c().await.map_err(StartError::Directory)
}

/// What a newcomer does next.
fn welcome(server: &Server, demo: Option<&Demo>) -> String {
    let url = server.url.as_str().trim_end_matches('/');
    let key = server.api_key.expose();
    let directory = server.directory().display();
    let mut text = format!(
        "\nLatchkey is running.\n\n  \
         API         {url}\n  \
         docs        {url}/docs\n  \
         API key     {key}\n  \
         data        {directory}\n  \
         store       {store}\n",
        store = server.store_url.as_str().trim_end_matches('/'),
    );
    if let Some(demo) = demo {
        let provider = demo.provider_url.as_str().trim_end_matches('/');
        let (connect, instance) = (demo.connect_url.expose(), &demo.instance);
        text.push_str(&format!(
            "\n1. Connect the demo shop: open this link in a browser, and allow it.\n\n   {connect}\n\n\
             2. Get a credential that works, now and in a year:\n\n   \
             curl -s -H 'Authorization: Bearer {key}' {url}/v1/instances/{instance}/credential\n\n\
             3. Its access tokens live a minute. Watch Latchkey refresh them: {provider}\n"
        ));
    }
    text
}

fn finish(result: &io::Result<()>) -> ExitCode {
    if result.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
