//! Every setting by file and by variable, and every way to get one wrong.

use super::*;

fn of_toml(text: &str) -> Result<Config, String> {
    let mut config = Config::default();
    config.add_toml("hashbuy.toml", text).map_err(|error| error.to_string())?;
    Ok(config)
}

fn of_variables(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Config::load(None, variables, &[]).map_err(|error| error.to_string())
}

const ALL: &str = r#"
revision = 7
[codes]
prefix = "Buy4"
[purchase]
window_seconds = 60
[time]
slack_seconds = 5
[limits]
per_day = 1
pendings = 2
requests_per_hour = 3
wrong_codes_per_hour = 4
hold_seconds = 5
accounts_per_card = 6
[scan]
ignore_authors = ["18446744073709551615", 12, "12"]
[input]
max_record_bytes = 1024
[texts]
requested = "{to}{code}"
[texts.refused]
on_hold = "wait"
"#;

#[test]
fn all_settings_by_file() {
    let config = of_toml(ALL).unwrap();
    let settings = &config.settings;
    assert_eq!((settings.revision, settings.code_prefix.as_str()), (7, "Buy4"));
    assert_eq!((settings.window_seconds, settings.slack_ms), (60, 5_000));
    let limits = &settings.limits;
    assert_eq!((limits.per_day, limits.pendings, limits.requests_per_hour), (1, 2, 3));
    assert_eq!((limits.wrong_codes_per_hour, limits.hold_seconds, limits.accounts_per_card), (4, 5, 6));
    let ignored: Vec<u64> = config.scan.ignore_authors.iter().map(|id| id.get()).collect();
    assert_eq!(ignored, [12, u64::MAX]);
    assert_eq!(config.input.max_record_bytes, 1_024);
    assert_eq!(settings.texts.requested.as_str(), "{to}{code}");
    assert_eq!(settings.texts.refused.on_hold.as_str(), "wait");
    assert_eq!(of_toml("").unwrap(), Config::default());
}

#[test]
fn all_settings_by_variable() {
    let config = of_variables(&[
        ("HASHBUY_REVISION", "7"),
        ("HASHBUY_CODES_PREFIX", "Buy4"),
        ("HASHBUY_PURCHASE_WINDOW_SECONDS", "60"),
        ("HASHBUY_TIME_SLACK_SECONDS", "5"),
        ("HASHBUY_LIMITS_PER_DAY", "1"),
        ("HASHBUY_LIMITS_PENDINGS", "2"),
        ("HASHBUY_LIMITS_REQUESTS_PER_HOUR", "3"),
        ("HASHBUY_LIMITS_WRONG_CODES_PER_HOUR", "4"),
        ("HASHBUY_LIMITS_HOLD_SECONDS", "5"),
        ("HASHBUY_LIMITS_ACCOUNTS_PER_CARD", "6"),
        ("HASHBUY_SCAN_IGNORE_AUTHORS", "18446744073709551615, 12,12,"),
        ("HASHBUY_INPUT_MAX_RECORD_BYTES", "1024"),
        ("HASHBUY_TEXTS_REQUESTED", "{to}{code}"),
        ("HASHBUY_TEXTS_REFUSED_ON_HOLD", "wait"),
    ]);
    assert_eq!(config, of_toml(ALL));
}

#[test]
fn variables_go_over_the_file_and_those_of_others_are_left_alone() {
    let mut config = of_toml("revision = 2\n[codes]\nprefix = \"Two\"").unwrap();
    let variables = [
        "HASHBUY_REVISION=3",
        "HASHBUY_SERVICE_HOST=x",
        "HASHBUY_PORT=tcp://x",
        "HASHBUY_REQUIRE_KAFKA=1",
        "HASHBUY_REQUIRE_PROMETHEUS=1",
        "HASHBUY_REQUIRE_VALGRIND=1",
        "HASHBUYER=x",
        "X=y",
    ];
    config
        .add_variables(variables.iter().filter_map(|v| v.split_once('=')).map(|(n, v)| (n.into(), v.into())))
        .unwrap();
    assert_eq!((config.settings.revision, config.settings.code_prefix.as_str()), (3, "Two"));
}

