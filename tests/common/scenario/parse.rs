//! Text -> statements. A word that is not known is a fault with its line: a scenario with a
//! slip of the pen must not pass.

use serde_json::{Value, json};

use super::words::{Token, Words, rfc3339, time};
use super::{Action, Expected, Fault, Format, Setting, Statement, Tweet};

const REASONS: [&str; 12] = [
    "not_linked",
    "protected",
    "frozen",
    "locked",
    "wrong_code",
    "lapsed",
    "too_old",
    "on_hold",
    "not_open",
    "sold_out",
    "limit_reached",
    "cap_exceeded",
];
const CAUSES: [&str; 5] = ["deleted", "frozen", "unlinked", "withdrawn", "sold_out"];
const FLAGS: [&str; 5] = ["protected", "truncated", "retweet", "retweeted_flag", "reply"];
const FIELDS: [&str; 7] =
    ["quoting", "full_text", "extended_tweet", "note_tweet", "long_object", "bio", "entities"];

/// Reads a whole scenario.
pub fn parse(source: &str) -> Result<Vec<Statement>, Fault> {
    let mut statements = Vec::new();
    for (index, text) in source.lines().enumerate() {
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        statements.push(Words::new(index + 1, text)?.statement()?);
    }
    if statements.is_empty() {
        return Err(Fault { line: 1, message: "there is nothing in this scenario".to_owned() });
    }
    Ok(statements)
}

impl Words {
    fn statement(mut self) -> Result<Statement, Fault> {
        let time = self.take(time);
        let action = self.action(time)?;
        let events = match self.tokens.pop_front() {
            Some(Token::Arrow) => self.events()?,
            None if time.is_none()
                && !matches!(
                    action,
                    Action::Again(..) | Action::Deletes { .. } | Action::DeletesUnseen(..)
                ) =>
            {
                Vec::new()
            }
            None => return self.fault("what follows is missing: -> and the events, or -> nothing"),
            Some(other) => return self.fault(format!("{other:?} is not known here")),
        };
        if let Action::Tweet(tweet) = &action
            && tweet.times.0 > 1
            && !events.is_empty()
        {
            return self.fault("of a tweet that comes many times nothing may follow");
        }
        Ok(Statement { line: self.line, time, action, events })
    }

    fn action(&mut self, time: Option<i64>) -> Result<Action, Fault> {
        let first = self.word("what happens")?;
        let timed = |words: &Words, action| match time {
            Some(_) => Ok(action),
            None => words.fault("this needs a time at the start of the line"),
        };
        match first.as_str() {
            "offer" => Ok(Action::Offer(self.word("the id of the offer")?, self.offer_settings()?)),
            "account" => Ok(Action::Account(self.word("the name of the account")?, self.account_settings()?)),
            "stranger" => Ok(Action::Stranger(self.word("the name of the stranger")?)),
            "passes" => timed(self, Action::Passes),
            "until" => timed(self, Action::Until),
            "again" => {
                let label = self.word("the name of the tweet")?;
                let format = if self.takes("as") { Some(self.format()?) } else { None };
                Ok(Action::Again(label, format))
            }
            _ => match self.word("tweets or deletes")?.as_str() {
                "tweets" => {
                    let tweet = self.tweet(first)?;
                    timed(self, Action::Tweet(tweet))
                }
                "deletes" => self.deletion(first),
                other => self.fault(format!("{first} {other}: an author tweets or deletes")),
            },
        }
    }

    fn deletion(&mut self, author: String) -> Result<Action, Fault> {
        let label = self.word("the name of the tweet")?;
        if self.takes("unseen") {
            return match label.parse() {
                Ok(many) => Ok(Action::DeletesUnseen(author, many)),
                Err(_) => self.fault(format!("{label} is no number of tweets")),
            };
        }
        let first = self.takes("first");
        let format = if self.takes("as") { self.format()? } else { Format::V1 };
        Ok(Action::Deletes { author, label, first, format })
    }

    fn format(&mut self) -> Result<Format, Fault> {
        match self.word("a format")?.as_str() {
            "v1" => Ok(Format::V1),
            "v2" => Ok(Format::V2),
            "activity" => Ok(Format::Activity),
            other => self.fault(format!("{other} is no format: v1, v2 or activity")),
        }
    }

