//! A broker for this run, and the topics on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use hashbuy::command::topics;
use hashbuy::log::kafka::{KafkaLog, Settings};
use hashbuy::worker::Topics;

/// Partitions of the firehose and of the inbox.
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

    /// Makes the topics of an application.
    pub fn topics(&self, app: &str) -> Topics {
        let topics = Topics::of(app);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(topics::make(&self.log, &topics, (PARTITIONS, PARTITIONS))).expect("topics");
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
