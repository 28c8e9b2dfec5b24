//! Random calls on the memory log, held against what little a reader needs to believe: two members
//! that are alive never have the same partition; what was committed is there, once and in its order;
//! what was not is not; and the same calls give the same answers.

#[allow(dead_code, reason = "others use more of it")]
#[path = "../common/rng.rs"]
mod rng;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hashbuy::log::{Isolation, Kind, Member, Membership, NewRecord, Partition, Polled, Transactions};

use self::rng::Rng;
use crate::fixture::{Fixture, plain};
use crate::memory::Memory;

const SEEDS: u64 = 200;
const STEPS: u64 = 400;
const PARTITIONS: u32 = 5;
/// The session timeout of the memory log by default.
const SESSION: i64 = 10_000;

/// A member as the world around it sees it.
struct Seen {
    member: Box<dyn Member + Send>,
    has: BTreeSet<Partition>,
    polled_at: i64,
}

/// A producer of transactions, with the records of the open one.
type Writer = (Box<dyn Transactions + Send>, Option<Vec<String>>);

struct World {
    memory: Memory,
    rng: Rng,
    now: i64,
    members: BTreeMap<i64, Seen>,
    producers: BTreeMap<i64, Writer>,
    written: u32,
    /// What was committed, by partition.
    committed: BTreeMap<u32, Vec<String>>,
    answers: Vec<String>,
}

/// Plays all seeds, each twice.
pub fn play() {
    for seed in 0..SEEDS {
        let (first, second) = (World::new(seed).run(), World::new(seed).run());
        assert!(first == second, "seed {seed} gave two different runs");
    }
}

impl World {
    fn new(seed: u64) -> World {
        let memory = Memory::simulated();
        memory.create("in", plain(PARTITIONS));
        memory.create("out", plain(2));
        World {
            memory,
            rng: Rng::new(seed),
            now: 0,
            members: BTreeMap::new(),
            producers: BTreeMap::new(),
            written: 0,
            committed: BTreeMap::new(),
            answers: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<String> {
        for _ in 0..STEPS {
            match self.rng.range(0, 10) {
                0 => self.pass(),
                1..=4 => self.member(),
                _ => self.producer(),
            }
        }
        // Nothing is left open.
        self.producers.clear();
        (0..2).for_each(|number| drop(self.memory.log().transactions(&format!("id {number}")).unwrap()));
        let mut stored: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for record in self.memory.records("out") {
            let value = String::from_utf8(record.value.unwrap()).unwrap();
            stored.entry(record.partition).or_default().push(value);
        }
        // Transactions are interleaved in the log, whose order is that of sending: numbers ascend.
        self.committed.values_mut().for_each(|values| values.sort());
        assert_eq!(stored, self.committed);
        self.answers
    }

    fn pass(&mut self) {
        let time = self.rng.range(0, 4_000);
        self.now += time;
        self.memory.pass(Duration::from_millis(time.unsigned_abs()));
    }

    fn member(&mut self) {
        let name = self.rng.range(0, 4);
        let Some(mut seen) = self.members.remove(&name) else {
            let membership = Membership {
                group: "g".into(),
                topics: vec!["in".into()],
                // Half of them are static.
                instance: (name % 2 == 0).then(|| name.to_string()),
                isolation: Isolation::Committed,
            };
            let member = self.memory.log().member(&membership).unwrap();
            self.members.insert(name, Seen { member, has: BTreeSet::new(), polled_at: self.now });
            return;
        };
        match self.rng.range(0, 20) {
            0 => seen.member.leave(),
            1 => drop(seen),
            _ => {
                seen.polled_at = self.now;
                let polled = seen.member.poll(Duration::ZERO, &mut |_| {}).unwrap();
                self.answers.push(format!("{name}: {polled:?}"));
                match polled {
                    Polled::Messages(_) => {}
                    Polled::Assigned(partitions) => {
                        for partition in &partitions {
                            self.nobody_has(partition);
                        }
                        seen.has.extend(partitions);
                    }
                    Polled::Revoked { partitions, .. } => {
                        seen.member.release().unwrap();
                        seen.has.retain(|partition| !partitions.contains(partition));
                    }
                }
                self.members.insert(name, seen);
            }
        }
    }

    fn nobody_has(&self, partition: &Partition) {
        for (name, seen) in &self.members {
            let alive = self.now - seen.polled_at <= SESSION;
            assert!(!alive || !seen.has.contains(partition), "{partition} is still {name}'s");
        }
    }

    fn producer(&mut self) {
        let name = self.rng.range(0, 2);
        let Some((mut producer, open)) = self.producers.remove(&name) else {
            let producer = self.memory.log().transactions(&format!("id {name}")).unwrap();
            self.producers.insert(name, (producer, None));
            return;
        };
        let Some(mut open) = open else {
            if let Err(error) = producer.begin() {
                assert_eq!(error.kind, Kind::Fenced, "{error}");
                return;
            }
            self.producers.insert(name, (producer, Some(Vec::new())));
            return;
        };
        match self.rng.range(0, 8) {
            0 => drop(producer),
            1 => match producer.abort() {
                Ok(()) => drop(self.producers.insert(name, (producer, None))),
                Err(error) => assert_eq!(error.kind, Kind::Fenced, "{error}"),
            },
            2 | 3 => {
                if self.commit(&mut *producer, &open) {
                    self.producers.insert(name, (producer, None));
                }
            }
            _ => {
                let value = format!("{:06}", self.written);
                self.written += 1;
                let partition = Partition::new("out", partition_of(&value));
                let headers = Vec::new();
                producer
                    .send(&NewRecord { partition, key: None, value: Some(value.clone().into()), headers })
                    .unwrap();
                open.push(value);
                self.producers.insert(name, (producer, Some(open)));
            }
        }
    }

    /// Commits with the standing of some member, if there is one. Whether the producer can go on.
    fn commit(&mut self, producer: &mut (dyn Transactions + Send), open: &[String]) -> bool {
        let Some(seen) = self.members.values().find(|seen| seen.member.standing().is_ok()) else {
            return producer.abort().is_ok();
        };
        let offsets: Vec<(Partition, u64)> =
            seen.has.iter().map(|partition| (partition.clone(), 0)).collect();
        let alive = self.now - seen.polled_at <= SESSION;
        let committed = producer.commit(&offsets, &seen.member.standing().unwrap());
        self.answers.push(format!("{committed:?}"));
        match committed {
            Ok(()) => {
                assert!(alive || offsets.is_empty(), "a dead member has committed");
                for value in open {
                    self.committed.entry(partition_of(value)).or_default().push(value.clone());
                }
                true
            }
            Err(error) if matches!(error.kind, Kind::Abort | Kind::Refused) => producer.abort().is_ok(),
            Err(error) => {
                assert_eq!(error.kind, Kind::Fenced, "{error}");
                false
            }
        }
    }
}

/// Where a record goes.
fn partition_of(value: &str) -> u32 {
    u32::from(value.ends_with(['1', '3', '5', '7', '9']))
}
