//! How each client is set up, and which of librdkafka's properties are not the user's to choose.
//!
//! There are three layers, and a later one wins: what suits most clusters, then the user's own
//! properties, then what the guarantees hang on. A property of the last layer is refused by name,
//! with the reason, rather than silently overruled.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;

use super::bulk::Codec;
use crate::log::{Error, Isolation, Kind, Membership};

/// How long a request may go unanswered before it is given up. A broker that stands still must not
/// hold a client for librdkafka's 60 s.
const REQUEST: Duration = Duration::from_secs(10);

/// The same for a producer of transactions: a request has to fail while its transaction still lives.
pub(super) const TRANSACTION_REQUEST: Duration = Duration::from_secs(4);

/// How often a member says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long a producer tries to deliver a record. Longer than a short standstill of a broker, since
/// what follows a failure is the whole way from the last commit again.
const DELIVERY: Duration = Duration::from_secs(60);

/// How soon a new partition of a topic is seen. It has to be well below the slack that marks are held
/// back by, or tweets of a new partition come behind the lapses that they would have prevented.
pub const METADATA: Duration = Duration::from_secs(10);

/// Where the brokers are, and how patient to be with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `host:port` of some brokers, with commas between them.
    pub brokers: String,
    /// What these clients call themselves in the brokers' logs, metrics and quotas.
    pub client: String,
    /// Further properties of librdkafka, as they are called there: `security.protocol` and the like.
    pub properties: BTreeMap<String, String>,
    /// How long a transaction may be open before the broker aborts it; at least 5 s. A killed worker
    /// holds up the readers behind its open transaction that long.
    pub transaction: Duration,
    /// How long a member may be silent before its partitions go to others; at least 3 s. A killed
    /// static member holds its partitions that long.
    pub session: Duration,
    /// How long a member may go without [`Member::poll`](crate::log::Member::poll); above the session.
    pub poll: Duration,
}

impl Settings {
    /// Settings for these brokers, with the defaults for the rest.
    pub fn new(brokers: impl Into<String>) -> Settings {
        Settings {
            brokers: brokers.into(),
            client: "hashbuy".to_owned(),
            properties: BTreeMap::new(),
            transaction: Duration::from_secs(8),
            session: Duration::from_secs(10),
            poll: Duration::from_secs(60),
        }
    }

    /// Checks what can be checked without a broker.
    ///
    /// # Errors
    /// [`Kind::Fatal`], with the name of the property or setting.
    pub fn validate(&self) -> Result<(), Error> {
        for name in self.properties.keys() {
            if let Some((_, why)) = GUARDED.iter().find(|(names, _)| names.contains(&name.as_str())) {
                return Err(fatal(format!("kafka.properties: {name} cannot be set: {why}; take it out")));
            }
        }
        self.is_built_in()?;
        if self.transaction < TRANSACTION_REQUEST + Duration::from_secs(1) {
            return Err(fatal(format!("a transaction timeout of {:?} is below 5 s", self.transaction)));
        }
        if self.session < 3 * HEARTBEAT {
            return Err(fatal(format!("a session timeout of {:?} is below 3 s", self.session)));
        }
        if self.poll < self.session {
            return Err(fatal(format!("a poll interval of {:?} is below the session timeout", self.poll)));
        }
        let config = self.reader(Isolation::Committed);
        match config.create_native_config() {
            Ok(_) => Ok(()),
            Err(error) => Err(fatal(format!("kafka.properties: {error}"))),
        }
    }

    /// librdkafka says too late, or in words of its own, what it was built without.
    fn is_built_in(&self) -> Result<(), Error> {
        let value = |names: [&str; 2]| {
            let given = names.iter().find_map(|name| Some((*name, self.properties.get(*name)?)))?;
            Some((given.0.to_owned(), given.1.to_ascii_uppercase()))
        };
        let needs = |(name, value): (String, String), feature: &str| {
            Err(fatal(format!(
                "kafka.properties: {name} is {value}, and this program was built without it: build it with `cargo build \
                 --release --features {feature}`"
            )))
        };
        let tls = cfg!(feature = "tls");
        match value(["security.protocol", "security.protocol"]) {
            Some(protocol) if protocol.1.ends_with("SSL") && !tls => return needs(protocol, "tls"),
            _ => {}
        }
        match value(["sasl.mechanism", "sasl.mechanisms"]) {
            Some((name, mechanism)) if mechanism == "GSSAPI" => {
                return Err(fatal(format!(
                    "kafka.properties: {name} is {mechanism}, which hashbuy is never built with: take SCRAM-SHA-512, PLAIN, \
                     OAUTHBEARER or a certificate of the client"
                )));
            }
            Some(mechanism) if mechanism.1 != "PLAIN" && !tls => return needs(mechanism, "tls"),
            _ => {}
        }
        match value(["sasl.oauthbearer.method", "sasl.oauthbearer.method"]) {
            Some((name, method)) if method == "OIDC" => Err(fatal(format!(
                "kafka.properties: {name} is {method}, which hashbuy is never built with: take SCRAM-SHA-512, PLAIN or a \
                 certificate of the client"
            ))),
            _ => Ok(()),
        }
    }

