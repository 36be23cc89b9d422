use latchkey_core::{
    model::connector::Settings,
    port::{EditSettings as _, ReadSettings as _},
};

use crate::world::{World, tenant};

#[tokio::test]
async fn settings_are_empty_until_put_and_each_tenants_own() {
    let world = World::new().await;
    let settings = &world.store.settings;
    assert!(
        settings
            .settings(&tenant())
            .await
            .unwrap()
            .return_urls
            .is_empty()
    );
    for urls in [vec!["https://b.example/", "https://a.example/*"], vec![]] {
        let return_urls: Vec<_> = urls.into_iter().map(str::to_owned).collect();
        let put = Settings {
            return_urls: return_urls.clone(),
        };
        settings.put(&tenant(), &put).await.unwrap();
        let found = settings.settings(&tenant()).await.unwrap();
        assert_eq!(found.return_urls, return_urls);
        let other = settings.settings(&"other".parse().unwrap()).await.unwrap();
        assert!(other.return_urls.is_empty());
    }
}
