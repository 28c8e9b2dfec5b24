//! Settings as text: those in force with where each is from, and the example file with what each is for.
//!
//! Both are TOML that [`Config::load`] takes again. What the example says that a setting may be, it has from the check
//! of that setting itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Value;

use super::layers::{Given, Layer};
use super::notes::{NOTES, Note, SECTIONS, texts};
use super::{Config, keys, service};

/// Where the settings are from that are not at their default, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, String>);

impl Origins {
    /// Of settings in the order in which they were laid on top of each other.
    pub(super) fn of(settings: &[Given]) -> Origins {
        Origins(settings.iter().map(|given| (given.name.clone(), source(given))).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("default", String::as_str)
    }

    /// The name of the setting that gave a property of librdkafka: there may be more than one way to.
    fn property(&self, property: &str) -> Option<&String> {
        let gives = |name: &&String| {
            let below = name.strip_prefix("kafka.").and_then(|rest| rest.split_once('.'));
            below.is_some_and(|(_, given)| given == property)
        };
        self.0.keys().find(gives)
    }
}

/// The file, the environment variable, or the flag.
fn source(given: &Given) -> String {
    match given.layer {
        Layer::File => {
            let file =
                given.origin.strip_suffix(given.name.as_str()).and_then(|rest| rest.strip_suffix(": "));
            file.unwrap_or(&given.origin).to_owned()
        }
        Layer::Variable => given.origin.clone(),
        Layer::Flag => "--set".to_owned(),
    }
}

impl Config {
    /// The settings as TOML, each with where it is from. Secrets are left out, which is said.
    pub fn shown(&self, origins: &Origins) -> String {
        let mut page = Page::default();
        for note in NOTES {
            page.section(note.name, |_| String::new());
            let key = page.key(note.name);
            match (note.value)(self) {
                Some(value) => page.line(&format!("{key} = {value}"), origins.get(note.name)),
                None => page.line(&format!("# {key}"), "not set"),
            }
            if note.name == "kafka.brokers" {
                self.show_properties(&mut page, origins);
            }
        }
        for (name, value) in texts(self) {
            page.section(&name, |_| String::new());
            let key = page.key(&name);
            page.line(&format!("{key} = {value}"), origins.get(&name));
        }
        page.text
    }

    fn show_properties(&self, page: &mut Page, origins: &Origins) {
        for (property, value) in &self.service.properties {
            page.section(&format!("{}x", service::PROPERTIES), |_| String::new());
            let name = origins.property(property).cloned().unwrap_or_default();
            let key = Value::String(property.clone());
            if service::is_secret(&format!("{}{property}", service::PROPERTIES))
                || !name.starts_with(service::PROPERTIES)
            {
                page.line(&format!("# {key} is set, and hidden"), origins.get(&name));
            } else {
                page.line(&format!("{key} = {}", Value::String(value.clone())), origins.get(&name));
            }
        }
    }

    /// A file with every setting at its default, what it is for, and what it may be.
    pub fn example() -> String {
        let (config, mut page) = (Config::default(), Page::default());
        page.text += "# Every setting of hashbuy, at its default. Over this file go environment variables, \
                      HASHBUY_APP for app\n# and HASHBUY_PURCHASE_WINDOW_SECONDS for window_seconds of [purchase], \
                      and over both flags, --set.\n";
        let about = |section: &str| {
            let about = SECTIONS.iter().find(|(name, _)| *name == section);
            about.map(|(_, about)| commented(about)).unwrap_or_default()
        };
        for note in NOTES {
            page.section(note.name, about);
            page.text += &explained(note);
            let key = page.key(note.name);
            page.text += &match (note.value)(&config) {
                Some(value) => format!("{key} = {value}\n"),
                None => format!("# {key} = {}\n", note.instance),
            };
            if note.name == "kafka.brokers" {
                page.section(&format!("{}x", service::PROPERTIES), about);
                page.text += "# \"security.protocol\" = \"sasl_ssl\"\n";
                page.section(&format!("{}x", service::PROPERTY_FILES), about);
                page.text += "# \"sasl.password\" = \"/run/secrets/password\"\n";
            }
        }
        for (name, value) in texts(&config) {
            page.section(&name, about);
            let key = page.key(&name);
            page.text += &format!("{key} = {value}\n");
        }
        page.text
    }
}

/// What a setting is for, and what it may be by its own check.
fn explained(note: &Note) -> String {
    let rule = keys::rule(note.name).map(|rule| commented(&format!("May be {rule}."))).unwrap_or_default();
    format!("\n{}{rule}", commented(note.about))
}

fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

/// TOML in the making.
#[derive(Default)]
struct Page {
    text: String,
    section: String,
}

impl Page {
    /// Begins the section of a setting, if it is another one.
    fn section(&mut self, name: &str, about: impl Fn(&str) -> String) {
        let section = name.rsplit_once('.').map_or("", |(section, _)| section);
        if self.section != section {
            self.section = section.to_owned();
            self.text += &format!("\n{}[{section}]\n", about(section));
        }
    }

