//! Every preset, with a provider that plays its other side strictly.

use std::sync::Arc;

use latchkey_core::port::Clock as _;
use latchkey_tests::{
    routed::RoutedEgress,
    scripted::{CallbackAnswer, Facts, Failure, Scripted, given},
    visitor::{Page, Visitor},
    world::World,
};
use serde_json::{Map, Value, json};

/// Keys that open nothing.
const RSA: &str = include_str!("../../keys/rsa.pem");
const EC: &str = include_str!("../../keys/ec.pem");

/// A product whose requests all come to one scripted provider after the other.
struct Bench {
    world: World,
    egress: Arc<RoutedEgress>,
}

impl Bench {
    async fn start() -> Self {
        let egress = RoutedEgress::new();
        let world = World::start_over(egress.clone()).await;
        Self { world, egress }
    }

    /// Connects, vends, refreshes and deletes; how many requests the provider took.
    async fn play(&self, preset: &Value) -> Result<usize, String> {
        let name = preset["preset"].as_str().unwrap();
        let whole = self.world.api.get(&format!("/v1/presets/{name}")).await;
        let definition = whole.ok()["definition"].clone();
        let builder = values(&definition, &preset["builder"])?;
        let user = values(&definition, &preset["user"])?;
        let written = json!({ "preset": name });
        self.play_with(&written, definition, &builder, &user).await
    }

    /// The same with a definition as a builder wrote it, and with defaults written out.
    async fn play_with(
        &self,
        written: &Value,
        definition: Value,
        builder: &Map<String, Value>,
        user: &Map<String, Value>,
    ) -> Result<usize, String> {
        let facts = self.facts(builder, user);
        let provider = Scripted::start(definition, facts).await;
        self.egress.lead_to(provider.address());
        let outcome = self.story(&provider, written, builder, user).await;
        let refusals = provider.refusals();
        match outcome {
            Ok(()) if refusals.is_empty() => Ok(provider.requests().len()),
            Ok(()) => Err(refusals.join("; ")),
            Err(why) => Err(format!("{why}; {}", refusals.join("; "))),
        }
    }

    fn facts(&self, builder: &Map<String, Value>, user: &Map<String, Value>) -> Facts {
        let clock = Arc::clone(&self.world.clock);
        let now = Arc::new(move || u64::try_from(clock.now().as_second()).unwrap());
        let given = builder.iter().chain(user);
        let given: Vec<(&str, &str)> = given
            .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
            .collect();
        Facts::new(&self.world.callback_url(), now).with(&given)
    }

    async fn story(
        &self,
        provider: &Scripted,
        written: &Value,
        builder: &Map<String, Value>,
        user: &Map<String, Value>,
    ) -> Result<(), String> {
        let api = &self.world.api;
        let (connector, method) = self.define(written, builder).await?;
        let instance = self.connect(provider, &connector, &method, user).await?;
        self.vend(provider, &instance).await?;

        if let Some(wait) = self.until_due(&instance).await {
            self.world.clock.advance(wait);
            let report = self.world.sweep().await;
            if report.refreshed != 1 {
                return Err(format!("not refreshed: {report:?}"));
            }
            self.vend(provider, &instance).await?;
        }
        let deleted = api.delete(&format!("/v1/instances/{instance}")).await.ok();
        let outcome = deleted["revocation"]["outcome"].clone();
        let expected = if provider
            .definition()
            .get("revoke")
            .is_some_and(|revoke| !revoke.is_null())
        {
            "confirmed"
        } else {
            "not_supported"
        };
        if outcome != expected {
            return Err(format!("revocation: {}", deleted["revocation"]));
        }
        Ok(())
    }

    /// Saves the definition: the connector, and the auth method.
    async fn define(
        &self,
        written: &Value,
        builder: &Map<String, Value>,
    ) -> Result<(String, String), String> {
        let api = &self.world.api;
        let connector = api.connector("Played").await;
        let path = format!("/v1/connectors/{connector}/auth-methods");
        let body = json!({ "definition": written, "values": builder });
        let made = api.post(&path, &body).await;
        if made.status != 201 {
            return Err(format!("not saved: {}", made.body));
        }
        let method = made.created("id");
        let saved = api.get(&format!("{path}/{method}")).await.ok();
        match saved["complete"].as_bool() {
            Some(true) => Ok((connector, method)),
            _ => Err(format!("lacks {}", saved["lacks"])),
        }
    }

