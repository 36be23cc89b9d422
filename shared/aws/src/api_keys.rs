//! API keys in DynamoDB, found by their digest, and listed by whom they are bound to.

use async_trait::async_trait;
use jiff::Timestamp;
use latchkey_core::{
    model::{
        api_key::{ApiKey, Scope},
        authorisation::Digest,
        id::{KeyId, TenantId},
    },
    port::{ApiKeys, EditApiKeys, Page, PageAsk, StoreError},
};

use crate::{
    expression::Expression,
    item::{Item, Reader, item, item_if, number, text, texts, time},
    table::{List, Table},
    tables::OWNER,
    write::Written,
};

/// API keys in DynamoDB.
#[derive(Clone)]
pub struct DynamoApiKeys(pub(crate) Table);

impl std::fmt::Debug for DynamoApiKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DynamoApiKeys")
    }
}

#[async_trait]
impl ApiKeys for DynamoApiKeys {
    async fn find(&self, digest: &Digest) -> Result<Option<ApiKey>, StoreError> {
        let found = self.0.get(item_key(digest)).await?;
        found.map(|item| read(Reader(&item))).transpose()
    }
}

#[async_trait]
impl EditApiKeys for DynamoApiKeys {
    async fn put(&self, key: &ApiKey) -> Result<(), StoreError> {
        let scopes: Vec<_> = key.scopes.iter().map(Scope::to_string).collect();
        let item = item_if([
            ("digest", Some(text(key.digest.as_str()))),
            ("v", Some(number(1))),
            ("id", Some(text(key.id.as_str()))),
            ("owner", Some(text(owner(key.tenant.as_ref())))),
            ("name", Some(text(&key.name))),
            ("scopes", Some(texts(&scopes))),
            ("created_at", Some(time(key.created_at))),
            ("expires_at", key.expires_at.map(time)),
            ("revoked_at", key.revoked_at.map(time)),
        ]);
        match self.0.put(item, &Expression::new()).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn list(
        &self,
        tenant: Option<&TenantId>,
        page: &PageAsk,
    ) -> Result<Page<ApiKey>, StoreError> {
        let rows = self.0.page(&keys_of(tenant), page).await?;
        let items = rows.items.iter().map(|item| read(Reader(item)));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: rows.next,
        })
    }

    async fn revoke(
        &self,
        tenant: Option<&TenantId>,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(digest) = self.digest(tenant, id).await? else {
            return Ok(false);
        };
        let expression = Expression::new()
            .when("#owner = :owner AND #id = :id")
            .value("owner", text(owner(tenant)))
            .value("id", text(id.as_str()))
            .value("now", time(now))
            .set_to("revoked_at", "if_not_exists(#revoked_at, :now)");
        Ok(match self.0.update(item_key(&digest), &expression).await? {
            Written::Done(_) => true,
            Written::Refused(_) => false,
        })
    }
}

impl DynamoApiKeys {
    /// The digest of the key with this id, by the index: a moment after it was made it may not show.
    async fn digest(
        &self,
        tenant: Option<&TenantId>,
        id: &KeyId,
    ) -> Result<Option<Digest>, StoreError> {
        let found = self.0.exact(&keys_of(tenant), text(id.as_str())).await?;
        found.map(|item| read_digest(Reader(&item))).transpose()
    }
}

fn item_key(digest: &Digest) -> Item {
    item([("digest", text(digest.as_str()))])
}

/// Whom a key is bound to. No tenant's name has a star.
fn owner(tenant: Option<&TenantId>) -> &str {
    tenant.map_or("*operator", TenantId::as_str)
}

fn keys_of(tenant: Option<&TenantId>) -> List<'static> {
    List {
        index: Some(OWNER),
        hash: ("owner", text(owner(tenant))),
        range: "id",
    }
}

fn read(item: Reader<'_>) -> Result<ApiKey, StoreError> {
    let item = item.format_1()?;
    let tenant = match item.text("owner")? {
        operator if operator == owner(None) => None,
        _ => Some(item.parsed("owner")?),
    };
    let scopes = item.texts("scopes")?;
    let scopes = scopes.iter().map(|scope| {
        let mut all = Scope::ALL.into_iter();
        all.find(|known| known.as_str() == scope)
            .ok_or(StoreError::Corrupt("scopes"))
    });
    Ok(ApiKey {
        id: item.parsed("id")?,
        digest: read_digest(item)?,
        tenant,
        name: item.text("name")?.to_owned(),
        scopes: scopes.collect::<Result<_, _>>()?,
        created_at: item.time("created_at")?,
        expires_at: item.time_if("expires_at")?,
        revoked_at: item.time_if("revoked_at")?,
    })
}

fn read_digest(item: Reader<'_>) -> Result<Digest, StoreError> {
    Digest::parse(item.text("digest")?).ok_or(StoreError::Corrupt("digest"))
}
