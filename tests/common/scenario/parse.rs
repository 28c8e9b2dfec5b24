//! Text -> statements. A word that is not known is a fault with its line: a scenario with a
//! slip of the pen must not pass.

mod tables;

use serde_json::Value;

use super::words::{Token, Words, time};
use super::{Action, Expected, Fault, Format, Statement, Tweet};

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
            "settles" => timed(self, Action::Settles),
            "again" => {
                let label = self.word("the name of the tweet")?;
                let format = if self.takes("as") { Some(self.format()?) } else { None };
                Ok(Action::Again(label, format))
            }
            _ => match self.word("tweets, deletes, pays or gets")?.as_str() {
                "tweets" => {
                    let tweet = self.tweet(first)?;
                    timed(self, Action::Tweet(tweet))
                }
                "deletes" => self.deletion(first),
                "pays" => {
                    let payment = self.payment(first)?;
                    timed(self, payment)
                }
                "gets" => {
                    let refund = self.refund(first)?;
                    timed(self, refund)
                }
                other => self.fault(format!("{first} {other}: an author tweets, deletes, pays or gets")),
            },
        }
    }

    /// `62.00 USD at MERCHANT [card TOKEN] [called LABEL]`
    fn payment(&mut self, author: String) -> Result<Action, Fault> {
        let amount = self.money("pays")?;
        self.needs("at")?;
        let merchant = self.word("the merchant")?;
        let card = if self.takes("card") { Some(self.word("card")?) } else { None };
        let label = if self.takes("called") { Some(self.word("the name of the payment")?) } else { None };
        Ok(Action::Pays { author, amount, merchant, card, label })
    }

    /// `12.00 USD back of LABEL [called LABEL]`
    fn refund(&mut self, author: String) -> Result<Action, Fault> {
        let amount = self.money("gets")?;
        self.needs("back")?;
        self.needs("of")?;
        let of = self.word("the name of the payment")?;
        let label = if self.takes("called") { Some(self.word("the name of the refund")?) } else { None };
        Ok(Action::GetsBack { author, amount, of, label })
    }

    fn needs(&mut self, wanted: &str) -> Result<(), Fault> {
        match self.word(wanted)? {
            word if word == wanted => Ok(()),
            other => self.fault(format!("{wanted} is missing before {other}")),
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
            "loaded" => {
                let label = self.word("a name for the coupon")?;
                Expected::Loaded { label, offer: self.take(|w| Some(w.to_owned())) }
            }
            "redeemed" => {
                let (label, credited) = (self.word("which coupon")?, self.money("redeemed")?);
                Expected::Redeemed { label, credited, by: self.by()? }
            }
            "reversed" => Expected::Reversed { label: self.word("which coupon")?, by: self.by()? },
            "expired" => Expected::Expired(self.word("which coupon")?),
            _ => return self.fault(format!("{kind} is no event")),
        };
        Ok(event)
    }

    fn by(&mut self) -> Result<Option<String>, Fault> {
        if self.takes("by") { self.word("the payment or refund").map(Some) } else { Ok(None) }
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
