//! The engine: scan, inbox and desk in one queue.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::lines::{Line, Source, Table};
use super::summary::Summary;
use crate::core::account::Account;
use crate::core::code::Secret;
use crate::core::desk::{Desk, Effects, NoSettings, Output, Pendings, Progress};
use crate::core::event::Event;
use crate::core::hashtag::fold;
use crate::core::ids::AccountId;
use crate::core::inbox::{Inbox, Position};
use crate::core::offer::{Offer, OfferKind, OfferStatus};
use crate::core::prefilter::Prefilter;
use crate::core::record::Rejection;
use crate::core::scan::{OfferIndex, Scan};
use crate::core::settings::{Settings, Shared};
use crate::core::tables::{AccountChange, AccountTable, OfferTable};
use crate::core::tally::Counted;
use crate::core::time::{MINUTE, Time};
use crate::core::transaction::Transaction;
use crate::core::tweet::{self, BadRecord, Control, Deletion, Record, Tweet};

/// A tweet time may be that far ahead of the clock, in milliseconds.
pub const MAX_AHEAD: i64 = MINUTE;

/// Scan and desk in one process.
pub struct Engine {
    settings: Shared,
    ignored: HashSet<AccountId>,
    offers: OfferTable,
    accounts: AccountTable,
    /// Made of the offers; none after they have changed.
    matchers: Option<Matchers>,
    desk: Desk,
    /// Desk time: the greatest tweet time so far.
    time: Time,
    /// Tweets after it are skipped.
    until: Option<Time>,
    /// A tweet after `until` was seen: what deletions behind it are about was after it, too.
    past_until: bool,
    /// Lines to come, in the order in which they take effect.
    lines: VecDeque<Line>,
    /// Position of the next account record.
    position: u64,
    /// The time of the card transactions is their own; else it is desk time.
    with_transactions: bool,
    /// An offer was a coupon: only then does the time of the card transactions matter.
    has_coupons: bool,
    effects: Effects,
    events: Vec<Event>,
    rejections: Vec<(Source, Rejection)>,
    summary: Summary,
}

struct Matchers {
    scan: Scan,
    prefilter: Prefilter,
}

/// What a record turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A tweet.
    Tweet,
    /// A tweet after `until`, or a deletion behind one.
    AfterUntil,
    /// A deletion.
    Deletion,
    /// A control message.
    Control(Control),
}

