//! Settings that can't work.

use crate::world::{CLIENT_SECRET, World};

#[test]
fn a_setting_that_cannot_work_is_refused_at_the_start() {
    let refused = |started: Result<World, _>| {
        started
            .err()
            .map(|error: latchkey_demo_provider::DemoError| error.to_string())
    };
    let base_url = World::start(|settings| settings.base_url = "http://a.example/path".to_owned());
    assert!(refused(base_url).unwrap().contains("base URL"));
    let secret = World::start(|settings| settings.client_secret = String::new());
    assert!(refused(secret).unwrap().contains("client secret"));
    let none = World::start(|settings| settings.redirect_uris.clear());
    assert!(refused(none).unwrap().contains("redirect URI"));
    for uri in ["/callback", "https://app.example/#fragment"] {
        let fault = World::start(|settings| settings.redirect_uris = vec![uri.to_owned()]);
        assert!(refused(fault).unwrap().contains(uri));
    }
}

#[test]
fn settings_do_not_print_the_client_secret() {
    let mut printed = String::new();
    let _ = World::start(|settings| printed = format!("{settings:?}"));
    assert!(
        printed.contains("base_url") && !printed.contains(CLIENT_SECRET),
        "{printed}"
    );
}
