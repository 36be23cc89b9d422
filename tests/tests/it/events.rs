//! What a platform is told of its instances, on the stream of the local server.

use std::io::{Read as _, Write as _};

use latchkey_core::port::{Outbox as _, PageAsk};
use latchkey_local::Switch;
use latchkey_tests::{
    proxy::Mode,
    shop::{ACCESS_TTL, Shop},
    stream::Told,
    visitor::{Decision, Visitor},
    world::World,
};
use serde_json::json;

fn kinds(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.kind.as_str()).collect()
}

async fn disconnect(world: &World, instance: &str) {
    let path = format!("/v1/instances/{instance}");
    let _ = world.api.delete(&path).await.ok();
}

/// How many events the store still holds.
async fn pending(world: &World) -> usize {
    let outbox = world.store().outbox;
    let mut pending = 0;
    for shard in 0..latchkey_core::port::EVENT_SHARDS {
        let all = PageAsk {
            after: None,
            limit: 100,
        };
        let found = outbox.overdue(shard, jiff::Timestamp::MAX, &all).await;
        pending += found.unwrap().items.len();
    }
    pending
}

#[tokio::test]
async fn what_happens_to_an_instance_is_told_as_it_happens_and_a_refresh_is_not() {
    let shop = Shop::oidc_provider().await;
    let mut stream = shop.world.api.listen(None).await;
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL * 86 / 100).await;
    assert_eq!(shop.world.sweep().await.refreshed, 1);
    let url = shop.reconnect_url(&instance).await;
    let page = shop
        .walk(&mut Visitor::default(), &url, &[], Decision::Allow)
        .await;
    assert_eq!(page.heading(), "Connected");
    disconnect(&shop.world, &instance).await;
    let told = stream.until("instance.disconnected").await;
    let expected = [
        "instance.connected",
        "instance.connected",
        "instance.disconnected",
    ];
    assert_eq!(kinds(&told), expected);
    assert_eq!(told[0].event["detail"], json!({ "reconnected": false }));
    assert_eq!(told[1].event["detail"], json!({ "reconnected": true }));
    assert_eq!(told[2].event["detail"], json!({}));
    assert_ne!(told[0].id, told[1].id);
    for told in &told {
        let event = &told.event;
        assert_eq!(
            (&event["tenant"], &event["connector"]),
            (&json!("local"), &json!(shop.connector))
        );
        assert_eq!(
            (&event["auth_method"], &event["instance"]),
            (&json!(shop.method), &json!(instance))
        );
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
    }
    assert_eq!(pending(&shop.world).await, 0);
}

#[tokio::test]
async fn a_refresh_is_told_where_the_deployment_says_so() {
    let world = World::start_as(|options| options.refreshed_events = Switch::On).await;
    let shop = Shop::oidc_provider_of(world).await;
    let mut stream = shop.world.api.listen(None).await;
    let instance = shop.connected().await;
    for _ in 0..2 {
        shop.advance(ACCESS_TTL * 86 / 100).await;
        assert_eq!(shop.world.sweep().await.refreshed, 1);
    }
    disconnect(&shop.world, &instance).await;
    let told = stream.until("instance.disconnected").await;
    let expected = [
        "instance.connected",
        "instance.refreshed",
        "instance.refreshed",
        "instance.disconnected",
    ];
    assert_eq!(kinds(&told), expected);
    assert_ne!(told[1].id, told[2].id);
    assert!(told[2].event["detail"]["expires_at"].is_string());
}

