//! `latchkey preview`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use latchkey_aws::SystemClock;
use latchkey_core::{
    flow::preview::{Extraction, Preview as Previewed},
    model::fault::Fault,
    port::Clock as _,
};
use latchkey_import::from_yaml;
use latchkey_web::Problem;
use serde_json::{Map, Value};

use super::{CommandError, document::Document, source};
use crate::print;

/// Shows every request of a definition as it would be sent, without a provider and without a secret.
///
/// Ends with 1 if a request can't be made or the sample answer brings nothing, with 2 if a file can't be read.
#[derive(Debug, Args)]
pub struct Preview {
    /// A definition, a preset, or an auth method as the API takes or answers it, in YAML or JSON; `-` for the
    /// standard input.
    file: PathBuf,

    /// Values of variables by key, in YAML or JSON. Where there is none, one is made up; secrets are never shown.
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,

    /// Parameters of a callback by name, in YAML or JSON.
    #[arg(long, value_name = "FILE")]
    callback: Option<PathBuf>,

    /// The body of an answer to the token request, as the provider sends it.
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,

    /// How requests are printed.
    #[arg(long, default_value = "http", value_name = "FORMAT")]
    format: Format,

    /// Where the provider sends people back to.
    #[arg(
        long,
        default_value = "http://127.0.0.1:8787/oauth/authenticate",
        value_name = "URL"
    )]
    callback_url: url::Url,
}

/// How requests are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As HTTP/1.1.
    Http,
    /// As commands of a shell.
    Curl,
    /// Everything, as the API answers it.
    Json,
}

impl Preview {
    pub(super) fn run(&self) -> Result<ExitCode, CommandError> {
        let document = Document::read(&source::read(&self.file)?);
        let document = document.map_err(|why| CommandError::content(&self.file, why))?;
        let mut values = document.values();
        values.extend(
            self.values
                .as_deref()
                .map(map)
                .transpose()?
                .unwrap_or_default(),
        );
        let callback = self.callback.as_deref().map(map).transpose()?;
        let response = self.response.as_deref().map(source::read).transpose()?;
        let callback = callback.unwrap_or_default();
        let body = document.preview(&values, &callback, response.as_deref());
        let body = match body {
            Ok(body) => body,
            Err(problem) => return Ok(self.refused(&document, &problem)),
        };
        let url = self.callback_url.as_str();
        let preview = match body.preview(&document.connector, url, SystemClock.now()) {
            Ok(preview) => preview,
            Err(faults) => return Ok(self.refused(&document, &Problem::invalid(faults))),
        };
        self.print(&preview)?;
        let failed = preview
            .requests
            .iter()
            .any(|request| request.error.is_some())
            || preview
                .response
                .is_some_and(|response| response.error.is_some());
        Ok(ExitCode::from(u8::from(failed)))
    }

    fn refused(&self, document: &Document, problem: &Problem) -> ExitCode {
        let file = self.file.display();
        if problem.faults().is_empty() {
            print::warn(&format!("latchkey: {file}: {}", problem.words()));
        }
        for Fault {
            pointer,
            code,
            detail,
        } in problem.faults()
        {
            let pointer = document.pointer(pointer);
            print::warn(&format!("{file}:{pointer}: error[{code}]: {detail}"));
        }
        ExitCode::FAILURE
    }

    fn print(&self, preview: &Previewed) -> Result<(), CommandError> {
        if self.format == Format::Json {
            let text = serde_json::to_string_pretty(preview)
                .map_err(|error| CommandError::content(&self.file, error.to_string()))?;
            return Ok(print::out(&text)?);
        }
        for rendered in &preview.requests {
            print::out(&format!("### {}", rendered.name))?;
            let text = match (&rendered.request, self.format) {
                (Some(request), Format::Curl) => &request.curl,
                (Some(request), Format::Http | Format::Json) => &request.http,
                (None, _) => rendered.error.as_ref().unwrap_or(&rendered.name),
            };
            print::out(&format!("{}\n", text.trim_end()))?;
        }
        for assumed in &preview.assumed {
            let what = if assumed.secret {
                "stands in for"
            } else {
                "is made up for"
            };
            print::out(&format!("# {} {what} {}", assumed.value, assumed.variable))?;
        }
        Ok(preview.response.as_ref().map_or(Ok(()), brings)?)
    }
}

/// Prints what a sample answer brings.
fn brings(extraction: &Extraction) -> std::io::Result<()> {
    print::out("\n### answer")?;
    if let Some(error) = &extraction.error {
        print::out(&format!("it brings nothing: {error}"))?;
    }
    for found in &extraction.found {
        print::out(&format!(
            "{}: {} (at {})",
            found.what, found.value, found.from
        ))?;
    }
    for missing in &extraction.missing {
        print::out(&format!("no {}: {}", missing.what, missing.why))?;
    }
    Ok(())
}

/// Reads a map of texts; numbers and truth values count as texts.
fn map(path: &Path) -> Result<Map<String, Value>, CommandError> {
    let document = from_yaml(&source::read(path)?);
    let Value::Object(members) =
        document.map_err(|error| CommandError::content(path, error.to_string()))?
    else {
        return Err(CommandError::content(
            path,
            "it must be a map of keys and values",
        ));
    };
    let text = |value: Value| match value {
        Value::Number(_) | Value::Bool(_) => Value::String(value.to_string()),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => value,
    };
    Ok(members
        .into_iter()
        .map(|(key, value)| (key, text(value)))
        .collect())
}
