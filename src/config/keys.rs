//! All settings by name, each with what it may be.

use std::ops::RangeInclusive;

use toml::Value;

use super::layers::{Given, Layer, variable_of};
use super::{Config, ConfigError, service};
use crate::core::ids::AccountId;
use crate::core::offer::WINDOW_SECONDS;
use crate::core::settings::Texts;
use crate::core::template::Template;
use crate::core::time::SECOND;

/// Checks a value and puts it in its place.
pub type Set = fn(&mut Config, &Given) -> Result<(), ConfigError>;

const TEN_YEARS: u64 = 10 * 365 * 86_400;
const MAX_PREFIX: usize = 20;
/// TOML has no greater numbers.
const NO_END: u64 = i64::MAX as u64;

const KEYS: &[(&str, Set)] = &[
    ("revision", |config, given| {
        config.settings.revision = given.integer(0..=i64::MAX as u64)?;
        Ok(())
    }),
    ("codes.prefix", |config, given| {
        config.settings.code_prefix = prefix(given)?;
        Ok(())
    }),
    ("purchase.window_seconds", |config, given| {
        let range = u64::from(*WINDOW_SECONDS.start())..=u64::from(*WINDOW_SECONDS.end());
        config.settings.window_seconds = given.number(range)?;
        Ok(())
    }),
    ("time.slack_seconds", |config, given| {
        let seconds: i64 = given.number(0..=3_600)?;
        config.settings.slack_ms = seconds * SECOND;
        Ok(())
    }),
    ("limits.per_day", |config, given| {
        config.settings.limits.per_day = given.number(0..=i64::MAX as u64)?;
        Ok(())
    }),
    ("limits.pendings", |config, given| {
        config.settings.limits.pendings = given.integer(0..=i64::MAX as u64)?;
        Ok(())
    }),
    ("limits.requests_per_hour", |config, given| {
        config.settings.limits.requests_per_hour = given.integer(0..=i64::MAX as u64)?;
        Ok(())
    }),
    ("limits.wrong_codes_per_hour", |config, given| {
        config.settings.limits.wrong_codes_per_hour = given.integer(1..=i64::MAX as u64)?;
        Ok(())
    }),
    ("limits.hold_seconds", |config, given| {
        config.settings.limits.hold_seconds = given.integer(0..=TEN_YEARS)?;
        Ok(())
    }),
    ("limits.accounts_per_card", |config, given| {
        config.settings.limits.accounts_per_card = given.integer(1..=i64::MAX as u64)?;
        Ok(())
    }),
    ("scan.ignore_authors", |config, given| {
        config.scan.ignore_authors = given.authors()?;
        Ok(())
    }),
    ("input.max_record_bytes", |config, given| {
        config.input.max_record_bytes = given.number(1 << 10..=1 << 30)?;
        Ok(())
    }),
];

fn all() -> impl Iterator<Item = &'static (&'static str, Set)> {
    KEYS.iter().chain(service::KEYS)
}

/// The names of all settings, but for librdkafka's.
pub fn names() -> impl Iterator<Item = String> {
    let texts = Texts::names().map(|name| format!("texts.{name}"));
    all().map(|(name, _)| (*name).to_owned()).chain(texts)
}

/// True if a setting has this name.
pub fn is_name(name: &str) -> bool {
    names().any(|known| known == name)
}

/// True if settings have names below this one.
pub fn is_section(name: &str) -> bool {
    let is_below = |known: String| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    names().any(is_below)
        || [service::PROPERTIES, service::PROPERTY_FILES].contains(&format!("{name}.").as_str())
}

/// Checks a setting and puts it in its place.
pub fn set(config: &mut Config, given: &Given) -> Result<(), ConfigError> {
    if let Some((_, set)) = all().find(|(name, _)| *name == given.name) {
        return set(config, given);
    }
    if let Some(name) = given.name.strip_prefix(service::PROPERTY_FILES) {
        config.service.properties.insert(name.to_owned(), given.of_file()?);
        return Ok(());
    }
    if let Some(name) = given.name.strip_prefix(service::PROPERTIES) {
        if given.layer == Layer::Flag && service::is_secret(&given.name) {
            return Err(given.seen_by_all(name));
        }
        config.service.properties.insert(name.to_owned(), given.plain()?);
        return Ok(());
    }
    let text = given.name.strip_prefix("texts.").and_then(|name| config.settings.texts.get_mut(name));
    match text {
        Some(text) => {
            *text = given.template()?;
            Ok(())
        }
        None => Err(unknown(given)),
    }
}

/// What a setting may be, in the words of its check; none if it takes any text.
pub fn rule(name: &str) -> Option<String> {
    // A text that no check takes which takes not any.
    let value = Value::String("\0".to_owned());
    let given = Given { name: name.to_owned(), origin: String::new(), value, layer: Layer::File };
    let refused = set(&mut Config::default(), &given).err()?.to_string();
    refused.rsplit_once(", must be ").map(|(_, rule)| rule.to_owned())
}

