use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::{
    model::authorisation::{ConnectSession, Digest},
    port::Sessions as _,
};

use crate::world::{World, at, connector, instance, method, tenant};

#[tokio::test]
async fn a_session_is_found_by_its_token_alone() {
    let world = World::new().await;
    let sessions = &world.store.sessions;
    for return_url in [None, Some("https://app.example/done?x=é".parse().unwrap())] {
        let session = ConnectSession {
            token: Digest::of(&format!("token {return_url:?}").into()),
            instance: instance(&method(&connector(&tenant())).key).key,
            return_url,
            expires_at: at(600),
        };
        sessions.put(&session).await.unwrap();
        let found = sessions.find(&session.token).await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{session:?}"));
    }
    let unknown = Digest::of(&"another".into());
    assert!(sessions.find(&unknown).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_is_cleaned_up_a_day_after_its_end() {
    let world = World::new().await;
    let session = ConnectSession {
        token: Digest::of(&"token".into()),
        instance: instance(&method(&connector(&tenant())).key).key,
        return_url: None,
        expires_at: at(600),
    };
    world.store.sessions.put(&session).await.unwrap();
    let id = format!("session#{}", session.token.as_str());
    let raw = world.raw_authorisation(id).await;
    let second = (at(600).as_second() + 86_400 + 1).to_string();
    assert_eq!(raw.get("expires"), Some(&AttributeValue::N(second)));
}
