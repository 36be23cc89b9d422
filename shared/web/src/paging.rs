//! Lists, a page at a time.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use latchkey_core::port::{Page, PageAsk};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{Problem, ProblemKind};

const MOST: u16 = 100;
const DEFAULT: u16 = 50;

/// Which page is asked for.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// How many items at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before; the first page without it.
    #[param(max_length = 200)]
    cursor: Option<String>,
}

/// A page that is asked for, checked.
#[derive(Debug, Clone)]
pub struct Paging(pub PageAsk);

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |detail| Problem::new(ProblemKind::Malformed).detail(detail);
        let Query(query) = Query::<PageQuery>::from_request_parts(parts, state)
            .await
            .map_err(|_| {
                malformed(
                    "the query has 'limit', a number from 1 to 100, and 'cursor', and nothing else",
                )
            })?;
        let limit = query.limit.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            return Err(malformed("'limit' is a number from 1 to 100"));
        }
        // Cursors are ids; anything else would be passed to the store as part of a key.
        let is_id = |text: &String| {
            text.len() <= 100
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if query
            .cursor
            .as_ref()
            .is_some_and(|cursor| cursor.is_empty() || !is_id(cursor))
        {
            return Err(malformed("'cursor' is not one of this list"));
        }
        Ok(Self(PageAsk {
            after: query.cursor,
            limit,
        }))
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct List<T> {
    /// The items, in the order in which they were made.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A page, with each item as callers see it.
    pub fn of<I>(page: Page<I>, view: impl FnMut(I) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(view).collect(),
            next: page.next,
        }
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    fn read(query: &str) -> Result<PageAsk, Problem> {
        let request = http::Request::get(format!("/v1/instances?{query}")).body(());
        let (mut parts, ()) = request.unwrap().into_parts();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let read = runtime.block_on(Paging::from_request_parts(&mut parts, &()));
        read.map(|Paging(ask)| ask)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_cursor_of_a_page_is_read_as_it_was_given(cursor in "[a-z]{3}_[a-z0-9]{26}", limit in 1..=100_u16) {
            let ask = read(&format!("cursor={cursor}&limit={limit}")).unwrap();
            prop_assert_eq!(ask, PageAsk { after: Some(cursor), limit });
        }

        #[test]
        fn nothing_but_an_id_gets_to_the_store(cursor in any::<String>(), bytes in any::<Vec<u8>>()) {
            let percent = |byte: &u8| format!("%{byte:02X}");
            for bytes in [cursor.as_bytes(), &bytes] {
                let written: String = bytes.iter().map(percent).collect();
                let is_id = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
                let good = (1..=100).contains(&bytes.len()) && bytes.iter().all(is_id);
                let asked = read(&format!("cursor={written}"));
                prop_assert_eq!(asked.is_ok(), good);
            }
        }
    }
}
