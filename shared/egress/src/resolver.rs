//! Names to addresses, with the address rules in between.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{destination::Reach, settings::Loopback};

/// The resolver that the client is given: what it yields is connected to, and nothing else.
///
/// # Security
/// One forbidden address among a name's answers refuses the name. To use the others would be to
/// play along with whoever mixed them: a public address for the check and a private one for the
/// moment when the public one does not answer is how rebinding works, and no provider has both.
pub(crate) struct GuardedResolver {
    pub(crate) loopback: Loopback,
    pub(crate) lookup: Arc<dyn Lookup>,
}

/// Asks for the addresses of a name.
#[async_trait]
pub(crate) trait Lookup: Send + Sync {
    /// All addresses of `name`.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
pub(crate) struct SystemLookup;

/// Why a name has no addresses to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unresolved {
    /// The name does not exist, has no address, or nobody could say.
    #[error("the name did not resolve")]
    NotFound,
    /// At least one of its addresses is forbidden.
    #[error("the name leads to a forbidden address")]
    Forbidden,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let loopback = self.loopback;
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let addresses = match Reach::of_name(name.as_str()) {
                Reach::Public => public(&*lookup, name.as_str()).await?,
                Reach::Loopback => own(loopback)?,
            };
            // Port 0 stands for the port of the URL.
            let sockets = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

async fn public(lookup: &dyn Lookup, name: &str) -> Result<Vec<IpAddr>, Unresolved> {
    let addresses = lookup
        .lookup(name)
        .await
        .map_err(|_| Unresolved::NotFound)?;
    if addresses.is_empty() {
        return Err(Unresolved::NotFound);
    }
    if !addresses.iter().all(|ip| Reach::Public.admits(*ip)) {
        return Err(Unresolved::Forbidden);
    }
    Ok(addresses)
}

/// `localhost` is never asked for: it is what it is, whatever a name server says (RFC 6761 §6.3).
fn own(loopback: Loopback) -> Result<Vec<IpAddr>, Unresolved> {
    match loopback {
        Loopback::Refused => Err(Unresolved::Forbidden),
        Loopback::Allowed => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
    }
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let sockets = tokio::net::lookup_host((name, 0)).await?;
        Ok(sockets.map(|socket| socket.ip()).collect())
    }
}
