//! A topic that somebody else fills, as its connector writes it: late, out of order, or for a while not at all.

use std::collections::BTreeMap;

use hashbuy::log::{Log, NewRecord, Partition, Producer};

/// Something that was delivered.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// When, in simulated milliseconds.
    pub at: i64,
    /// Its own time; none of a deletion, and of what cannot be read.
    pub time: Option<i64>,
    /// The greatest time before it in its partition.
    pub before: i64,
    /// What it says, if it has to be seen.
    pub told: Option<Told>,
}

/// What has to come into the inbox.
#[derive(Debug, Clone)]
pub struct Told {
    /// Of the tweet, or the transaction.
    pub id: String,
    /// Whom it is for: the key in the inbox.
    pub entity: String,
    pub time: i64,
}

/// Something on its way.
pub struct Parcel {
    pub partition: u32,
    pub key: Option<Vec<u8>>,
    pub bytes: Vec<u8>,
    pub time: Option<i64>,
    pub told: Option<Told>,
}

/// Fills a topic.
pub struct Stream {
    topic: &'static str,
    writer: Box<dyn Producer + Send>,
    queue: BTreeMap<(i64, u64), Parcel>,
    queued: u64,
    /// By partition, what was delivered, in the order of the offsets.
    pub delivered: Vec<Vec<Delivered>>,
    latest: Vec<i64>,
    cut_until: Vec<i64>,
}

impl Stream {
    pub fn new(log: &dyn Log, topic: &'static str, partitions: u32) -> Stream {
        let mut stream = Stream {
            topic,
            writer: log.producer().unwrap(),
            queue: BTreeMap::new(),
            queued: 0,
            delivered: Vec::new(),
            latest: Vec::new(),
            cut_until: Vec::new(),
        };
        stream.grow(partitions);
        stream
    }

    /// It has so many partitions from now on.
    pub fn grow(&mut self, partitions: u32) {
        let partitions = partitions as usize;
        self.delivered.resize_with(partitions, Vec::new);
        self.latest.resize(partitions, 0);
        self.cut_until.resize(partitions, 0);
    }

    pub fn partitions(&self) -> u32 {
        u32::try_from(self.delivered.len()).unwrap()
    }

    /// A partition brings nothing until then; all of them if none is named.
    pub fn cut(&mut self, partition: Option<u32>, until: i64) {
        let cut = self.cut_until.iter_mut().enumerate();
        cut.filter(|(number, _)| partition.is_none_or(|cut| cut as usize == *number))
            .for_each(|(_, cut)| *cut = until.max(*cut));
    }

    /// Nothing is cut any more.
    pub fn mend(&mut self) {
        self.cut_until.fill(0);
    }

    /// Whether something that matters is not delivered yet: what was held back by a cut comes at its end, also if
    /// that was mended earlier.
    pub fn holds_back(&self) -> bool {
        self.queue.values().any(|parcel| parcel.told.is_some())
    }

    /// Something is to be delivered then.
    pub fn send(&mut self, deliver: i64, parcel: Parcel) {
        self.queued += 1;
        self.queue.insert((deliver, self.queued), parcel);
    }

    /// Delivers what is due.
    pub fn turn(&mut self, now: i64) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let parcel = entry.remove();
            let until = self.cut_until[parcel.partition as usize];
            if until > now {
                self.send(until, parcel);
            } else {
                self.deliver(now, parcel);
            }
        }
    }

    fn deliver(&mut self, now: i64, parcel: Parcel) {
        let Parcel { partition, key, bytes, time, told } = parcel;
        let number = partition as usize;
        let before = self.latest[number];
        self.latest[number] = before.max(time.unwrap_or(0));
        self.delivered[number].push(Delivered { at: now, time, before, told });
        let partition = Partition::new(self.topic, partition);
        self.writer.send(NewRecord { partition, key, value: Some(bytes), headers: vec![] }).unwrap();
    }
}
