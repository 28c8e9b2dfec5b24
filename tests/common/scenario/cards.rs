//! What is paid with cards: the lines of the file of card transactions.

use serde_json::{Value, json};

use super::Statement;
use super::stage::Play;
use super::words::rfc3339;

/// A payment or a refund that has been made.
#[derive(Clone)]
pub struct Paid {
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// The line that it was made in.
    pub line: usize,
    /// Its record.
    pub record: Value,
}

impl<'a> Play<'a> {
    /// The card that is named, else the one that the account has now.
    pub(super) fn card_of(&self, author: &str, card: Option<&str>) -> Result<Value, String> {
        if let Some(card) = card {
            return Ok(json!(card));
        }
        let account = self.accounts.get(&self.cast.author(author)?);
        let card = account.and_then(|account| account.get("card_token")).cloned();
        card.ok_or_else(|| format!("{author} has no account: which card? (`card TOKEN`)"))
    }

    /// A refund goes to the card that has paid.
    pub(super) fn refund(
        &mut self,
        statement: &Statement,
        author: &str,
        amount: &Value,
        of: &str,
        label: Option<&'a str>,
    ) -> Result<(), String> {
        self.cast.author(author)?;
        let payment =
            &self.paid.get(of).ok_or_else(|| format!("no payment is called {of} above this line"))?.record;
        let record = json!({"kind": "refund", "of": payment["transaction_id"], "amount": amount,
            "card_token": payment["card_token"], "merchant_id": payment["merchant_id"]});
        self.transaction(statement, label, record)
    }

    /// A card transaction steps desk time to its own, if a tweet takes it there.
    pub(super) fn transaction(
        &mut self,
        statement: &Statement,
        label: Option<&'a str>,
        mut record: Value,
    ) -> Result<(), String> {
        let at = statement.time.unwrap_or_default();
        if at < self.desk || (at == self.desk && self.reached == self.desk) {
            let desk = rfc3339(self.desk);
            return Err(format!(
                "desk time is already {desk}: this transaction would have been taken before"
            ));
        }
        self.desk = at;
        let id = label.map_or_else(|| format!("t-{}", statement.line), |label| format!("t-{label}"));
        record["transaction_id"] = json!(id);
        record["at"] = json!(rfc3339(at));
        self.staged.transactions += &format!("{record}\n");
        let paid = Paid { at, line: statement.line, record };
        if let Some(label) = label {
            self.paid.insert(label, paid.clone());
        }
        self.last_paid = Some(paid);
        Ok(())
    }

    /// A transaction is delivered twice. Both copies are taken at its own time, so nothing may stand between them.
    pub(super) fn paid_again(&mut self, label: &str) -> Result<(), String> {
        let paid = self.paid.get(label).ok_or_else(|| format!("no payment is called {label}"))?;
        let is_last = self.last_paid.as_ref().is_some_and(|last| last.line == paid.line);
        if !is_last || self.reached >= paid.at {
            return Err(format!("the copy of {label} has to stand directly behind it"));
        }
        self.staged.transactions += &format!("{}\n", paid.record);
        Ok(())
    }
}
