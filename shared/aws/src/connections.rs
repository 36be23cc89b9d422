//! The connections to AWS, which the clients of all services share.
//!
//! # Why
//! The SDK makes a TLS connector for each client that it makes, and throws it away: it decodes certificates for the
//! client's validation alone. Here one is made, at the first request, for whichever client asks first.

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{HttpClient as _, SharedHttpClient, http_client_fn};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// The roots that AWS's endpoints chain to (<https://www.amazontrust.com/repository/>).
const ROOTS: &str = include_str!("amazon_trust_services.pem");

/// The connections of a process to AWS: TLS by *ring*, or plain HTTP to an emulator.
///
/// Clones share them. Nothing is opened, nor a certificate decoded, before the first request.
#[derive(Debug, Clone)]
pub struct Connections(SharedHttpClient);

/// What is wrong with a file of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no file of certificates in PEM")]
pub struct NoCertificates;

impl Connections {
    /// Connections to whoever shows a certificate under these, in PEM, and to nobody else.
    ///
    /// # Errors
    /// [`NoCertificates`] if they can't be read.
    pub fn trusting(pem: Vec<u8>) -> Result<Self, NoCertificates> {
        // The SDK would panic when it first connects.
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| NoCertificates)?;
            roots.add(certificate).map_err(|_| NoCertificates)?;
        }
        if roots.is_empty() {
            return Err(NoCertificates);
        }
        Ok(Self::with_roots(pem))
    }

    fn with_roots(pem: Vec<u8>) -> Self {
        let trust = TrustStore::empty().with_pem_certificate(pem);
        #[expect(
            clippy::expect_used,
            reason = "it reads nothing yet; what it will read is read above, or by a test"
        )]
        let context = TlsContext::builder()
            .with_trust_store(trust)
            .build()
            .expect("a context of certificates alone");
        let client = Builder::new()
            .tls_provider(Provider::rustls(CryptoMode::Ring))
            .tls_context(context)
            .build_https();
        // A function has no validation, which is where the SDK makes a connector for nothing.
        Self(http_client_fn(move |settings, components| {
            client.http_connector(settings, components)
        }))
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        self.0.clone()
    }
}

/// Connections to AWS, whose roots alone are trusted.
impl Default for Connections {
    fn default() -> Self {
        Self::with_roots(ROOTS.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_roots_are_five_certificates_that_can_be_read() {
        assert_eq!(ROOTS.matches("BEGIN CERTIFICATE").count(), 5);
        assert!(Connections::trusting(ROOTS.into()).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_refused_before_anything_is_sent() {
        let broken = ROOTS.replace("MII", "MIJ");
        for text in ["", "none", broken.as_str()] {
            let refused = Connections::trusting(text.into()).map(drop);
            assert_eq!(refused, Err(NoCertificates), "{text:.20}");
        }
    }
}
