//! The state file.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;

use tempfile::tempdir;

use crate::world::{World, digest};

#[tokio::test]
async fn tokens_survive_a_restart() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("demo.json");
    let (tokens, code) = {
        let world = World::kept_in(file.clone());
        (world.connect().await, world.code().await)
    };
    let world = World::kept_in(file.clone());
    assert_eq!(world.orders(&tokens.access).await.status, 200);
    assert_eq!(world.redeem(&code).await.status, 200);
    let refreshed = world.refresh(&tokens.refresh).await.tokens();

    let world = World::kept_in(file);
    assert_eq!(world.orders(&refreshed.access).await.status, 200);
    let page = world.get("/activity", &[]).await.body;
    assert!(
        page.contains("<dt>access tokens issued</dt><dd>3</dd>"),
        "{page}"
    );
}

#[tokio::test]
async fn what_was_ended_stays_ended_over_a_restart() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("demo.json");
    let (first, second) = {
        let world = World::kept_in(file.clone());
        let first = world.connect().await;
        let second = world.refresh(&first.refresh).await.tokens();
        world.refresh(&first.refresh).await;
        (first, second)
    };
    let world = World::kept_in(file);
    for token in [first.refresh, second.refresh] {
        assert_eq!(
            world.refresh(&token).await.refusal(),
            (400, "invalid_grant".to_owned())
        );
    }
}

#[tokio::test]
async fn the_state_file_holds_digests_and_is_for_its_owner_alone() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("demo.json");
    let world = World::kept_in(file.clone());
    let tokens = world.connect().await;
    let code = world.code().await;

    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&digest(&tokens.access)) && text.contains(&digest(&code)));
    let (handle, secret) = tokens.refresh.split_once('.').unwrap();
    let handle = handle.strip_prefix("drt_").unwrap();
    for secret in [tokens.access.as_str(), code.as_str(), handle, secret] {
        assert!(!text.contains(secret));
    }
    let entries = fs::read_dir(&directory).unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["demo.json"], "no half-written file is left");
    #[cfg(unix)]
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_saved_does_not_happen() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("demo.json");
    let world = World::kept_in(file.clone());
    let tokens = world.connect().await;

    // A directory in the way of the new file can't be replaced by it.
    let obstacle = directory.path().join("demo.json.new");
    fs::create_dir(&obstacle).unwrap();
    assert_eq!(
        world.refresh(&tokens.refresh).await.refusal(),
        (500, "server_error".to_owned())
    );
    fs::remove_dir(&obstacle).unwrap();
    assert_eq!(
        world.refresh(&tokens.refresh).await.status,
        200,
        "the token was not used up"
    );
}

#[test]
fn a_state_file_that_cannot_be_understood_is_not_overwritten() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("demo.json");
    for (text, message) in [
        ("not json", "read the state file"),
        (
            r#"{"v":1,"ledger":{"codes":{"short":1}}}"#,
            "read the state file",
        ),
        (r#"{"v":2,"ledger":[]}"#, "read version 2 of the state file"),
    ] {
        fs::write(&file, text).unwrap();
        let started = World::start(|settings| settings.state_file = Some(file.clone()));
        let error = started.err().unwrap();
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}
