//! The producer of transactions.
//!
//! A commit goes in three steps, and what an error means depends on the step:
//!
//! 1. Every record is acknowledged. Until then nothing can have been committed: [`Kind::Abort`].
//! 2. The group takes the offsets, or refuses them because the member has lost its standing. Still
//!    nothing is committed: [`Kind::Refused`].
//! 3. The coordinator ends the transaction. From here on an error says nothing about what happened: the
//!    request may have arrived and its answer been lost, or it may still be on its way and even hit the
//!    next transaction. So whatever comes back but success is [`Kind::Unknown`], the producer is spent,
//!    and the next one with this id first ends whatever is open.
//!
//! Everything has a deadline. librdkafka's own "no timeout" can retry for ever.
//!
//! librdkafka repeats a request that was not answered, also within one of these calls. The first copy may still be on
//! its way then. With brokers as old as librdkafka takes them for, transactions of one producer look all alike: an end
//! that comes late ends the next one in its middle, and late offsets overwrite newer ones. So after a transaction in
//! which a request may have been repeated the producer is replaced by a new one with the same id, whose epoch is
//! higher: the broker refuses whatever the old one has on its way.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::Producer as _;

use super::caller::Caller;
use super::deliveries::{self, Counted, Failed};
use super::error::{for_good, lacking, of_delivery, refused, replaced};
use super::member::standing_of;
use super::partitions;
use super::settings::{Settings, TRANSACTION_REQUEST};
use crate::log::right::Resource;
use crate::log::{Appended, Error, Kind, NewRecord, Partition, Standing, Transactions};

/// How long it may take to become the only producer with an id. An open transaction of the one before
/// is aborted meanwhile.
const INIT_WAIT: Duration = Duration::from_secs(30);

/// A broker that answers at all has done so by then.
const CONNECT_WAIT: Duration = Duration::from_millis(500);

/// How much longer than a transaction its end may take: the coordinator may just be moving.
const END_GRACE: Duration = Duration::from_secs(5);

/// A request may have been repeated in a transaction that lasted so long. It is repeated after
/// `socket.timeout.ms`, which is twice that, or when a connection breaks, which librdkafka tells.
const SLOW: Duration = Duration::from_millis(TRANSACTION_REQUEST.as_millis() as u64 / 2);

/// Between two looks whether there is room in the queue.
const A_MOMENT: Duration = Duration::from_millis(20);

/// The report of a record that has failed is there by then.
const REPORTED: Duration = Duration::from_secs(1);

pub(super) struct KafkaTransactions {
    settings: Settings,
    producer: Arc<Counted>,
    caller: Caller<Counted>,
    id: String,
    /// A transaction never lives longer than this.
    timeout: Duration,
    open: bool,
    /// When that was opened, and how many errors librdkafka had told before.
    opened: (Instant, usize),
    /// Why it is of no more use.
    spent: Option<Error>,
}

/// The only producer with an id.
fn take_over(settings: &Settings, id: &str) -> Result<(Arc<Counted>, Caller<Counted>), Error> {
    let what = format!("transactional id {id}");
    let producer: Arc<Counted> = Arc::new(deliveries::producer(&settings.transactions(id), &what)?);
    let caller = Caller::new(&producer)
        .map_err(|error| Error::new(Kind::Retry, format!("{what} cannot be taken over: {error}")))?;
    let deadline = Instant::now() + INIT_WAIT;
    // Without a broker that it is connected to, librdkafka asks for the coordinator half a second later. Whether one
    // was found does not matter here: the call below says what is wrong.
    let _ = producer.client().fetch_cluster_id(CONNECT_WAIT);
    loop {
        let made = caller.call(left(deadline), |producer, wait| producer.init_transactions(wait));
        let Err(error) = made.unwrap_or_else(|| Err(silence())) else { return Ok((producer, caller)) };
        if is_retriable(&error) && Instant::now() < deadline {
            continue;
        }
        let kind = match error.rdkafka_error_code() {
            Some(code) if for_good(code) => Kind::Fatal,
            _ => Kind::Retry,
        };
        let trouble = producer.context().trouble();
        let code = error.rdkafka_error_code();
        let error = Error::new(kind, format!("{what} cannot be taken over: {error} {trouble}"));
        return Err(lacking(error, code, "Write", Resource::TransactionalId, id));
    }
}

/// What stands for the answer of a call that did not come back.
fn silence() -> KafkaError {
    KafkaError::Flush(Code::OperationTimedOut)
}

