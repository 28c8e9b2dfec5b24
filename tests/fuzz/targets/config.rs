//! A configuration: the text of a file, and each of its first lines as a flag.
//!
//! - What is taken is within its bounds, the same when it is laid over itself, and what decides of it travels
//!   in the marks as it is.
//! - An error names the file or the flag.

use hashbuy::config::Config;
use hashbuy::core::settings::Settings;

/// To suggest the setting that was meant takes a while for each.
const FLAGS: usize = 4;

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut config = Config::default();
    match config.add_toml("hashbuy.toml", text) {
        Ok(()) => {
            check(&config);
            let mut again = config.clone();
            again.add_toml("hashbuy.toml", text).unwrap();
            assert_eq!(again, config);
        }
        Err(error) => assert!(error.to_string().starts_with("hashbuy.toml:"), "{error}"),
    }
    for line in text.lines().take(FLAGS) {
        match Config::load(None, [], &[line.to_owned()]) {
            Ok(config) => check(&config),
            Err(error) => assert!(error.to_string().starts_with("--set "), "{error}"),
        }
    }
}

fn check(config: &Config) {
    let settings = &config.settings;
    assert!((60..=3_600).contains(&settings.window_seconds) && (0..=3_600_000).contains(&settings.slack_ms));
    assert!((1..=20).contains(&settings.code_prefix.len()) && settings.code_prefix.is_ascii());
    assert!(settings.limits.per_day >= 0 && settings.limits.wrong_codes_per_hour >= 1);
    assert!((1 << 10..=1 << 30).contains(&config.input.max_record_bytes));
    assert!(config.scan.ignore_authors.is_sorted());
    let marks = serde_json::to_string(settings).unwrap();
    assert_eq!(serde_json::from_str::<Settings>(&marks).unwrap(), *settings);
}