/// Why the engine cannot go on. It is a fault of the program, never of the input.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// More offers than an automaton can hold.
    #[error("the offers' hashtags cannot be compiled: {0}")]
    Offers(#[from] aho_corasick::BuildError),
    /// The desk was handed a record before its settings.
    #[error(transparent)]
    Desk(#[from] NoSettings),
}

impl Engine {
    /// An engine without offers and accounts. Authors in `ignored` are not listened to.
    pub fn new(
        settings: Settings,
        secret: Secret,
        ignored: HashSet<AccountId>,
        until: Option<Time>,
    ) -> Engine {
        let accounts = AccountTable::new(settings.limits.accounts_per_card);
        Engine {
            settings: settings.into(),
            ignored,
            offers: OfferTable::new(),
            accounts,
            matchers: None,
            desk: Desk::new(secret),
            time: Time::ZERO,
            until,
            past_until: false,
            lines: VecDeque::new(),
            position: 0,
            with_transactions: false,
            has_coupons: false,
            effects: Effects::default(),
            events: Vec::new(),
            rejections: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// Card transactions are among the lines to come, or could be: coupons expire by their time, not by desk time.
    pub fn with_transactions(self) -> Engine {
        Engine { with_transactions: true, ..self }
    }

    /// Takes the lines of all tables, in the order of offers, accounts, card transactions, each as in its file. Those
    /// without a time take effect at once.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn load(&mut self, lines: Vec<Line>) -> Result<(), Stopped> {
        self.deliver(Inbox::Mark { time: self.time, settings: self.settings.clone() })?;
        let (mut timed, at_once): (Vec<Line>, Vec<Line>) =
            lines.into_iter().partition(|line| line.at().is_some());
        // Stable: lines of one time and table stay in the order of the file.
        timed.sort_by_key(|line| (line.at(), line.source.table));
        self.lines.extend(timed);
        at_once.into_iter().try_for_each(|line| self.apply(line))
    }

    /// Handles one record of the firehose. `clock` is the real time, by which a tweet can be ahead.
    ///
    /// # Errors
    /// Outside: [`Stopped`]. Inside: the record cannot be read, and has moved nothing.
    pub fn record(&mut self, bytes: &[u8], clock: Time) -> Result<Result<Seen, BadRecord>, Stopped> {
        let record = match tweet::parse(bytes) {
            Ok(record) => record,
            Err(bad) => return Ok(Err(bad)),
        };
        match record {
            Record::Tweet(tweet) if tweet.time > clock.plus(MAX_AHEAD) => {
                Ok(Err(BadRecord::TimeAhead { time: tweet.time }))
            }
            Record::Tweet(tweet) => self.tweet(&tweet, bytes).map(Ok),
            Record::Deletion(deletion) => self.deletion(deletion, bytes).map(Ok),
            Record::Control(kind) => {
                *self.summary.controls.entry(kind.as_str()).or_default() += 1;
                Ok(Ok(Seen::Control(kind)))
            }
        }
    }

    /// Lets time pass without a tweet: to `until`, if that is later than the last tweet. What is due
    /// by then happens. Lines of offers and accounts whose time has not come are not taken, but still checked; card
    /// transactions are taken all the same if there is no `until`, and move no desk time.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn finish(&mut self) -> Result<(), Stopped> {
        if let Some(until) = self.until {
            self.advance(until)?;
        }
        for line in std::mem::take(&mut self.lines) {
            match line.source.table {
                Table::Transactions if self.until.is_none() => self.apply(line)?,
                _ => self.lines.push_back(line),
            }
        }
        for line in &self.lines {
            let rejection = line.rejection(&self.settings.code_prefix);
            self.rejections.extend(rejection.map(|rejection| (line.source, rejection)));
        }
        Ok(())
    }

    /// Moves desk time, if it is behind: table lines take effect at their times, lapses fire at
    /// theirs.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn advance(&mut self, to: Time) -> Result<(), Stopped> {
        while let Some(line) = self.lines.pop_front_if(|line| line.at().is_some_and(|at| at <= to)) {
            self.step_to(line.at().unwrap_or(to))?;
            self.apply(line)?;
        }
        self.step_to(to)
    }

    /// The events since the last call, in the order of processing.
    pub fn take_events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// Table lines that were rejected since the last call.
    pub fn take_rejections(&mut self) -> std::vec::Drain<'_, (Source, Rejection)> {
        self.rejections.drain(..)
    }

    /// Desk time: the greatest tweet time so far.
    pub fn time(&self) -> Time {
        self.time
    }

    /// What is pending.
    pub fn pendings(&self) -> Arc<Pendings> {
        self.desk.pendings()
    }

    /// Table lines whose time has not come.
    pub fn lines_left(&self) -> usize {
        self.lines.len()
    }

    /// The counters until now.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    fn tweet(&mut self, tweet: &Tweet, bytes: &[u8]) -> Result<Seen, Stopped> {
        self.summary.tweets += 1;
        if self.until.is_some_and(|until| tweet.time > until) {
            self.past_until = true;
            self.summary.after_until += 1;
            return Ok(Seen::AfterUntil);
        }
        self.advance(tweet.time)?;
        let matchers = matchers(&mut self.matchers, &self.offers, &self.settings, &self.ignored)?;
        let passed_on = matchers.prefilter.passes(bytes);
        let is_linked = |id| self.accounts.get(id).is_some();
        let sighting = matchers.scan.sighting(tweet, is_linked, &mut self.summary.nothing);
        self.summary.prefilter(passed_on, sighting.is_some());
        if let Some(sighting) = sighting {
            self.summary.sightings += 1;
            self.deliver(Inbox::Sighting(sighting))?;
        }
        Ok(Seen::Tweet)
    }

    fn deletion(&mut self, deletion: Deletion, bytes: &[u8]) -> Result<Seen, Stopped> {
        self.summary.deletions += 1;
        if self.past_until {
            self.summary.after_until += 1;
            return Ok(Seen::AfterUntil);
        }
        let matchers = matchers(&mut self.matchers, &self.offers, &self.settings, &self.ignored)?;
        self.summary.prefilter(matchers.prefilter.passes(bytes), true);
        if self.accounts.get(deletion.author).is_some() {
            self.deliver(Inbox::Deletion { account: deletion.author, tweet_id: deletion.id })?;
        } else {
            self.summary.nothing.count(Counted::DeletionDropped);
        }
        Ok(Seen::Deletion)
    }

    fn step_to(&mut self, to: Time) -> Result<(), Stopped> {
        if to <= self.time {
            return Ok(());
        }
        self.time = to;
        self.deliver(Inbox::Mark { time: to, settings: self.settings.clone() })?;
        if self.has_coupons && !self.with_transactions {
            self.deliver(Inbox::Progress { time: to })?;
        }
        Ok(())
    }

    fn apply(&mut self, line: Line) -> Result<(), Stopped> {
        let (key, record) = (line.change.key.as_deref(), line.change.value.as_deref());
        match line.source.table {
            Table::Offers => {
                self.matchers = None;
                let change = self.offers.apply(key, record, &self.settings.code_prefix);
                let rejected = change.rejection.as_ref().and_then(Rejection::id) == change.id.as_deref();
                self.rejections.extend(change.rejection.map(|rejection| (line.source, rejection)));
                match change.put {
                    Some(offer) if !rejected => self.feed_offer(offer),
                    _ => Ok(()),
                }
            }
            Table::Accounts => match self.accounts.apply(key, record) {
                Ok(AccountChange::Linked(account)) => self.feed_account(account.account_id, Some(account)),
                Ok(AccountChange::Unlinked(id)) => self.feed_account(id, None),
                Err(rejection) => {
                    self.rejections.push((line.source, rejection));
                    Ok(())
                }
            },
            Table::Transactions => match Transaction::from_json(record.unwrap_or("null")) {
                Ok(transaction) => self.feed_transaction(transaction),
                Err(rejection) => {
                    self.rejections.push((line.source, rejection));
                    Ok(())
                }
            },
        }
    }

    fn feed_transaction(&mut self, transaction: Transaction) -> Result<(), Stopped> {
        self.summary.transactions += 1;
        self.deliver(Inbox::Progress { time: transaction.at })?;
        self.deliver(Inbox::Transaction(Box::new(transaction)))
    }

    fn feed_offer(&mut self, offer: Arc<Offer>) -> Result<(), Stopped> {
        self.has_coupons |= matches!(offer.kind, OfferKind::Coupon { .. });
        let (offer_id, ends_at) = (offer.offer_id.clone(), offer.ends_at);
        self.deliver(Inbox::Ends { offer_id, ends_at, position: None })?;
        if offer.status == OfferStatus::Withdrawn && offer.cancel_pending {
            self.deliver(Inbox::Withdrawn { offer_id: offer.offer_id.clone(), position: None })?;
        }
        if offer.stock.is_some() {
            self.deliver(Inbox::Offer { offer })?;
        }
        Ok(())
    }

    fn feed_account(&mut self, account_id: AccountId, account: Option<Arc<Account>>) -> Result<(), Stopped> {
        let position = Position { epoch: 0, offset: self.position };
        self.position += 1;
        self.deliver(Inbox::Account { account_id, position, account })
    }

    /// Hands a record to the desk, and then the messages that entities write because of it: all of
    /// them before the next record.
    fn deliver(&mut self, record: Inbox) -> Result<(), Stopped> {
        let mut queue = VecDeque::from([record]);
        while let Some(record) = queue.pop_front() {
            loop {
                let progress = self.desk.step(&record, self.time, self.time, &mut self.effects)?;
                self.desk.commit();
                for output in self.effects.outputs.drain(..) {
                    match output {
                        Output::Event(event) | Output::Order(event) => {
                            self.summary.event(&event);
                            self.events.push(event);
                        }
                        Output::Send(message) => queue.push_back(message),
                    }
                }
                if progress == Progress::Done {
                    break;
                }
            }
        }
        let nothing = std::mem::take(&mut self.effects.tally);
        self.summary.nothing.add(&nothing);
        // For whoever watches a service.
        self.effects.lockouts.clear();
        self.effects.confirm_times.clear();
        Ok(())
    }
}

/// The matchers, made anew if the offers have changed.
fn matchers<'m>(
    made: &'m mut Option<Matchers>,
    offers: &OfferTable,
    settings: &Settings,
    ignored: &HashSet<AccountId>,
) -> Result<&'m Matchers, Stopped> {
    if let Some(matchers) = made {
        return Ok(matchers);
    }
    let index = OfferIndex::new(offers.index().map(|(tag, offer)| (tag.to_owned(), offer)))?;
    let prefilter = Prefilter::new(offers.index().map(|(tag, _)| tag), &fold(&settings.code_prefix));
    let scan = Scan::new(index, &settings.code_prefix, ignored.clone());
    Ok(made.insert(Matchers { scan, prefilter }))
}
