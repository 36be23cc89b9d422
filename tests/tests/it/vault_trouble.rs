//! Secrets Manager when it throttles, shows old labels, or has lost what a spare needs.

use std::time::Duration;

use latchkey_core::{
    flow::refresh::Refreshed,
    model::{
        id::InstanceKey, instance::State, refresh_tokens::RefreshTokens,
        secret_version::SecretVersion, spare::Spare,
    },
    port::{KeepSpare, Leases as _, Spares},
};
use latchkey_emulators::moto;
use latchkey_tests::{
    fleet::Fleet,
    proxy::{Mode, Proxy, Reply},
    shop::{ACCESS_TTL, Shop},
    worker::{Script, Worker, answer},
    world::World,
};
use serde_json::{Value, json};

fn says(status: u16, body: &Value) -> Mode {
    Mode::Answer(Reply {
        status,
        content_type: "application/x-amz-json-1.1".to_owned(),
        headers: Vec::new(),
        body: body.to_string(),
    })
}

fn throttles() -> Mode {
    says(
        400,
        &json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }),
    )
}

async fn vaulted() -> (Shop, Proxy, String) {
    let secrets = Proxy::before(moto()).await;
    let shop = Shop::vaulted(&secrets.url).await;
    let instance = shop.connected().await;
    (shop, secrets, instance)
}

async fn refreshed(shop: &Shop, instance: &str) -> bool {
    shop.advance(ACCESS_TTL + 1).await;
    let token = shop.world.api.access_token(instance).await;
    shop.provider.is_active(&token).await
}

async fn journal(shop: &Shop, instance: &str) -> Option<u64> {
    let now = shop.world.refresh_tokens(instance).await;
    now.journal().map(|journal| journal.epoch)
}

#[tokio::test]
async fn a_secrets_manager_that_throttles_leaves_a_journal_and_condemns_nobody() {
    let (shop, secrets, instance) = vaulted().await;
    for operation in ["PutSecretValue", "UpdateSecretVersionStage"] {
        secrets.set_for(operation, throttles());
        assert!(refreshed(&shop, &instance).await, "{operation}");
        assert!(journal(&shop, &instance).await.is_some(), "{operation}");
        secrets.set(Mode::Pass);
        assert!(refreshed(&shop, &instance).await, "{operation}");
        assert_eq!(journal(&shop, &instance).await, None, "{operation}");
    }
    // What can't be read is not asked with, and nobody is blamed for it.
    secrets.set_for("GetSecretValue", throttles());
    shop.advance(ACCESS_TTL + 1).await;
    let asked = shop.proxy.count("refresh_token");
    let refused = shop.world.api.vend(&instance).await;
    assert_eq!(refused.status, 503);
    assert_eq!(shop.proxy.count("refresh_token"), asked);
    let health = shop.world.api.health(&instance).await;
    assert_eq!(
        (&health["status"], &health["failures"]),
        (&json!("active"), &json!(0)),
        "{health}"
    );
    secrets.set(Mode::Pass);
    assert!(refreshed(&shop, &instance).await);
}

#[tokio::test]
async fn labels_that_lag_behind_mislead_nobody() {
    let (shop, secrets, instance) = vaulted().await;
    assert!(refreshed(&shop, &instance).await);
    let RefreshTokens::Version(before) = shop.world.refresh_tokens(&instance).await else {
        panic!("no version");
    };
    // The label is not moved. Then nothing is seen of the new version, although it is there.
    secrets.set_for("UpdateSecretVersionStage", throttles());
    assert!(refreshed(&shop, &instance).await);
    let old = |stages: Value| {
        let arn = "arn:aws:secretsmanager:eu-central-1:1:secret:a";
        says(
            200,
            &json!({ "ARN": arn, "Name": "a", "VersionIdsToStages": stages }),
        )
    };
    secrets.set_for(
        "DescribeSecret",
        old(json!({ before.as_str(): ["AWSCURRENT"] })),
    );
    assert!(refreshed(&shop, &instance).await);
    assert_eq!(journal(&shop, &instance).await, None);

    // The label is moved, and the answer is lost. Then it is seen where it was.
    let RefreshTokens::Version(before) = shop.world.refresh_tokens(&instance).await else {
        panic!("no version");
    };
    secrets.set_for("UpdateSecretVersionStage", Mode::LoseAnswers);
    assert!(refreshed(&shop, &instance).await);
    let found = shop.world.instance(&instance).await;
    if let Some(epoch) = journal(&shop, &instance).await {
        let after = SecretVersion::of(&found.key, found.incarnation, epoch, 0);
        let seen = json!({ before.as_str(): ["AWSCURRENT"], after.as_str(): ["AWSPENDING"] });
        secrets.set_for("DescribeSecret", old(seen));
        assert!(refreshed(&shop, &instance).await);
    }
    // Whatever that came to, the next one sees it through.
    secrets.set(Mode::Pass);
    for _ in 0..2 {
        assert!(refreshed(&shop, &instance).await);
        assert_eq!(journal(&shop, &instance).await, None);
    }
}

