//! A real Kafka broker for a run of tests, started and ended by `deploy/kafka/kafka`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

/// The variable that makes a missing Java or Maven a failure.
pub const REQUIRE: &str = "HASHBUY_REQUIRE_KAFKA";

/// One broker. It is stopped and its data removed when this is dropped, and by the script itself when
/// this process ends in whatever way.
pub struct Broker {
    folder: PathBuf,
    /// `host:port`.
    pub bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
}

impl Broker {
    /// What is missing on this machine for a broker, if anything is.
    pub fn missing() -> Option<String> {
        let lacks = |program: &&str| {
            let output = Command::new(program).arg("-version").output();
            !output.is_ok_and(|output| output.status.success())
        };
        let missing: Vec<&str> = ["java", "mvn"].into_iter().filter(lacks).collect();
        (!missing.is_empty()).then(|| format!("{} not installed", missing.join(" and ")))
    }

    /// Starts a broker for the tests called `name`.
    ///
    /// # Errors
    /// What the script says.
    pub fn up(name: &str) -> Result<Broker, String> {
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = target.join(format!("kafka-{name}-{}", std::process::id()));
        let pid = std::process::id().to_string();
        let output = script()
            .args(["up", "--while", &pid, "--dir"])
            .arg(&folder)
            .output()
            .map_err(|error| format!("deploy/kafka/kafka cannot be run: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let bootstrap = said.trim().strip_prefix("bootstrap ");
        let Some(bootstrap) = bootstrap.filter(|_| output.status.success()).map(str::to_owned) else {
            return Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)));
        };
        let admin = ClientConfig::new()
            .set("bootstrap.servers", &bootstrap)
            .create()
            .map_err(|error| format!("no client for {bootstrap}: {error}"))?;
        Ok(Broker { folder, bootstrap, admin })
    }

    /// Makes a topic.
    ///
    /// # Panics
    /// If the broker refuses.
    pub fn topic(&self, name: &str, partitions: u32, settings: &[(&str, &str)]) {
        let partitions = i32::try_from(partitions).unwrap();
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (name, value) in settings {
            topic = topic.set(name, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let made = wait_for(self.admin.create_topics([&topic], &options)).unwrap();
        made.into_iter().for_each(|made| assert!(made.is_ok(), "topic {name}: {made:?}"));
    }

    /// Deletes the records of a partition below an offset.
    ///
    /// # Panics
    /// If the broker refuses.
    pub fn delete_below(&self, topic: &str, partition: u32, offset: u64) {
        let mut list = rdkafka::TopicPartitionList::new();
        let offset = rdkafka::Offset::Offset(i64::try_from(offset).unwrap());
        list.add_partition_offset(topic, i32::try_from(partition).unwrap(), offset).unwrap();
        let deleted = wait_for(self.admin.delete_records(&list, &AdminOptions::new())).unwrap();
        deleted.elements().iter().for_each(|element| element.error().unwrap());
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
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/kafka/kafka");
    Command::new(script)
}

fn wait_for<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
