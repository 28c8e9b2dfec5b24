//! What each topic has to be like: one table, by which `topics create` makes them and `run` checks them.
//!
//! Some settings are advice, others are what the guarantees hang on: a changelog that forgets old records
//! loses state, and an inbox that is stamped by its producers makes windows as wrong as their clocks. The
//! latter say why, and a service does not start without them.

use std::fmt;

use super::{Stop, Topics, rights};
use crate::log::right::{Resource, Right};
use crate::log::{Error, Kind, Lookup};

const MIB: u64 = 1 << 20;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

const POLICY: &str = "cleanup.policy";
const STAMPS: &str = "message.timestamp.type";
const APPEND_TIME: &str = "LogAppendTime";
const LOSES_STATE: &str = "with any other the state of the desk is lost bit by bit";
const LOSES_TABLE: &str = "with any other records are lost that still hold";
const STAMPED: &str = "windows count from the append by the brokers' clock";

/// What a topic has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Its name.
    pub topic: String,
    /// How many partitions it gets when it is made.
    pub partitions: Partitions,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Who uses it.
    pub by: By,
}

impl Need {
    /// Whether the stage uses it.
    pub fn is_for(&self, by: By) -> bool {
        self.by.concerns(by)
    }

    /// Whether the guarantees hang on some of its settings.
    pub fn has_to_be(&self) -> bool {
        self.settings.iter().any(|setting| setting.why.is_some())
    }
}

/// How many partitions a topic gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partitions {
    /// As many as the firehose is to have.
    AsTweets,
    /// As many as the inbox.
    AsInbox,
    /// One.
    One,
}

/// Which stage uses a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Scan, feeder and time keeper.
    Scan,
    /// The desk.
    Desk,
    /// Both.
    Both,
}

impl By {
    /// Whether what is used by the one is of interest to the other.
    fn concerns(self, by: By) -> bool {
        by == By::Both || self == By::Both || self == by
    }
}

/// A setting of a topic, as Kafka calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Why nothing else will do; none if it is advice.
    pub why: Option<&'static str>,
}

/// All topics, in the order of the way of a tweet.
pub fn needs(names: &Topics) -> Vec<Need> {
    let advice = |name, value: String| Setting { name, value, why: None };
    let must = |name, value: &str, why| Setting { name, value: value.to_owned(), why: Some(why) };
    let kept_for = |millis: u64| advice("retention.ms", millis.to_string());
    let deletes = || advice(POLICY, "delete".to_owned());
    let need =
        |topic: &str, partitions, by, settings| Need { topic: topic.to_owned(), partitions, settings, by };
    let table = || vec![must(POLICY, "compact", LOSES_TABLE)];
    let changelog = vec![
        must(POLICY, "compact", LOSES_STATE),
        must(STAMPS, APPEND_TIME, STAMPED),
        advice("segment.bytes", (32 * MIB).to_string()),
        advice("segment.ms", (10 * MINUTE_MS).to_string()),
        advice("min.cleanable.dirty.ratio", "0.1".to_owned()),
        advice("max.compaction.lag.ms", (60 * MINUTE_MS).to_string()),
    ];
    let inbox = vec![deletes(), kept_for(7 * DAY_MS), must(STAMPS, APPEND_TIME, STAMPED)];
    vec![
        need(&names.tweets, Partitions::AsTweets, By::Scan, Vec::new()),
        need(&names.offers, Partitions::One, By::Scan, table()),
        need(&names.accounts, Partitions::AsInbox, By::Scan, table()),
        need(&names.card_transactions, Partitions::AsInbox, By::Scan, Vec::new()),
        need(&names.inbox, Partitions::AsInbox, By::Both, inbox),
        need(&names.changelog, Partitions::AsInbox, By::Desk, changelog),
        need(&names.purchases, Partitions::AsInbox, By::Desk, Vec::new()),
        need(&names.orders, Partitions::AsInbox, By::Desk, Vec::new()),
        need(&names.dead_letters, Partitions::One, By::Scan, vec![deletes(), kept_for(3 * DAY_MS)]),
    ]
}

/// Compares what is there with what the stages need that run here. Settings that we may not know are
/// taken for right: the rights that are missing for that are returned.
///
/// # Errors
/// [`Stop::Topics`] with all that does not fit; [`Stop::Log`] if it cannot be found out now.
pub fn check(lookup: &mut dyn Lookup, names: &Topics, by: By) -> Result<Vec<Right>, Stop> {
    let (mut misfits, mut unseen) = (Vec::new(), Vec::new());
    let (mut inbox, mut changelog) = (None, None);
    for need in needs(names).into_iter().filter(|need| need.is_for(by)) {
        let Some(partitions) = partitions(lookup, &need.topic, names, by)? else {
            misfits.push(Misfit::missing(&need.topic));
            continue;
        };
        if need.topic == names.inbox {
            inbox = Some(names.used(partitions));
        } else if need.topic == names.changelog {
            changelog = Some(names.used(partitions));
        }
        if !need.has_to_be() {
            continue;
        }
        let Some(there) = lookup.settings(&need.topic)? else {
            unseen.push(Right::new("DescribeConfigs", Resource::Topic, need.topic));
            continue;
        };
        for Setting { name, value: needed, why } in need.settings {
            if let (Some(why), Some(found)) = (why, there.get(name))
                && *found != needed
            {
                let (topic, found) = (need.topic.clone(), found.clone());
                misfits.push(Misfit::Setting { topic, name, found, needed, why });
            }
        }
    }
    if let (Some(inbox), Some(changelog)) = (inbox, changelog) {
        misfits.extend(Misfit::partitions((&names.inbox, inbox), (&names.changelog, changelog)));
    }
    if misfits.is_empty() { Ok(unseen) } else { Err(Stop::Topics(misfits)) }
}

