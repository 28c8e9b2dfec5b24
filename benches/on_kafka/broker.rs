//! A broker for this run, and the topics on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hashbuy::command::topics;
use hashbuy::log::kafka::{KafkaLog, Settings};
use hashbuy::worker::Topics;
use hashbuy::worker::needs::needs;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

/// Partitions of the firehose and of the inbox.
pub const PARTITIONS: u32 = 4;

/// How often the broker looks for transactions that are overdue, as `deploy/kafka/kafka` has it.
pub const CLEAN_UP: Duration = Duration::from_millis(500);

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

    /// A folder for files of this run; it goes with the broker.
    pub fn scratch(&self) -> &Path {
        &self.folder
    }

    /// Has the broker and this process make do with one core.
    pub fn keep_to_core(&self, core: usize) {
        let broker = std::fs::read_to_string(self.folder.join("1/pid")).expect("the broker's pid");
        for pid in [broker.trim(), &std::process::id().to_string()] {
            let core = core.to_string();
            let pinned = Command::new("taskset").args(["-a", "-c", "-p", &core, pid]).output();
            assert!(pinned.is_ok_and(|output| output.status.success()), "taskset for {pid}");
        }
    }

    /// Sets a changelog's settings to those that `topics create` gives it, and over them these.
    pub fn alter(&self, topics: &Topics, over: &[(&str, &str)]) {
        let needs = needs(topics).into_iter().find(|need| need.topic == topics.changelog);
        let needed = needs.expect("it is needed").settings;
        let wanted = needed.iter().map(|setting| (setting.name, setting.value.as_str()));
        let settings: BTreeMap<&str, &str> = wanted.chain(over.iter().copied()).collect();
        let entries = settings.into_iter().collect();
        let config = AlterConfig { specifier: ResourceSpecifier::Topic(&topics.changelog), entries };
        let client: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let altered = runtime.block_on(client.alter_configs([&config], &AdminOptions::new()));
        assert!(
            altered.expect("an answer").iter().all(Result::is_ok),
            "{} cannot be altered",
            topics.changelog
        );
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
