//! Secrets Manager in this process, as much of it as the port asks for.
//!
//! # Why
//! A process that is killed at each of its steps is started thousands of times, each time over what
//! another has left. Emulators that others wrote can't be put back to what they held before, can't
//! tell when a step is taken, and take longer than all the rest. That this one does the same is what
//! the contract of the port tells, which is asked of all of them.
//!
//! # How it works
//! It is as hard as Secrets Manager may be: a version that loses its last label is gone at once.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Incoming};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::connection::serve;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// When a step is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is asked for; nothing is done yet.
    Asked,
    /// It is done; nothing is answered yet.
    Done,
}

/// Sees every step, by the name of its operation. If it says `false`, nothing more is done of it and
/// the connection ends.
pub type Watch = Arc<dyn Fn(&str, Moment) -> bool + Send + Sync>;

/// Everything that is kept.
#[derive(Debug, Clone, Default)]
pub struct Contents(BTreeMap<String, Kept>);

#[derive(Debug, Clone, Default)]
struct Kept {
    versions: BTreeMap<String, String>,
    /// Where each label is.
    labels: BTreeMap<String, String>,
    is_deleted: bool,
}

/// A Secrets Manager that runs; it ends with this value.
pub struct Secrets {
    /// Where it is reached. It takes any credentials.
    pub url: String,
    contents: Arc<Mutex<Contents>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("url", &self.url).finish()
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Secrets {
    /// Starts one with nothing in it, which lives as long as the runtime that it is started in.
    pub async fn start(watch: Watch) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let contents = Arc::<Mutex<Contents>>::default();
        let shared = Arc::clone(&contents);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (contents, watch) = (Arc::clone(&shared), Arc::clone(&watch));
                tokio::spawn(async move {
                    serve(stream, |request| answer(&contents, &watch, request)).await;
                });
            }
        });
        Self {
            url: format!("http://{address}"),
            contents,
            task,
        }
    }

    /// What it holds now.
    #[must_use]
    pub fn contents(&self) -> Contents {
        lock(&self.contents).clone()
    }

    /// Puts what it held in the place of what it holds.
    pub fn restore(&self, contents: Contents) {
        *lock(&self.contents) = contents;
    }
}

impl Contents {
    /// Whether a secret of this name, below some prefix, is left that is not going to be deleted.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut kept = self.0.iter();
        kept.any(|(key, kept)| key.ends_with(name) && !kept.is_deleted)
    }
}

fn lock(contents: &Mutex<Contents>) -> MutexGuard<'_, Contents> {
    contents.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    contents: &Mutex<Contents>,
    watch: &Watch,
    request: Request<Incoming>,
) -> Option<Response<Full<Bytes>>> {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    let operation = target.rsplit('.').next()?.to_owned();
    let body = request.into_body().collect().await.ok()?.to_bytes();
    let asked: Value = serde_json::from_slice(&body).ok()?;
    if !watch(&operation, Moment::Asked) {
        return None;
    }
    let answered = lock(contents).answer(&operation, &asked);
    if !watch(&operation, Moment::Done) {
        return None;
    }
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(kind) => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": kind, "message": kind }),
        ),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1")
        .body(Full::new(body.to_string().into()))
        .ok()
}

const NOT_FOUND: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceExistsException";
const BAD_REQUEST: &str = "InvalidRequestException";
const BAD_PARAMETER: &str = "InvalidParameterException";

impl Contents {
    /// Does what is asked for, or says which exception it is.
    fn answer(&mut self, operation: &str, asked: &Value) -> Result<Value, &'static str> {
        let text = |key: &str| asked[key].as_str().map(str::to_owned);
        let version = text("ClientRequestToken").unwrap_or_default();
        let value = text("SecretString").unwrap_or_default();
        if operation == "CreateSecret" {
            let name = text("Name").ok_or(BAD_PARAMETER)?;
            match self.0.get(&name) {
                Some(kept) if kept.is_deleted => return Err(BAD_REQUEST),
                Some(kept) if kept.versions.get(&version) != Some(&value) => return Err(EXISTS),
                Some(_) => {}
                None => {
                    let kept = self.0.entry(name.clone()).or_default();
                    kept.versions.insert(version.clone(), value);
                    kept.labels.insert(CURRENT.to_owned(), version.clone());
                }
            }
            return Ok(json!({ "ARN": name, "Name": name, "VersionId": version }));
        }
        let name = text("SecretId").ok_or(BAD_PARAMETER)?;
        let kept = self.0.get_mut(&name).ok_or(NOT_FOUND)?;
        let done = json!({ "ARN": name, "Name": name });
        match operation {
            "DescribeSecret" => return Ok(kept.described(&name)),
            "RestoreSecret" => {
                kept.is_deleted = false;
                return Ok(done);
            }
            _ if kept.is_deleted => return Err(BAD_REQUEST),
            _ => {}
        }
        match operation {
            "DeleteSecret" => kept.is_deleted = true,
            "PutSecretValue" => {
                let label = asked["VersionStages"][0].as_str().unwrap_or(CURRENT);
                kept.put(&version, value, label)?;
            }
            "UpdateSecretVersionStage" => {
                let label = text("VersionStage").ok_or(BAD_PARAMETER)?;
                let to = text("MoveToVersionId").ok_or(BAD_PARAMETER)?;
                kept.moved(&label, &to, text("RemoveFromVersionId").as_deref())?;
            }
            "GetSecretValue" => {
                let version = match text("VersionId") {
                    Some(version) => version,
                    None => kept.labels.get(CURRENT).cloned().ok_or(NOT_FOUND)?,
                };
                let value = kept.versions.get(&version).ok_or(NOT_FOUND)?;
                return Ok(json!({ "Name": name, "VersionId": version, "SecretString": value }));
            }
            _ => return Err(BAD_PARAMETER),
        }
        Ok(done)
    }
}

impl Kept {
    fn put(&mut self, version: &str, value: String, label: &str) -> Result<(), &'static str> {
        match self.versions.get(version) {
            Some(there) if *there != value => return Err(EXISTS),
            Some(_) => return Ok(()),
            None => {}
        }
        self.versions.insert(version.to_owned(), value);
        self.label(label, version);
        Ok(())
    }

    fn moved(&mut self, label: &str, to: &str, from: Option<&str>) -> Result<(), &'static str> {
        if !self.versions.contains_key(to) {
            return Err(NOT_FOUND);
        }
        match self.labels.get(label).map(String::as_str) {
            Some(there) if there != to && from != Some(there) => Err(BAD_PARAMETER),
            Some(_) | None => {
                self.label(label, to);
                Ok(())
            }
        }
    }

    fn label(&mut self, label: &str, version: &str) {
        let before = self.labels.insert(label.to_owned(), version.to_owned());
        if let Some(before) = before.filter(|before| label == CURRENT && before != version) {
            self.labels.insert(PREVIOUS.to_owned(), before);
        }
        let labels = &self.labels;
        self.versions
            .retain(|version, _| labels.values().any(|labelled| labelled == version));
    }

    fn described(&self, name: &str) -> Value {
        let mut labels = BTreeMap::<&str, Vec<&str>>::new();
        for (label, version) in &self.labels {
            labels.entry(version).or_default().push(label);
        }
        let mut described = json!({ "ARN": name, "Name": name, "VersionIdsToStages": labels });
        if self.is_deleted {
            described["DeletedDate"] = json!(1_700_000_000);
        }
        described
    }
}
