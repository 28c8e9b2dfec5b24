//! A broker for this run, and the topics on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use hashbuy::log::kafka::{KafkaLog, NewTopic, Settings};
use hashbuy::worker::Topics;

/// Partitions of each topic.
pub const PARTITIONS: u32 = 4;

/// A broker that ends with this process.
pub struct Broker {
    folder: PathBuf,
    /// `host:port`.
    pub bootstrap: String,
    /// Properties of librdkafka, for all clients.
    pub properties: BTreeMap<String, String>,
    /// A log on it.
    pub log: Arc<KafkaLog>,
}

impl Broker {
    pub fn up(properties: BTreeMap<String, String>) -> Broker {
        let pid = std::process::id().to_string();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kafka-bench-{pid}"));
        let output = script().args(["up", "--while", &pid, "--dir"]).arg(&folder).output().expect("a script");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let bootstrap = said.trim().strip_prefix("bootstrap ").unwrap_or_else(|| {
            panic!("no broker: {said}{}", String::from_utf8_lossy(&output.stderr));
        });
        let settings = Settings { properties: properties.clone(), ..Settings::new(bootstrap) };
        let log = KafkaLog::connect(settings).expect("it answers");
        Broker { folder, bootstrap: bootstrap.to_owned(), properties, log: Arc::new(log) }
    }

    /// Makes the topics of an application, with what the workers need of them.
    pub fn topics(&self, app: &str) -> Topics {
        let named = |name: &str| format!("{app}-{name}");
        let topics = Topics {
            tweets: named("tweets"),
            offers: named("offers"),
            accounts: named("accounts"),
            inbox: named("inbox"),
            changelog: named("desk-changelog"),
            purchases: named("purchases"),
            orders: named("orders"),
            dead_letters: named("dead-letters"),
        };
        let append_time = ("message.timestamp.type", "LogAppendTime".to_owned());
        let compact = ("cleanup.policy", "compact".to_owned());
        let all = [
            (&topics.tweets, vec![]),
            (&topics.offers, vec![compact.clone()]),
            (&topics.accounts, vec![compact.clone()]),
            (&topics.inbox, vec![append_time.clone()]),
            (&topics.changelog, vec![append_time, compact]),
            (&topics.purchases, vec![]),
            (&topics.orders, vec![]),
            (&topics.dead_letters, vec![]),
        ];
        let all = all.map(|(name, settings)| NewTopic {
            name: name.clone(),
            partitions: PARTITIONS,
            replication: 1,
            settings,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(self.log.create_topics(&all)).expect("topics");
        topics
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let ended = script().args(["down", "--wipe", "--dir"]).arg(&self.folder).status();
        if !ended.is_ok_and(|status| status.success()) {
            eprintln!("the broker in {} was not ended", self.folder.display());
        }
    }
}

fn script() -> Command {
    Command::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/kafka/kafka"))
}
