//! Somebody who is gone, and whose transaction is not.

use std::thread;

use hashbuy::log::{Isolation, Log as _, Partition};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::scene::Scene;
use crate::world::{INBOX, SOON};

/// A producer that is not one of ours, with a transaction open over all partitions. Dropped, it aborts that.
pub struct Zombie(BaseProducer);

impl Zombie {
    /// Writes to the changelog and sends offsets of the group, up to the ends of the inbox.
    pub fn begin(scene: &Scene) -> Zombie {
        let world = &scene.world;
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &world.bootstrap)
            .set("transactional.id", format!("{}-zombie", world.app))
            .set("transaction.timeout.ms", "120000")
            .create()
            .unwrap();
        let group: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &world.bootstrap)
            .set("group.id", format!("{}-desk", world.app))
            .create()
            .unwrap();
        producer.init_transactions(SOON).unwrap();
        producer.begin_transaction().unwrap();
        let mut lookup = world.log.lookup().unwrap();
        let (mut offsets, changelog) = (TopicPartitionList::new(), world.topic("changelog"));
        for number in 0..i32::try_from(INBOX).unwrap() {
            let record = BaseRecord::to(&changelog).partition(number).key("account/1").payload("{}");
            producer.send(record).unwrap();
            let inbox = Partition::new(world.topic("inbox"), u32::try_from(number).unwrap());
            let (_, end) = lookup.watermarks(&inbox, Isolation::Uncommitted).unwrap();
            let offset = Offset::Offset(i64::try_from(end).unwrap());
            offsets.add_partition_offset(&world.topic("inbox"), number, offset).unwrap();
        }
        producer.flush(SOON).unwrap();
        producer.send_offsets_to_transaction(&offsets, &group.group_metadata().unwrap(), SOON).unwrap();
        Zombie(producer)
    }
}

impl Drop for Zombie {
    fn drop(&mut self) {
        let aborted = self.0.abort_transaction(SOON);
        assert!(aborted.is_ok() || thread::panicking(), "{aborted:?}");
    }
}
