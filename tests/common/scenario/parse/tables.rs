//! What a line says of a record of the tables.

use serde_json::{Value, json};

use super::super::words::{Words, rfc3339};
use super::super::{Fault, Setting};

impl Words {
    pub(super) fn offer_settings(&mut self) -> Result<Vec<Setting>, Fault> {
        let mut settings = Vec::new();
        while let Some(word) = self.take(|w| Some(w.to_owned())) {
            settings.push(match word.as_str() {
                tag if tag.starts_with(['#', '＃']) => Setting::Field("hashtag", json!(tag)),
                "version" => Setting::Field("version", json!(self.number("version")?)),
                "stock" => Setting::Field("stock", json!(self.number("stock")?)),
                "no_stock" => Setting::Without("stock"),
                "per_account" => Setting::Field("per_account", json!(self.number("per_account")?)),
                "window" => Setting::Field("window_seconds", json!(self.number("window")?)),
                "starts" => Setting::Field("starts_at", json!(rfc3339(self.time("starts")?))),
                "ends" => Setting::Field("ends_at", json!(rfc3339(self.time("ends")?))),
                "open" | "withdrawn" => Setting::Field("status", json!(word)),
                "cancel_pending" => Setting::Field("cancel_pending", json!(true)),
                "removed" => Setting::Null,
                "credit" => Setting::Field("credit", self.money("credit")?),
                "min_spend" => Setting::Field("min_spend", self.money("min_spend")?),
                "redeem_by" => Setting::Field("redeem_by", json!(rfc3339(self.time("redeem_by")?))),
                "merchant" => Setting::Field("merchant_id", json!(self.word("merchant")?)),
                _ => Setting::Field("price", self.money_of(&word)?),
            });
        }
        Ok(settings)
    }

    pub(super) fn account_settings(&mut self) -> Result<Vec<Setting>, Fault> {
        let mut settings = Vec::new();
        while let Some(word) = self.take(|w| Some(w.to_owned())) {
            settings.push(match word.as_str() {
                "active" | "frozen" => Setting::Field("status", json!(word)),
                "linked" => Setting::Field("linked_at", json!(rfc3339(self.time("linked")?))),
                "card" => Setting::Field("card_token", json!(self.word("card")?)),
                "delivery" => Setting::Field("delivery_ref", json!(self.word("delivery")?)),
                "unlinked" => Setting::Null,
                "pendings" => Setting::Cap("pendings", json!(self.number("pendings")?)),
                "requests_per_hour" => Setting::Cap("requests_per_hour", json!(self.number(&word)?)),
                "wrong_codes_per_hour" => Setting::Cap("wrong_codes_per_hour", json!(self.number(&word)?)),
                "hold_seconds" => Setting::Cap("hold_seconds", json!(self.number(&word)?)),
                "per_day" => Setting::Cap("per_day", self.money("per_day")?),
                _ => return self.fault(format!("{word} is nothing that an account has")),
            });
        }
        Ok(settings)
    }

    /// `24.50 USD`: the digits are the minor units, whatever the decimals of the currency.
    pub(super) fn money(&mut self, of: &str) -> Result<Value, Fault> {
        let amount = self.word(of)?;
        self.money_of(&amount)
    }

    fn money_of(&mut self, amount: &str) -> Result<Value, Fault> {
        let Ok(minor) = amount.replacen('.', "", 1).parse::<u64>() else {
            return self.fault(format!("{amount} is not known here, and no amount"));
        };
        let currency = self.word("a currency")?;
        Ok(json!({"amount": minor, "currency": currency}))
    }
}
