//! A record of the table of accounts.
//!
//! - A valid one is the same when it is written and read again, by ourselves and as a record from outside.
//! - A rejection is fit for a log, and the card token is not in it, wherever else in the record it stands.

use hashbuy::core::account::Account;
use hashbuy::core::card_number::is_card_number;
use hashbuy::core::record::Rejection;

use super::check_message;

pub fn run(bytes: &[u8]) {
    let read = Rejection::text("account", None, bytes).and_then(Account::from_json);
    let account = match read {
        Ok(account) => account,
        Err(rejection) => {
            check_message(&rejection);
            let token = token(bytes).unwrap_or_default();
            let message = rejection.to_string();
            assert!(!is_telling(&token) || !message.contains(&token), "{token} stands in: {message}");
            return;
        }
    };
    let written = serde_json::to_string(&account).unwrap();
    assert_eq!(serde_json::from_str::<Account>(&written).unwrap(), account);
    assert_eq!(Account::from_json(&written).unwrap(), account);
    assert!(!account.card_token.is_empty() && !is_card_number(&account.card_token));
    let other = Account { card_token: "another".to_owned(), ..account.clone() };
    assert_eq!(format!("{account:?}"), format!("{other:?}"), "a log would show the token");
}

/// The card token of a record.
fn token(bytes: &[u8]) -> Option<String> {
    let record: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    record.get("card_token")?.as_str().map(str::to_owned)
}

/// Whether a token in a message can only have come from the record: no word of ours has so many digits in a
/// row.
fn is_telling(token: &str) -> bool {
    token.len() >= 8 && token.bytes().all(|b| b.is_ascii_digit())
}
