//! The pages in a real browser, as people use them.

use std::{fs, path::Path, time::Duration};

use fantoccini::Locator;
use latchkey_tests::{chromium::Chromium, shop::Shop};
use serde_json::json;

#[tokio::test]
async fn a_person_connects_in_a_browser() {
    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["definition"]["variables"] = json!([
        { "key": "account", "label": "Account", "help": "The first part of your address", "from": "user",
          "pattern": "[a-z]+" },
        { "key": "region", "label": "Region", "type": "choice", "choices": ["eu", "us"], "from": "user" },
    ]);
    let _ = shop
        .world
        .api
        .put(&shop.method_path(), "*", &body)
        .await
        .ok();
    let (instance, url) = shop.session().await;
    let browser = Chromium::start().await;
    let page = &browser.client;

    page.goto(&url).await.unwrap();
    assert_eq!(heading(&browser).await, "Connect Shop");
    // Labels lead to their fields, and the page is styled by its own style alone.
    page.find(Locator::XPath("//label[starts-with(., 'Account')]"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    page.active_element()
        .await
        .unwrap()
        .send_keys("WRONG")
        .await
        .unwrap();
    page.find(Locator::Css("select"))
        .await
        .unwrap()
        .select_by_value("eu")
        .await
        .unwrap();
    let width = page
        .execute(
            "return getComputedStyle(document.querySelector('main')).maxWidth",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(width, json!("448px"), "the policy lets the style through");
    page.find(Locator::Css("button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    let fault = page
        .wait()
        .for_element(Locator::Css(".fault"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(fault, "Account: it does not match the pattern of 'Account'");
    let account = page.find(Locator::Css("#v-account")).await.unwrap();
    account.clear().await.unwrap();
    account.send_keys("acme").await.unwrap();
    page.find(Locator::Css("button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();

    // The provider's own pages: log in, then consent.
    let login = page
        .wait()
        .for_element(Locator::Css("input[name=login]"))
        .await
        .unwrap();
    login.send_keys("alice").await.unwrap();
    page.find(Locator::Css("input[name=password]"))
        .await
        .unwrap()
        .send_keys("x")
        .await
        .unwrap();
    page.find(Locator::Css("button[type=submit]"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    page.wait()
        .for_element(Locator::XPath("//button[contains(., 'Continue')]"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();

    page.wait()
        .for_element(Locator::Css(".mark.good"))
        .await
        .unwrap();
    assert_eq!(heading(&browser).await, "Connected");
    assert!(
        shop.provider
            .is_active(&shop.world.api.access_token(&instance).await)
            .await
    );
    page.refresh().await.unwrap();
    assert_eq!(
        heading(&browser).await,
        "Connected",
        "loading it again shows the result again"
    );
}

#[tokio::test]
async fn a_field_is_in_sight_only_while_its_condition_holds() {
    let shop = Shop::oidc_provider().await;
    let mut body = shop.body();
    body["definition"]["variables"] = json!([
        { "key": "region", "label": "Region", "type": "choice", "from": "user",
          "choices": [{ "value": "eu: \"1\"", "label": "Europe" }, "us"] },
        { "key": "own", "label": "A server of your own", "type": "boolean", "from": "user", "required": false,
          "visible_when": { "variable": "region", "is": ["eu: \"1\""] } },
        { "key": "host", "label": "Host", "from": "user", "pattern": "[a-z.]+",
          "visible_when": { "variable": "own", "is": [true] } },
        { "key": "nick", "label": "Nickname", "from": "user", "required": false },
        { "key": "reason", "label": "Reason", "from": "user", "required": false,
          "visible_when": { "variable": "nick" } },
    ]);
    let put = shop.world.api.put(&shop.method_path(), "*", &body).await;
    let _ = put.ok();
    let (_, url) = shop.session().await;
    let browser = Chromium::start().await;
    let page = &browser.client;
    page.goto(&url).await.unwrap();
    let seen = async |key: &str| {
        let field = page.find(Locator::Css(&format!("#v-{key}"))).await.unwrap();
        field.is_displayed().await.unwrap()
    };
    let choose = async |value: &str| {
        let region = page.find(Locator::Css("#v-region")).await.unwrap();
        region.select_by_value(value).await.unwrap();
    };
    let click = async |selector: &str| {
        let found = page.find(Locator::Css(selector)).await.unwrap();
        found.click().await.unwrap();
    };
    assert!(
        !seen("own").await && !seen("host").await,
        "nothing is chosen"
    );
    choose("eu: \"1\"").await;
    assert!(seen("own").await && !seen("host").await);
    click("#v-own").await;
    assert!(seen("host").await);
    choose("us").await;
    assert!(
        !seen("own").await && !seen("host").await,
        "what asks for it is out of sight"
    );
    // A style can't look into a text: the field stays, and says when it is needed.
    assert!(seen("reason").await);
    let hint = page.find(Locator::Css("#w-reason")).await.unwrap();
    assert_eq!(hint.text().await.unwrap(), "Only if Nickname is filled in.");

    // What is asked for must be there, and what is out of sight need not be right.
    choose("eu: \"1\"").await;
    click("button").await;
    let fault = page
        .wait()
        .for_element(Locator::Css(".fault"))
        .await
        .unwrap();
    assert_eq!(fault.text().await.unwrap(), "Host: 'Host' is required");
    let host = page.find(Locator::Css("#v-host")).await.unwrap();
    host.send_keys("NOT A HOST").await.unwrap();
    choose("us").await;
    click("button").await;
    page.wait()
        .for_element(Locator::Css("input[name=login]"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_browser_ends_with_its_value_and_leaves_nothing() {
    let browser = Chromium::start().await;
    let directory = browser.directory().to_owned();
    assert!(runs_in(&directory));
    drop(browser);
    assert!(!directory.exists());
    let gone = async {
        // What reports crashes ends by itself, when its browser has.
        while runs_in(&directory) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .expect("nothing of it runs any more");
}

/// Whether any process has a directory in its command line.
fn runs_in(directory: &Path) -> bool {
    let directory = directory.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|process| fs::read(process.ok()?.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(directory))
}

async fn heading(browser: &Chromium) -> String {
    browser
        .client
        .find(Locator::Css("h1"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}