/// How many partitions a topic has. One that may not be seen is told with the right that is missing.
fn partitions(lookup: &mut dyn Lookup, topic: &str, names: &Topics, by: By) -> Result<Option<u32>, Stop> {
    let found = lookup.partitions(topic).map_err(|error| match rights::on_topic(topic, names, by) {
        Some(right) if error.kind == Kind::Fatal => {
            Error::new(error.kind, format!("{}; {}", error.what, right.lacking()))
        }
        _ => error,
    });
    Ok(found?)
}

/// Looks whether the topics that the stages need are there, which takes a question each.
///
/// # Errors
/// [`Stop::Topics`] with those that are not; [`Stop::Log`] if it cannot be found out now.
pub fn check_presence(lookup: &mut dyn Lookup, names: &Topics, by: By) -> Result<(), Stop> {
    let mut misfits = Vec::new();
    for need in needs(names).into_iter().filter(|need| need.is_for(by)) {
        if partitions(lookup, &need.topic, names, by)?.is_none() {
            misfits.push(Misfit::missing(&need.topic));
        }
    }
    if misfits.is_empty() { Ok(()) } else { Err(Stop::Topics(misfits)) }
}

/// Something about the topics that the service cannot run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// There is no such topic.
    Missing(String),
    /// The changelog has another number of partitions than the inbox.
    Partitions {
        /// The inbox, and how many it has.
        inbox: (String, u32),
        /// The changelog, and how many it has.
        changelog: (String, u32),
    },
    /// The inbox has another number of partitions than it had when the state came to be.
    Grown {
        /// The inbox.
        inbox: String,
        /// How many of its partitions are used now.
        has: u32,
        /// How many it had.
        was: u32,
    },
    /// A setting has a value that will not do.
    Setting {
        /// Of this topic.
        topic: String,
        /// As Kafka calls it.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it has to be.
        needed: String,
        /// Why.
        why: &'static str,
    },
}

impl Misfit {
    /// There is no such topic.
    pub fn missing(topic: &str) -> Misfit {
        Misfit::Missing(topic.to_owned())
    }

    /// What does not fit about the numbers of partitions, if anything.
    pub fn partitions(inbox: (&str, u32), changelog: (&str, u32)) -> Option<Misfit> {
        let owned = |(topic, partitions): (&str, u32)| (topic.to_owned(), partitions);
        (inbox.1 != changelog.1)
            .then(|| Misfit::Partitions { inbox: owned(inbox), changelog: owned(changelog) })
    }

    /// The inbox has another number of partitions than the state in the changelog was made with.
    pub fn grown(inbox: &str, has: u32, was: u32) -> Misfit {
        Misfit::Grown { inbox: inbox.to_owned(), has, was }
    }

    /// The brokers say that a topic's records have their producers' times.
    pub fn create_time(topic: &str) -> Misfit {
        let (found, needed) = ("CreateTime".to_owned(), APPEND_TIME.to_owned());
        Misfit::Setting { topic: topic.to_owned(), name: STAMPS, found, needed, why: STAMPED }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Missing(topic) => {
                write!(f, "there is no topic {topic}: make what is missing with `hashbuy topics create`")
            }
            Misfit::Partitions { inbox: (inbox, of_inbox), changelog: (changelog, has) } => {
                write!(
                    f,
                    "topic {changelog} has {has} partitions and {inbox} has {of_inbox}: they need as many as each \
                     other; "
                )?;
                let grow = |topic: &str, to: u32| {
                    format!(
                        "`kafka-topics --bootstrap-server BROKERS --alter --topic {topic} --partitions {to}`"
                    )
                };
                if has > of_inbox {
                    return write!(f, "was {inbox} made anew? mend it with {}", grow(inbox, *has));
                }
                // Who has which key goes by the number of partitions: state would be where no record comes.
                write!(
                    f,
                    "if nothing was decided yet, mend it with {}; else make {inbox} anew with {has}, as it was when \
                     the state came to be",
                    grow(changelog, *of_inbox)
                )
            }
            Misfit::Grown { inbox, has, was } => {
                write!(
                    f,
                    "{has} partitions of topic {inbox} are to be used, but the state in the changelog was made with {was}: \
                     whose record is where goes by that number; "
                )?;
                if has > was {
                    write!(
                        f,
                        "set topics.inbox_partitions = {was} in all processes to go on with the first {was}, and "
                    )?;
                }
                f.write_str("move to another number with `hashbuy desk export` and `hashbuy desk import`")
            }
            Misfit::Setting { topic, name, found, needed, why } => write!(
                f,
                "topic {topic} has {name}={found} and needs {needed}: {why}; mend it with `{}`, or delete it if nothing \
                 is in it and make it with `hashbuy topics create`",
                alter(topic, name, needed)
            ),
        }
    }
}

/// The command that gives a topic a setting.
pub fn alter(topic: &str, name: &str, value: &str) -> String {
    format!(
        "kafka-configs --bootstrap-server BROKERS --alter --entity-type topics --entity-name {topic} --add-config \
         {name}={value}"
    )
}

/// All of them, a line each; what is missing in one.
pub(super) fn shown(misfits: &[Misfit]) -> String {
    let missing: Vec<&str> = misfits
        .iter()
        .filter_map(|misfit| match misfit {
            Misfit::Missing(topic) => Some(topic.as_str()),
            _ => None,
        })
        .collect();
    let mut lines = Vec::new();
    if !missing.is_empty() {
        lines.push(Misfit::Missing(missing.join(", ")).to_string());
    }
    let others = misfits.iter().filter(|misfit| !matches!(misfit, Misfit::Missing(_)));
    lines.extend(others.map(Misfit::to_string));
    lines.join("\n")
}
