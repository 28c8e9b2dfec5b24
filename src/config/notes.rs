//! What there is to say about each setting, and what it is in a configuration: for whoever wants to see them.

use toml::Value;

use super::Config;
use crate::core::settings::Texts;
use crate::core::time::SECOND;
use crate::worker::keeper::Silence;

/// A setting as it is shown.
pub struct Note {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in lines.
    pub about: &'static str,
    /// What it is in a configuration; none if it is not set.
    pub value: fn(&Config) -> Option<Value>,
    /// What it could be, where nothing is the default.
    pub instance: &'static str,
}

/// A setting with a default.
const fn note(name: &'static str, about: &'static str, value: fn(&Config) -> Option<Value>) -> Note {
    Note { name, about, value, instance: "" }
}

/// Those of a section stand together; those of none come first.
pub const NOTES: &[Note] = &[
    note("app", "The name of the application: its groups and transactional ids begin with it.", |config| {
        text(&config.service.app)
    }),
    note(
        "instance",
        "This process among those of the application: the same after a restart, and nobody else's.",
        |config| text(&config.service.instance),
    ),
    note(
        "revision",
        "Counted up with every change of what decides: limits, window, slack, prefix, texts.\n\
         All desks follow the highest that any process has.",
        |config| number(config.settings.revision),
    ),
    note("codes.prefix", "What codes begin with. Fixed once there is state.", |config| {
        text(&config.settings.code_prefix)
    }),
    Note {
        name: "codes.secret_file",
        about: "The file of the codes' secret, 32 random bytes at least. Needed by run.",
        value: |config| config.service.secret_file.as_ref().and_then(|file| text(&file.to_string_lossy())),
        instance: "\"/etc/hashbuy/secret\"",
    },
    note("kafka.brokers", "host:port of some brokers, with commas between them.", |config| {
        text(&config.service.brokers)
    }),
    note("topics.tweets", "The firehose.", |config| text(&config.service.topics.tweets)),
    note("topics.offers", "The table of offers.", |config| text(&config.service.topics.offers)),
    note("topics.accounts", "The table of linked accounts.", |config| text(&config.service.topics.accounts)),
    note("topics.card_transactions", "What was paid with cards.", |config| {
        text(&config.service.topics.card_transactions)
    }),
    note("topics.inbox", "Between the stages.", |config| text(&config.service.topics.inbox)),
    note("topics.changelog", "The state of the desk.", |config| text(&config.service.topics.changelog)),
    note("topics.purchases", "The events.", |config| text(&config.service.topics.purchases)),
    note("topics.orders", "What is to be billed and shipped.", |config| text(&config.service.topics.orders)),
    note("topics.dead_letters", "What could not be read.", |config| {
        text(&config.service.topics.dead_letters)
    }),
    Note {
        name: "topics.inbox_partitions",
        about: "Only the first so many partitions of inbox and changelog are used; all, if it is not set.",
        value: |config| config.service.topics.inbox_partitions.and_then(number),
        instance: "8",
    },
    note("records.version", "In which the inbox and the changelog are written.", |config| {
        number(config.service.topics.version.number())
    }),
    note("scan.workers", "Threads of the scan in this process.", |config| {
        number(config.service.scan_workers)
    }),
    note("scan.ignore_authors", "Authors whose tweets are dropped: the bot and the merchants.", |config| {
        let ids = config.scan.ignore_authors.iter();
        Some(Value::Array(ids.map(|id| Value::String(id.to_string())).collect()))
    }),
    note(
        "scan.strangers_per_second",
        "Authors without an account that are answered in a second, for each worker.",
        |config| number(config.service.strangers_per_second),
    ),
    note("desk.workers", "Threads of the desk in this process.", |config| {
        number(config.service.desk_workers)
    }),
    note(
        "tables.epoch",
        "Raised when the topic of the accounts was made anew, before accounts resend.",
        |config| number(config.service.epoch),
    ),
    note("firehose.silent", "What time does when no tweets come at all.", |config| {
        text(match config.service.silence {
            Silence::Wait => "wait",
            Silence::Advance => "advance",
        })
    }),
    note("purchase.window_seconds", "How long a code is good, where the offer says nothing.", |config| {
        number(config.settings.window_seconds)
    }),
    note(
        "time.slack_seconds",
        "How long behind a deadline its lapse waits for tweets out of order. More than the 10 s after\n\
         which a new partition of the firehose is seen.",
        |config| number(config.settings.slack_ms / SECOND),
    ),
    note(
        "limits.per_day",
        "The most that an account may spend in a UTC day, in minor units of each currency.",
        |config| number(config.settings.limits.per_day),
    ),
    note("limits.pendings", "Pendings of an account at once.", |config| {
        number(config.settings.limits.pendings)
    }),
    note("limits.requests_per_hour", "Requests of an account within an hour.", |config| {
        number(config.settings.limits.requests_per_hour)
    }),
    note("limits.wrong_codes_per_hour", "Wrong codes within an hour; the last of them locks.", |config| {
        number(config.settings.limits.wrong_codes_per_hour)
    }),
    note("limits.hold_seconds", "After linking a card nothing can be bought for so long.", |config| {
        number(config.settings.limits.hold_seconds)
    }),
    note("limits.accounts_per_card", "Accounts that may share a card.", |config| {
        number(config.settings.limits.accounts_per_card)
    }),
    note("input.max_record_bytes", "A larger record of the firehose is a dead letter.", |config| {
        number(config.input.max_record_bytes)
    }),
    note("web.port", "The page, /metrics, /healthz, /readyz; 0 is any free port.", |config| {
        number(config.service.port)
    }),
    note(
        "web.address",
        "On another than the loopback address only /offers, /metrics and the probes are answered,\n\
         unless there is a token.",
        |config| text(&config.service.address.to_string()),
    ),
    Note {
        name: "web.token_file",
        about: "Whoever wants more than the public list shows what is in this file.",
        value: |config| config.service.token_file.as_ref().and_then(|file| text(&file.to_string_lossy())),
        instance: "\"/etc/hashbuy/token\"",
    },
    note(
        "web.show_ids",
        "The page shows the ids of accounts that are refused or have something pending.",
        |config| Some(Value::Boolean(config.service.show_ids)),
    ),
];

/// What there is to say about a section as a whole.
pub const SECTIONS: &[(&str, &str)] = &[
    (
        "kafka.properties",
        "librdkafka's own settings, passed through, but for those that the guarantees hang on. Secrets\n\
         rather in the environment, where sasl.password is HASHBUY_KAFKA_PROPERTIES_SASL_PASSWORD, or in files.",
    ),
    ("kafka.property_files", "The same, each value in a file: for secrets."),
    (
        "texts",
        "The replies, with {to} {code} {until} {product} {price} {offer_tag}. None gets longer than 280\n\
         characters.",
    ),
    ("texts.refused", "The replies to refusals, by their reason."),
];

/// The texts of the replies, by the names of their settings.
pub fn texts(config: &Config) -> impl Iterator<Item = (String, Value)> {
    let texts = &config.settings.texts;
    let value = |name: &str| texts.get(name).map(|text| Value::String(text.as_str().to_owned()));
    Texts::names().filter_map(move |name| Some((format!("texts.{name}"), value(&name)?)))
}

fn text(text: &str) -> Option<Value> {
    Some(Value::String(text.to_owned()))
}

fn number(number: impl TryInto<i64>) -> Option<Value> {
    number.try_into().ok().map(Value::Integer)
}
