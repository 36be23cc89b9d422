//! The stream of events, as a platform listens to it.

use std::time::Duration;

use serde_json::Value;

/// A stream that is listened to.
#[derive(Debug)]
pub struct EventStream {
    answer: reqwest::Response,
    text: String,
}

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The id that the stream gives it.
    pub id: String,
    /// The type that the stream gives it.
    pub kind: String,
    /// The event itself.
    pub event: Value,
}

impl EventStream {
    /// The stream in an answer that must be one.
    #[must_use]
    pub fn of(answer: reqwest::Response) -> Self {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            text: String::new(),
        }
    }

    /// The next event.
    pub async fn next(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(60), self.read())
            .await
            .expect("an event in a minute")
    }

    /// The events up to the first of this type, with that one.
    pub async fn until(&mut self, kind: &str) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            let next = self.next().await;
            let is_last = next.kind == kind;
            told.push(next);
            if is_last {
                return told;
            }
        }
    }

    async fn read(&mut self) -> Told {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let told = parse(block);
                self.text = rest.to_owned();
                match told {
                    Some(told) => return told,
                    // A comment, which keeps the connection alive.
                    None => continue,
                }
            }
            let chunk = self.answer.chunk().await.expect("the stream goes on");
            let chunk = chunk.expect("the stream does not end");
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("a text"));
        }
    }
}

fn parse(block: &str) -> Option<Told> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    };
    let told = Told {
        id: field("id")?,
        kind: field("event")?,
        event: serde_json::from_str(&field("data")?).expect("JSON"),
    };
    assert_eq!(told.event["id"], told.id.as_str());
    assert_eq!(told.event["type"], told.kind.as_str());
    assert_eq!(told.event["v"], 1);
    Some(told)
}
