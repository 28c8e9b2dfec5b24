//! What a case has for itself: topics, tables, a configuration, a firehose, and an eye on the events.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hashbuy::log::kafka::{KafkaLog, Settings};
use serde_json::{Value, json};

use crate::common::program::{Folder, Run, SECRET, arguments, census, json_lines, run, text};
use crate::common::tables::with;
use crate::common::tags::rfc3339;
use crate::firehose::{Firehose, now};
use crate::process::Service;
use crate::topics::{Follower, Stored};

/// Partitions of the firehose.
pub const TWEETS: u32 = 3;
/// Partitions of the inbox, the changelog, the accounts and the events.
pub const INBOX: u32 = 4;

/// In milliseconds.
pub const DAY: i64 = 24 * 3_600_000;
/// An event is out within so long, unless something has to be waited for.
pub const SOON: Duration = Duration::from_secs(30);

/// All topics, by their names in the configuration, in the order of the way of a tweet.
pub const TOPICS: [&str; 9] = [
    "tweets",
    "offers",
    "accounts",
    "card_transactions",
    "inbox",
    "changelog",
    "purchases",
    "orders",
    "dead_letters",
];

/// A world of a case's own on the broker of the run.
pub struct World {
    pub bootstrap: String,
    /// The name of the application, and the beginning of each topic's.
    pub app: String,
    pub folder: Folder,
    /// For producing by hand.
    pub log: KafkaLog,
    logs: AtomicU32,
    events: Option<Follower>,
}

impl World {
    /// Nothing is there yet.
    pub fn new(bootstrap: &str) -> World {
        static CASES: AtomicU32 = AtomicU32::new(0);
        let app = format!("case-{}", CASES.fetch_add(1, Ordering::Relaxed));
        let log = KafkaLog::connect(Settings::new(bootstrap)).unwrap();
        let folder = Folder::new();
        let (bootstrap, logs) = (bootstrap.to_owned(), AtomicU32::new(0));
        let world = World { bootstrap, app, folder, log, logs, events: None };
        world.configure("");
        world
    }

    /// Writes the configuration, with more lines at its end.
    pub fn configure(&self, more: &str) {
        self.folder.write("hashbuy.toml", configuration(&self.bootstrap, &self.app) + more);
        self.folder.write("secret", SECRET);
    }

    /// The configuration's file.
    pub fn config(&self) -> PathBuf {
        self.folder.path("hashbuy.toml")
    }

    /// The name of a topic, by its name in the configuration.
    pub fn topic(&self, name: &str) -> String {
        topic(&self.app, name)
    }

    /// Runs a command of the program to its end, whatever that is.
    pub fn command(&self, args: &[&str]) -> Run {
        let mut args = arguments(args.iter().copied());
        args.extend([OsString::from("--config"), self.config().into()]);
        run(&args, &self.folder.path(""), b"")
    }

    /// Runs a command that has to end well.
    pub fn hashbuy(&self, args: &[&str]) {
        let run = self.command(args);
        assert_eq!(run.code, Some(0), "hashbuy {}: {}", args.join(" "), run.stderr);
    }

    /// Makes the topics and publishes the tables, with the program's own commands.
    pub fn set_up(&mut self, offers: &[Value], accounts: &[Value]) {
        self.set_up_with(TWEETS, offers, accounts);
    }

    /// The same with so many partitions of the firehose.
    pub fn set_up_with(&mut self, partitions: u32, offers: &[Value], accounts: &[Value]) {
        // One copy on each broker.
        let copies = self.bootstrap.split(',').count().to_string();
        let (tweets, inbox) = (partitions.to_string(), INBOX.to_string());
        let partitions = ["--tweets-partitions", &tweets, "--inbox-partitions", &inbox];
        self.hashbuy(&[&["topics", "create", "--replication", &copies][..], &partitions].concat());
        self.put("offers", offers);
        self.put("accounts", accounts);
        self.follow_anew();
    }

    /// Begins to read the events from their beginning, with a connection of its own.
    pub fn follow_anew(&mut self) {
        let topics = ["purchases", "orders", "dead_letters"].map(|name| self.topic(name));
        self.events = Some(Follower::committed(&self.bootstrap, &topics));
    }

    /// Publishes records of a table.
    pub fn put(&self, table: &str, records: &[Value]) {
        let file = self.folder.write("table.jsonl", json_lines(records));
        self.hashbuy(&[table, "put", file.to_str().unwrap()]);
    }

    /// A firehose with noise in it.
    pub fn firehose(&self) -> Firehose {
        Firehose::new(&self.log, &self.topic("tweets"), TWEETS)
    }

    /// A firehose with noise in some of its partitions.
    pub fn firehose_with_noise_in(&self, places: &[u32]) -> Firehose {
        Firehose::with_noise_in(places.to_vec(), &self.log, &self.topic("tweets"), TWEETS)
    }

    /// Starts `hashbuy run` as an instance.
    pub fn run(&self, instance: &str) -> Service {
        self.run_with(instance, &[])
    }

    /// The same with settings from the environment.
    pub fn run_with(&self, instance: &str, variables: &[(&str, String)]) -> Service {
        self.start(instance, &[], variables)
    }

    /// The same with further arguments.
    pub fn run_as(&self, instance: &str, arguments: &[&str]) -> Service {
        self.start(instance, arguments, &[])
    }

    fn start(&self, instance: &str, arguments: &[&str], variables: &[(&str, String)]) -> Service {
        let number = self.logs.fetch_add(1, Ordering::Relaxed);
        let log = self.folder.path(&format!("run-{number}-{instance}.log"));
        let instance = ("HASHBUY_INSTANCE", instance);
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        Service::start(&self.config(), arguments, variables.chain([instance]), log)
    }

