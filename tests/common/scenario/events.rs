//! What the fields of an expected event have to be.

use serde_json::{Value, json};

use super::Expected;
use super::cast::{Posted, only};
use super::stage::{Play, Record};
use super::words::rfc3339;
use crate::codes;

impl<'a> Play<'a> {
    /// One expected event, in full; `posted` is the tweet of its line. With a confirmation comes
    /// its order.
    pub fn event(&mut self, event: &'a Expected, posted: Option<&Posted<'a>>) -> Result<Vec<Value>, String> {
        let by_tweet = || posted.ok_or_else(|| "only a tweet can be answered with this".to_owned());
        match event {
            Expected::Requested { label, issued, deadline, .. } => {
                let tweet = by_tweet()?;
                let purchase = self.cast.purchase(label)?;
                let offer =
                    self.offers.get(purchase.offer.as_str()).cloned().ok_or("this offer is not there yet")?;
                let window = offer.get("window_seconds").and_then(Value::as_i64).unwrap_or(900) * 1000;
                let issued = issued.unwrap_or(self.desk.max(tweet.time));
                let deadline = deadline.unwrap_or(issued + window);
                self.deadlines.insert(label, deadline);
                self.versions.insert(label, offer);
                let mut event = self.of_purchase("purchase.requested", label, tweet.own())?;
                event["at"] = json!(rfc3339(issued));
                event["issued_at"] = json!(rfc3339(issued));
                self.copy(&mut event, label, &["price", "product"]);
                self.code_and_deadline(&mut event, label)?;
                event["reply"] = tweet.reply();
                Ok(vec![event])
            }
            Expected::Reminded(label) => {
                let tweet = by_tweet()?;
                let mut event = self.of_purchase("purchase.reminded", label, tweet.own())?;
                event["at"] = json!(rfc3339(tweet.time));
                event["tweet_id"] = json!(tweet.own().to_string());
                self.code_and_deadline(&mut event, label)?;
                event["reply"] = tweet.reply();
                Ok(vec![event])
            }
            Expected::Confirmed(label) => self.confirmed(label, by_tweet()?),
            Expected::Lapsed(label) => {
                let requesting = self.requesting(label)?;
                let mut event = self.of_purchase("purchase.lapsed", label, requesting.first())?;
                self.code_and_deadline(&mut event, label)?;
                event["at"] = event["deadline"].clone();
                event["reply"] = requesting.reply();
                without(&mut event, "code");
                Ok(vec![event])
            }
            Expected::Cancelled(label, cause) => {
                let mut event =
                    self.of_purchase("purchase.cancelled", label, self.requesting(label)?.first())?;
                event["at"] = json!(rfc3339(self.desk));
                event["cause"] = json!(cause);
                if cause == "sold_out" {
                    event["reply"] = by_tweet()?.reply();
                }
                Ok(vec![event])
            }
            Expected::Refused { .. } => Ok(vec![self.refused(event, by_tweet()?)?]),
            Expected::Loaded { label, offer } => {
                Ok(vec![self.loaded(label, offer.as_deref(), by_tweet()?)?])
            }
            Expected::Redeemed { label, credited, by } => self.redeemed(label, credited, by.as_deref()),
            Expected::Reversed { label, by } => self.reversed(label, by.as_deref()),
            Expected::Expired(label) => Ok(vec![self.expired(label)?]),
        }
    }

    fn confirmed(&self, label: &str, tweet: &Posted<'_>) -> Result<Vec<Value>, String> {
        let mut event = self.of_purchase("purchase.confirmed", label, tweet.own())?;
        event["confirmed_at"] = json!(rfc3339(tweet.time));
        self.copy(&mut event, label, &["price", "product", "merchant_id"]);
        let mut order = self.of_purchase("order.placed", label, tweet.own())?;
        without(&mut order, "offer_tweet_id");
        for field in ["confirmed_at", "price", "product", "merchant_id"] {
            order[field] = event[field].clone();
        }
        let account = self.accounts.get(&tweet.author).ok_or("only an account confirms")?;
        for field in ["card_token", "delivery_ref"] {
            order[field] = account.get(field).cloned().unwrap_or_default();
        }
        event["at"] = event["confirmed_at"].clone();
        event["confirm_tweet_id"] = json!(tweet.own().to_string());
        event["reply"] = tweet.reply();
        Ok(vec![event, order])
    }