    /// For a member of a group.
    pub(super) fn member(&self, membership: &Membership) -> ClientConfig {
        let mut guarded = vec![
            ("group.id", membership.group.clone()),
            // The callback does the assigning. With another protocol than the classic one the broker
            // decides who gets what, with rules that librdkafka 2.12 can not yet defer.
            ("group.protocol", "classic".to_owned()),
            // Partitions that stay where they are keep running through a rebalance.
            ("partition.assignment.strategy", "cooperative-sticky".to_owned()),
            ("session.timeout.ms", millis(self.session)),
            ("heartbeat.interval.ms", millis(HEARTBEAT)),
            ("max.poll.interval.ms", millis(self.poll)),
        ];
        if let Some(instance) = &membership.instance {
            // With it the broker refuses the offsets of a member that another one has replaced, also
            // once its member id has been forgotten.
            guarded.push(("group.instance.id", instance.clone()));
        }
        guarded.extend(consumer(membership.isolation));
        self.config(CONSUMER, guarded)
    }

    /// For reading given partitions.
    pub(super) fn reader(&self, isolation: Isolation) -> ClientConfig {
        // Assigning needs the name of a group, although none is joined and nothing committed.
        let mut guarded = vec![("group.id", format!("{}-reader", self.client))];
        guarded.extend(consumer(isolation));
        guarded.push(("enable.partition.eof", "true".to_owned()));
        self.config(CONSUMER, guarded)
    }

    /// For looking up watermarks and topics.
    pub(super) fn lookup(&self, isolation: Isolation) -> ClientConfig {
        self.config(CONSUMER, consumer(isolation))
    }

    /// For looking up the offsets of a group that is never joined. Committed: only so does librdkafka
    /// ask for offsets that no open transaction is about to change.
    pub(super) fn offsets(&self, group: &str) -> ClientConfig {
        let mut guarded = vec![("group.id", group.to_owned())];
        guarded.extend(consumer(Isolation::Committed));
        self.config(CONSUMER, guarded)
    }

    /// For writing without transactions.
    pub(super) fn producer(&self) -> ClientConfig {
        self.config(PRODUCER, gapless())
    }

    /// For writing a great many records without transactions. A record waits up to `linger` for others.
    pub(super) fn bulk(&self, codec: Codec, linger: Duration) -> ClientConfig {
        let mut guarded = gapless();
        guarded.push(("compression.type", codec.to_string()));
        guarded.push(("delivery.report.only.error", "true".to_owned()));
        let mut config = self.config(&[PRODUCER, BULK].concat(), guarded);
        // The other names of what is set: whichever librdkafka came upon last would win.
        config.remove("compression.codec");
        config.remove("queue.buffering.max.ms");
        config.set("linger.ms", millis(linger));
        config
    }

    /// For writing in transactions.
    pub(super) fn transactions(&self, id: &str) -> ClientConfig {
        let guarded = vec![
            ("transactional.id", id.to_owned()),
            ("transaction.timeout.ms", millis(self.transaction)),
            // A record that outlives its transaction would be lost in the next one.
            ("message.timeout.ms", millis(self.transaction)),
            ("socket.timeout.ms", millis(TRANSACTION_REQUEST)),
            ("enable.idempotence", "true".to_owned()),
            ("acks", "all".to_owned()),
        ];
        let mut config = self.config(PRODUCER, guarded);
        // The worker waits for its records with nothing else to send, so waiting for company is in vain.
        if !self.properties.keys().any(|name| name == "linger.ms" || name == "queue.buffering.max.ms") {
            config.set("linger.ms", "0");
        }
        config
    }