impl KafkaTransactions {
    pub(super) fn new(settings: &Settings, id: &str) -> Result<KafkaTransactions, Error> {
        let (producer, caller) = take_over(settings, id)?;
        Ok(KafkaTransactions {
            producer,
            caller,
            settings: settings.clone(),
            id: id.to_owned(),
            timeout: settings.transaction,
            open: false,
            opened: (Instant::now(), 0),
            spent: None,
        })
    }

    /// The error, after which this producer is of no more use.
    fn spend(&mut self, kind: Kind, what: String) -> Error {
        self.spent.get_or_insert(Error::new(kind, what)).clone()
    }

    /// The right that is missing, if it is known that one is.
    fn denied(&mut self) -> Option<Error> {
        let topic = self.producer.context().denied()?;
        let (what, code) =
            (format!("transaction of {}: {topic} is not taken in", self.id), Code::TopicAuthorizationFailed);
        let error =
            lacking(of_delivery(&what, code, Kind::Fatal), Some(code), "Write", Resource::Topic, &topic);
        Some(self.spend(error.kind, error.what))
    }

    /// An error before the end of the transaction was asked for: it will not be committed.
    fn before_the_end(&mut self, what: &str, code: Code, requires_restart: bool) -> Error {
        if let Some(denied) = self.denied() {
            return denied;
        }
        let what = format!("transaction of {}: {what}", self.id);
        let dead = self.producer.client().fatal_error();
        let code = dead.as_ref().map_or(code, |(code, _)| *code);
        let error = of_delivery(&what, code, Kind::Abort);
        let error = lacking(error, Some(code), "Write", Resource::TransactionalId, &self.id);
        if error.kind == Kind::Abort && (dead.is_some() || requires_restart) {
            return self.spend(Kind::Fenced, error.what);
        }
        if error.kind == Kind::Abort { error } else { self.spend(error.kind, error.what) }
    }

    /// The same error with more to say; also whoever asks again is told.
    fn told(&mut self, error: Error) -> Error {
        if self.spent.is_some() {
            self.spent = Some(error.clone());
        }
        error
    }

    fn check(&self, open: bool) -> Result<(), Error> {
        match &self.spent {
            Some(spent) => Err(spent.clone()),
            None if self.open == open => Ok(()),
            None if open => Err(Error::new(Kind::Fatal, format!("{}: no transaction is open", self.id))),
            None => Err(Error::new(Kind::Fatal, format!("{}: a transaction is open already", self.id))),
        }
    }

    /// A record has failed: nothing is committed.
    fn not_delivered(&mut self, failed: &Failed) -> Error {
        let Failed { code, topic, partition, anew } = failed;
        let Some((offset, before)) = anew else {
            let what = format!("a record for {topic}/{partition} was not delivered");
            let error = self.before_the_end(&what, *code, false);
            return self.told(lacking(error, Some(*code), "Write", Resource::Topic, topic));
        };
        let what = format!(
            "{topic}/{partition}: a record was appended at offset {offset}, after one at {before}: the topic was deleted \
             and made anew while it was written to, and what stood in it is gone; stop all workers of the app and bring \
             the topic back from a copy"
        );
        self.spend(Kind::Fatal, what)
    }

    /// Step 1.
    fn await_deliveries(&mut self, deadline: Instant) -> Result<(), Error> {
        match self.producer.context().wait(left(deadline)) {
            Ok(0) => {}
            Ok(outstanding) => {
                let what = format!("{outstanding} records are not acknowledged in time");
                return Err(self.before_the_end(&what, Code::OperationTimedOut, false));
            }
            Err(failed) => return Err(self.not_delivered(&failed)),
        }
        // The last report has been counted while librdkafka may still be clearing it away. Ending the
        // transaction at that moment would make rdkafka flush, which takes 100 ms.
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_micros(50));
        }
        Ok(())
    }

    /// Step 2.
    fn send_offsets(
        &mut self,
        offsets: &[(Partition, u64)],
        standing: &Standing,
        deadline: Instant,
    ) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = partitions::list(offsets.iter().map(|(partition, offset)| (partition, *offset)))?;
        let group = &standing_of(standing)?.group;
        loop {
            let (list, standing) = (list.clone(), standing.clone());
            let sent = self.caller.call(left(deadline), move |producer, wait| match standing_of(&standing) {
                Ok(seat) => producer.send_offsets_to_transaction(&list, &seat.metadata, wait),
                Err(_) => Err(silence()), // it was looked at before
            });
            let error = match sent {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => error,
                None => {
                    let what =
                        format!("transaction of {}: whether the offsets were taken is not known", self.id);
                    return Err(self.spend(Kind::Unknown, what));
                }
            };
            // To try again is to go on with the same call: its arguments have to be the same.
            if is_retriable(&error) && Instant::now() < deadline {
                continue;
            }
            let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
            let error = self.before_the_end("the offsets were not taken", code, false);
            let error = self.told(lacking(error, Some(code), "Read", Resource::Group, group));
            let kind = if error.kind == Kind::Abort && refused(code) { Kind::Refused } else { error.kind };
            return Err(Error { kind, ..error });
        }
    }

    /// Step 3, and the same for an abort.
    fn end(&mut self, deadline: Instant, commit: bool) -> Result<(), KafkaError> {
        loop {
            let outcome = self.caller.call(left(deadline), move |producer, wait| {
                if commit { producer.commit_transaction(wait) } else { producer.abort_transaction(wait) }
            });
            match outcome.unwrap_or_else(|| Err(silence())) {
                Err(error) if is_retriable(&error) && Instant::now() < deadline => {}
                outcome => return outcome,
            }
        }
    }

    /// A transaction has ended. If something of it may still be on its way, a new producer sees to it that it is
    /// refused.
    fn over(&mut self) {
        self.open = false;
        self.producer.context().next_round();
        let (since, errors) = self.opened;
        if since.elapsed() < SLOW && self.producer.context().errors() == errors {
            return;
        }
        match take_over(&self.settings, &self.id) {
            Ok((producer, caller)) => {
                producer.context().go_on_from(self.producer.context().offsets());
                (self.producer, self.caller) = (producer, caller);
            }
            Err(error) => drop(self.spend(Kind::Unknown, error.what)),
        }
    }
}

