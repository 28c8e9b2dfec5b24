//! Statements -> the files that `replay` reads and the events that it has to write.
//!
//! This is bookkeeping, no second implementation of the rules: *which* events follow is only
//! ever taken from the scenario. Worked out here is what their fields then have to be.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::cards::Paid;
use super::cast::{Cast, Posted, tweet_id};
use super::coupons::Coupon;
use super::wire::{self, Wired};
use super::words::{MIDNIGHT, rfc3339};
use super::{Action, Fault, Format, Setting, Statement};

const MONTH: i64 = 30 * 86_400_000;

/// What `replay` reads and what it has to answer.
#[derive(Default)]
pub struct Staged {
    /// The file of offers.
    pub offers: String,
    /// The file of accounts.
    pub accounts: String,
    /// The file of card transactions; empty: there is none.
    pub transactions: String,
    /// The file of tweets.
    pub tweets: String,
    /// `--until`
    pub until: Option<String>,
    /// All events, each with the line that it follows from.
    pub expected: Vec<(usize, Value)>,
    /// The purchases by their ids, as the scenario calls them.
    pub names: HashMap<String, String>,
}

/// Puts a scenario on the stage.
pub fn stage(statements: &[Statement], secret: &str) -> Result<Staged, Fault> {
    let cast = Cast::new(statements, secret)?;
    let mut play = Play {
        cast: &cast,
        staged: Staged::default(),
        desk: 0,
        reached: 0,
        tables: 0,
        until: statements.iter().find(|s| matches!(s.action, Action::Until)).and_then(|s| s.time),
        offers: HashMap::new(),
        accounts: HashMap::new(),
        deadlines: HashMap::new(),
        versions: HashMap::new(),
        line: 0,
        paid: HashMap::new(),
        last_paid: None,
        coupons: HashMap::new(),
    };
    for (index, statement) in statements.iter().enumerate() {
        let last = index + 1 == statements.len();
        play.perform(statement, last).map_err(|message| Fault { line: statement.line, message })?;
    }
    if play.tables > play.reached {
        let line = statements.last().map_or(1, |s| s.line);
        return Err(Fault {
            line,
            message: "no tweet comes after the last table line: it is never taken".to_owned(),
        });
    }
    play.staged.names = cast.purchases.iter().map(|(name, p)| (p.id.clone(), name.clone())).collect();
    Ok(play.staged)
}

pub(super) type Record = Map<String, Value>;

pub(super) struct Play<'a> {
    pub(super) cast: &'a Cast<'a>,
    pub(super) staged: Staged,
    /// Desk time, table lines and card transactions included.
    pub(super) desk: i64,
    /// Desk time, as far as tweets have moved it.
    pub(super) reached: i64,
    /// The time of the last table line.
    tables: i64,
    until: Option<i64>,
    pub(super) offers: HashMap<&'a str, Record>,
    pub(super) accounts: HashMap<u64, Record>,
    /// Name of a purchase -> its deadline.
    pub(super) deadlines: HashMap<&'a str, i64>,
    /// Name of a purchase -> the offer as it was shown.
    pub(super) versions: HashMap<&'a str, Record>,
    /// The line that is performed.
    pub(super) line: usize,
    /// Name of a payment or refund -> it.
    pub(super) paid: HashMap<&'a str, Paid>,
    /// The last payment or refund.
    pub(super) last_paid: Option<Paid>,
    /// Name of a coupon -> it.
    pub(super) coupons: HashMap<&'a str, Coupon>,
}

impl<'a> Play<'a> {
    fn perform(&mut self, statement: &'a Statement, last: bool) -> Result<(), String> {
        let mut posted = None;
        self.line = statement.line;
        match &statement.action {
            Action::Offer(id, settings) => self.offer(id, settings, statement.time)?,
            Action::Account(name, settings) => self.account(name, settings, statement.time)?,
            Action::Stranger(_) => {}
            Action::Tweet(tweet) => {
                let first = self.cast.posted.get(&statement.line).ok_or("this tweet is lost")?;
                for i in 0..i64::from(tweet.times.0) {
                    self.tweets(first, i * tweet.times.1, tweet.format)?;
                }
                posted = Some(first);
            }
            Action::Pays { author, amount, merchant, card, label } => {
                let card = self.card_of(author, card.as_deref())?;
                let record =
                    json!({"kind": "payment", "card_token": card, "merchant_id": merchant, "amount": amount});
                self.transaction(statement, label.as_deref(), record)?;
            }
            Action::GetsBack { author, amount, of, label } => {
                self.refund(statement, author, amount, of, label.as_deref())?
            }
            Action::Settles => {
                let record = json!({"kind": "payment", "card_token": "tok_nobody", "merchant_id": "nowhere",
                    "amount": {"amount": 100, "currency": "USD"}});
                self.transaction(statement, None, record)?;
            }
            Action::Again(label, None) if self.paid.contains_key(label.as_str()) => self.paid_again(label)?,
            Action::Again(label, format) => {
                let first = self.cast.called(label)?;
                self.tweets(first, 0, format.unwrap_or(first.tweet.format))?;
                posted = Some(first);
            }
            Action::Deletes { author, label, first, format } => {
                let tweet = self.cast.called(label)?;
                let id = if *first { tweet.first() } else { tweet.own() };
                self.line(&wire::deletion(id, self.cast.author(author)?, *format));
            }
            Action::DeletesUnseen(author, many) => {
                let author = self.cast.author(author)?;
                for i in 0..*many {
                    let id = tweet_id(self.desk - 1 - i as i64, statement.line);
                    self.line(&wire::deletion(id, author, Format::V1));
                }
            }
            Action::Passes => {
                let time = statement.time.unwrap_or_default();
                self.moves(time)?;
                self.line(&wire::passing(tweet_id(time, statement.line)));
            }
            Action::Until => {
                if !last {
                    return Err("until is the last line".to_owned());
                }
                self.desk = self.desk.max(statement.time.unwrap_or_default());
                self.reached = self.desk;
                self.staged.until = statement.time.map(rfc3339);
            }
        }
        for event in &statement.events {
            let events = self.event(event, posted)?;
            self.staged.expected.extend(events.into_iter().map(|event| (statement.line, event)));
        }
        Ok(())
    }

