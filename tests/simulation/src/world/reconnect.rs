//! A user consents anew.

use jiff::SignedDuration;
use latchkey_core::{
    flow::complete::{Browser, UnverifiedAnswer},
    model::{
        Secret,
        authorisation::{Authorisation, Binding, Digest, Progress},
        id::{InstanceKey, MethodKey},
        instance::StoredValues,
    },
    port::{BeginAuthorisations as _, Clock as _},
};
use serde_json::json;

use super::{World, read};

/// The user consents anew: the provider sends them back with a code.
pub async fn reconnect(world: &World, method: &MethodKey, account: usize, key: &InstanceKey) {
    let Some(seen) = world.store.look(key) else {
        return;
    };
    let entropy: &dyn latchkey_core::port::Entropy = &*world.chance;
    let (state, cookie) = (entropy.secret(), entropy.secret());
    let now = world.timeline.now();
    let authorisation = Authorisation {
        state: Digest::of(&state),
        instance: key.clone(),
        connector: method.connector.clone(),
        method: method.id.clone(),
        method_version: 1,
        incarnation: seen.incarnation,
        token_url: Some(read(json!("https://provider.example/token"))),
        redirect_uri: read(json!("https://latchkey.example/oauth/authenticate")),
        scopes: Vec::new(),
        verifier: None,
        issuer: None,
        return_url: None,
        binding: Binding::Browser(Digest::of(&cookie)),
        values: StoredValues::default(),
        session: None,
        created_at: now,
        expires_at: now + SignedDuration::from_mins(10),
        progress: Progress::Open,
    };
    if world.store.put(&authorisation).await.is_err() {
        return;
    }
    let number = world.chance.below(1000);
    let parameters = [
        ("state".to_owned(), state.expose().clone()),
        ("code".to_owned(), format!("code-{account}-{number}")),
    ];
    let holds = |_: &Digest| Some(Secret::new(cookie.expose().clone()));
    let browser = Browser {
        holds: &holds,
        waits: Vec::new(),
    };
    let answer = UnverifiedAnswer::new(parameters);
    drop(Box::pin(world.complete().callback(answer, browser)).await);
}
