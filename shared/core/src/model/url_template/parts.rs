//! The parts of a URL template, as its text is read.

use super::{Part, UrlTemplateError};
use crate::model::template::Piece;

/// Collects pieces, moving from host to path to query as the literals say.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) host: Vec<Piece>,
    pub(super) port: String,
    pub(super) path: Vec<Piece>,
    pub(super) query: Vec<Piece>,
    pub(super) part: Option<Part>,
}

impl Parts {
    pub(super) fn push(&mut self, piece: Piece) {
        match self.part {
            None | Some(Part::Host) => self.host.push(piece),
            Some(Part::Path) => self.path.push(piece),
            Some(Part::Query) => self.query.push(piece),
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Piece::Literal(text.into()));
        }
    }

    pub(super) fn literal(&mut self, mut text: &str) -> Result<(), UrlTemplateError> {
        if text.contains('#') {
            return Err(UrlTemplateError::Fragment);
        }
        if self.part.is_none_or(|part| part == Part::Host) {
            let end = text.find(['/', '?', '\\']).unwrap_or(text.len());
            let (authority, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            self.authority(authority)?;
            if rest.is_empty() {
                return Ok(());
            }
            self.part = Some(Part::Path);
            text = rest;
        }
        if self.part == Some(Part::Path)
            && let Some(at) = text.find('?')
        {
            let (path, query) = text.split_at_checked(at).unwrap_or((text, ""));
            self.text(path);
            self.part = Some(Part::Query);
            text = query;
        }
        self.text(text);
        Ok(())
    }

    fn authority(&mut self, text: &str) -> Result<(), UrlTemplateError> {
        if text.contains('@') {
            return Err(UrlTemplateError::UserInformation);
        }
        if !self.port.is_empty() {
            return Err(UrlTemplateError::Host);
        }
        // An IPv6 literal has colons of its own; the port follows its bracket.
        let port_at = match text.rfind(']') {
            Some(bracket) => text
                .get(bracket..)
                .and_then(|rest| rest.find(':'))
                .map(|at| at + bracket),
            None => text.find(':'),
        };
        let (host, port) = port_at
            .and_then(|at| text.split_at_checked(at))
            .unwrap_or((text, ""));
        if port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_err())
        {
            return Err(UrlTemplateError::Host);
        }
        self.text(host);
        port.clone_into(&mut self.port);
        Ok(())
    }
}