    /// What was read of the events' topics and the dead letters up to now.
    pub fn records(&mut self) -> &[Stored] {
        let events = self.events.as_mut().expect("set_up comes first");
        events.follow(Duration::from_millis(20));
        &events.records
    }

    /// The records of one topic up to now.
    pub fn stored(&mut self, name: &str) -> Vec<Stored> {
        let topic = self.topic(name);
        self.records().iter().filter(|record| record.topic == topic).cloned().collect()
    }

    /// The events of `purchases` up to now.
    pub fn purchases(&mut self) -> Vec<Value> {
        self.stored("purchases").iter().map(Stored::json).collect()
    }

    /// The events of `orders` up to now.
    pub fn orders(&mut self) -> Vec<Value> {
        self.stored("orders").iter().map(Stored::json).collect()
    }

    /// Waits for an event of a type about an account and an offer, that satisfies something more.
    pub fn await_event(&mut self, kind: &str, account: u64, offer: &str, within: Duration) -> Value {
        let is_it = |event: &&Value| {
            text(event, "type") == kind
                && text(event, "account_id") == account.to_string()
                && text(event, "offer_id") == offer
        };
        let topic = if kind.starts_with("order.") { "orders" } else { "purchases" };
        let what = format!("{kind} of {account} for {offer}");
        self.wait_for(&what, within, |world| {
            world.stored(topic).iter().map(Stored::json).find(|event| is_it(&event))
        })
    }

    /// Waits until so many events of a type are there.
    pub fn await_count(&mut self, kind: &str, count: usize, within: Duration) {
        self.wait_for(&format!("{count} times {kind}"), within, |world| {
            (census(&world.purchases()).get(kind).copied().unwrap_or(0) >= count).then_some(())
        });
    }

    /// Waits until `look` finds something.
    ///
    /// # Panics
    /// If it does not within the time: what is there is told, what the processes have said, and what
    /// `hashbuy check` finds.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&mut World) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + within;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if Instant::now() >= deadline {
                let there = census(&self.purchases());
                let found = self.command(&["check"]);
                panic!(
                    "not within {within:?}: {what}\nthere are {there:?}\n{}--- hashbuy check\n{}{}",
                    self.said(),
                    String::from_utf8_lossy(&found.stdout),
                    found.stderr
                );
            }
        }
    }

    /// What all processes have said.
    pub fn said(&self) -> String {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        files.sort();
        files
            .iter()
            .map(|path| format!("--- {}\n{}", path.display(), std::fs::read_to_string(path).unwrap()))
            .collect()
    }

    /// All that is committed in some topics, once no process is at work any more.
    pub fn committed(&self, names: &[&str]) -> Vec<Stored> {
        let topics: Vec<String> = names.iter().map(|name| self.topic(name)).collect();
        Follower::all_committed(&self.bootstrap, &topics)
    }

    /// Everything that stands in all topics, committed or not.
    pub fn everything(&self) -> Vec<Stored> {
        Follower::everything(&self.bootstrap, &TOPICS.map(|name| self.topic(name)))
    }
}

fn topic(app: &str, name: &str) -> String {
    format!("{app}-{}", name.replace('_', "-"))
}

/// A configuration with topics of an application's own. What was linked this moment may buy, and time
/// waits for no stragglers.
pub fn configuration(brokers: &str, app: &str) -> String {
    let topics: String = TOPICS.iter().map(|name| format!("{name} = \"{}\"\n", topic(app, name))).collect();
    format!(
        "app = \"{app}\"\nkafka.brokers = \"{brokers}\"\ncodes.secret_file = \"secret\"\nweb.port = 0\n\
         limits.hold_seconds = 0\ntime.slack_seconds = 1\n\n[topics]\n{topics}\n"
    )
}

/// An offer that is open now.
pub fn offer(id: &str, hashtag: &str) -> Value {
    json!({
        "offer_id": id, "kind": "purchase", "hashtag": hashtag, "product": format!("Product {id}"),
        "merchant_id": format!("shop-{id}"), "price": {"amount": 1_999, "currency": "USD"},
        "starts_at": rfc3339(now() - 3_600_000), "ends_at": rfc3339(now() + 3_600_000),
    })
}

/// A coupon of ten dollars for fifty, at a merchant of its own.
pub fn coupon(id: &str, hashtag: &str) -> Value {
    let mut coupon = with(
        offer(id, hashtag),
        json!({
            "kind": "coupon", "credit": {"amount": 1_000, "currency": "USD"},
            "min_spend": {"amount": 5_000, "currency": "USD"}, "redeem_by": rfc3339(now() + 30 * DAY),
        }),
    );
    coupon.as_object_mut().unwrap().remove("price");
    coupon
}

/// A payment of this moment with an account's card, in cents, at the merchant of the offer `shoes`.
pub fn payment(id: &str, account: u64, amount: i64) -> Value {
    json!({
        "transaction_id": id, "card_token": format!("tok-{account}"), "merchant_id": "shop-shoes",
        "amount": {"amount": amount, "currency": "USD"}, "kind": "payment", "at": rfc3339(now()),
    })
}

/// An active account that was linked a while ago.
pub fn account(id: u64) -> Value {
    json!({
        "account_id": id.to_string(), "screen_name": format!("u{id}"), "card_token": format!("tok-{id}"),
        "delivery_ref": format!("door-{id}"), "status": "active", "linked_at": rfc3339(now() - 3_600_000),
    })
}