    /// What a setting is called in its section.
    fn key<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(self.section.as_str()).map_or(name, |key| key.trim_start_matches('.'))
    }

    /// A line with a remark behind it.
    fn line(&mut self, line: &str, remark: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "{line:<46}  # {remark}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Config {
        let mut config = Config::default();
        config.add_toml("shown", text).unwrap();
        config
    }

    #[test]
    fn every_setting_has_a_note_and_every_note_a_setting() {
        let noted = NOTES.iter().map(|note| note.name.to_owned());
        let config = Config::default();
        let texts = texts(&config).map(|(name, _)| name);
        let mut noted: Vec<String> = noted.chain(texts).collect();
        let mut known: Vec<String> = keys::names().collect();
        noted.sort();
        known.sort();
        assert_eq!(noted, known);
        for note in NOTES {
            assert_eq!(
                (note.value)(&Config::default()).is_none(),
                !note.instance.is_empty(),
                "{}",
                note.name
            );
            assert!(note.about.lines().all(|line| line.len() <= 100), "{}", note.name);
        }
    }

    #[test]
    fn the_example_is_the_default() {
        let example = Config::example();
        assert_eq!(loaded(&example), Config::default());
        // And with what is commented out, but for a file that would be read at once.
        let all: String = example
            .lines()
            .filter(|line| !line.contains("/run/secrets/"))
            .map(|line| {
                let line = line
                    .strip_prefix("# ")
                    .filter(|rest| rest.contains(" = ") && !rest.contains(". "))
                    .unwrap_or(line);
                format!("{line}\n")
            })
            .collect();
        let config = loaded(&all);
        assert_eq!(config.service.secret_file.unwrap().to_str(), Some("/etc/hashbuy/secret"));
        assert_eq!(config.service.topics.inbox_partitions, Some(8));
        assert!(
            example.contains("# May be a whole number, 60 to 3600.\nwindow_seconds = 900\n"),
            "{example}"
        );
        assert!(example.contains("# May be \"wait\" or \"advance\".\nsilent = \"wait\"\n"), "{example}");
    }

    #[test]
    fn what_is_shown_is_what_is_in_force() {
        let file = "app = \"shop\"\nrevision = 7\n[codes]\nsecret_file = \"a \\\"b\\\"\"\n[scan]\nignore_authors = [12]\n\
                    [kafka.properties]\n\"client.rack\" = \"a\"\n[texts.refused]\non_hold = \"wait\"\n";
        let path = std::env::temp_dir().join(format!("hashbuy-shown-{}.toml", std::process::id()));
        std::fs::write(&path, file).unwrap();
        let variables = [("HASHBUY_REVISION", "8"), ("HASHBUY_LIMITS_PENDINGS", "2")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let flags = ["limits.pendings=3".to_owned()];
        let (config, origins) = Config::load_with_origins(Some(&path), variables, &flags).unwrap();
        std::fs::remove_file(&path).unwrap();
        let shown = config.shown(&origins);
        assert_eq!(loaded(&shown), config, "{shown}");
        let path = path.display().to_string();
        for (setting, origin) in [
            ("app = \"shop\" ", path.as_str()),
            ("\"client.rack\" = \"a\" ", path.as_str()),
            ("on_hold = \"wait\" ", path.as_str()),
            ("revision = 8 ", "HASHBUY_REVISION"),
            ("pendings = 3 ", "--set"),
            ("instance = \"0\" ", "default"),
            ("# inbox_partitions ", "not set"),
        ] {
            let line = shown.lines().find(|line| line.starts_with(setting));
            assert!(
                line.is_some_and(|line| line.ends_with(&format!("  # {origin}"))),
                "{setting}: {line:?}\n{shown}"
            );
        }
    }

    #[test]
    fn secrets_are_hidden() {
        let properties = [
            "sasl.password",
            "ssl.key.password",
            "ssl.key.pem",
            "ssl.keystore.password",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.assertion.private.key.pem",
            "sasl.oauthbearer.assertion.private.key.passphrase",
        ];
        let flags = properties.map(|name| (format!("kafka.properties.{name}"), "hunter2"));
        let mut config = Config::default();
        let mut file = String::from("[kafka.properties]\n\"ssl.key.location\" = \"/etc/key.pem\"\n");
        for (name, value) in flags {
            file += &format!("{:?} = \"{value}\"\n", name.strip_prefix("kafka.properties.").unwrap());
        }
        config.add_toml("hashbuy.toml", &file).unwrap();
        let given = crate::config::layers::of_toml("hashbuy.toml", &file).unwrap();
        let shown = config.shown(&Origins::of(&given));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(shown.matches("is set, and hidden").count(), properties.len(), "{shown}");
        assert!(shown.contains("\"ssl.key.location\" = \"/etc/key.pem\""), "{shown}");
    }
}
