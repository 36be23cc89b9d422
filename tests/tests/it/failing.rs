//! Failures by owner: a provider that is down, throttles, or lies; a client that is refused.

use latchkey_core::port::{Clock as _, Hosts as _};
use latchkey_tests::{
    proxy::{Mode, Reply},
    shop::{ACCESS_TTL, Shop},
};
use serde_json::{Value, json};

fn throttled(retry_after: String) -> Mode {
    Mode::Answer(Reply {
        status: 503,
        content_type: "text/html".to_owned(),
        headers: vec![("retry-after".to_owned(), retry_after)],
        body: "<h1>later</h1>".to_owned(),
    })
}

fn mass_death() -> Mode {
    Mode::json(400, &json!({ "error": "invalid_grant" }))
}

async fn connected(shop: &Shop, count: usize) -> Vec<String> {
    let mut instances = Vec::new();
    for _ in 0..count {
        instances.push(shop.connected().await);
    }
    instances
}

async fn statuses(shop: &Shop, instances: &[String]) -> Vec<String> {
    let mut statuses = Vec::new();
    for instance in instances {
        let health = shop.world.api.health(instance).await;
        statuses.push(health["status"].as_str().unwrap().to_owned());
    }
    statuses
}

fn count(statuses: &[String], wanted: &str) -> usize {
    statuses.iter().filter(|status| *status == wanted).count()
}

async fn method_health(shop: &Shop) -> Value {
    shop.world.api.get(&shop.method_path()).await.ok()["health"].clone()
}

/// Sweeps so often, so many minutes apart, and says how many instances were refreshed.
async fn sweep_every(shop: &Shop, minutes: i64, times: usize) -> u64 {
    let mut refreshed = 0;
    for _ in 0..times {
        shop.world.clock.advance(60 * minutes);
        refreshed += shop.world.sweep().await.refreshed;
    }
    let minutes = minutes * i64::try_from(times).unwrap();
    shop.provider.advance(60 * minutes).await;
    refreshed
}

#[tokio::test]
async fn a_host_that_is_down_for_a_day_is_asked_once_a_minute_and_kills_nobody() {
    let shop = Shop::oidc_provider().await;
    let instances = connected(&shop, 6).await;
    shop.proxy.set(Mode::json(502, &Value::Null));
    sweep_every(&shop, 1, 15).await;
    let before = shop.proxy.count("refresh_token");
    assert!(before >= 5, "{before}");
    // Half an hour of every minute, and the rest of the day of every thirty.
    sweep_every(&shop, 1, 30).await;
    let asked = shop.proxy.count("refresh_token") - before;
    assert!((5..=30).contains(&asked), "{asked}");
    sweep_every(&shop, 30, 47).await;
    let asked = shop.proxy.count("refresh_token") - before - asked;
    assert!((40..=47).contains(&asked), "{asked}");
    assert_eq!(count(&statuses(&shop, &instances).await, "active"), 6);

    // A health says who has to act, why, and what happens next.
    let health = shop.world.api.health(&instances[0]).await;
    assert_eq!(
        (
            &health["needs"],
            &health["paused"]["what"],
            &health["next"]["action"]
        ),
        (&json!("provider"), &json!("host"), &json!("probe_host")),
        "{health}"
    );
    assert_eq!(health["paused"]["failure"]["code"], "provider_error");

    // Within two lifetimes of its return everybody is served again.
    shop.proxy.set(Mode::Pass);
    let lifetimes = usize::try_from(2 * ACCESS_TTL / 60).unwrap();
    let refreshed = sweep_every(&shop, 1, lifetimes).await;
    assert!(refreshed >= 6, "{refreshed}");
    shop.advance(ACCESS_TTL + 1).await;
    for instance in &instances {
        let token = shop.world.api.access_token(instance).await;
        assert!(shop.provider.is_active(&token).await);
        let health = shop.world.api.health(instance).await;
        assert_eq!((health.get("paused"), health.get("needs")), (None, None));
    }
}

#[tokio::test]
async fn a_vend_that_meets_an_open_breaker_asks_nobody_and_counts_nothing() {
    let shop = Shop::oidc_provider().await;
    let instances = connected(&shop, 5).await;
    let spared = shop.connected().await;
    let token = shop.world.api.access_token(&spared).await;
    shop.advance(ACCESS_TTL - 20).await;
    shop.proxy.set(Mode::json(502, &Value::Null));
    for instance in &instances {
        let _ = shop.world.api.vend(instance).await.ok();
    }
    let asked = shop.proxy.count("refresh_token");
    assert_eq!(asked, 5);
    // What lives is handed out.
    assert_eq!(shop.world.api.access_token(&spared).await, token);
    shop.advance(30).await;
    let refused = shop.world.api.vend(&spared).await;
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    let problem = refused.problem(503, "credential-unavailable");
    assert_eq!(
        (&problem["needs"], &problem["next"]["action"]),
        (&json!("provider"), &json!("probe_host")),
        "{problem}"
    );
    assert_eq!(shop.proxy.count("refresh_token"), asked, "nobody was asked");
    assert_eq!(shop.world.api.health(&spared).await["failures"], 0);
    // Once the host may be asked, whoever comes first asks; it answers, and the breaker is gone.
    shop.proxy.set(Mode::Pass);
    shop.advance(31).await;
    let token = shop.world.api.access_token(&spared).await;
    assert!(shop.provider.is_active(&token).await);
    let url = shop.proxy.url.parse().unwrap();
    let host = latchkey_core::model::host::Host::of(&url).unwrap();
    assert_eq!(shop.world.store().hosts.breaker(&host).await.unwrap(), None);
}

