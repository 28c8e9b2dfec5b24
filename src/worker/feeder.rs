//! The feeder: records of `offers`, `accounts` and `card-transactions` -> the inbox, so that the desk sees them in
//! one order with the tweets.
//!
//! Beside the offsets of `card-transactions` it commits the greatest time of the transactions below them, as the scan
//! does with the firehose: by that the time keeper knows how far they are in the inbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::scan::read_time;
use super::tables::{bounds, key_of};
use super::trouble::Troubles;
use super::{Clock, Stop, Topic, Topics, Trouble, Turn, is_due, passes};
use crate::core::account::Account;
use crate::core::ids::AccountId;
use crate::core::inbox::{Inbox, Position};
use crate::core::offer::{Offer, OfferStatus};
use crate::core::record::Rejection;
use crate::core::tables::check_key;
use crate::core::time::{MINUTE, SECOND, Time};
use crate::core::transaction::Transaction;
use crate::log::{
    Committed, Error, Isolation, Kind, Log, Lookup, Member, Membership, Message, NewRecord, Partition,
    Polled, Producer,
};
use crate::metrics::Table;

/// Offsets are committed once in so long, in milliseconds.
const COMMIT_EVERY: i64 = SECOND / 2;

/// How a feeder is to be.
#[derive(Debug, Clone)]
pub struct FeederOptions {
    /// The name of the application: its groups begin with it.
    pub app: String,
    /// The topics.
    pub topics: Topics,
    /// The prefix of the codes.
    pub code_prefix: String,
    /// Raised by hand when the topic of the accounts was made anew.
    pub epoch: u64,
}

/// A feeder.
pub struct FeederWorker {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    options: FeederOptions,
    member: Box<dyn Member + Send>,
    producer: Box<dyn Producer + Send>,
    lookup: Box<dyn Lookup + Send>,
    inbox: Topic,
    dead_letters: Topic,
    parts: BTreeMap<Partition, Part>,
    /// Assigned, and not begun with: the group could not say yet where.
    waiting: Vec<Partition>,
    /// Up to where the tables went when the feeder began.
    until: Vec<(Partition, u64)>,
    committed_at: Time,
    troubles: Troubles,
    fed: Fed,
}

/// A partition of what is fed.
#[derive(Debug, Default)]
struct Part {
    /// The next offset.
    next: u64,
    /// The one that is committed.
    committed: Option<u64>,
    /// The greatest time of the card transactions below; the tables have none.
    time: Option<Time>,
}

/// What a feeder has done since it was asked last.
#[derive(Debug, Default, Clone)]
pub struct Fed {
    /// Records, by table.
    pub records: BTreeMap<Table, u64>,
    /// Rejected records, by table.
    pub bad: BTreeMap<Table, u64>,
    /// Rejected records, with their place and what is wrong with them.
    pub rejected: Vec<(String, Rejection)>,
}

impl FeederWorker {
    /// A feeder that has joined its group.
    ///
    /// # Errors
    /// If topics are missing or the log cannot be reached.
    pub fn new(
        log: Arc<dyn Log>,
        clock: Arc<dyn Clock>,
        options: FeederOptions,
    ) -> Result<FeederWorker, Stop> {
        let topics = options.topics.clone();
        let mut lookup = log.lookup()?;
        let mut until = Vec::new();
        for topic in [&topics.offers, &topics.accounts, &topics.card_transactions] {
            let all = bounds(&mut *lookup, topic)?;
            until.extend(all.into_iter().map(|(partition, _, end)| (partition, end)));
        }
        let inbox = Topic::inbox(&mut *lookup, &topics)?;
        let dead_letters = Topic::look_up(&mut *lookup, &topics.dead_letters)?;
        let member = log.member(&Membership {
            group: format!("{}-tables", options.app),
            topics: vec![topics.offers, topics.accounts, topics.card_transactions],
            instance: None,
            isolation: Isolation::Committed,
        })?;
        let producer = log.producer()?;
        let committed_at = clock.now();
        Ok(FeederWorker {
            log,
            clock,
            options,
            member,
            producer,
            lookup,
            inbox,
            dead_letters,
            parts: BTreeMap::new(),
            waiting: Vec::new(),
            until,
            committed_at,
            troubles: Troubles::default(),
            fed: Fed::default(),
        })
    }

