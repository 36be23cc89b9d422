//! The proxy that other stories interfere with: each way, with who has seen what.

use latchkey_tests::{
    http_client,
    proxy::{Mode, Proxy, Reply},
};

/// A provider that counts, with a proxy before it.
struct Pair {
    provider: Proxy,
    proxy: Proxy,
}

impl Pair {
    async fn start() -> Self {
        // Whoever asks it gets its own answer, so there need be nobody behind it.
        let provider = Proxy::before("http://127.0.0.1:9").await;
        provider.set(answers("provider"));
        let proxy = Proxy::before(&provider.url).await;
        Self { provider, proxy }
    }

    /// What a caller is told who asks for a refresh; none if the connection ends without an answer.
    async fn ask(&self) -> Option<String> {
        let answer = http_client()
            .post(format!("{}/token?a=1", self.proxy.url))
            .basic_auth("id", Some("secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=refresh_token&refresh_token=a%2Bb")
            .send()
            .await
            .ok()?;
        Some(format!(
            "{} {}",
            answer.status().as_u16(),
            answer.text().await.unwrap()
        ))
    }

    fn provider_has_seen(&self) -> usize {
        self.provider.seen().len()
    }
}

fn answers(body: &str) -> Mode {
    Mode::Answer(Reply {
        status: 201,
        content_type: "text/plain".to_owned(),
        headers: Vec::new(),
        body: body.to_owned(),
    })
}

#[tokio::test]
async fn a_request_goes_by_unchanged_and_is_counted() {
    let pair = Pair::start().await;
    assert_eq!(pair.ask().await.unwrap(), "201 provider");
    for seen in [pair.proxy.seen(), pair.provider.seen()] {
        assert_eq!(seen[0].method, "POST");
        assert_eq!(seen[0].path, "/token?a=1");
        assert_eq!(seen[0].headers["authorization"], "Basic aWQ6c2VjcmV0");
        assert_eq!(seen[0].field("refresh_token").unwrap(), "a+b");
        assert_eq!(seen.len(), 1);
    }
    assert_eq!(pair.proxy.count("refresh_token"), 1);
    assert_eq!(pair.proxy.count("authorization_code"), 0);
}

#[tokio::test]
async fn a_held_request_reaches_the_provider_when_it_is_released() {
    let pair = Pair::start().await;
    pair.proxy.set(Mode::HoldRequests);
    let (answer, ()) = tokio::join!(pair.ask(), async {
        pair.proxy.held().await;
        assert_eq!(pair.provider_has_seen(), 0);
        pair.proxy.release();
    });
    assert_eq!(answer.unwrap(), "201 provider");
    assert_eq!(pair.provider_has_seen(), 1);
}

#[tokio::test]
async fn a_held_answer_is_one_that_the_provider_has_given() {
    let pair = Pair::start().await;
    pair.proxy.set(Mode::HoldAnswers);
    let (answer, ()) = tokio::join!(pair.ask(), async {
        pair.proxy.held().await;
        assert_eq!(pair.provider_has_seen(), 1);
        pair.proxy.release();
    });
    assert_eq!(answer.unwrap(), "201 provider");
    assert_eq!(pair.ask().await.unwrap(), "201 provider", "nothing is held");
}

#[tokio::test]
async fn a_lost_answer_is_one_that_the_provider_has_given() {
    let pair = Pair::start().await;
    pair.proxy.set(Mode::LoseAnswers);
    assert_eq!(pair.ask().await, None);
    assert_eq!(pair.provider_has_seen(), 1);
}

#[tokio::test]
async fn an_answer_of_its_own_is_nothing_to_the_provider() {
    let pair = Pair::start().await;
    pair.proxy.set(answers("proxy"));
    assert_eq!(pair.ask().await.unwrap(), "201 proxy");
    assert_eq!(pair.provider_has_seen(), 0);
}

#[tokio::test]
async fn down_refuses_until_it_is_up_again_at_the_same_place() {
    let pair = Pair::start().await;
    pair.proxy.down();
    assert_eq!(pair.ask().await, None);
    assert_eq!(pair.proxy.seen().len(), 0);
    pair.proxy.up().await;
    assert_eq!(pair.ask().await.unwrap(), "201 provider");
}

#[tokio::test]
async fn down_cuts_off_what_is_held() {
    let pair = Pair::start().await;
    pair.proxy.set(Mode::HoldRequests);
    let (answer, ()) = tokio::join!(pair.ask(), async {
        pair.proxy.held().await;
        pair.proxy.down();
    });
    assert_eq!(answer, None);
    assert_eq!(pair.provider_has_seen(), 0);
}
