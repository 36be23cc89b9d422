//! Everything that is due, as one stream over all shards.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};

use crate::port::{DueInstance, DueInstances, PageAsk, SHARDS, StoreError, Window};

/// How many are read at once of a shard. So many of each shard are held in memory, and no more.
const PAGE: u16 = 100;

/// What has become due in a window: all shards take turns, and none waits for another. A shard that
/// can't be read ends with an error; the others go on.
pub(super) fn all<'a>(
    due: &'a dyn DueInstances,
    window: Window,
) -> impl Stream<Item = Result<DueInstance, StoreError>> + Send + 'a {
    stream::select_all((0..SHARDS).map(|number| shard(due, number, window).boxed()))
}

fn shard<'a>(
    due: &'a dyn DueInstances,
    shard: u8,
    window: Window,
) -> impl Stream<Item = Result<DueInstance, StoreError>> + Send + 'a {
    let first = PageAsk {
        after: None,
        limit: PAGE,
    };
    let pages = stream::try_unfold(Some(first), move |page| async move {
        let Some(page) = page else {
            return Ok(None);
        };
        let found = due.due(shard, window, &page).await?;
        let next = found.next.map(|after| PageAsk {
            after: Some(after),
            limit: PAGE,
        });
        Ok(Some((stream::iter(found.items).map(Ok), next)))
    });
    pages.try_flatten()
}