    async fn connect(
        &self,
        provider: &Scripted,
        connector: &str,
        method: &str,
        user: &Map<String, Value>,
    ) -> Result<String, String> {
        let body = json!({ "connector": connector, "auth_method": method });
        let opened = self.world.api.post("/v1/connect-sessions", &body).await;
        let instance = opened.clone().created("instance");
        let mut visitor = Visitor::default().stopping_before("https://");
        let page = visitor.open(&opened.created("connect_url")).await;
        let page = if page.status.is_some() {
            let filled: Vec<(&str, &str)> = user
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
                .collect();
            visitor.submit(&page, &filled).await
        } else {
            page
        };
        if page.status.is_some() {
            return Err(format!("no authorise URL: {}", words(&page)));
        }
        let answer = provider.visit(page.url.as_str()).await;
        let answer = answer.map_err(|refusal| format!("authorise: {}", refusal.reason))?;
        let page = self.come_back(&mut visitor, &answer).await;
        if page.heading() == "Connected" {
            return Ok(instance);
        }
        let health = self.world.api.health(&instance).await;
        Err(format!("not connected: {} {health}", words(&page)))
    }

    async fn come_back(&self, visitor: &mut Visitor, answer: &CallbackAnswer) -> Page {
        let url = url::Url::parse(&answer.url).unwrap();
        let body = answer.form.as_ref().map(|form| {
            url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form)
                .finish()
        });
        let page = visitor.visit(&url, body).await;
        match page.headers.get("location") {
            Some(location) => {
                let next = url.join(location.to_str().unwrap()).unwrap();
                visitor.open(next.as_str()).await
            }
            None => page,
        }
    }

    async fn vend(&self, provider: &Scripted, instance: &str) -> Result<(), String> {
        let credential = self.world.api.vend(instance).await;
        if credential.status != 200 {
            return Err(format!("no credential: {}", credential.body));
        }
        provider.accepts(&credential.ok())
    }

    /// In how many seconds the instance is refreshed in the background, if ever.
    async fn until_due(&self, instance: &str) -> Option<i64> {
        let health = self.world.api.health(instance).await;
        let due: jiff::Timestamp = health.get("next_refresh_at")?.as_str()?.parse().unwrap();
        Some(due.duration_since(self.world.clock.now()).as_secs() + 2)
    }
}

/// A value for each variable that must be given.
fn values(definition: &Value, asked: &Value) -> Result<Map<String, Value>, String> {
    let none = Vec::new();
    let declared = definition["variables"].as_array().unwrap_or(&none);
    let mut values = Map::new();
    for asked in asked.as_array().unwrap() {
        let key = asked["key"].as_str().unwrap();
        let declared = declared.iter().find(|declared| declared["key"] == key);
        let declared = declared.unwrap_or(&Value::Null);
        let is_wanted = declared["advanced"] != true && declared.get("default").is_none();
        if asked["required"] != true && !is_wanted {
            continue;
        }
        let value = match key {
            "client_id" => Some("the-client".to_owned()),
            "client_secret" => Some("the secret/+".to_owned()),
            _ if declared["type"] == "pem" => Some(
                if definition.to_string().contains("ES256") {
                    EC
                } else {
                    RSA
                }
                .to_owned(),
            ),
            _ => given(key, declared),
        };
        let value = value.ok_or_else(|| format!("no value for {key}"))?;
        values.insert(key.to_owned(), json!(value));
    }
    Ok(values)
}