    fn tweet(&mut self, author: String) -> Result<Tweet, Fault> {
        let raw = self.takes("raw");
        let text = self.text("a tweet")?;
        let mut tweet = Tweet {
            author,
            text: if raw { text } else { plain(&text) },
            format: Format::V1,
            label: None,
            edit_of: None,
            flags: Vec::new(),
            fields: Vec::new(),
            times: (1, 0),
        };
        loop {
            if let Some(flag) = self.take(|w| FLAGS.into_iter().find(|f| *f == w)) {
                tweet.flags.push(flag);
            } else if let Some(field) = self.take(|w| FIELDS.into_iter().find(|f| *f == w)) {
                let text = self.text(field)?;
                tweet.fields.push((field, text));
            } else if self.takes("as") {
                tweet.format = self.format()?;
            } else if self.takes("called") {
                tweet.label = Some(self.word("the name of the tweet")?);
            } else if self.takes("edit_of") {
                tweet.edit_of = Some(self.word("the name of the tweet")?);
            } else if let Some(times) = self.take(|w| w.parse().ok()) {
                if !(self.takes("times") && self.takes("every")) {
                    return self.fault(format!("{times} what? (`{times} times every 0.100`)"));
                }
                let seconds = self.word("seconds")?;
                let Some(apart) = seconds.parse::<f64>().ok().filter(|s| *s > 0.0) else {
                    return self.fault(format!("{seconds} is no number of seconds"));
                };
                tweet.times = (times, (apart * 1000.0).round() as i64);
            } else {
                return Ok(tweet);
            }
        }
    }

    fn offer_settings(&mut self) -> Result<Vec<Setting>, Fault> {
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
                _ => Setting::Field("price", self.money(&word)?),
            });
        }
        Ok(settings)
    }

    fn account_settings(&mut self) -> Result<Vec<Setting>, Fault> {
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
                "per_day" => {
                    let amount = self.word("per_day")?;
                    Setting::Cap("per_day", self.money(&amount)?)
                }
                _ => return self.fault(format!("{word} is nothing that an account has")),
            });
        }
        Ok(settings)
    }

    /// `24.50 USD`: the digits are the minor units, whatever the decimals of the currency.
    fn money(&mut self, amount: &str) -> Result<Value, Fault> {
        let Ok(minor) = amount.replacen('.', "", 1).parse::<u64>() else {
            return self.fault(format!("{amount} is not known here, and no amount"));
        };
        let currency = self.word("a currency")?;
        Ok(json!({"amount": minor, "currency": currency}))
    }

    fn events(&mut self) -> Result<Vec<Expected>, Fault> {
        if self.takes("nothing") {
            return if self.tokens.is_empty() { Ok(Vec::new()) } else { self.fault("nothing stands alone") };
        }
        let mut events = Vec::new();
        loop {
            events.push(self.event()?);
            match self.tokens.pop_front() {
                None => return Ok(events),
                Some(Token::Comma) => {}
                Some(other) => {
                    return self.fault(format!("{other:?} is not known here: a comma parts two events"));
                }
            }
        }
    }

    fn event(&mut self) -> Result<Expected, Fault> {
        let kind = self.word("an event")?;
        let event = match kind.as_str() {
            "requested" => self.requested()?,
            "reminded" => Expected::Reminded(self.word("which purchase")?),
            "confirmed" => Expected::Confirmed(self.word("which purchase")?),
            "lapsed" => Expected::Lapsed(self.word("which purchase")?),
            "cancelled" => {
                let purchase = self.word("which purchase")?;
                let cause = self.word("the cause")?;
                if !CAUSES.contains(&cause.as_str()) {
                    return self.fault(format!("{cause} is no cause: {}", CAUSES.join(", ")));
                }
                Expected::Cancelled(purchase, cause)
            }
            "refused" => self.refused()?,
            _ => return self.fault(format!("{kind} is no event")),
        };
        Ok(event)
    }

    fn requested(&mut self) -> Result<Expected, Fault> {
        let label = self.word("a name for the purchase")?;
        let (mut offer, mut issued, mut deadline) = (None, None, None);
        while let Some(word) = self.take(|w| Some(w.to_owned())) {
            match word.as_str() {
                "issued" => issued = Some(self.time("issued")?),
                "deadline" => deadline = Some(self.time("deadline")?),
                _ => offer = Some(word),
            }
        }
        Ok(Expected::Requested { label, offer, issued, deadline })
    }

    fn refused(&mut self) -> Result<Expected, Fault> {
        let word = self.word("the reason")?;
        let Some(reason) = REASONS.into_iter().find(|r| *r == word) else {
            return self.fault(format!("{word} is no reason: {}", REASONS.join(", ")));
        };
        let (mut purchase, mut hashtag, mut offer, mut unanswered) = (None, None, None, false);
        while let Some(word) = self.take(|w| Some(w.to_owned())) {
            match word.as_str() {
                "unanswered" => unanswered = true,
                tag if tag.starts_with(['#', '＃', '{']) => hashtag = Some(word),
                name if name.starts_with(char::is_uppercase) => purchase = Some(word),
                _ => offer = Some(word),
            }
        }
        Ok(Expected::Refused { reason, purchase, hashtag, offer, unanswered })
    }
}

/// A literal without needless escapes, as a writer of JSON would spell it.
fn plain(literal: &str) -> String {
    let text: String = serde_json::from_str(&format!("\"{literal}\"")).unwrap_or_default();
    let spelt = Value::String(text).to_string();
    spelt[1..spelt.len() - 1].to_owned()
}
