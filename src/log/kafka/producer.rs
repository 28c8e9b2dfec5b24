//! The producer without transactions: records in order, without gaps, each once while it lives.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::Producer as _;

use super::deliveries::{self, Failed, Polled};
use super::error::{lacking, of_delivery};
use super::settings::Settings;
use crate::log::right::Resource;
use crate::log::{Appended, Error, Kind, NewRecord, Producer};

pub(super) struct KafkaProducer {
    /// Without a thread that polls: it would wake up ten times a second and spin through the last millisecond of each
    /// wait, beside a scan that hardly ever has anything to send.
    producer: Polled,
    /// Why it is of no more use.
    spent: Option<Error>,
}

impl KafkaProducer {
    pub(super) fn new(settings: &Settings) -> Result<KafkaProducer, Error> {
        let producer = deliveries::producer(&settings.producer(), "a producer cannot be made")?;
        Ok(KafkaProducer { producer, spent: None })
    }

    /// Waits until everything is reported on, something has failed, or the time is over. Returns how many reports are
    /// outstanding.
    fn wait(&self, wait: Duration) -> Result<usize, Failed> {
        let deadline = Instant::now() + wait;
        loop {
            self.producer.poll(Duration::ZERO);
            let outstanding = self.producer.context().wait(Duration::ZERO)?;
            if outstanding == 0 || Instant::now() >= deadline {
                return Ok(outstanding);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn spend(&mut self, error: Error) -> Error {
        self.spent.get_or_insert(error).clone()
    }

    fn failed(&mut self, failed: &Failed) -> Error {
        let what = format!("a record for {}/{} was not delivered", failed.topic, failed.partition);
        let error = of_delivery(&what, failed.code, Kind::Fenced);
        self.spend(lacking(error, Some(failed.code), "Write", Resource::Topic, &failed.topic))
    }
}

/// A record waits so long for room in the queue.
const ROOM_WAIT: Duration = Duration::from_secs(10);
/// Between two looks whether records have been acknowledged.
const LOOK: Duration = Duration::from_millis(1);
/// Between two looks whether there is room.
const A_MOMENT: Duration = Duration::from_millis(20);

impl Producer for KafkaProducer {
    fn send(&mut self, record: NewRecord) -> Result<(), Error> {
        if let Some(spent) = &self.spent {
            return Err(spent.clone());
        }
        // Reports that nobody asks for take room, too.
        self.producer.poll(Duration::ZERO);
        let what = || format!("a record for {} was refused", record.partition);
        let deadline = Instant::now() + ROOM_WAIT;
        let code = loop {
            match deliveries::send(&self.producer, &record)? {
                Ok(()) => return Ok(()),
                // Those before it make room when they are delivered.
                Err(Code::QueueFull) if Instant::now() < deadline => {
                    if let Err(failed) = self.wait(A_MOMENT) {
                        return Err(self.failed(&failed));
                    }
                }
                Err(code) => break code,
            }
        };
        if code == Code::QueueFull {
            return Err(Error::new(Kind::Retry, format!("{}: {code}; wait for those before it", what())));
        }
        // A client that is dead already refuses with its own code: the report says why it died.
        if let Err(failed) = self.wait(Duration::ZERO) {
            return Err(self.failed(&failed));
        }
        let error = of_delivery(&what(), code, Kind::Fenced);
        Err(self.spend(lacking(error, Some(code), "Write", Resource::Topic, &record.partition.topic)))
    }

    fn outstanding(&mut self, wait: Duration) -> Result<usize, Error> {
        if let Some(spent) = &self.spent {
            return Err(spent.clone());
        }
        self.wait(wait).map_err(|failed| self.failed(&failed))
    }

    fn appended(&mut self) -> Vec<Appended> {
        self.producer.poll(Duration::ZERO);
        self.producer.context().appended()
    }
}