#[tokio::test]
async fn an_end_is_told_once_with_its_reason_and_so_is_that_it_was_none() {
    // The provider answers too late to be waited for, and refuses what is asked meanwhile.
    let shop = Shop::short_lived(false).await;
    let mut stream = shop.world.api.listen(None).await;
    let instance = shop.connected().await;
    shop.advance(6).await;
    shop.proxy.set(Mode::HoldAnswers);
    let (api, late) = (shop.world.api.clone(), instance.clone());
    let late = tokio::spawn(async move { api.vend(&late).await });
    shop.proxy.held().await;
    let gone = json!({ "error": "invalid_grant", "error_description": "gone" });
    shop.proxy.set(Mode::json(400, &gone));
    shop.world.clock.advance(40);
    let refused = shop.world.api.vend(&instance).await;
    let _ = refused.problem(503, "credential-unavailable");
    shop.world.clock.advance(15 * 60 + 1);
    for _ in 0..2 {
        let ended = shop.world.api.vend(&instance).await;
        let _ = ended.problem(409, "reconnect-required");
    }
    shop.proxy.release();
    let _ = late.await.unwrap();
    let told = stream.until("instance.recovered").await;
    let expected = [
        "instance.connected",
        "instance.reconnect_required",
        "instance.recovered",
    ];
    assert_eq!(kinds(&told), expected);
    let failure = &told[1].event["detail"]["failure"];
    assert_eq!(failure["code"], "grant_refused");
    assert_eq!(failure["words"], "invalid_grant: gone");
    let health = shop.world.api.health(&instance).await;
    assert_eq!(health["status"], "active");
    assert_eq!(pending(&shop.world).await, 0);
}

#[tokio::test]
async fn a_connection_that_will_end_is_told_of_once_as_the_definition_says_or_the_deployment() {
    const DAY: i64 = 24 * 3600;
    let world = World::start_as(|options| options.warning_days = 3).await;
    let mut shop = Shop::oidc_provider_of(world).await;
    let mut stream = shop.world.api.listen(None).await;
    let mut instances = Vec::new();
    for days in [None, Some(5)] {
        let mut body = shop.body();
        let refresh = &mut body["definition"]["refresh"];
        refresh["absolute_seconds"] = json!(28 * DAY);
        refresh["policy"] = json!("keep_alive");
        if let Some(days) = days {
            refresh["warning_days"] = json!(days);
        }
        shop.method = shop.world.api.method(&shop.connector, &body).await;
        instances.push(shop.connected().await);
    }
    // The index goes by whole seconds.
    shop.world.clock.advance(2);
    for hour in 0..=28 * 24 / 12 {
        let warned = shop.world.sweep().await.warned;
        let wanted = u64::from([23 * 2, 25 * 2].contains(&hour));
        assert_eq!(warned, wanted, "after {hour} half days");
        shop.world.clock.advance(DAY / 2);
    }
    let _ = shop
        .world
        .api
        .delete(&format!("/v1/instances/{}", instances[0]))
        .await;
    let told = stream.until("instance.disconnected").await;
    let expiring: Vec<_> = told
        .iter()
        .filter(|told| told.kind == "instance.expiring")
        .map(|told| &told.event)
        .collect();
    let [five, three] = expiring[..] else {
        panic!("{expiring:?}");
    };
    for (event, instance, days) in [(five, &instances[1], 5), (three, &instances[0], 3)] {
        assert_eq!(event["instance"], **instance);
        let time = |text: &serde_json::Value| -> jiff::Timestamp {
            text.as_str().unwrap().parse().unwrap()
        };
        let left = time(&event["detail"]["ends_at"]).duration_since(time(&event["time"]));
        let late = (days * DAY - left.as_secs()).abs();
        assert!(late < 60, "{left}");
    }
}

#[tokio::test]
async fn a_method_that_is_refused_is_told_once_and_so_is_that_it_works_again() {
    let shop = Shop::oidc_provider().await;
    let mut stream = shop.world.api.listen(None).await;
    for _ in 0..2 {
        let _ = shop.connected().await;
    }
    let refusal = json!({ "error": "invalid_client", "error_description": "no such client" });
    for turn in 0..2 {
        // What has only just worked again is not found faulty within the hour.
        shop.advance(3601).await;
        shop.proxy.set(Mode::json(401, &refusal));
        for _ in 0..2 {
            let _ = shop.world.sweep().await;
            shop.advance(121).await;
        }
        shop.proxy.set(Mode::Pass);
        for _ in 0..3 {
            let _ = shop.world.sweep().await;
            shop.advance(121).await;
        }
        let told = stream.until("auth_method.recovered").await;
        let told: Vec<_> = told
            .iter()
            .filter(|told| told.kind.starts_with("auth_method."))
            .collect();
        let [faulty, recovered] = told[..] else {
            panic!("{turn}: {told:?}");
        };
        assert_eq!(faulty.kind, "auth_method.faulty");
        let failure = &faulty.event["detail"]["failure"];
        assert_eq!(failure["code"], "client_refused");
        assert_eq!(failure["words"], "invalid_client: no such client");
        assert_eq!(recovered.event["detail"], json!({}));
        for told in [faulty, recovered] {
            assert_eq!(told.event.get("instance"), None);
            assert_eq!(told.event["auth_method"], shop.method.as_str());
            assert_eq!(told.event["connector"], shop.connector.as_str());
        }
    }
    assert_eq!(pending(&shop.world).await, 0);
}