    fn refused(&self, event: &Expected, tweet: &Posted<'_>) -> Result<Value, String> {
        let Expected::Refused { reason, purchase, hashtag, offer, unanswered } = event else {
            return Err("this is no refusal".to_owned());
        };
        let hashtag = match (hashtag, purchase) {
            (Some(hashtag), _) => self.cast.with_codes(hashtag)?,
            (None, Some(label)) => self.cast.purchase(label)?.code.clone(),
            (None, None) => {
                let typed = self.cast.with_codes(&tweet.tweet.text)?;
                typed
                    .split_whitespace()
                    .find(|word| word.starts_with(['#', '＃']))
                    .ok_or("which tag? (say it behind the reason)")?
                    .to_owned()
            }
        };
        let folded: String = hashtag.chars().skip(1).flat_map(char::to_lowercase).collect();
        let own = purchase.as_deref().map(|label| self.cast.purchase(label)).transpose()?;
        let offer_id = match (offer, own) {
            (Some(offer), _) => Some(offer.as_str()),
            (None, Some(purchase)) => Some(purchase.offer.as_str()),
            (None, None) if folded.starts_with("confirm") => None,
            (None, None) => Some(self.offer_of(&folded)?),
        };
        let subject = own.map_or_else(|| tweet.author.to_string(), |purchase| purchase.id.clone());
        let mut event = json!({
            "type": "purchase.refused", "account_id": tweet.author.to_string(), "at": rfc3339(tweet.time), "reason": reason,
            "event_id": codes::event_id("purchase.refused", &subject, tweet.own(), offer_id.unwrap_or(&folded)),
            "tweet_id": tweet.own().to_string(), "hashtag": hashtag,
        });
        if let Some(id) = offer_id {
            let shown = purchase.as_deref().and_then(|label| self.versions.get(label));
            let record =
                shown.or_else(|| self.offers.get(id)).ok_or_else(|| format!("there is no offer {id}"))?;
            event["offer_id"] = json!(id);
            event["offer_version"] = record.get("version").cloned().unwrap_or_default();
        }
        if let Some(purchase) = own {
            event["purchase_id"] = json!(purchase.id);
        }
        if !unanswered {
            event["reply"] = tweet.reply();
        }
        Ok(event)
    }

    fn offer_of(&self, folded: &str) -> Result<&str, String> {
        let tag = |record: &Record| -> String {
            let tag = record.get("hashtag").and_then(Value::as_str).unwrap_or_default();
            tag.chars().skip(1).flat_map(char::to_lowercase).collect()
        };
        match self.offers.iter().find(|(_, record)| tag(record) == folded) {
            Some((id, _)) => Ok(id),
            None => only(self.offers.keys().copied()),
        }
    }

    fn requesting(&self, label: &str) -> Result<&Posted<'a>, String> {
        let line = self.cast.purchase(label)?.line;
        self.cast.posted.get(&line).ok_or_else(|| format!("no tweet requests {label}"))
    }

    /// What all events of a purchase have.
    fn of_purchase(&self, kind: &str, label: &str, cause: u64) -> Result<Value, String> {
        let purchase = self.cast.purchase(label)?;
        let offer = self.versions.get(label).ok_or_else(|| format!("{label} is not requested yet"))?;
        Ok(json!({
            "type": kind, "event_id": codes::event_id(kind, &purchase.id, cause, &purchase.offer),
            "account_id": purchase.account.to_string(), "purchase_id": purchase.id, "offer_id": purchase.offer,
            "offer_version": offer.get("version"), "offer_tweet_id": self.requesting(label)?.first().to_string(),
        }))
    }

    fn copy(&self, event: &mut Value, label: &str, fields: &[&str]) {
        for field in fields {
            event[*field] =
                self.versions.get(label).and_then(|offer| offer.get(*field)).cloned().unwrap_or_default();
        }
    }

    fn code_and_deadline(&self, event: &mut Value, label: &str) -> Result<(), String> {
        let deadline = self.deadlines.get(label).ok_or_else(|| format!("{label} is not requested yet"))?;
        event["code"] = json!(self.cast.purchase(label)?.code);
        event["deadline"] = json!(rfc3339(*deadline));
        Ok(())
    }
}

fn without(event: &mut Value, field: &str) {
    if let Some(fields) = event.as_object_mut() {
        fields.remove(field);
    }
}