    fn line(&mut self, record: &str) {
        self.staged.tweets += record;
        self.staged.tweets.push('\n');
    }

    /// A tweet comes: desk time goes to the greatest tweet time so far.
    fn moves(&mut self, time: i64) -> Result<(), String> {
        if self.until.is_none_or(|until| time <= until) {
            self.reached = self.reached.max(time);
        }
        if self.reached < self.desk {
            return Err(format!("the table line of {} is not taken before this tweet", rfc3339(self.desk)));
        }
        self.desk = self.reached;
        Ok(())
    }

    fn tweets(&mut self, posted: &Posted<'a>, later: i64, format: Format) -> Result<(), String> {
        let time = posted.time + later;
        let mut chain = posted.chain.clone();
        if let Some(own) = chain.last_mut() {
            *own += (later as u64) << 22;
        }
        self.moves(time)?;
        let text = self.cast.with_codes(&posted.tweet.text)?;
        let wired = Wired { chain: &chain, author: posted.author, time, tweet: posted.tweet, text: &text };
        self.line(&wired.record(format)?);
        Ok(())
    }

    /// A table line steps desk time, unless it is there from the start.
    fn steps(&mut self, time: Option<i64>) -> Result<(), String> {
        self.tables = self.tables.max(time.unwrap_or_default());
        if self.last_paid.as_ref().is_some_and(|paid| Some(paid.at) == time) {
            return Err("at one time the tables come before the card transactions".to_owned());
        }
        match time {
            None if self.desk > 0 => {
                Err("a table line without a time stands before the first line with one".to_owned())
            }
            Some(time) if time < self.desk || (time == self.desk && self.reached == self.desk) => {
                Err(format!("desk time is already {}: this table line comes too late", rfc3339(self.desk)))
            }
            Some(time) => {
                self.desk = time;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn offer(&mut self, id: &'a str, settings: &[Setting], time: Option<i64>) -> Result<(), String> {
        self.steps(time)?;
        let month = |m: i64| rfc3339(MIDNIGHT + m * MONTH);
        let record = self.offers.entry(id).or_insert_with(|| {
            let fields = json!({"offer_id": id, "version": 1, "kind": "purchase", "product": format!("Blue {id}"),
                "merchant_id": format!("shop-{id}"), "starts_at": month(-1), "ends_at": month(1)});
            fields.as_object().cloned().unwrap_or_default()
        });
        if settings.iter().any(|setting| matches!(setting, Setting::Field("credit", _))) {
            record.insert("kind".to_owned(), json!("coupon"));
        }
        let value = apply(record, settings);
        let is_coupon = record.get("kind").is_some_and(|kind| kind == "coupon");
        for needed in ["hashtag", if is_coupon { "credit" } else { "price" }] {
            if !record.contains_key(needed) {
                return Err(format!("offer {id} has no {needed}"));
            }
        }
        self.staged.offers += &table_line(id, value, time);
        Ok(())
    }

    fn account(&mut self, name: &'a str, settings: &[Setting], time: Option<i64>) -> Result<(), String> {
        self.steps(time)?;
        let id = self.cast.author(name)?;
        let record = self.accounts.entry(id).or_insert_with(|| {
            let fields = json!({"account_id": id.to_string(), "screen_name": name, "card_token": format!("tok_{name}"),
                "delivery_ref": format!("door_{name}"), "status": "active", "linked_at": rfc3339(MIDNIGHT - MONTH)});
            fields.as_object().cloned().unwrap_or_default()
        });
        let value = apply(record, settings);
        self.staged.accounts += &table_line(&id.to_string(), value, time);
        Ok(())
    }
}

/// Changes a record and gives what the table then holds of it.
fn apply(record: &mut Record, settings: &[Setting]) -> Value {
    let mut gone = false;
    for setting in settings {
        match setting {
            Setting::Field(name, value) => {
                record.insert((*name).to_owned(), value.clone());
            }
            Setting::Without(name) => {
                record.remove(*name);
            }
            Setting::Cap(name, value) => {
                record.entry("caps").or_insert_with(|| json!({}))[*name] = value.clone();
            }
            Setting::Null => gone = true,
        }
    }
    if gone { Value::Null } else { Value::Object(record.clone()) }
}

fn table_line(key: &str, value: Value, time: Option<i64>) -> String {
    let line = match time {
        Some(time) => json!({"at": rfc3339(time), "key": key, "value": value}),
        None => value,
    };
    format!("{line}\n")
}