/// An error that names the setting that was probably meant.
fn unknown(given: &Given) -> ConfigError {
    let as_given = |name: String| if given.layer == Layer::Variable { variable_of(&name) } else { name };
    let likeness = |name: &String| strsim::jaro_winkler(&given.name, name);
    let nearest = names().map(as_given).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    ConfigError(format!("{} is no setting; did you mean {}?", given.origin, nearest.unwrap_or_default()))
}

fn prefix(given: &Given) -> Result<String, ConfigError> {
    let mend = format!("must be 1 to {MAX_PREFIX} ASCII letters and digits, at least one of them a letter");
    let Value::String(prefix) = &given.value else { return Err(given.wrong(&mend)) };
    let plain = prefix.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain && prefix.len() <= MAX_PREFIX && prefix.bytes().any(|b| b.is_ascii_alphabetic()) {
        return Ok(prefix.clone());
    }
    Err(given.wrong(&mend))
}

impl Given {
    /// An error that shows the value.
    pub(super) fn wrong(&self, mend: &str) -> ConfigError {
        ConfigError(format!("{} is {}, {mend}", self.origin, self.value))
    }

    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let number = match &self.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(digits) if self.layer != Layer::File => digits.parse().ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let least = range.start();
            self.wrong(&match *range.end() {
                NO_END => format!("must be a whole number, {least} or more"),
                most => format!("must be a whole number, {least} to {most}"),
            })
        })
    }

    /// A whole number in another type, which has to hold the range.
    pub(super) fn number<T: TryFrom<u64>>(&self, range: RangeInclusive<u64>) -> Result<T, ConfigError> {
        T::try_from(self.integer(range)?).map_err(|_| self.wrong("must be smaller on this machine"))
    }

    fn authors(&self) -> Result<Vec<AccountId>, ConfigError> {
        let ids: Option<Vec<AccountId>> = match &self.value {
            Value::Array(ids) => ids.iter().map(author).collect(),
            Value::String(ids) if self.layer != Layer::File => {
                let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
                ids.map(AccountId::parse).collect()
            }
            _ => None,
        };
        let mut ids = ids.ok_or_else(|| {
            let list = if self.layer != Layer::File { "12,345" } else { "[\"12\", \"345\"]" };
            self.wrong(&format!("must be a list of author ids such as {list}"))
        })?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    pub(super) fn text(&self) -> Result<String, ConfigError> {
        match &self.value {
            Value::String(text) if !text.is_empty() => Ok(text.clone()),
            _ => Err(self.wrong("must be a text")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        match &self.value {
            Value::Boolean(flag) => Ok(*flag),
            Value::String(text) if self.layer != Layer::File => {
                text.parse().map_err(|_| self.wrong("must be true or false"))
            }
            _ => Err(self.wrong("must be true or false")),
        }
    }

    /// What may be a part of a name in Kafka.
    pub(super) fn name_part(&self) -> Result<String, ConfigError> {
        let text = self.text()?;
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        let mend = "must be 1 to 200 ASCII letters, digits, dots, underscores and dashes";
        if plain && text.len() <= 200 { Ok(text) } else { Err(self.wrong(mend)) }
    }

    /// A value as librdkafka takes it. It may be a secret: no message shows it.
    fn plain(&self) -> Result<String, ConfigError> {
        match &self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Boolean(flag) => Ok(flag.to_string()),
            _ => Err(ConfigError(format!("{} must be a text, a whole number, true or false", self.origin))),
        }
    }

    /// What a file holds, without line ends at its end. No message shows it.
    fn of_file(&self) -> Result<String, ConfigError> {
        let file = self.text()?;
        let failed = |why: &dyn std::fmt::Display| ConfigError(format!("{} {file}: {why}", self.origin));
        let text = std::fs::read_to_string(&file).map_err(|why| failed(&format!("cannot be read: {why}")))?;
        match text.trim_end_matches(['\n', '\r']) {
            "" => Err(failed(&"is empty, must hold the value")),
            value => Ok(value.to_owned()),
        }
    }

    /// An error for a secret among the arguments.
    fn seen_by_all(&self, property: &str) -> ConfigError {
        let variable = variable_of(&self.name);
        ConfigError(format!(
            "{}: anybody on this machine can read arguments; give it as {variable} or in the configuration file, or its \
             file as {}{property}",
            self.origin,
            service::PROPERTY_FILES
        ))
    }

    fn template(&self) -> Result<Template, ConfigError> {
        let Value::String(text) = &self.value else { return Err(self.wrong("must be a text")) };
        Template::new(text).map_err(|error| self.wrong(&format!("must be a template: {error}")))
    }
}

fn author(id: &Value) -> Option<AccountId> {
    match id {
        Value::String(id) => AccountId::parse(id),
        Value::Integer(id) => u64::try_from(*id).ok().and_then(AccountId::new),
        _ => None,
    }
}