#[test]
fn a_wrong_value_is_named_with_the_way_to_mend_it() {
    for (text, message) in [
        ("purchase.window_seconds = 59", "purchase.window_seconds is 59, must be a whole number, 60 to 3600"),
        (
            "purchase.window_seconds = 3601",
            "purchase.window_seconds is 3601, must be a whole number, 60 to 3600",
        ),
        (
            "purchase.window_seconds = \"900\"",
            "purchase.window_seconds is \"900\", must be a whole number, 60 to 3600",
        ),
        ("time.slack_seconds = -1", "time.slack_seconds is -1, must be a whole number, 0 to 3600"),
        (
            "limits.wrong_codes_per_hour = 0",
            "limits.wrong_codes_per_hour is 0, must be a whole number, 1 or more",
        ),
        ("limits.per_day = 1.5", "limits.per_day is 1.5, must be a whole number, 0 or more"),
        (
            "codes.prefix = \"\"",
            "codes.prefix is \"\", must be 1 to 20 ASCII letters and digits, at least one of them a letter",
        ),
        (
            "codes.prefix = 5",
            "codes.prefix is 5, must be 1 to 20 ASCII letters and digits, at least one of them a letter",
        ),
        (
            "scan.ignore_authors = [-1]",
            "scan.ignore_authors is [-1], must be a list of author ids such as [\"12\", \"345\"]",
        ),
        (
            "scan.ignore_authors = \"12\"",
            "scan.ignore_authors is \"12\", must be a list of author ids such as [\"12\", \"345\"]",
        ),
        ("texts.lapsed = 5", "texts.lapsed is 5, must be a text"),
        ("texts.lapsed = \"{x\"", "texts.lapsed is \"{x\", must be a template: a brace without its partner"),
        ("codes.prefx = \"a\"", "codes.prefx is no setting; did you mean codes.prefix?"),
        ("codes = 5", "codes is no setting; did you mean codes.prefix?"),
        ("limit.pendings = 5", "limit.pendings is no setting; did you mean limits.pendings?"),
        ("[limit]", "limit is no setting; did you mean limits.per_day?"),
        (
            "texts.refused.to_old = \"a\"",
            "texts.refused.to_old is no setting; did you mean texts.refused.too_old?",
        ),
        ("revision.x = 5", "revision is {x = 5}, must be a whole number, 0 or more"),
    ] {
        let error = of_toml(text).unwrap_err();
        let message = format!("hashbuy.toml: {message}");
        assert!(error.replace("{ x = 5 }", "{x = 5}") == message, "{error}\n{message}");
    }
    for prefix in ["a-b", "123", "é", "abcdefghijklmnopqrstu"] {
        assert!(of_toml(&format!("codes.prefix = \"{prefix}\"")).is_err(), "{prefix}");
    }
    let error = of_toml("texts.lapsed = \"{who} is late\"").unwrap_err();
    assert!(error.contains("{who} is no place to fill in; there are {to} {code}"), "{error}");
}

#[test]
fn a_wrong_variable_is_named_as_it_is() {
    assert_eq!(
        of_variables(&[("HASHBUY_PURCHASE_WINDOW_SECONDS", "1e3")]),
        Err("HASHBUY_PURCHASE_WINDOW_SECONDS is \"1e3\", must be a whole number, 60 to 3600".to_owned())
    );
    assert_eq!(
        of_variables(&[("HASHBUY_CODE_PREFIX", "x")]),
        Err("HASHBUY_CODE_PREFIX is no setting; did you mean HASHBUY_CODES_PREFIX?".to_owned())
    );
    assert_eq!(
        of_variables(&[("HASHBUY_SCAN_IGNORE_AUTHORS", "anna")]),
        Err("HASHBUY_SCAN_IGNORE_AUTHORS is \"anna\", must be a list of author ids such as 12,345".to_owned())
    );
}

#[test]
fn a_file_that_cannot_be_used() {
    let error = of_toml("revision = 1\n\nprefix = \n").unwrap_err();
    assert!(error.starts_with("hashbuy.toml:3: no TOML: "), "{error}");
    let error = Config::load(Some(Path::new("/nowhere.toml")), [], &[]).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere.toml: cannot be read: "), "{error}");
}

#[test]
fn flags_are_above_variables_above_the_file() {
    let file = std::env::temp_dir().join(format!("hashbuy-layers-{}.toml", std::process::id()));
    std::fs::write(&file, "instance = \"f\"\napp = \"f\"\n[web]\nport = 1\n").unwrap();
    let variables = [("HASHBUY_INSTANCE", "v"), ("HASHBUY_WEB_PORT", "2")]
        .map(|(name, value)| (name.into(), value.into()));
    let flags = ["web.port=3".to_owned(), "kafka.properties.security.protocol=plaintext".to_owned()];
    let config = Config::load(Some(&file), variables, &flags).unwrap().service;
    std::fs::remove_file(&file).unwrap();
    assert_eq!((config.app.as_str(), config.instance.as_str(), config.port), ("f", "v", 3));
    assert_eq!(config.properties["security.protocol"], "plaintext");
}

