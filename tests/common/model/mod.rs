//! The oracle of the exactly-once tests: the desk a second time, from the written rules alone.
//!
//! [`Model`] is one inbox partition's desk. It is naive on purpose. It keeps a list of everything
//! that happened to an account and works out every limit from it each time; it knows no wheel, no
//! overlay and no transactions, and nothing of the program's own desk: were both wrong in the same
//! way, no test would notice. It shares with the program how an inbox record and a table record
//! look as JSON, and nothing that decides.
//!
//! [`Oracle`] holds one model for each inbox partition and compares what a run has written.
//!
//! Where the rules leave something open the choice is marked with "open:" in the comments.

mod accounts;
mod alive;
mod cards;
pub mod codes;
mod limits;
mod loads;
mod oracle;
mod requests;
mod sightings;
mod stocks;
mod written;

use std::collections::BTreeMap;

use hashbuy::core::inbox::{Inbox, Position};
use hashbuy::core::reader::Reader;
use hashbuy::core::settings::{Settings, Shared};
use hashbuy::core::transaction::CardToken;
use serde_json::Value;

#[allow(unused_imports, reason = "each test crate uses its own part")]
pub use self::alive::Alive;
#[allow(unused_imports, reason = "each test crate uses its own part")]
pub use self::oracle::{Oracle, Summary, Topic, strip_text};

use self::accounts::{Account, State};
use self::cards::Card;
use self::stocks::Stock;

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// One record of the inbox, as it stands in the log.
pub struct Record<'r> {
    pub partition: u32,
    pub offset: u64,
    /// When it was appended, in milliseconds.
    pub appended_at: i64,
    /// The JSON.
    pub value: &'r [u8],
    /// The clock reading it was decided with, if an event tells; where none does, it decides nothing.
    pub now: Option<i64>,
}

/// One thing that the rules ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// For `purchases`. The wording of a reply is free: `reply` has no `text` here.
    Event(Value),
    /// For `orders`.
    Order(Value),
    /// For the inbox, without its version `v`.
    Message(Value),
}

/// One inbox partition's desk, by the rules alone.
pub struct Model {
    secret: Vec<u8>,
    settings: Option<Shared>,
    /// Two different settings came with the highest revision: which of them counts is decided by a
    /// hash that the rules do not name.
    pub two_settings_of_one_revision: bool,
    reader: Reader,
    waiting: Vec<Waiting>,
    desk_time: i64,
    accounts: BTreeMap<u64, Account>,
    stocks: BTreeMap<String, Stock>,
    cards: BTreeMap<String, Card>,
    /// How far the card transactions have come by their own time.
    progress: i64,
    told: BTreeMap<String, SoldOut>,
    ends: BTreeMap<String, i64>,
    /// Where the newest record of each offer stood.
    offers_at: BTreeMap<String, Position>,
}

/// What the stock of an offer told everybody: the newest version it has seen, and units sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SoldOut {
    version: u64,
    sold: u64,
}

struct Waiting {
    offset: u64,
    appended_at: i64,
    now: Option<i64>,
    record: Inbox,
}

/// What is decided with: everything but the account itself.
struct Circumstances<'c> {
    settings: &'c Settings,
    secret: &'c [u8],
    desk_time: i64,
    told: &'c BTreeMap<String, SoldOut>,
    appended_at: i64,
    now: i64,
}

impl Circumstances<'_> {
    /// Longer ago than anything that can still matter.
    fn horizon(&self) -> i64 {
        horizon(self.settings)
    }
}

fn horizon(settings: &Settings) -> i64 {
    HOUR + HOUR + settings.slack_ms
}

impl Model {
    pub fn new(secret: &[u8]) -> Model {
        Model {
            secret: secret.to_vec(),
            settings: None,
            two_settings_of_one_revision: false,
            reader: Reader::default(),
            waiting: Vec::new(),
            desk_time: 0,
            accounts: BTreeMap::new(),
            stocks: BTreeMap::new(),
            cards: BTreeMap::new(),
            progress: 0,
            told: BTreeMap::new(),
            ends: BTreeMap::new(),
            offers_at: BTreeMap::new(),
        }
    }

