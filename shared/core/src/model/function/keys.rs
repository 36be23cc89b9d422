//! Published keys, and keys that can't be used, for tests. None of them guards anything.

use base64::{Engine, engine::general_purpose::STANDARD};

pub(super) use super::published::{EC, RSA};

/// The modulus of the key of RFC 7515 Appendix A.2.
pub(super) const RSA_MODULUS: &str = "\
ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B\
m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5\
z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7\
aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

/// The `x` and `y` of the key of RFC 7515 Appendix A.3.
pub(super) const EC_POINT: [&str; 2] = [
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
];

/// The same key without its public half.
pub(super) const EC_WITHOUT_PUBLIC: &str = "\
-----BEGIN PRIVATE KEY-----
MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCOmxCecZCYv5gEh98fXXfpyylgbr7SJjtfV8IT34T0sg==
-----END PRIVATE KEY-----";

/// An EC key on another curve, P-384.
pub(super) const P384: &str = "\
-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDkfAQ84FnNo9mPrsHX
Qjqly0ew519WzPf/m5IzCBBAdfWyJeh0hGJuV7KfvoQqK1KhZANiAASOwg06onPF
u5ppy7laHlfUGRPyRojmGNcHzSMGngBwmqROtBmYPxpKTch6XpxX44VH+jM7joZt
jbNsDZJugRW9U25L8Ue/hC9GUDmHmmksaCu3u6mRJRKtlGR4b2dasAk=
-----END PRIVATE KEY-----";

/// An Ed25519 key.
pub(super) const ED25519: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEXWNgC+kqSjBJES4oAnEpH880DPMqVv+E1orbM0Gx9o
-----END PRIVATE KEY-----";

/// An RSA key of 1024 bits.
pub(super) const RSA_1024: &str = "\
-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBANUebMbHeFzoZ0vo
qr6WXqGo0+SNFhTcjSjbTUYgwM0VFr77jzmzgKe0c86DHctof1s8fp4euRhl/hpk
jH65muwYP16spUsZdyt7enQzgTL4T8jxNfIqIuQaTsQPsQKzRalDvJa0fY+1hEQQ
qaYr1BCxvIUk2aMx+wfKHN69qrLRAgMBAAECgYB0wkt0CBpwRD87fkf1TKqhxL36
DDXZzg9kH+nRDuayNOiWT3njce19c8aykHEFXMXRdW4lMM3ViSNS0F2MnCE8UYp7
+wuhbycGfaM1mHIx8Fob2OPsfk3mByKISY7uF5l3tbDnD9pt3OrJqFSGNG6tyUIk
kGaSDZTc2VRZSk6d8QJBAPiAbW+8SN8l5KEZU5MltPMmM7P8WxF8ZcrHVkLyUwOq
ddLjzFVjwsoKjCZspIP5h+sjfAjZs3iEAwgVWaeHWw0CQQDbjK4FNPQInl46M1vZ
muVdUtl8oDra1MOmIdpcAULJbUZeoCF476Z+guP6IwHG9lxe/HiGXO+aKHNrjmRr
a3XVAkA+VzGdG1YIrR/rDkh6HLaFXSsRVxidjWCX+2P3jYUn4UaHrmAfd9RxDS5V
oWGwPhRL9+3w5nRwomWETJ7eOUWtAkEAwy9WppplOiRRcTyns9XZhBZb9EgfCt2M
8u21y4XzclAL96Q1HecxBdgoBgGJWvE7PdcG760/9rVvp3d4H2fx4QJALBiHr55t
R20FEbAuKMsz+NMrZp3nv/0yFpHtr/WepGybbBoGv65B5WOjMdmQ4YpjnRh4QRmX
OkeA2cIeqho0yQ==
-----END PRIVATE KEY-----";

/// [`RSA`] as PKCS#1, which is what its PKCS#8 has after 26 bytes.
pub(super) fn pkcs1() -> String {
    let digits: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(digits).unwrap();
    let body = STANDARD.encode(&der[26..]);
    format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n")
}
