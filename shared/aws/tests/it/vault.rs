use std::sync::Arc;

use latchkey_aws::{Keyring, OsEntropy, SealedVault};
use latchkey_core::{
    model::{
        Secret,
        sealed::{Place, PlaceKind, Sealed},
    },
    port::{Seal as _, Vault as _, VaultError},
};

use crate::world::tenant;

pub(crate) fn place() -> Place {
    Place {
        tenant: tenant(),
        kind: PlaceKind::Tokens,
        id: "ins_1".to_owned(),
        version: 4,
    }
}

fn vault(keyring: &Keyring) -> SealedVault {
    SealedVault::new(keyring.clone(), Arc::new(OsEntropy))
}

fn value() -> Secret<Vec<u8>> {
    Secret::new(b"m4rker token ?&+%:/=".to_vec())
}

#[tokio::test]
async fn a_sealed_value_opens_at_its_place() {
    let vault = vault(&Keyring::generate(&OsEntropy));
    vault.warm().await.unwrap();
    for bytes in [value(), Secret::new(Vec::new())] {
        let sealed = vault.seal(&place(), &bytes).unwrap();
        let opened = vault.open(&place(), &sealed).await.unwrap();
        assert_eq!(opened.expose(), bytes.expose());
    }
}

#[tokio::test]
async fn a_sealed_value_opens_nowhere_else() {
    let vault = vault(&Keyring::generate(&OsEntropy));
    let sealed = vault.seal(&place(), &value()).unwrap();
    let elsewhere = [
        Place {
            tenant: "other".parse().unwrap(),
            ..place()
        },
        Place {
            kind: PlaceKind::Method,
            ..place()
        },
        Place {
            id: "ins_2".to_owned(),
            ..place()
        },
        Place {
            version: 5,
            ..place()
        },
    ];
    for place in elsewhere {
        let error = vault.open(&place, &sealed).await.unwrap_err();
        assert_eq!(error, VaultError::Refused, "{place:?}");
    }
}

#[tokio::test]
async fn a_damaged_value_does_not_open() {
    let vault = vault(&Keyring::generate(&OsEntropy));
    let sealed = vault.seal(&place(), &value()).unwrap();
    for bit in 0..sealed.as_bytes().len() * 8 {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let opened = vault.open(&place(), &Sealed::new(bytes)).await;
        assert!(opened.is_err(), "bit {bit}");
    }
    for length in 0..sealed.as_bytes().len() {
        let cut = Sealed::new(sealed.as_bytes()[..length].to_vec());
        assert!(vault.open(&place(), &cut).await.is_err(), "{length} bytes");
    }
}

#[tokio::test]
async fn old_keys_open_until_they_are_gone() {
    let first = Keyring::generate(&OsEntropy);
    let sealed = vault(&first).seal(&place(), &value()).unwrap();
    let rotated = vault(&first.clone().rotated(&OsEntropy));
    let opened = rotated.open(&place(), &sealed).await.unwrap();
    assert_eq!(opened.expose(), value().expose());
    let newer = rotated.seal(&place(), &value()).unwrap();
    let error = vault(&first).open(&place(), &newer).await.unwrap_err();
    assert_eq!(error, VaultError::UnknownKey);
    // A key of the same name is not the same key.
    let stranger = vault(&Keyring::generate(&OsEntropy));
    let error = stranger.open(&place(), &sealed).await.unwrap_err();
    assert_eq!(error, VaultError::Refused);
}

#[test]
fn no_value_is_sealed_alike_twice_or_shows() {
    let vault = vault(&Keyring::generate(&OsEntropy));
    let first = vault.seal(&place(), &value()).unwrap();
    let second = vault.seal(&place(), &value()).unwrap();
    assert_ne!(first, second);
    assert!(!first.as_bytes().windows(6).any(|part| part == b"m4rker"));
    assert_eq!(format!("{vault:?}"), "SealedVault(..)");
}
