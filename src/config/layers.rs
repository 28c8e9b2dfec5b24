//! Where settings come from: each layer is a list of names with values.

use std::ffi::OsString;

use toml::{Table, Value};

use super::service::{PROPERTIES, PROPERTY_FILES};
use super::{ConfigError, keys};

/// One setting as it was given, not yet looked at.
pub struct Given {
    /// The dotted name, known or not.
    pub name: String,
    /// Where it stands and what it is called there: `hashbuy.toml: codes.prefix`.
    pub origin: String,
    /// Its value. Environment variables and flags are all strings.
    pub value: Value,
    /// Which layer it is of.
    pub layer: Layer,
}

/// The layers, each above the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// A TOML file.
    File,
    /// The environment, where a number is written as a text.
    Variable,
    /// `--set`, where it is the same.
    Flag,
}

/// The settings of a TOML file, in no particular order.
pub fn of_toml(file: &str, text: &str) -> Result<Vec<Given>, ConfigError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.as_bytes().iter().take(start).filter(|&&b| b == b'\n').count();
        ConfigError(format!("{file}:{line}: no TOML: {}", error.message()))
    })?;
    let mut settings = Vec::new();
    flatten(file, "", table, &mut settings);
    Ok(settings)
}

fn flatten(file: &str, section: &str, table: Table, settings: &mut Vec<Given>) {
    for (key, value) in table {
        let name = if section.is_empty() { key } else { format!("{section}.{key}") };
        match value {
            Value::Table(inner) if !keys::is_name(&name) && !inner.is_empty() => {
                flatten(file, &name, inner, settings);
            }
            Value::Table(_) if keys::is_section(&name) => {}
            value => {
                let origin = format!("{file}: {name}");
                settings.push(Given { name, origin, value, layer: Layer::File });
            }
        }
    }
}

/// The settings among environment variables.
pub fn of_variables(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Given>, ConfigError> {
    let mut settings = Vec::new();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str().filter(|name| is_ours(name)) else { continue };
        let Some(value) = value.to_str() else {
            return Err(ConfigError(format!("{variable} is not UTF-8, must be a text")));
        };
        let known = keys::names().find(|name| variable_of(name) == variable).or_else(|| property(variable));
        settings.push(Given {
            name: known.unwrap_or_else(|| variable.to_owned()),
            origin: variable.to_owned(),
            value: Value::String(value.to_owned()),
            layer: Layer::Variable,
        });
    }
    settings.sort_by(|a, b| a.origin.cmp(&b.origin));
    Ok(settings)
}

/// The setting of a property of librdkafka, or of its file, whose names are small letters and dots.
fn property(variable: &str) -> Option<String> {
    let below = |section: &str| {
        let rest = variable.strip_prefix(&variable_of(section))?;
        (!rest.is_empty()).then(|| format!("{section}{}", rest.to_ascii_lowercase().replace('_', ".")))
    };
    below(PROPERTIES).or_else(|| below(PROPERTY_FILES))
}

/// The settings of flags, `NAME=VALUE` each.
pub fn of_flags(flags: &[String]) -> Result<Vec<Given>, ConfigError> {
    let given = |flag: &String| match flag.split_once('=') {
        Some((name, value)) => {
            let (name, value) = (name.trim().to_owned(), Value::String(value.to_owned()));
            Ok(Given { origin: format!("--set {name}"), name, value, layer: Layer::Flag })
        }
        None => Err(ConfigError(format!("--set {flag} has no value, must be NAME=VALUE"))),
    };
    flags.iter().map(given).collect()
}

/// The environment variable of a setting.
pub fn variable_of(name: &str) -> String {
    format!("HASHBUY_{}", name.replace('.', "_").to_ascii_uppercase())
}

/// What the tests of this project are told by the environment; no settings of the program.
const OF_THE_TESTS: &[&str] = &["HASHBUY_FAULTS", "HASHBUY_FAULTS_SEED", "HASHBUY_IMAGE"];
/// What they are told to require.
const REQUIRE: &str = "HASHBUY_REQUIRE_";

/// Kubernetes describes a service called `hashbuy` to every container by variables that look like
/// ours: `HASHBUY_SERVICE_HOST`, `HASHBUY_PORT`, `HASHBUY_PORT_9464_TCP`.
fn is_ours(variable: &str) -> bool {
    let is_kubernetes =
        |rest: &str| rest.starts_with("SERVICE_") || rest == "PORT" || rest.starts_with("PORT_");
    variable.strip_prefix("HASHBUY_").is_some_and(|rest| !is_kubernetes(rest))
        && !OF_THE_TESTS.contains(&variable)
        && !variable.starts_with(REQUIRE)
}