fn words(page: &Page) -> String {
    let html = scraper::Html::parse_document(&page.html);
    let body = scraper::Selector::parse("main, body").unwrap();
    let text = html
        .select(&body)
        .next()
        .map(|body| body.text().collect::<Vec<_>>().join(" "));
    let text = text.unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_preset_connects_refreshes_and_revokes_with_its_provider() {
    let bench = Bench::start().await;
    let all = bench.world.api.get("/v1/presets").await.ok();
    let (mut played, mut requests, mut failures) = (0, 0, Vec::new());
    for preset in all["items"].as_array().unwrap() {
        match bench.play(preset).await {
            Ok(count) => {
                played += 1;
                requests += count;
            }
            Err(why) => failures.push(format!("{}: {why}", preset["preset"])),
        }
    }
    let counts = format!("{played} presets played, {requests} requests");
    assert!(
        failures.is_empty(),
        "{counts}; {} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_quirk_of_the_census_is_shown_or_said_to_be_impossible() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("quirks");
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
        serde_saphyr::from_str(&text).unwrap()
    };
    let bench = Bench::start().await;
    let table = read("table");
    let table = table.as_object().unwrap();
    assert_eq!(table.len(), 119, "the census has 119");
    let impossible = table
        .values()
        .filter(|shown| shown.get("not_expressible").is_some());
    assert!(impossible.count() <= 6);
    let mut played = std::collections::BTreeSet::new();
    for (quirk, shown) in table {
        if let Some(why) = shown.get("not_expressible") {
            assert!(why.as_str().unwrap().len() > 20, "{quirk}");
            continue;
        }
        let definition = match (shown["preset"].as_str(), shown["definition"].as_str()) {
            (Some(preset), None) => {
                let path = format!("/v1/presets/{preset}");
                bench.world.api.get(&path).await.ok()["definition"].clone()
            }
            (None, Some(name)) => {
                played.insert(name.to_owned());
                read(name)
            }
            other => panic!("{quirk}: {other:?}"),
        };
        match shown["at"].as_str() {
            Some(at) => assert!(definition.pointer(at).is_some(), "{quirk}: no {at}"),
            None => assert!(shown["default"].is_string(), "{quirk}"),
        }
    }
    let client = json!({ "client_id": "the-client", "client_secret": "the secret/+" });
    for name in played {
        let definition = read(&name);
        let outcome = bench
            .play_with(
                &definition,
                definition.clone(),
                client.as_object().unwrap(),
                &Map::new(),
            )
            .await;
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_fails_at_is_told_in_its_words_and_tried_again() {
    let bench = Bench::start().await;
    let client = json!({ "client_id": "the-client", "client_secret": "the secret/+" });
    let builder = client.as_object().unwrap();
    for (preset, failure, code) in [
        ("zoom", Failure::Status(503), "provider_error"),
        ("zoom", Failure::TooMany { retry_after: 60 }, "throttled"),
        ("zoom", Failure::Html, "answer_unreadable"),
        ("notion", Failure::Status(500), "provider_error"),
        ("linear", Failure::InvalidGrant, "grant_refused"),
        ("spotify", Failure::Truncated, "answer_unreadable"),
        ("spotify", Failure::Lost, "answer_lost"),
    ] {
        let whole = bench.world.api.get(&format!("/v1/presets/{preset}")).await;
        let definition = whole.ok()["definition"].clone();
        let facts = bench.facts(builder, &Map::new());
        let provider = Scripted::start(definition, facts).await;
        bench.egress.lead_to(provider.address());
        let written = json!({ "preset": preset });
        let (connector, method) = bench.define(&written, builder).await.unwrap();

        provider.fail_next("token", failure.clone());
        let refused = bench
            .connect(&provider, &connector, &method, &Map::new())
            .await;
        assert!(refused.is_err(), "{preset}: {failure:?}");
        let instance = bench
            .connect(&provider, &connector, &method, &Map::new())
            .await
            .unwrap();

        let Some(wait) = bench.until_due(&instance).await else {
            continue;
        };
        bench.world.clock.advance(wait);
        provider.fail_next("refresh", failure.clone());
        assert_eq!(bench.world.sweep().await.failed, 1, "{preset}: {failure:?}");
        let health = bench.world.api.health(&instance).await;
        assert_eq!(health["failure"]["code"], code, "{preset}: {health}");
        assert_ne!(health["status"], "reconnect_required", "{preset}");
        let deleted = format!("/v1/instances/{instance}");
        let _ = bench.world.api.delete(&deleted).await.ok();
    }
}