fn brings(refresh_token: &str) -> latchkey_core::port::WireAnswer {
    let body = json!({
        "access_token": format!("access with {refresh_token}"),
        "refresh_token": refresh_token,
        "token_type": "bearer",
        "expires_in": 3600,
    });
    answer(200, &body)
}

fn refused() -> latchkey_core::port::WireAnswer {
    answer(400, &json!({ "error": "invalid_grant" }))
}

async fn refresh(worker: &Worker, key: &InstanceKey, provider: &Script<'_>) -> Refreshed {
    let instance = worker.find(key).await;
    let refresh = worker.refresh(provider);
    Box::pin(refresh.refresh(&instance)).await.unwrap()
}

#[tokio::test]
async fn what_a_late_answer_displaces_needs_no_secrets_manager_to_take_its_place_again() {
    let url = moto().parse().unwrap();
    let world = World::start_with(Some(url)).await;
    let fleet = Fleet::rotating(&world, "shop.example", json!("single_use")).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::of(&world);
    let first = Script::new(&worker, &key, [Ok(brings("one"))]);
    assert!(matches!(
        refresh(&worker, &key, &first).await,
        Refreshed::Renewed(..)
    ));
    worker.clock.jump(Duration::from_secs(3600));

    // Two are overtaken, and answered in the order in which they asked.
    let (slow, slower) = (
        Script::new(&worker, &key, []),
        Script::new(&worker, &key, []),
    );
    let _ = tokio::join!(
        async {
            let refreshed = refresh(&worker, &key, &slow).await;
            slower.goes_on(Ok(brings("three")));
            refreshed
        },
        async {
            slow.hangs().await;
            worker.clock.jump(Duration::from_secs(60));
            // The first who comes leaves it alone for a while.
            let held_off = refresh(&worker, &key, &slower).await;
            assert!(matches!(held_off, Refreshed::Moved), "{held_off:?}");
            worker.clock.jump(Duration::from_secs(11));
            tokio::join!(refresh(&worker, &key, &slower), async {
                slower.hangs().await;
                slow.goes_on(Ok(brings("two")));
            })
        }
    );
    let now = worker.find(&key).await;
    assert_eq!(now.grant().unwrap().epoch, 4);
    let [sibling] = &now.spares[..] else {
        panic!("{:?}", now.spares);
    };
    assert_eq!(sibling.epoch, 3);
    let kept = &sibling.grant().unwrap().refresh_tokens;
    assert_eq!(*kept, RefreshTokens::Inside);

    // The newest is refused, and what it displaced is asked with.
    worker.clock.jump(Duration::from_secs(3600));
    let provider = Script::new(&worker, &key, [Ok(refused()), Ok(brings("four"))]);
    let _ = refresh(&worker, &key, &provider).await;
    let refreshed = refresh(&worker, &key, &provider).await;
    assert!(matches!(refreshed, Refreshed::Renewed(..)), "{refreshed:?}");
    let sent: Vec<_> = provider
        .asked()
        .into_iter()
        .filter_map(|asked| asked.refresh_token)
        .collect();
    assert_eq!(sent, ["three", "two"]);
    let now = worker.find(&key).await;
    let has_version = matches!(
        now.grant().unwrap().refresh_tokens,
        RefreshTokens::Version(_)
    );
    assert!(has_version, "{now:?}");
}

#[tokio::test]
async fn a_spare_that_the_secrets_manager_has_lost_holds_up_nothing() {
    let url = moto().parse().unwrap();
    let world = World::start_with(Some(url)).await;
    let fleet = Fleet::rotating(&world, "shop.example", json!("single_use")).await;
    let key = fleet.overdue(60).await;
    let worker = Worker::of(&world);
    let provider = Script::new(&worker, &key, [Ok(brings("one"))]);
    let _ = refresh(&worker, &key, &provider).await;
    let now = worker.find(&key).await;
    let mut lost = now.grant().unwrap().clone();
    lost.epoch = 1;
    lost.refresh_tokens = RefreshTokens::Version(SecretVersion::of(&key, 1, 99, 0));
    // Sealed for another epoch, it would not open either: its own tokens are those of the first.
    lost.tokens = fleet.first_tokens(&key).await;
    let kept = [Spare::of(lost)];
    let keep = KeepSpare {
        key: &key,
        incarnation: now.incarnation,
        spares: Spares {
            seen: &[],
            kept: &kept,
        },
        revived: None,
    };
    let _ = worker.store.instances.keep_spare(keep).await.unwrap();

    for status in ["suspect", "reconnect_required"] {
        worker.clock.jump(Duration::from_secs(3600));
        let provider = Script::new(&worker, &key, [Ok(refused())]);
        let _ = refresh(&worker, &key, &provider).await;
        let now = worker.find(&key).await;
        let is = match now.state {
            State::Suspect { .. } => "suspect",
            State::ReconnectRequired { .. } => "reconnect_required",
            State::Pending | State::Active(_) | State::Deleted { .. } => "something else",
        };
        assert_eq!(is, status);
        assert_eq!((now.spares.len(), now.lease), (0, None));
    }
}
