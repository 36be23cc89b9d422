//! Connect sessions in DynamoDB, in the table of authorisations.

use async_trait::async_trait;
use latchkey_core::{
    model::{
        authorisation::{ConnectSession, Digest},
        id::InstanceKey,
    },
    port::{Sessions, StoreError},
};

use crate::{
    authorisations::clean_up_at,
    expression::Expression,
    item::{Reader, item, item_if, number, text, time},
    table::Table,
    tables::EXPIRES,
    write::Written,
};

/// Connect sessions in DynamoDB.
#[derive(Clone)]
pub struct DynamoSessions(pub(crate) Table);

impl std::fmt::Debug for DynamoSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoSessions")
    }
}

#[async_trait]
impl Sessions for DynamoSessions {
    async fn put(&self, session: &ConnectSession) -> Result<(), StoreError> {
        let item = item_if([
            ("id", Some(text(id(&session.token)))),
            ("v", Some(number(1))),
            ("tenant", Some(text(session.instance.tenant.as_str()))),
            ("instance", Some(text(session.instance.id.as_str()))),
            (
                "return_url",
                session.return_url.as_ref().map(|url| text(url.as_str())),
            ),
            ("expires_at", Some(time(session.expires_at))),
            (EXPIRES, Some(clean_up_at(session.expires_at))),
        ]);
        match self.0.put(item, &Expression::new()).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn find(&self, token: &Digest) -> Result<Option<ConnectSession>, StoreError> {
        let found = self.0.get(item([("id", text(id(token)))])).await?;
        found.map(|item| read(token, Reader(&item))).transpose()
    }
}

fn id(token: &Digest) -> String {
    format!("session#{}", token.as_str())
}

fn read(token: &Digest, item: Reader<'_>) -> Result<ConnectSession, StoreError> {
    let item = item.format_1()?;
    Ok(ConnectSession {
        token: token.clone(),
        instance: InstanceKey {
            tenant: item.parsed("tenant")?,
            id: item.parsed("instance")?,
        },
        return_url: item.parsed_if("return_url")?,
        expires_at: item.time("expires_at")?,
    })
}
