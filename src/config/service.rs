//! The settings of the service on Kafka: what it is called, where things are, how many workers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::keys::Set;
use crate::core::versioned::{NEWEST, OLDEST, Version};
use crate::worker::Topics;
use crate::worker::keeper::Silence;

/// Settings that only `run` and the commands on topics need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The application's name: its groups and transactional ids begin with it.
    pub app: String,
    /// This process among those of the application; the same after a restart, and nobody else's.
    pub instance: String,
    /// The file of the codes' secret.
    pub secret_file: Option<PathBuf>,
    /// `host:port` of some brokers.
    pub brokers: String,
    /// Properties of librdkafka, passed through.
    pub properties: BTreeMap<String, String>,
    /// The topics.
    pub topics: Topics,
    /// Scan workers in this process.
    pub scan_workers: u32,
    /// Desk workers in this process.
    pub desk_workers: u32,
    /// Offer tags of strangers that each scan worker passes on in a second.
    pub strangers_per_second: u32,
    /// Raised by hand when the topic of the accounts was made anew.
    pub epoch: u64,
    /// What time does when the firehose is silent.
    pub silence: Silence,
    /// The port of the page, `/metrics`, `/healthz` and `/readyz`; 0 is any free one.
    pub port: u16,
    /// The address on which they are served.
    pub address: IpAddr,
    /// The page shows the ids of accounts.
    pub show_ids: bool,
    /// The file of the token that whoever wants more than the public list has to show.
    pub token_file: Option<PathBuf>,
}

impl Default for Service {
    fn default() -> Service {
        Service {
            app: "hashbuy".to_owned(),
            instance: "0".to_owned(),
            secret_file: None,
            brokers: "127.0.0.1:9092".to_owned(),
            properties: BTreeMap::new(),
            topics: Topics::default(),
            scan_workers: 1,
            desk_workers: 1,
            strangers_per_second: 10,
            epoch: 0,
            silence: Silence::Wait,
            port: 9464,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            show_ids: false,
            token_file: None,
        }
    }
}

/// The names below this one are librdkafka's.
pub(super) const PROPERTIES: &str = "kafka.properties.";

/// The same, with files that hold the values: what an orchestrator mounts its secrets as.
pub(super) const PROPERTY_FILES: &str = "kafka.property_files.";

/// Words in the name of a property of librdkafka whose value nobody is to see: better one too many.
const SECRETS: &[&str] =
    &["password", "passphrase", "secret", "token", "key", "jaas", "oauthbearer.config", "pem"];

/// Whether the value of a setting is a secret, or may hold one. Where a file lies is none.
pub(super) fn is_secret(name: &str) -> bool {
    name.strip_prefix(PROPERTIES).is_some_and(|property| {
        let property = property.to_ascii_lowercase();
        SECRETS.iter().any(|word| property.contains(word)) && !property.ends_with(".location")
    })
}

pub(super) const KEYS: &[(&str, Set)] = &[
    ("app", |config, given| {
        config.service.app = given.name_part()?;
        Ok(())
    }),
    ("instance", |config, given| {
        config.service.instance = given.name_part()?;
        Ok(())
    }),
    ("codes.secret_file", |config, given| {
        config.service.secret_file = Some(given.text()?.into());
        Ok(())
    }),
    ("kafka.brokers", |config, given| {
        config.service.brokers = given.text()?;
        Ok(())
    }),
    ("topics.tweets", |config, given| {
        config.service.topics.tweets = given.name_part()?;
        Ok(())
    }),
    ("topics.offers", |config, given| {
        config.service.topics.offers = given.name_part()?;
        Ok(())
    }),
    ("topics.accounts", |config, given| {
        config.service.topics.accounts = given.name_part()?;
        Ok(())
    }),
    ("topics.card_transactions", |config, given| {
        config.service.topics.card_transactions = given.name_part()?;
        Ok(())
    }),
    ("topics.inbox", |config, given| {
        config.service.topics.inbox = given.name_part()?;
        Ok(())
    }),
    ("topics.changelog", |config, given| {
        config.service.topics.changelog = given.name_part()?;
        Ok(())
    }),
    ("topics.purchases", |config, given| {
        config.service.topics.purchases = given.name_part()?;
        Ok(())
    }),
    ("topics.orders", |config, given| {
        config.service.topics.orders = given.name_part()?;
        Ok(())
    }),
    ("topics.dead_letters", |config, given| {
        config.service.topics.dead_letters = given.name_part()?;
        Ok(())
    }),
    ("topics.inbox_partitions", |config, given| {
        config.service.topics.inbox_partitions = Some(given.number(1..=100_000)?);
        Ok(())
    }),
    ("records.version", |config, given| {
        let number = given.number(OLDEST.into()..=NEWEST.into())?;
        config.service.topics.version = Version::new(number).unwrap_or_default();
        Ok(())
    }),
    ("scan.workers", |config, given| {
        config.service.scan_workers = given.number(1..=1_024)?;
        Ok(())
    }),
    ("desk.workers", |config, given| {
        config.service.desk_workers = given.number(1..=1_024)?;
        Ok(())
    }),
    ("scan.strangers_per_second", |config, given| {
        config.service.strangers_per_second = given.number(0..=1_000_000)?;
        Ok(())
    }),
    ("tables.epoch", |config, given| {
        config.service.epoch = given.integer(0..=i64::MAX as u64)?;
        Ok(())
    }),
    ("firehose.silent", |config, given| {
        config.service.silence = match given.text()?.as_str() {
            "wait" => Silence::Wait,
            "advance" => Silence::Advance,
            _ => return Err(given.wrong("must be \"wait\" or \"advance\"")),
        };
        Ok(())
    }),
    ("web.port", |config, given| {
        config.service.port = given.number(0..=65_535)?;
        Ok(())
    }),
    ("web.address", |config, given| {
        let address = given.text()?.parse();
        config.service.address =
            address.map_err(|_| given.wrong("must be an IP address such as 127.0.0.1"))?;
        Ok(())
    }),
    ("web.token_file", |config, given| {
        config.service.token_file = Some(given.text()?.into());
        Ok(())
    }),
    ("web.show_ids", |config, given| {
        config.service.show_ids = given.flag()?;
        Ok(())
    }),
];