#[tokio::test]
async fn a_method_whose_client_is_refused_is_faulty_once_and_recovers_by_itself() {
    let shop = Shop::oidc_provider().await;
    let instances = connected(&shop, 3).await;
    assert_eq!(method_health(&shop).await, json!({ "status": "ok" }));
    let refusal = json!({ "error": "invalid_client", "error_description": "no such client" });
    shop.proxy.set(Mode::json(401, &refusal));
    sweep_every(&shop, 1, 20).await;
    let health = method_health(&shop).await;
    assert_eq!(
        (&health["status"], &health["failure"]["code"]),
        (&json!("faulty"), &json!("client_refused"))
    );
    assert_eq!(health["failure"]["words"], "invalid_client: no such client");
    assert_eq!(count(&statuses(&shop, &instances).await, "active"), 3);
    let asked = shop.proxy.count("refresh_token");
    assert!(asked <= 3 * 10, "it is tried slowly: {asked}");
    let since = health["failure"]["at"].clone();
    sweep_every(&shop, 10, 3).await;
    assert_eq!(
        method_health(&shop).await["failure"]["at"],
        since,
        "it is found once"
    );

    shop.proxy.set(Mode::Pass);
    let refreshed = sweep_every(&shop, 10, 7).await;
    assert!(refreshed >= 3, "{refreshed}");
    assert_eq!(method_health(&shop).await, json!({ "status": "ok" }));
}

#[tokio::test]
async fn a_method_that_is_changed_is_given_the_benefit_of_the_doubt() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    shop.proxy.set(Mode::json(404, &Value::Null));
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(503, "credential-unavailable");
    assert_eq!(problem["needs"], "builder", "{problem}");
    assert_eq!(method_health(&shop).await["status"], "faulty");
    let (path, body) = (shop.method_path(), shop.body());
    let changed = shop.world.api.put(&path, "*", &body).await.ok();
    assert_eq!(changed["health"]["status"], "ok");
}

#[tokio::test]
async fn a_providers_lie_about_many_disconnects_nobody() {
    let shop = Shop::oidc_provider().await;
    let instances = connected(&shop, 8).await;
    shop.proxy.set(mass_death());
    sweep_every(&shop, 1, 10).await;
    let found = statuses(&shop, &instances).await;
    assert_eq!((count(&found, "suspect"), count(&found, "active")), (5, 3));
    let health = method_health(&shop).await;
    assert_eq!(health["status"], "quarantined", "{health}");
    let asked = shop.proxy.count("refresh_token");

    // Six hours later nobody is disconnected, and the provider was asked every five minutes at most.
    sweep_every(&shop, 10, 6 * 6).await;
    let found = statuses(&shop, &instances).await;
    assert_eq!((count(&found, "suspect"), count(&found, "active")), (5, 3));
    let probes = shop.proxy.count("refresh_token") - asked;
    assert!((12..=6 * 6).contains(&probes), "{probes}");
    let health = shop.world.api.health(&instances[0]).await;
    assert_eq!(
        (
            &health["paused"]["what"],
            &health["next"]["action"],
            &health["needs"]
        ),
        (
            &json!("auth_method"),
            &json!("probe_method"),
            &json!("builder")
        ),
        "{health}"
    );

    // One success ends it.
    shop.proxy.set(Mode::Pass);
    let refreshed = sweep_every(&shop, 3, 10).await;
    assert!(refreshed >= 8, "{refreshed}");
    assert_eq!(count(&statuses(&shop, &instances).await, "active"), 8);
    assert_eq!(method_health(&shop).await, json!({ "status": "ok" }));
}

#[tokio::test]
async fn a_date_to_come_back_at_is_obeyed_and_takes_the_attempt_back() {
    let shop = Shop::oidc_provider().await;
    let instance = shop.connected().await;
    shop.advance(ACCESS_TTL + 1).await;
    let until = shop.world.clock.now() + jiff::SignedDuration::from_secs(1200);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&until)
        .unwrap();
    shop.proxy.set(throttled(date));
    let refused = shop.world.api.vend(&instance).await;
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1190..=1200).contains(&wait), "{wait}");
    let problem = refused.problem(503, "credential-unavailable");
    assert_eq!(problem["failure"]["code"], "throttled");
    // What was throttled was not consumed: the next refusal is no lost answer.
    shop.proxy.set(mass_death());
    for _ in 0..2 {
        shop.advance(1201).await;
        shop.world.sweep().await;
    }
    let problem = shop
        .world
        .api
        .vend(&instance)
        .await
        .problem(409, "reconnect-required");
    assert_eq!(problem["failure"]["code"], "grant_refused");
}