impl Transactions for KafkaTransactions {
    fn begin(&mut self) -> Result<(), Error> {
        self.check(false)?;
        // After a fatal error librdkafka may hang in here rather than say so.
        if let Some((code, why)) = self.producer.client().fatal_error() {
            return Err(self.before_the_end(&why, code, true));
        }
        let begun = self.caller.call(END_GRACE, |producer, _| producer.begin_transaction());
        if let Err(error) = begun.unwrap_or_else(|| Err(silence())) {
            let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
            return Err(self.before_the_end("it cannot begin", code, true));
        }
        self.open = true;
        self.opened = (Instant::now(), self.producer.context().errors());
        Ok(())
    }

    fn send(&mut self, record: &NewRecord) -> Result<(), Error> {
        self.check(true)?;
        let deadline = Instant::now() + self.timeout;
        loop {
            match deliveries::send(&*self.producer, record)? {
                Ok(()) => return Ok(()),
                // Those before it make room when they are delivered.
                Err(Code::QueueFull) if Instant::now() < deadline => {
                    if let Err(failed) = self.producer.context().wait(A_MOMENT) {
                        return Err(self.not_delivered(&failed));
                    }
                }
                Err(code) => {
                    // When one record has failed librdkafka takes no more of this transaction. What matters is why
                    // that one did, which its report says; it may still be on its way.
                    if let Err(failed) = self.producer.context().wait(REPORTED) {
                        return Err(self.not_delivered(&failed));
                    }
                    let what = format!("a record for {} was refused", record.partition);
                    return Err(self.before_the_end(&what, code, false));
                }
            }
        }
    }

    fn commit(&mut self, offsets: &[(Partition, u64)], standing: &Standing) -> Result<(), Error> {
        self.check(true)?;
        let deadline = Instant::now() + self.timeout;
        self.await_deliveries(deadline)?;
        self.send_offsets(offsets, standing, deadline)?;
        match self.end(deadline + END_GRACE, true) {
            Ok(()) => {
                self.over();
                Ok(())
            }
            Err(error) => {
                let what =
                    format!("transaction of {}: whether it was committed is not known: {error}", self.id);
                Err(self.spend(Kind::Unknown, what))
            }
        }
    }

    fn appended(&mut self) -> Vec<Appended> {
        self.producer.context().appended()
    }

    fn abort(&mut self) -> Result<(), Error> {
        self.check(true)?;
        match self.end(Instant::now() + self.timeout + END_GRACE, false) {
            Ok(()) => {
                self.over();
                Ok(())
            }
            Err(error) => {
                if let Some(denied) = self.denied() {
                    return Err(denied);
                }
                let dead = self.producer.client().fatal_error().map(|(code, _)| code);
                let code = dead.or(error.rdkafka_error_code());
                let kind = if code.is_some_and(replaced) { Kind::Fenced } else { Kind::Unknown };
                let what =
                    format!("transaction of {}: whether it was aborted is not known: {error}", self.id);
                Err(self.spend(kind, what))
            }
        }
    }
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if RDKafkaError::is_retriable(error))
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
