use std::time::Duration;

use jiff::Timestamp;

use super::{
    ACCESS_TOKENS_PER_GRANT, CODES, Consent, FreshTokens, GRANTS, Ledger, REFRESH_TOKEN_IDLE,
    Redemption, Rotation, after,
};
use crate::{
    scope::Scopes,
    token_text::{Digest, RefreshToken, Token},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

#[test]
fn pending_codes_are_bounded() {
    let mut ledger = Ledger::default();
    for second in 0..2 * CODES as u64 {
        let now = after(NOW, Duration::from_secs(second));
        ledger.issue(&Token::mint("").unwrap(), consent(), now);
    }
    assert_eq!(ledger.codes.len(), CODES);
}

#[test]
fn grants_are_bounded_and_the_least_recently_used_goes_first() {
    let mut ledger = Ledger::default();
    let first = connect(&mut ledger, NOW);
    for second in 1..=GRANTS as u64 {
        connect(&mut ledger, after(NOW, Duration::from_secs(second)));
    }
    assert_eq!(ledger.grants.len(), GRANTS);
    assert!(!ledger.grants.contains_key(&first.family()));
}

#[test]
fn access_tokens_of_a_grant_are_bounded() {
    let mut ledger = Ledger::default();
    let mut newest = connect(&mut ledger, NOW);
    for _ in 0..2 * ACCESS_TOKENS_PER_GRANT {
        newest = refresh(&mut ledger, newest, NOW);
    }
    let grant = ledger.grants.get(&newest.family()).unwrap();
    assert_eq!(grant.access_tokens.len(), ACCESS_TOKENS_PER_GRANT);
}

#[test]
fn a_sweep_drops_what_has_expired_and_nothing_else() {
    let mut ledger = Ledger::default();
    ledger.issue(&Token::mint("").unwrap(), consent(), NOW);
    connect(&mut ledger, NOW);
    let tokens = |ledger: &Ledger| {
        ledger
            .grants
            .values()
            .map(|grant| grant.access_tokens.len())
            .sum()
    };
    let sizes = |ledger: &Ledger| (ledger.codes.len(), ledger.grants.len(), tokens(ledger));

    ledger.sweep(NOW);
    assert_eq!(sizes(&ledger), (1, 1, 1_usize));
    ledger.sweep(after(NOW, Duration::from_secs(60)));
    assert_eq!(sizes(&ledger), (0, 1, 0));
    ledger.sweep(after(NOW, REFRESH_TOKEN_IDLE));
    assert_eq!(sizes(&ledger), (0, 0, 0));
}

#[test]
fn a_grant_that_is_used_does_not_expire() {
    let mut ledger = Ledger::default();
    let first = connect(&mut ledger, NOW);
    let later = after(NOW, REFRESH_TOKEN_IDLE - Duration::from_secs(1));
    refresh(&mut ledger, first, later);
    ledger.sweep(after(NOW, REFRESH_TOKEN_IDLE));
    assert_eq!(ledger.grants.len(), 1);
}

#[test]
fn a_ledger_reads_back_as_it_is_written() {
    let mut ledger = Ledger::default();
    ledger.issue(&Token::mint("").unwrap(), consent(), NOW);
    connect(&mut ledger, NOW);
    let written = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&written).unwrap(), ledger);
}

fn connect(ledger: &mut Ledger, now: Timestamp) -> RefreshToken {
    let (code, fresh) = (
        Token::mint("").unwrap(),
        fresh(RefreshToken::mint().unwrap()),
    );
    ledger.issue(&code, consent(), now);
    ledger
        .redeem(code.expose(), &redemption(), &fresh, now)
        .unwrap();
    fresh.refresh_token
}

fn refresh(ledger: &mut Ledger, refresh_token: RefreshToken, now: Timestamp) -> RefreshToken {
    let fresh = fresh(refresh_token.successor().unwrap());
    let rotation = Rotation {
        client_id: "latchkey".to_owned(),
        refresh_token,
        scopes: None,
    };
    ledger.rotate(&rotation, &fresh, now).unwrap();
    fresh.refresh_token
}

fn fresh(refresh_token: RefreshToken) -> FreshTokens {
    FreshTokens {
        access_token: Token::mint("").unwrap(),
        refresh_token,
        access_token_lifetime: Duration::from_secs(60),
    }
}

fn consent() -> Consent {
    Consent {
        client_id: "latchkey".to_owned(),
        scopes: Scopes::all(),
        redirect_uri: "https://app.example/cb".to_owned(),
        redirect_uri_was_given: true,
        code_challenge: Digest::of("verifier"),
    }
}

fn redemption() -> Redemption {
    Redemption {
        client_id: "latchkey".to_owned(),
        redirect_uri: Some("https://app.example/cb".to_owned()),
        verifier: Digest::of("verifier"),
    }
}
