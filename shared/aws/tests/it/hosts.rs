//! The breakers of token hosts.

use latchkey_core::{
    model::{breaker::Breaker, failure::FailureCode, host::Host},
    port::Turned,
};

use crate::world::{World, at, race};

fn host(name: &str) -> Host {
    Host::of(&format!("https://{name}/token").parse().unwrap()).unwrap()
}

fn breaker(mark: &str) -> Breaker {
    Breaker::open(at(0), FailureCode::ProviderError, mark.to_owned())
}

#[tokio::test]
async fn a_breaker_is_opened_claimed_and_closed_by_whoever_saw_it_as_it_is() {
    let world = World::new().await;
    let (hosts, host) = (&world.store.hosts, host("a.example"));
    assert_eq!(hosts.breaker(&host).await.unwrap(), None);
    let opened = breaker("opened");
    assert_eq!(
        hosts.turn(&host, None, &opened).await.unwrap(),
        Turned::Done
    );
    assert_eq!(hosts.breaker(&host).await.unwrap().as_ref(), Some(&opened));
    // Somebody else who had seen none is told.
    let other = hosts.turn(&host, None, &breaker("other")).await.unwrap();
    assert_eq!(other, Turned::Lost(Some(opened.clone())));

    let claimed = opened.claimed(at(60), "claimed".to_owned()).unwrap();
    let turned = hosts.turn(&host, Some(&opened), &claimed).await.unwrap();
    assert_eq!(turned, Turned::Done);
    let again = hosts.turn(&host, Some(&opened), &claimed).await.unwrap();
    assert_eq!(again, Turned::Done, "a repeated write finds its own mark");
    assert!(!hosts.close(&host, &opened).await.unwrap());
    assert!(hosts.close(&host, &claimed).await.unwrap());
    assert!(!hosts.close(&host, &claimed).await.unwrap());
    let gone = hosts.turn(&host, Some(&claimed), &opened).await.unwrap();
    assert_eq!(gone, Turned::Lost(None));
    assert_eq!(hosts.breaker(&host).await.unwrap(), None);
}

#[tokio::test]
async fn of_many_who_would_probe_a_host_one_does() {
    let world = World::new().await;
    let host = host("b.example");
    let opened = breaker("opened");
    let turned = world.store.hosts.turn(&host, None, &opened).await.unwrap();
    assert_eq!(turned, Turned::Done);
    let claims = race(|number| {
        let (hosts, host, opened) = (world.store.hosts.clone(), host.clone(), opened.clone());
        async move {
            let claimed = opened.claimed(at(60), number.to_string()).unwrap();
            hosts.turn(&host, Some(&opened), &claimed).await.unwrap()
        }
    });
    let won = claims
        .await
        .into_iter()
        .filter(|turned| *turned == Turned::Done);
    assert_eq!(won.count(), 1);
}

#[tokio::test]
async fn a_breaker_that_nobody_asks_for_is_cleaned_up_by_the_store() {
    let world = World::new().await;
    let request = world
        .client
        .describe_time_to_live()
        .table_name(&world.tables.hosts);
    let answer = request.send().await.unwrap();
    let description = answer.time_to_live_description.unwrap();
    assert_eq!(description.attribute_name.as_deref(), Some("expires"));
}