#[test]
fn wrong_flags_are_told() {
    let wrong = |flag: &str| Config::load(None, [], &[flag.to_owned()]).unwrap_err().to_string();
    assert_eq!(wrong("web.port"), "--set web.port has no value, must be NAME=VALUE");
    assert!(wrong("web.prot=1").starts_with("--set web.prot is no setting; did you mean web.port?"));
    assert!(wrong("web.port=x").starts_with("--set web.port is \"x\", must be a whole number"));
}

#[test]
fn properties_of_librdkafka_by_variable() {
    let config = of_variables(&[("HASHBUY_KAFKA_PROPERTIES_SASL_PASSWORD", "a_B")]).unwrap();
    assert_eq!(config.service.properties["sasl.password"], "a_B");
    assert!(of_variables(&[("HASHBUY_KAFKA_PROPERTIES_", "x")]).is_err());
}

#[test]
fn records_and_partitions_of_the_inbox() {
    let topics = of_toml("[records]\nversion = 2\n[topics]\ninbox_partitions = 8").unwrap().service.topics;
    assert_eq!((topics.version.number(), topics.inbox_partitions), (2, Some(8)));
    let topics = Config::default().service.topics;
    assert_eq!((topics.version.number(), topics.inbox_partitions), (1, None));
    let error = of_toml("records.version = 3").unwrap_err();
    assert!(error.ends_with("records.version is 3, must be a whole number, 1 to 2"), "{error}");
    let error = of_variables(&[("HASHBUY_TOPICS_INBOX_PARTITIONS", "0")]).unwrap_err();
    assert!(error.contains("HASHBUY_TOPICS_INBOX_PARTITIONS is \"0\", must be a whole number"), "{error}");
}

#[test]
fn where_the_page_is_and_what_it_shows() {
    let service = of_toml("[web]\naddress = \"::1\"\nshow_ids = true").unwrap().service;
    assert_eq!((service.address.to_string().as_str(), service.show_ids), ("::1", true));
    assert!(of_variables(&[("HASHBUY_WEB_SHOW_IDS", "true")]).unwrap().service.show_ids);
    let service = Config::default().service;
    assert!(service.address.is_loopback() && !service.show_ids);
    for (text, message) in [
        ("web.show_ids = 1", "web.show_ids is 1, must be true or false"),
        ("web.address = \"here\"", "web.address is \"here\", must be an IP address such as 127.0.0.1"),
    ] {
        assert_eq!(of_toml(text).unwrap_err(), format!("hashbuy.toml: {message}"));
    }
}

#[test]
fn a_secret_is_read_from_a_file_and_never_from_an_argument() {
    let file = std::env::temp_dir().join(format!("hashbuy-password-{}", std::process::id()));
    std::fs::write(&file, "pass word\r\n").unwrap();
    let path = file.to_str().unwrap();
    let of_file = of_toml(&format!("[kafka.property_files]\n\"sasl.password\" = \"{path}\"")).unwrap();
    assert_eq!(of_file.service.properties["sasl.password"], "pass word");
    let of_variable = of_variables(&[("HASHBUY_KAFKA_PROPERTY_FILES_SASL_PASSWORD", path)]).unwrap();
    assert_eq!(of_variable.service.properties["sasl.password"], "pass word");
    std::fs::write(&file, "\n").unwrap();
    let error = of_variables(&[("HASHBUY_KAFKA_PROPERTY_FILES_SSL_KEY_PASSWORD", path)]).unwrap_err();
    assert!(error.ends_with("is empty, must hold the value"), "{error}");
    std::fs::remove_file(&file).unwrap();
    let error = of_variables(&[("HASHBUY_KAFKA_PROPERTY_FILES_SSL_KEY_PASSWORD", path)]).unwrap_err();
    assert!(error.contains(": cannot be read: "), "{error}");
    for property in ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret"] {
        let flag = format!("kafka.properties.{property}=pass word");
        let error = Config::load(None, [], &[flag]).unwrap_err().to_string();
        assert!(error.contains(&format!("kafka.property_files.{property}")), "{error}");
        assert!(error.contains("HASHBUY_KAFKA_PROPERTIES_") && !error.contains("pass word"), "{error}");
    }
}

#[test]
fn ids_of_accounts_are_not_shown_to_anybody() {
    let open = |more: &str| {
        let file = std::env::temp_dir().join(format!("hashbuy-open-{}.toml", std::process::id()));
        std::fs::write(&file, format!("[web]\nshow_ids = true\n{more}")).unwrap();
        let loaded = Config::load(Some(&file), [], &[]);
        std::fs::remove_file(&file).unwrap();
        loaded.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(open(""), Ok(()));
    assert_eq!(open("address = \"0.0.0.0\"\ntoken_file = \"token\""), Ok(()));
    assert!(open("address = \"0.0.0.0\"").unwrap_err().contains("set web.token_file"));
}
