//! What was paid with a card, as the card company tells it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::account::card_token;
use crate::core::money::Money;
use crate::core::record::{Fields, Rejection};
use crate::core::time::Time;

/// The payment provider's token for a card. No message shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardToken(String);

impl CardToken {
    /// A token as it stands in a record that was checked.
    pub fn new(token: impl Into<String>) -> CardToken {
        CardToken(token.into())
    }

    /// The token itself, for keys and for the biller.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Without the token, so that no log can hold it by accident.
impl fmt::Debug for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a card token")
    }
}

/// One record of `card-transactions`, valid by itself.
///
/// [`Transaction::from_json`] is the way in for records of others; the derived `Deserialize` reads back what
/// hashbuy wrote itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its own id; not empty.
    pub transaction_id: String,
    /// The card.
    pub card_token: CardToken,
    /// Who was paid, or has paid back.
    pub merchant_id: String,
    /// How much; never negative.
    pub amount: Money,
    /// Payment or refund.
    #[serde(flatten)]
    pub kind: TransactionKind,
    /// When it was.
    pub at: Time,
}

/// Which way the money went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TransactionKind {
    /// From the card to the merchant.
    Payment,
    /// All or a part of a payment, back to the card.
    Refund {
        /// The id of the payment.
        of: String,
    },
}

impl Transaction {
    /// Reads and checks one record.
    ///
    /// # Errors
    /// The first rule that the record breaks; never with a card token in it.
    pub fn from_json(raw: &str) -> Result<Transaction, Rejection> {
        let mut fields = Fields::read("transaction", raw)?;
        fields.hide("card_token");
        let transaction_id = id(&fields, "transaction_id")?;
        fields.name(&transaction_id);
        fields.check_size(raw)?;
        let card_token = CardToken(card_token(&fields)?);
        let kind = match fields.text("kind")?.as_deref() {
            Some("payment") => TransactionKind::Payment,
            Some("refund") => TransactionKind::Refund { of: id(&fields, "of")? },
            _ => return Err(fields.reject("kind", "must be \"payment\" or \"refund\"")),
        };
        Ok(Transaction {
            card_token,
            merchant_id: fields.required("merchant_id", "a text", Fields::text)?,
            amount: fields.required(
                "amount",
                r#"an object such as {"amount":6200,"currency":"USD"}"#,
                Fields::money,
            )?,
            kind,
            at: fields.required("at", "a time", Fields::time)?,
            transaction_id,
        })
    }
}

fn id(fields: &Fields<'_>, name: &str) -> Result<String, Rejection> {
    let id = fields.required(name, "a text", Fields::text)?;
    if id.is_empty() {
        return Err(fields.reject(name, "must not be empty"));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYMENT: &str = r#"{"transaction_id":"t-88","card_token":"tok_9f2c","merchant_id":"m-4",
        "amount":{"amount":6200,"currency":"USD"},"kind":"payment","at":"2013-02-20T12:00:00.000Z"}"#;

    #[test]
    fn payments_and_refunds_are_read_and_read_back() {
        let payment = Transaction::from_json(PAYMENT).unwrap();
        assert_eq!(payment.kind, TransactionKind::Payment);
        let refund = PAYMENT.replace("\"payment\"", "\"refund\",\"of\":\"t-87\"");
        let refund = Transaction::from_json(&refund).unwrap();
        assert_eq!(refund.kind, TransactionKind::Refund { of: "t-87".into() });
        for transaction in [payment, refund] {
            assert!(!format!("{transaction:?}").contains("tok_9f2c"));
            let json = serde_json::to_string(&transaction).unwrap();
            assert_eq!(serde_json::from_str::<Transaction>(&json).unwrap(), transaction);
        }
    }

    #[test]
    fn what_is_no_transaction_is_rejected_without_its_token() {
        for (from, to, says) in [
            ("\"transaction_id\":\"t-88\",", "", "transaction: transaction_id is missing, must be a text"),
            ("\"t-88\"", "\"\"", "transaction: transaction_id is \"\", must not be empty"),
            ("\"payment\"", "\"gift\"", "kind is \"gift\", must be \"payment\" or \"refund\""),
            ("\"payment\"", "\"refund\"", "of is missing, must be a text"),
            ("\"payment\"", "\"refund\",\"of\":\"\"", "of is \"\", must not be empty"),
            ("6200", "-1", "amount.amount is -1, must be 0 to 2^63 - 1"),
            ("\"merchant_id\":\"m-4\",", "", "merchant_id is missing, must be a text"),
            ("\"2013-02-20T12:00:00.000Z\"", "\"tok_9f2c\"", "at is a value with the card token in it"),
            ("tok_9f2c", "4111 1111 1111 1111", "card_token is like a card number"),
        ] {
            let text = PAYMENT.replacen(from, to, 1);
            assert_ne!(text, PAYMENT);
            let rejection = Transaction::from_json(&text).unwrap_err().to_string();
            assert!(rejection.contains(says), "{rejection}");
            assert!(!rejection.contains("tok_9f2c") && !rejection.contains("4111"), "{rejection}");
        }
    }
}
