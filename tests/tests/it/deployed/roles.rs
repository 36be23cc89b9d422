//! Each role allows what its function was seen to ask for, and no more.

use std::{path::Path, process::Stdio};

use latchkey_emulators::{ministack, tools};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// What no function asks for itself though its role must allow it: why, who, and which action.
/// A line that is not needed fails as well.
const NOT_ASKED_FOR: &[(&str, &str, &str)] = &[
    // The emulator writes functions' lines itself, where Lambda does it in the function's name.
    ("lines are written for it", "*", "logs:CreateLogStream"),
    ("lines are written for it", "*", "logs:PutLogEvents"),
    // The emulator polls the queue itself, where Lambda does it in the function's name.
    (
        "messages are taken for it",
        "refresher",
        "sqs:ReceiveMessage",
    ),
    (
        "messages are taken for it",
        "refresher",
        "sqs:DeleteMessage",
    ),
    (
        "messages are taken for it",
        "refresher",
        "sqs:GetQueueAttributes",
    ),
];

/// Each role of a stack allows what its function has asked for, and no more.
pub(super) async fn hold_roles(stack: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut judge = Command::new(tools("ministack").join("bin/python"))
        .arg(root.join("tests/emulators/roles.py"))
        .args([ministack(), stack])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = NOT_ASKED_FOR
        .iter()
        .map(|(_, function, action)| format!("{function} {action}\n"))
        .collect();
    let mut input = judge.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).await.unwrap();
    drop(input);
    let output = judge.wait_with_output().await.unwrap();
    assert!(output.status.success());
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(found.is_empty(), "{stack}:\n{found}");
}