    fn config(&self, suited: &[(&str, &str)], guarded: Vec<(&'static str, String)>) -> ClientConfig {
        let mut config = ClientConfig::new();
        let own = self.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in COMMON.iter().chain(suited).copied().chain(own) {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", &self.client);
        config.set("topic.metadata.refresh.interval.ms", millis(METADATA));
        for (name, value) in guarded {
            config.set(name, value);
        }
        config
    }
}

const COMMON: &[(&str, &str)] = &[
    // Half of it is how long a new client may wait before it asks its first question (11 ms at least), and a process
    // that starts makes a dozen of them; 100 by default.
    ("reconnect.backoff.ms", "22"),
    // A broker that comes back is found within a second, not within ten.
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.nagle.disable", "true"),
    // Asking again while the previous transaction's markers are being written: 100 ms would be felt.
    ("retry.backoff.ms", "10"),
];

const CONSUMER: &[(&str, &str)] = &[
    // Bounds the memory for what is fetched ahead, per client. What is fetched in small pieces and read soon
    // is still in the processor's cache, and its memory is used again: with four times as much of both, a
    // scan takes a tenth more of the processor.
    ("queued.max.messages.kbytes", "8192"),
    ("fetch.message.max.bytes", "262144"),
    // When that bound is reached, look again soon: with the default of 1,000 a busy partition stutters.
    ("fetch.queue.backoff.ms", "1"),
    // A fetch that waits for new records holds up a seek on the same broker that long; 500 by default.
    ("fetch.wait.max.ms", "100"),
];

const PRODUCER: &[(&str, &str)] = &[
    // How long a topic may be unknown before a record for it has failed; 30 s by default.
    ("topic.metadata.propagation.max.ms", "10000"),
];

const BULK: &[(&str, &str)] = &[
    // Small enough to stay in the processor's cache from where a batch is put together to where it is sent, and not
    // copied on the way: a third faster than batches of 1 MB in a queue of 32 MB, measured with `load fill`.
    ("batch.size", "262144"),
    ("queue.buffering.max.kbytes", "8192"),
    ("message.copy.max.bytes", "0"),
];

fn gapless() -> Vec<(&'static str, String)> {
    vec![
        // A failed record is not followed by later ones: what is in the log is a beginning of what
        // was sent.
        ("enable.gapless.guarantee", "true".to_owned()),
        ("enable.idempotence", "true".to_owned()),
        ("acks", "all".to_owned()),
        ("message.timeout.ms", millis(DELIVERY)),
        ("socket.timeout.ms", millis(REQUEST)),
    ]
}

fn consumer(isolation: Isolation) -> Vec<(&'static str, String)> {
    let isolation = match isolation {
        Isolation::Committed => "read_committed",
        Isolation::Uncommitted => "read_uncommitted",
    };
    vec![
        ("isolation.level", isolation.to_owned()),
        ("enable.auto.commit", "false".to_owned()),
        ("enable.auto.offset.store", "false".to_owned()),
        // An offset that is not there is an error, never a silent jump to either end.
        ("auto.offset.reset", "error".to_owned()),
        ("allow.auto.create.topics", "false".to_owned()),
        ("socket.timeout.ms", millis(REQUEST)),
    ]
}

const OWN_SETTING: &str = "it has a setting of its own";
const READING: &str = "what is read exactly once depends on it";
const WRITING: &str = "that every record is written exactly once depends on it";
const MEMBERSHIP: &str = "how partitions change hands depends on it";
const COUNTED: &str = "deliveries are counted by it";

/// Properties that are refused, under all their names, and why.
const GUARDED: &[(&[&str], &str)] = &[
    (&["bootstrap.servers", "metadata.broker.list", "client.id"], OWN_SETTING),
    (&["transaction.timeout.ms", "session.timeout.ms", "max.poll.interval.ms"], OWN_SETTING),
    (&["group.id", "group.instance.id", "transactional.id"], "it is the worker's name, given by its number"),
    (&["group.protocol", "group.remote.assignor", "partition.assignment.strategy"], MEMBERSHIP),
    (&["heartbeat.interval.ms"], MEMBERSHIP),
    (&["isolation.level", "auto.offset.reset", "enable.partition.eof"], READING),
    (&["enable.auto.commit", "auto.commit.enable", "auto.commit.interval.ms"], READING),
    (&["enable.auto.offset.store", "offset.store.method", "allow.auto.create.topics"], READING),
    (&["enable.idempotence", "enable.gapless.guarantee", "acks", "request.required.acks"], WRITING),
    (&["retries", "message.send.max.retries"], WRITING),
    (&["max.in.flight", "max.in.flight.requests.per.connection"], WRITING),
    (&["message.timeout.ms", "delivery.timeout.ms", "socket.timeout.ms"], WRITING),
    (&["delivery.report.only.error", "enabled_events", "log.queue"], COUNTED),
    (&["topic.metadata.refresh.interval.ms"], "it has to stay below time.slack_seconds"),
];

const _: () = assert!(REQUEST.as_millis() > 1_000, "above fetch.wait.max.ms, or librdkafka refuses it");

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

fn fatal(what: String) -> Error {
    Error::new(Kind::Fatal, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Settings {
        let mut settings = Settings::new("127.0.0.1:9092");
        settings.properties.insert(name.to_owned(), value.to_owned());
        settings
    }

    fn everything(settings: &Settings) -> Vec<ClientConfig> {
        let membership = Membership {
            group: "g".to_owned(),
            topics: vec!["t".to_owned()],
            instance: Some("i".to_owned()),
            isolation: Isolation::Committed,
        };
        vec![
            settings.member(&membership),
            settings.reader(Isolation::Committed),
            settings.lookup(Isolation::Uncommitted),
            settings.offsets("g"),
            settings.producer(),
            settings.transactions("t"),
            settings.bulk(Codec::Lz4, Duration::from_millis(5)),
        ]
    }

    #[test]
    fn librdkafka_knows_every_property_that_is_set() {
        for config in everything(&Settings::new("127.0.0.1:9092")) {
            config.create_native_config().unwrap();
        }
    }

    #[test]
    fn what_it_was_built_without_is_told_with_the_way_to_build_it() {
        let told = |name: &str, value: &str| with(name, value).validate().map_err(|error| error.what);
        let built = |feature: &str| format!("`cargo build --release --features {feature}`");
        let feature = cfg!(feature = "tls").then_some("tls");
        for (name, value) in [
            ("security.protocol", "ssl"),
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.mechanisms", "OAUTHBEARER"),
        ] {
            let Err(what) = told(name, value) else {
                assert_eq!(feature, Some("tls"), "{value}");
                continue;
            };
            assert_eq!(feature, None, "{what}");
            assert!(what.ends_with(&built("tls")), "{what}");
            assert!(what.contains(&format!("{name} is {}", value.to_uppercase())), "{what}");
        }
        assert!(told("sasl.oauthbearer.method", "oidc").unwrap_err().contains("SCRAM-SHA-512"));
        assert!(told("sasl.mechanism", "GSSAPI").unwrap_err().contains("SCRAM-SHA-512"));
        assert_eq!(told("sasl.mechanism", "PLAIN"), Ok(()));
        assert_eq!(told("security.protocol", "sasl_plaintext"), Ok(()));
    }

    #[test]
    fn the_guarantees_cannot_be_configured_away() {
        for (names, why) in GUARDED {
            for name in *names {
                let error = with(name, "1").validate().unwrap_err();
                assert_eq!(error.kind, Kind::Fatal);
                assert_eq!(error.what, format!("kafka.properties: {name} cannot be set: {why}; take it out"));
            }
        }
    }

    #[test]
    fn whatever_is_guarded_is_named_as_librdkafka_names_it() {
        for name in GUARDED.iter().flat_map(|(names, _)| *names) {
            let mut config = ClientConfig::new();
            config.set(*name, "no value of any type \u{1}");
            let error =
                config.create_native_config().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("No such configuration property"), "{name}: {error}");
        }
    }

    #[test]
    fn all_that_is_set_for_the_guarantees_is_guarded() {
        let suited: Vec<&str> = [COMMON, CONSUMER, PRODUCER, BULK]
            .concat()
            .iter()
            .map(|(name, _)| *name)
            .chain(["linger.ms", "compression.type"])
            .collect();
        for config in everything(&Settings::new("127.0.0.1:9092")) {
            for name in config.config_map().keys() {
                let guarded = GUARDED.iter().any(|(names, _)| names.contains(name));
                assert!(guarded || suited.contains(name), "{name} is set, but neither guarded nor a default");
            }
        }
    }

    #[test]
    fn other_properties_pass_through_over_the_defaults() {
        let settings = with("fetch.wait.max.ms", "7");
        assert_eq!(settings.validate(), Ok(()));
        assert_eq!(settings.reader(Isolation::Committed).get("fetch.wait.max.ms"), Some("7"));
        let settings = with("linger.ms", "3");
        assert_eq!(settings.transactions("t").get("linger.ms"), Some("3"));
    }

    #[test]
    fn a_bulk_writer_packs_as_it_is_told_whatever_suits_others() {
        for name in ["compression.codec", "compression.type"] {
            let config = with(name, "gzip").bulk(Codec::Zstd, Duration::from_millis(7));
            let native = config.create_native_config().unwrap();
            assert_eq!(native.get("compression.codec").unwrap(), "zstd");
            assert_eq!(native.get("linger.ms").unwrap(), "7");
        }
    }

    #[test]
    fn an_unknown_property_or_a_wrong_value_is_named() {
        let unknown = with("fetch.wait.maximum", "7").validate().unwrap_err();
        assert!(unknown.what.contains("fetch.wait.maximum"), "{unknown}");
        let wrong = with("fetch.wait.max.ms", "soon").validate().unwrap_err();
        assert!(wrong.what.contains("fetch.wait.max.ms"), "{wrong}");
    }

    #[test]
    fn timeouts_that_do_not_fit_together_are_refused() {
        let base = Settings::new("127.0.0.1:9092");
        let short = Duration::from_secs(2);
        for wrong in [
            Settings { transaction: short, ..base.clone() },
            Settings { session: short, ..base.clone() },
            Settings { poll: short, ..base.clone() },
        ] {
            assert_eq!(wrong.validate().unwrap_err().kind, Kind::Fatal);
        }
        assert_eq!(base.validate(), Ok(()));
    }
}