    /// Does what is at hand, waiting up to `wait` for it.
    ///
    /// # Errors
    /// [`Stop`]: the worker is spent.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, Stop> {
        let mut arrived = Vec::new();
        let polled = self.member.poll(wait, &mut |message| arrived.push(Arrived::of(&message)));
        let polled = match polled {
            Err(error) if passes(&error) => Polled::Messages(0),
            polled => polled?,
        };
        let idle = match polled {
            Polled::Assigned(partitions) => {
                self.waiting.extend(partitions);
                false
            }
            Polled::Revoked { partitions, lost } => {
                if !lost {
                    self.commit()?;
                }
                self.parts.retain(|partition, _| !partitions.contains(partition));
                self.waiting.retain(|partition| !partitions.contains(partition));
                self.member.release()?;
                false
            }
            Polled::Messages(count) => count == 0,
        };
        for record in arrived {
            if let Err(error) = self.feed(&record) {
                self.producer_failed(error)?;
                return Ok(Turn::Worked);
            }
        }
        self.begin_waiting()?;
        let now = self.clock.now();
        if is_due(now, self.committed_at, COMMIT_EVERY) {
            self.committed_at = now;
            self.commit()?;
        }
        Ok(if idle { Turn::Idle } else { Turn::Worked })
    }

    /// Commits and leaves the group.
    ///
    /// # Errors
    /// [`Stop`], if what was read could not be committed: it will be read again.
    pub fn leave(mut self) -> Result<Fed, Stop> {
        let ended = self.commit();
        self.member.leave();
        ended.map(|()| self.fed)
    }

    /// What was done since the last call.
    pub fn take_fed(&mut self) -> Fed {
        std::mem::take(&mut self.fed)
    }

    /// What does not go well, and is tried again.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.troubles.now()
    }

    /// Whether the whole group has passed on what was in the tables when this feeder began.
    ///
    /// # Errors
    /// [`Stop`].
    pub fn has_passed_the_start(&mut self) -> Result<bool, Stop> {
        let partitions: Vec<Partition> = self.until.iter().map(|(partition, _)| partition.clone()).collect();
        let group = format!("{}-tables", self.options.app);
        let committed = match self.lookup.committed(&group, &partitions) {
            Ok(committed) => committed,
            Err(error) if passes(&error) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut all = self.until.iter().zip(committed);
        Ok(all.all(|((_, end), committed)| *end == 0 || committed.is_some_and(|at| at.offset >= *end)))
    }

    /// Begins with what was assigned; what cannot be found out now is asked for again in the next turn.
    fn begin_waiting(&mut self) -> Result<(), Stop> {
        if self.waiting.is_empty() || !self.troubles.may_try(self.clock.now()) {
            return Ok(());
        }
        match self.begin_all() {
            Err(Stop::Log(error)) if passes(&error) => {
                self.troubles.failed(&error, self.clock.now());
                Ok(())
            }
            done => done,
        }
    }

    /// One that cannot be begun with now holds up no other.
    fn begin_all(&mut self) -> Result<(), Stop> {
        let committed = self.member.committed(&self.waiting)?;
        for (partition, committed) in std::mem::take(&mut self.waiting).into_iter().zip(committed) {
            match self.begin_with(&partition, committed) {
                Err(Stop::Log(error)) if passes(&error) => {
                    self.troubles.failed(&error, self.clock.now());
                    self.waiting.push(partition);
                }
                begun => begun?,
            }
        }
        Ok(())
    }

    fn begin_with(&mut self, partition: &Partition, committed: Option<Committed>) -> Result<(), Stop> {
        let time = committed.as_ref().and_then(|committed| read_time(&committed.metadata));
        let committed = committed.map(|at| at.offset);
        let next = match committed {
            Some(offset) => offset,
            None => self.lookup.watermarks(partition, Isolation::Uncommitted)?.0,
        };
        self.member.start(partition, next)?;
        self.parts.insert(partition.clone(), Part { next, committed, time });
        Ok(())
    }

    /// Passes one record on.
    fn feed(&mut self, arrived: &Arrived) -> Result<(), Error> {
        let Some(part) = self.parts.get_mut(&arrived.partition) else { return Ok(()) };
        part.next = arrived.offset + 1;
        let table = self.table_of(arrived);
        *self.fed.records.entry(table).or_default() += 1;
        let messages = match table {
            Table::Offers => self.offer(arrived),
            Table::Accounts => self.account(arrived),
            Table::CardTransactions => self.transaction(arrived),
        };
        match messages {
            Ok(messages) => messages.iter().try_for_each(|message| self.send(message)),
            Err(rejection) => self.reject(arrived, rejection),
        }
    }

    fn table_of(&self, arrived: &Arrived) -> Table {
        let topics = &self.options.topics;
        match &*arrived.partition.topic {
            topic if topic == topics.offers => Table::Offers,
            topic if topic == topics.accounts => Table::Accounts,
            _ => Table::CardTransactions,
        }
    }

    fn offer(&self, arrived: &Arrived) -> Result<Vec<Inbox>, Rejection> {
        // A null withdraws in the scan; what is pending goes on.
        let Some(value) = &arrived.value else { return Ok(Vec::new()) };
        let json = Rejection::text("offer", arrived.key.as_deref(), value)?;
        let offer = Offer::from_json(json, &self.options.code_prefix)?;
        check_key("offer", arrived.key.as_deref(), &offer.offer_id, None)?;
        let position = Some(Position { epoch: self.options.epoch, offset: arrived.offset });
        let (offer_id, ends_at) = (offer.offer_id.clone(), offer.ends_at);
        let mut messages = vec![Inbox::Ends { offer_id, ends_at, position }];
        if offer.status == OfferStatus::Withdrawn && offer.cancel_pending {
            messages.push(Inbox::Withdrawn { offer_id: offer.offer_id.clone(), position });
        }
        if offer.stock.is_some() {
            messages.push(Inbox::Offer { offer: Arc::new(offer) });
        }
        Ok(messages)
    }

    fn account(&self, arrived: &Arrived) -> Result<Vec<Inbox>, Rejection> {
        let key = arrived.key.as_deref();
        let read = |value: &Vec<u8>| Account::from_json(Rejection::text("account", key, value)?);
        let account = arrived.value.as_ref().map(read).transpose()?;
        let account_id = match &account {
            Some(account) => {
                let id = account.account_id.to_string();
                check_key("account", arrived.key.as_deref(), &id, Some(&account.card_token))?;
                account.account_id
            }
            None => match arrived.key.as_deref().and_then(AccountId::parse) {
                Some(id) => id,
                None => return Ok(Vec::new()),
            },
        };
        let position = Position { epoch: self.options.epoch, offset: arrived.offset };
        Ok(vec![Inbox::Account { account_id, position, account: account.map(Arc::new) }])
    }

    fn transaction(&mut self, arrived: &Arrived) -> Result<Vec<Inbox>, Rejection> {
        // The key may be anything, a token as well: no message shows it.
        let Some(value) = &arrived.value else { return Ok(Vec::new()) };
        let transaction = Transaction::from_json(Rejection::text("transaction", None, value)?)?;
        // As with tweets: a time ahead of the clock moves nothing.
        let is_fit = transaction.at <= self.clock.now().plus(MINUTE);
        if let Some(part) = self.parts.get_mut(&arrived.partition).filter(|_| is_fit) {
            part.time = part.time.max(Some(transaction.at));
        }
        Ok(vec![Inbox::Transaction(Box::new(transaction))])
    }

    fn send(&mut self, message: &Inbox) -> Result<(), Error> {
        self.inbox.inbox_records(message).into_iter().try_for_each(|record| self.producer.send(record))
    }

    /// A rejected record is a dead letter without its bytes: nobody knows what is in them.
    fn reject(&mut self, arrived: &Arrived, rejection: Rejection) -> Result<(), Error> {
        let headers = vec![
            ("reason", b"rejected".to_vec()),
            ("detail", rejection.to_string().into_bytes()),
            ("source-topic", arrived.partition.topic.as_bytes().to_vec()),
            ("source-partition", arrived.partition.number.to_string().into_bytes()),
            ("source-offset", arrived.offset.to_string().into_bytes()),
        ];
        let number = arrived.partition.number % self.dead_letters.partitions.max(1);
        let partition = self.dead_letters.partition(number);
        *self.fed.bad.entry(self.table_of(arrived)).or_default() += 1;
        self.fed.rejected.push((format!("{}@{}", arrived.partition, arrived.offset), rejection));
        self.producer.send(NewRecord { partition, key: None, value: None, headers })
    }

    /// Waits until everything that was written is acknowledged, then commits what was read.
    fn commit(&mut self) -> Result<(), Stop> {
        match self.producer.outstanding(Duration::from_secs(10)) {
            Ok(0) => {}
            Ok(outstanding) => {
                let what = format!("{outstanding} records for {} are not acknowledged", self.inbox.name);
                self.troubles.failed(&Error::new(Kind::Retry, what), self.clock.now());
                return Ok(());
            }
            Err(error) => return self.producer_failed(error),
        }
        for (partition, part) in &mut self.parts {
            // The last thing in a partition may be the end of a transaction, which is handed to nobody.
            part.next = part.next.max(self.member.position(partition).unwrap_or(0));
        }
        let changed = self.parts.iter().filter(|(_, part)| part.committed != Some(part.next));
        let offsets: Vec<(Partition, Committed)> = changed
            .map(|(partition, part)| {
                let metadata = part.time.map(|time| time.millis().to_string()).unwrap_or_default();
                (partition.clone(), Committed { offset: part.next, metadata })
            })
            .collect();
        if offsets.is_empty() {
            // Nothing is read while partitions wait to be begun with: that is no success.
            if self.waiting.is_empty() {
                self.troubles.over();
            }
            return Ok(());
        }
        match self.member.commit(&offsets) {
            Ok(()) => {
                self.troubles.over();
                self.parts.values_mut().for_each(|part| part.committed = Some(part.next));
                Ok(())
            }
            Err(error) if matches!(error.kind, Kind::Retry | Kind::Fenced | Kind::Abort) => {
                self.troubles.failed(&error, self.clock.now());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A delivery has failed: a new producer, and back to what is committed. The desk knows copies.
    fn producer_failed(&mut self, error: Error) -> Result<(), Stop> {
        if error.kind == Kind::Fatal {
            return Err(error.into());
        }
        self.troubles.failed(&error, self.clock.now());
        self.producer = self.log.producer()?;
        // Nothing more of them is read before they begin anew; what comes nevertheless is not looked at.
        for partition in std::mem::take(&mut self.parts).into_keys() {
            let _ = self.member.pause(&partition);
            self.waiting.push(partition);
        }
        Ok(())
    }
}

/// A table record, copied out of the log.
struct Arrived {
    partition: Partition,
    offset: u64,
    key: Option<String>,
    value: Option<Vec<u8>>,
}

impl Arrived {
    fn of(message: &Message<'_>) -> Arrived {
        Arrived {
            partition: Partition::new(message.topic, message.partition),
            offset: message.offset,
            key: key_of(message).map(str::to_owned),
            value: message.value.map(<[u8]>::to_vec),
        }
    }
}