    /// Handles one record: what it leads to, by the offset of the record that led to it. Before the
    /// first mark there is nothing; with it comes all that has waited, in order.
    pub fn step(&mut self, record: &Record) -> Vec<(u64, Vec<Output>)> {
        let read = self.reader.read(record.value).unwrap_or_else(|e| {
            panic!("inbox {}/{}: {e}", record.partition, record.offset);
        });
        if self.settings.is_none() {
            let Inbox::Mark { settings, .. } = &read else {
                let (offset, appended_at, now) = (record.offset, record.appended_at, record.now);
                self.waiting.push(Waiting { offset, appended_at, now, record: read });
                return Vec::new();
            };
            self.settings = Some(settings.clone());
        }
        let mut all = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let outputs = self.handle(&waiting.record, waiting.appended_at, waiting.now);
            all.push((waiting.offset, outputs));
        }
        all.push((record.offset, self.handle(&read, record.appended_at, record.now)));
        all
    }

    /// All pendings with their deadlines, by purchase.
    pub fn pendings(&self) -> BTreeMap<String, i64> {
        let purchases = self.accounts.values().flat_map(|account| &account.purchases);
        purchases.filter(|p| p.state == State::Pending).map(|p| (p.id.clone(), p.deadline)).collect()
    }

    /// Whether the first mark has come, with the settings: until then everything waits.
    pub fn has_begun(&self) -> bool {
        self.settings.is_some()
    }

    /// The same if a record that is still to be decided is a mark: a desk looks ahead for the first one, and may commit
    /// what stands before it.
    pub fn looks_ahead(&mut self, value: &[u8]) -> bool {
        if let Ok(Inbox::Mark { settings, .. }) = self.reader.read(value) {
            self.settings.get_or_insert(settings);
        }
        self.has_begun()
    }

    /// Desk time, in milliseconds; 0 before the first mark.
    pub fn desk_time(&self) -> i64 {
        self.desk_time
    }

    fn handle(&mut self, record: &Inbox, appended_at: i64, now: Option<i64>) -> Vec<Output> {
        let mut out = Vec::new();
        let Some(settings) = self.settings.clone() else { return out };
        let with = Circumstances {
            settings: &settings,
            secret: &self.secret,
            desk_time: self.desk_time,
            told: &self.told,
            appended_at,
            now: now.unwrap_or(appended_at),
        };
        match record {
            Inbox::Sighting(sighting) => {
                self.accounts.entry(sighting.account.get()).or_default().sighted(sighting, &with, &mut out);
            }
            Inbox::Deletion { account, tweet_id } => {
                let entry = self.accounts.entry(account.get()).or_default();
                entry.deleted(account.get(), tweet_id.get(), &with, &mut out);
            }
            Inbox::Account { account_id, position, account } => {
                let entry = self.accounts.entry(account_id.get()).or_default();
                entry.recorded(account_id.get(), *position, account.as_deref(), &with, &mut out);
            }
            Inbox::Answer { account, purchase_id, confirmed } => {
                let entry = self.accounts.entry(account.get()).or_default();
                entry.answered(&purchase_id.to_string(), *confirmed, &with);
            }
            Inbox::Offer { offer } => {
                self.stocks.entry(offer.offer_id.clone()).or_default().recorded(offer, &mut out);
            }
            Inbox::Submitted(confirmation) => {
                let stock = self.stocks.entry(confirmation.offer.offer_id.clone()).or_default();
                stock.submitted(confirmation, &with, &mut out);
            }
            Inbox::Sold { offer_id } => {
                self.stocks.entry(offer_id.clone()).or_default().sold(offer_id, &mut out)
            }
            Inbox::SoldOut { offer_id, version, sold } => {
                self.told.insert(offer_id.clone(), SoldOut { version: *version, sold: *sold });
            }
            // A copy of an offer's record that comes after a newer one changes nothing.
            Inbox::Ends { offer_id, position, .. } | Inbox::Withdrawn { offer_id, position }
                if self
                    .offers_at
                    .get(offer_id)
                    .is_some_and(|newest| position.is_some_and(|at| at < *newest)) => {}
            Inbox::Ends { offer_id, ends_at, position } => {
                self.ends.insert(offer_id.clone(), ends_at.millis());
                self.offers_at.extend(position.map(|at| (offer_id.clone(), at)));
            }
            Inbox::Withdrawn { offer_id, .. } => {
                for (&id, account) in &mut self.accounts {
                    account.cancel(id, "withdrawn", &with, &mut out, |p| p.offer.offer_id == *offer_id);
                }
            }
            Inbox::NotLoaded(load) => {
                self.accounts.entry(load.account.get()).or_default().not_loaded(load, &mut out);
            }
            Inbox::Load(load) => {
                let progress = self.progress;
                let card = self.card(&load.card_token);
                card.load(load, &mut out);
                card.passed(progress, &mut out);
            }
            Inbox::Standing { card_token, account, active } => {
                self.card(card_token).standing(account.get(), *active);
            }
            Inbox::Transaction(transaction) => {
                let progress = self.progress;
                self.card(&transaction.card_token).transaction(transaction, progress, &mut out);
            }
            Inbox::Progress { time } => {
                self.progress = self.progress.max(time.millis());
                for card in self.cards.values_mut() {
                    card.passed(self.progress, &mut out);
                }
            }
            Inbox::Mark { time, settings } => self.mark(time.millis(), settings, &mut out),
        }
        out
    }

    fn card(&mut self, token: &CardToken) -> &mut Card {
        self.cards.entry(token.as_str().to_owned()).or_default()
    }

    /// A mark: the newest settings, then time, then lapses, then what nobody needs any more goes.
    fn mark(&mut self, time: i64, brought: &Shared, out: &mut Vec<Output>) {
        let mut settings = self.settings.clone().unwrap_or_else(|| brought.clone());
        if brought.revision > settings.revision {
            settings = brought.clone();
            self.two_settings_of_one_revision = false;
        } else if brought.revision == settings.revision && brought != &settings {
            self.two_settings_of_one_revision = true;
        }
        self.settings = Some(settings.clone());
        self.desk_time = self.desk_time.max(time);
        let mut due = Vec::new();
        for (&id, account) in &self.accounts {
            for (i, p) in account.purchases.iter().enumerate() {
                if p.state == State::Pending && p.deadline + settings.slack_ms <= self.desk_time {
                    due.push((p.deadline, p.id.clone(), id, i));
                }
            }
        }
        due.sort();
        for (_, _, id, i) in due {
            if let Some(account) = self.accounts.get_mut(&id) {
                account.lapse(id, i, self.desk_time, out);
            }
        }
        for account in self.accounts.values_mut() {
            account.forget(self.desk_time, horizon(&settings), &self.ends);
        }
    }
}
