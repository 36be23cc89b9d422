//! Each function by itself under `cargo lambda watch`, over the store of a running local server.
//!
//! Left to itself it would build them once more, without what the tests' own dependencies want of their common ones: it
//! serves Lambda's APIs and the routes, and is given the functions that are there.

use std::{fs, net::Ipv4Addr, path::Path, process::Stdio, time::Duration};

use latchkey_emulators::tools;
use latchkey_tests::{api::Api, lambda::FUNCTIONS, process, world::World};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

#[tokio::test(flavor = "multi_thread")]
async fn each_function_answers_with_its_paths_routed_to_it() {
    let world = World::start().await;
    let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let _watch = watch(&world, &url, port).await;
    let api = Api::new(&url, Some(world.server.api_key.expose()));

    let _ = Api::new(&url, None)
        .get("/v1/connectors")
        .await
        .problem(401, "unauthenticated");
    let connector = api.connector("Shop").await;
    let definition = json!({ "name": "Shop",
        "authorise": { "url": "https://shop.example/authorize" }, "token": { "url": "https://shop.example/token" } });
    let values = json!({ "client_id": "a", "client_secret": "b" });
    let method = api
        .method(
            &connector,
            &json!({ "definition": definition, "values": values }),
        )
        .await;
    let new = json!({ "connector": connector, "auth_method": method });
    let instance = api.post("/v1/instances", &new).await.created("id");
    let _ = api.vend(&instance).await.problem(409, "not-connected");
    assert_eq!(api.health(&instance).await["status"], "pending");
    let link = api
        .post("/v1/connect-sessions", &json!({ "instance": instance }))
        .await
        .created("connect_url");
    let page = text(&link).await;
    assert!(page.contains("Connect Shop"), "{page}");
    let page = text(&format!("{url}/oauth/authenticate?state=unknown&code=x")).await;
    assert!(
        page.contains("We don't know this request")
            || page.contains("We don&#39;t know this request"),
        "{page}"
    );

    let report = invoke(&url, "refresher", &json!({})).await;
    assert_eq!(report["due"], 0, "{report}");
    let question = |key: &str| json!({ "headers": { "authorization": format!("Bearer {key}") } });
    let allowed = invoke(&url, "authorizer", &question(world.server.api_key.expose())).await;
    assert_eq!(allowed["isAuthorized"], true);
    let principal: Value =
        serde_json::from_str(allowed["context"]["principal"].as_str().unwrap()).unwrap();
    assert_eq!(principal["tenant"], "local");
    assert_eq!(
        invoke(&url, "authorizer", &question("lk_wrong")).await,
        json!({ "isAuthorized": false })
    );
    // The same store: what the functions made is there for the local server.
    let _ = world
        .api
        .get(&format!("/v1/connectors/{connector}"))
        .await
        .ok();
}

/// `cargo lambda watch`, and each function with the environment that the repository documents, on other ports.
async fn watch(world: &World, url: &str, port: u16) -> Vec<Child> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documented = fs::read_to_string(root.join("infra/local/lambda-watch.env")).unwrap();
    let documented = documented
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    let log = fs::File::create(world.server.directory().join("watch-log")).unwrap();
    let run = |command: &mut Command| {
        command
            .current_dir(&root)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log.try_clone().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let port = port.to_string();
    let at = ["--invoke-address", "127.0.0.1", "--invoke-port", &port];
    let mut watch = Command::new(tools("cargo-lambda").join("bin/cargo-lambda"));
    watch.args(["lambda", "watch", "--only-lambda-apis"]);
    let mut all = vec![run(watch.args(at))];
    until_it_listens(&port).await;
    let keyring = world.server.directory().join("keyring.json");
    all.extend(FUNCTIONS.map(|name| {
        run(Command::new(process::function(name))
            .envs(documented.clone())
            .env("AWS_ENDPOINT_URL_DYNAMODB", world.server.store_url.as_str())
            .env("LATCHKEY_BASE_URL", url)
            .env("LATCHKEY_KEYRING_FILE", &keyring)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_RUNTIME_API", format!("{url}/.rt/{name}")))
    }));
    all
}

async fn until_it_listens(port: &str) {
    let listens = async {
        let address = format!("127.0.0.1:{port}");
        while TcpStream::connect(&address).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), listens)
        .await
        .expect("cargo lambda watch listens");
}

async fn invoke(url: &str, function: &str, event: &Value) -> Value {
    let path = format!("{url}/2015-03-31/functions/{function}/invocations");
    let answer = latchkey_tests::http_client()
        .post(path)
        .body(event.to_string())
        .send()
        .await
        .unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn text(url: &str) -> String {
    latchkey_tests::http_client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}
