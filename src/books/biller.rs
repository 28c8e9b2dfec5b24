//! The biller: reads `purchases` and `orders` as anybody may, committed records only, and takes them down in
//! its [`Ledger`]. Nothing of what it knows is from inside the desk.

use std::time::{Duration, Instant};

use super::ledger::Ledger;
use crate::core::event::Event;
use crate::log::{Error, Isolation, Log, Lookup, Partition, Reader};
use crate::worker::Topics;

/// Reads the events.
pub struct Biller {
    reader: Box<dyn Reader + Send>,
    partitions: Vec<Partition>,
    /// Checks them.
    pub ledger: Ledger,
}

impl Biller {
    /// Begins at the beginning of topics that have so many partitions each.
    ///
    /// # Errors
    /// Those of the log.
    pub fn new(log: &dyn Log, topics: &Topics, number: u32) -> Result<Biller, Error> {
        let topics = [topics.purchases.as_str(), topics.orders.as_str()];
        let partitions = topics.iter().flat_map(|topic| (0..number).map(|n| Partition::new(*topic, n)));
        let partitions: Vec<Partition> = partitions.collect();
        let reader = whole(log, &partitions)?;
        Ok(Biller { reader, partitions, ledger: Ledger::default() })
    }

    /// Reads on. Returns the events that have come.
    ///
    /// # Errors
    /// Those of the log.
    pub fn follow(&mut self, wait: Duration) -> Result<Vec<Event>, Error> {
        let (ledger, mut events) = (&mut self.ledger, Vec::new());
        self.reader.poll(wait, &mut |message| match serde_json::from_slice::<Event>(
            message.value.unwrap_or_default(),
        ) {
            Ok(event) => {
                ledger.note(&event);
                events.push(event);
            }
            Err(error) => ledger.unreadable(format_args!(
                "{}/{}@{}: {error}",
                message.topic, message.partition, message.offset
            )),
        })?;
        Ok(events)
    }

    /// Up to where each partition has been read.
    pub fn read(&self) -> impl Iterator<Item = (&Partition, u64)> {
        self.partitions.iter().filter_map(|partition| Some((partition, self.reader.position(partition)?)))
    }

    /// Whether everything has been read, of transactions too that have ended a moment ago.
    ///
    /// # Errors
    /// Those of the log.
    pub fn is_at_end(&self, lookup: &mut dyn Lookup) -> Result<bool, Error> {
        is_at_end(&*self.reader, &self.partitions, lookup)
    }
}

/// A reader of committed records, from the first on.
pub fn whole(log: &dyn Log, partitions: &[Partition]) -> Result<Box<dyn Reader + Send>, Error> {
    let (mut reader, mut lookup) = (log.reader(Isolation::Committed)?, log.lookup()?);
    let mut from = Vec::new();
    for partition in partitions {
        from.push((partition.clone(), lookup.watermarks(partition, Isolation::Uncommitted)?.0));
    }
    reader.assign(&from)?;
    Ok(reader)
}

/// Whether a reader has come to the ends of partitions to which nobody writes any more.
pub fn is_at_end(
    reader: &dyn Reader,
    partitions: &[Partition],
    lookup: &mut dyn Lookup,
) -> Result<bool, Error> {
    for partition in partitions {
        // The end as it is without regard to open transactions: what is about to be committed counts.
        let (_, end) = lookup.watermarks(partition, Isolation::Uncommitted)?;
        if reader.position(partition).is_none_or(|position| position < end) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Calls `read` until it says that it is done, for some time.
///
/// # Errors
/// Those of `read`, and if it takes too long.
pub fn until_done(
    what: &str,
    within: Duration,
    mut read: impl FnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let until = Instant::now() + within;
    while !read()? {
        if Instant::now() > until {
            let what = format!("{what} could not be read to the end within {} s", within.as_secs());
            return Err(Error::new(crate::log::Kind::Fatal, what));
        }
    }
    Ok(())
}