#[tokio::test]
async fn a_tenant_is_told_of_nothing_but_its_own() {
    let world = World::start().await;
    let operator = world.api.with_key(&world.operator_key().await);
    let made = async |tenant: &str| {
        let api = operator.with_header("latchkey-tenant", tenant);
        let stream = api.listen(None).await;
        let connector = api.connector("Shop").await;
        let definition = json!({ "name": "Shop", "authorise": { "url": "https://shop.example/authorize" },
            "token": { "url": "https://shop.example/token" } });
        let values = json!({ "client_id": "a", "client_secret": "b" });
        let body = json!({ "definition": definition, "values": values });
        let method = api.method(&connector, &body).await;
        let new = json!({ "connector": connector, "auth_method": method });
        let instance = api.post("/v1/instances", &new).await.created("id");
        (api, stream, instance)
    };
    let (one, mut to_one, of_one) = made("one").await;
    let (two, mut to_two, of_two) = made("two").await;
    let _ = one.delete(&format!("/v1/instances/{of_one}")).await.ok();
    let _ = two.delete(&format!("/v1/instances/{of_two}")).await.ok();
    for (stream, tenant, instance) in [(&mut to_one, "one", of_one), (&mut to_two, "two", of_two)] {
        let told = stream.next().await;
        assert_eq!(
            (&told.event["tenant"], &told.event["instance"]),
            (&json!(tenant), &json!(instance))
        );
    }
}

#[tokio::test]
async fn who_comes_back_to_the_stream_is_told_what_was_missed() {
    let shop = Shop::oidc_provider().await;
    let mut stream = shop.world.api.listen(None).await;
    let instance = shop.connected().await;
    let seen = stream.next().await;
    drop(stream);
    disconnect(&shop.world, &instance).await;
    let mut stream = shop.world.api.listen(Some(&seen.id)).await;
    assert_eq!(stream.next().await.kind, "instance.disconnected");
    let scopes = json!({ "name": "little", "scopes": ["credentials:read"] });
    let little = shop.world.api.post("/v1/api-keys", &scopes).await;
    let little = shop.world.api.with_key(&little.created("key"));
    let _ = little.get("/v1/events").await.problem(403, "forbidden");
}

/// A log that nobody reads, full: whoever writes a line to it stands still until it is killed.
fn full_log() -> (std::io::PipeReader, std::process::Stdio) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    // The capacity of a pipe on Linux, pipe(7).
    writer.write_all(&[b'\n'; 65_536]).unwrap();
    (reader, writer.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_not_published_before_a_kill_is_told_after_it() {
    let shop = Shop::oidc_provider().await;
    let (instance, url) = shop.session().await;
    let mut visitor = Visitor::default().stopping_before(&shop.world.callback_url());
    let callback = shop
        .walk(&mut visitor, &url, &[], Decision::Allow)
        .await
        .url;
    let (mut unread, log) = full_log();
    let shop = shop
        .killed_at_its_log("latchkey_aws::events=info", log, async |api, _| {
            let mut visitor = visitor.going_on();
            let connected = async {
                while api.health(&instance).await["status"] != "active" {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = connected => {}
                page = visitor.open(callback.as_str()) => panic!("{}", page.html),
            }
        })
        .await;
    let mut log = String::new();
    unread.read_to_string(&mut log).unwrap();
    assert!(!log.contains("instance.connected"), "{log}");
    // The instance is connected, and nobody was told.
    assert_eq!(pending(&shop.world).await, 1);
    let mut stream = shop.world.api.listen(None).await;
    shop.advance(11).await;
    let _ = shop.world.sweep().await;
    let _ = shop.world.sweep().await;
    assert_eq!(pending(&shop.world).await, 0);
    disconnect(&shop.world, &instance).await;
    let told = stream.until("instance.disconnected").await;
    assert_eq!(
        kinds(&told),
        ["instance.connected", "instance.disconnected"]
    );
}
