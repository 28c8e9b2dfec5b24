//! A real Kafka for a run of tests, of one broker or three, started and ended by `deploy/kafka/kafka`.

#![allow(dead_code, reason = "no suite needs all of it")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hashbuy::log::Partition;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::built;

/// How long the broker may take for something.
const WAIT: Duration = Duration::from_secs(30);

/// The user who is looked at to see how far the broker has come with rights.
const WITNESS: &str = "witness";

/// The variable that makes a missing Java or Maven a failure.
pub const REQUIRE: &str = "HASHBUY_REQUIRE_KAFKA";

/// One broker, or a cluster of three. They are stopped and their data removed when this is dropped, and by the
/// script itself when this process ends in whatever way.
pub struct Broker {
    folder: PathBuf,
    /// `host:port` of each, with commas between them.
    pub bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
}

impl Broker {
    /// What is missing on this machine for a broker, if anything is.
    pub fn missing() -> Option<String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let lacks =
            |program: &&str| !std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        let missing: Vec<&str> = ["java", "mvn"].into_iter().filter(lacks).collect();
        (!missing.is_empty()).then(|| format!("{} not installed", missing.join(" and ")))
    }

    /// Starts a broker for the tests called `name`.
    ///
    /// # Errors
    /// What the script says.
    pub fn up(name: &str) -> Result<Broker, String> {
        Broker::up_with(name, 1)
    }

    /// Starts so many brokers, 1 or 3.
    ///
    /// # Errors
    /// What the script says.
    pub fn up_with(name: &str, brokers: u32) -> Result<Broker, String> {
        Broker::up_as(name, &["--brokers", &brokers.to_string()])
    }

    /// Starts a broker that asks those who come where users do who they are, and gives them the rights
    /// that they have.
    ///
    /// # Errors
    /// What the script says.
    pub fn up_with_users(name: &str) -> Result<Broker, String> {
        Broker::up_with_more_users(name, &[])
    }

    /// The same with further users, whose passwords are their names and `-secret`.
    ///
    /// # Errors
    /// What the script says.
    pub fn up_with_more_users(name: &str, users: &[String]) -> Result<Broker, String> {
        let mut arguments = vec!["--users", "--user", WITNESS];
        users.iter().for_each(|user| arguments.extend(["--user", user]));
        Broker::up_as(name, &arguments)
    }

    /// Starts a broker with TLS, whose key and certificates are in a folder.
    ///
    /// # Errors
    /// What the script says.
    pub fn up_with_tls(name: &str, folder: &Path) -> Result<Broker, String> {
        Broker::up_as(name, &["--tls", folder.to_str().unwrap()])
    }

    /// Where those come who have a certificate, and where users come by TLS.
    pub fn doors_with_tls(&self) -> [String; 2] {
        ["tls", "sasl"].map(|file| std::fs::read_to_string(self.folder.join(file)).unwrap().trim().to_owned())
    }

    /// Starts three brokers of which each is reached by the others at one of these ports only: whoever holds them
    /// passes on what comes to [`Broker::back_doors`].
    ///
    /// # Errors
    /// What the script says.
    pub fn up_apart(name: &str, ports: &[String]) -> Result<Broker, String> {
        Broker::up_as(name, &["--brokers", "3", "--apart", &ports.join(",")])
    }

    /// Where the brokers of [`Broker::up_apart`] hear each other.
    pub fn back_doors(&self) -> String {
        std::fs::read_to_string(self.folder.join("apart")).unwrap().trim().to_owned()
    }

    fn up_as(name: &str, arguments: &[&str]) -> Result<Broker, String> {
        let folder = built::scratch().join(format!("kafka-{name}-{}", std::process::id()));
        let pid = std::process::id().to_string();
        let output = script()
            .args(["up", "--while", &pid])
            .args(arguments)
            .arg("--dir")
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

    /// The settings of a service that comes where users come, and says that it is `hashbuy`.
    pub fn settings_of_a_user(&self) -> Vec<String> {
        self.settings_of("hashbuy")
    }

    /// The same of another user, whose password is the name and `-secret`.
    pub fn settings_of(&self, name: &str) -> Vec<String> {
        let address = std::fs::read_to_string(self.folder.join("users")).unwrap();
        let password = self.folder.join(format!("password-of-{name}"));
        std::fs::write(&password, format!("{name}-secret\n")).unwrap();
        let settings = [
            ("brokers", address.trim()),
            ("properties.security.protocol", "sasl_plaintext"),
            ("properties.sasl.mechanism", "PLAIN"),
            ("properties.sasl.username", name),
            ("property_files.sasl.password", password.to_str().unwrap()),
        ];
        settings.map(|(name, value)| format!("--set=kafka.{name}={value}")).to_vec()
    }

    /// What a client of a user needs to be let in.
    pub fn client_of(&self, name: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", std::fs::read_to_string(self.folder.join("users")).unwrap().trim())
            .set("security.protocol", "sasl_plaintext")
            .set("sasl.mechanism", "PLAIN")
            .set("sasl.username", name)
            .set("sasl.password", format!("{name}-secret"));
        config
    }

    /// Runs one of Kafka's own tools. Returns what it says.
    ///
    /// # Panics
    /// If it fails.
    pub fn tool(&self, arguments: &[&str]) -> String {
        let output = script().args(["tool", "--dir"]).arg(&self.folder).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}{told}");
        said
    }

    /// Changes rights, each by the arguments of a `kafka-acls`, and waits until the broker goes by them.
    ///
    /// # Panics
    /// If one of the changes fails, or is not in force in time.
    pub fn change_rights(&self, changes: &[Vec<String>]) {
        static CHANGES: AtomicUsize = AtomicUsize::new(0);
        // Starting a Java takes longer than what it does here.
        let next = Mutex::new(changes.iter());
        let call = |words: &[String]| {
            self.tool(&["acls"].into_iter().chain(words.iter().map(String::as_str)).collect::<Vec<_>>());
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let Some(words) = next.lock().unwrap().next() else { break };
                        call(words);
                    }
                });
            }
        });
        // A change is answered before it is in force. They come into force in their order, so the last one tells.
        let topic = format!("{WITNESS}-{}", CHANGES.fetch_add(1, Ordering::Relaxed));
        let principal = format!("User:{WITNESS}");
        let last = ["--add", "--allow-principal", &principal, "--operation", "Describe", "--topic", &topic];
        call(&last.map(str::to_owned));
        let witness: BaseConsumer = self.client_of(WITNESS).create().unwrap();
        let deadline = Instant::now() + WAIT;
        while let Some(error) = witness.fetch_metadata(Some(&topic), WAIT).unwrap().topics()[0].error()
            && error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
        {
            assert!(Instant::now() < deadline, "changed rights are not in force after {WAIT:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it, as a restart of its machine does. Its data stay.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(&self) {
        assert!(script().args(["down", "--dir"]).arg(&self.folder).status().unwrap().success());
    }

    /// The broker's port, by its number from 1.
    pub fn port(&self, broker: i32) -> u16 {
        let address = self.bootstrap.split(',').nth(usize::try_from(broker - 1).unwrap()).unwrap();
        address.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Sends a signal to one of the brokers, by its number from 1.
    pub fn signal(&self, broker: i32, signal: Signal) {
        kill_process(self.pid(broker), signal).unwrap();
    }

    /// `kill -9` of one of the brokers. Waits until it is gone.
    pub fn kill(&self, broker: i32) {
        self.signal(broker, Signal::KILL);
        let deadline = Instant::now() + WAIT;
        while std::net::TcpStream::connect(("127.0.0.1", self.port(broker))).is_ok() {
            assert!(Instant::now() < deadline, "broker {broker} does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets one of the brokers go on that may stand still, or may not run at all.
    pub fn resume(&self, broker: i32) {
        if self.is_up(broker) {
            self.signal(broker, Signal::CONT);
        }
    }

    /// Whether one of the brokers runs.
    pub fn is_up(&self, broker: i32) -> bool {
        let status = script().args(["status", "--dir"]).arg(&self.folder).output().unwrap();
        String::from_utf8_lossy(&status.stdout).contains(&format!("broker {broker} runs"))
    }

    /// From now on no file of one of the brokers can grow beyond so many bytes: as if its disk were full.
    pub fn limit_files(&self, broker: i32, bytes: u64) {
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        prlimit(Some(self.pid(broker)), Resource::Fsize, limit).unwrap();
    }

    /// What its files take on the disk, in bytes.
    pub fn bytes(&self) -> u64 {
        bytes_in(&self.folder)
    }

    fn pid(&self, broker: i32) -> Pid {
        let pid = std::fs::read_to_string(self.folder.join(format!("{broker}/pid"))).unwrap();
        Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    }

    /// Puts these settings of a topic in the place of all that it has.
    pub fn set(&self, topic: &str, settings: &[(&str, &str)]) {
        let wanted = AlterConfig {
            specifier: ResourceSpecifier::Topic(topic),
            entries: settings.iter().copied().collect(),
        };
        let set = wait_for(self.admin.alter_configs([&wanted], &options())).unwrap();
        assert!(set.iter().all(Result::is_ok), "topic {topic}: {set:?}");
    }

    /// The broker that leads a partition.
    pub fn leader(&self, topic: &str, partition: u32) -> i32 {
        let metadata = self.admin.inner().fetch_metadata(Some(topic), WAIT).unwrap();
        let found = metadata.topics()[0].partitions();
        found.iter().find(|found| found.id() == number(partition)).unwrap().leader()
    }

    /// The partitions of all topics with fewer copies in sync than there are.
    pub fn behind(&self) -> usize {
        let Ok(metadata) = self.admin.inner().fetch_metadata(None, WAIT) else { return usize::MAX };
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        partitions
            .filter(|partition| partition.leader() < 0 || partition.isr().len() < partition.replicas().len())
            .count()
    }

    /// Waits until all copies are in sync.
    pub fn await_in_sync(&self) {
        let deadline = Instant::now() + 3 * WAIT;
        while self.behind() > 0 {
            assert!(Instant::now() < deadline, "{} partitions are not in sync", self.behind());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Deletes a topic.
    pub fn delete(&self, topic: &str) {
        let deleted = wait_for(self.admin.delete_topics(&[topic], &options())).unwrap();
        assert!(deleted.iter().all(Result::is_ok), "topic {topic}: {deleted:?}");
    }

    /// Starts it again after [`stop`](Broker::stop), with its data and at its address; of a cluster those that do
    /// not run.
    ///
    /// # Panics
    /// If it does not come up, or somewhere else.
    pub fn start_again(&self) {
        let output = script().args(["up", "--dir"]).arg(&self.folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.trim() != format!("bootstrap {}", self.bootstrap) {
            let log = std::fs::read_to_string(self.folder.join("1/broker.log")).unwrap();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(40)..].join("\n");
            panic!("{said}{}\n{last}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Makes a topic.
    ///
    /// # Panics
    /// If the broker refuses; so do the others.
    pub fn create(&self, name: &str, partitions: u32, settings: &[(&str, &str)]) {
        let mut topic = NewTopic::new(name, number(partitions), TopicReplication::Fixed(1));
        for (name, value) in settings {
            topic = topic.set(name, value);
        }
        let made = wait_for(self.admin.create_topics([&topic], &options())).unwrap();
        assert!(made.iter().all(Result::is_ok), "topic {name}: {made:?}");
    }

    /// Gives a topic more partitions.
    pub fn grow(&self, topic: &str, partitions: u32) {
        let count = usize::try_from(partitions).unwrap();
        let grown = wait_for(self.admin.create_partitions([&NewPartitions::new(topic, count)], &options()));
        let grown = grown.unwrap();
        assert!(grown.iter().all(Result::is_ok), "topic {topic}: {grown:?}");
    }

    /// Waits until each partition of a topic has a leader.
    pub fn await_partitions(&self, topic: &str, partitions: u32) {
        let deadline = Instant::now() + WAIT;
        loop {
            let metadata = self.admin.inner().fetch_metadata(Some(topic), WAIT).unwrap();
            let found = metadata.topics()[0].partitions();
            let led = found.iter().filter(|partition| partition.leader() >= 0).count();
            if led == usize::try_from(partitions).unwrap() {
                return;
            }
            assert!(Instant::now() < deadline, "{led} of {partitions} partitions of {topic} are there");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Deletes the records of a partition below an offset.
    pub fn trim(&self, partition: &Partition, offset: u64) {
        let mut list = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(offset).unwrap());
        list.add_partition_offset(&partition.topic, number(partition.number), offset).unwrap();
        let trimmed = wait_for(self.admin.delete_records(&list, &options())).unwrap();
        trimmed.elements().iter().for_each(|element| element.error().unwrap());
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

/// What stands in a folder. A file that goes meanwhile is none.
fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        // Of an index the file is larger than what is written of it.
        Ok(metadata) => metadata.len().min(metadata.blocks() * 512),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(WAIT)).request_timeout(Some(WAIT))
}

fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap()
}

fn script() -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy/kafka/kafka");
    Command::new(script)
}

fn wait_for<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
