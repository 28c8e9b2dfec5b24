//! `hashbuy config show`, the example of the settings, and what the docs say of them.

use std::process::Command;

use hashbuy::config::Config;

use super::Case;
use super::program::{Folder, command};
use super::tools::{file, read};

pub const CASES: &[Case] = &[
    ("the_example_of_the_settings_is_fresh", "", example_is_fresh),
    ("config_show_tells_where_each_setting_is_from", "", shown),
    ("config_show_hides_secrets", "", hidden),
    ("config_show_refuses_what_run_refuses", "", refused),
    ("the_docs_of_the_settings_agree_with_the_program", "", docs_agree),
];

const EXAMPLE: &str = "deploy/hashbuy.example.toml";

/// Exit code, stdout and stderr of `hashbuy config show`.
fn show(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command: Command = command();
    command
        .args(["config", "show"])
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(folder.path(""));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn example_is_fresh() {
    let (code, shown, _) = show(&Folder::new(), &["--default"], &[]);
    assert_eq!(code, Some(0));
    assert!(
        std::fs::read_to_string(file(EXAMPLE)).is_ok_and(|text| text == shown),
        "{EXAMPLE} is stale: hashbuy config show --default > {EXAMPLE}"
    );
    assert_eq!(Config::load(Some(&file(EXAMPLE)), [], &[]).unwrap(), Config::default());
}

fn shown() {
    let folder = Folder::new();
    folder.write("hashbuy.toml", "app = \"shop\"\n[web]\nport = 1\n[purchase]\nwindow_seconds = 600\n");
    let variables = [("HASHBUY_WEB_PORT", "2"), ("HASHBUY_INSTANCE", "7")];
    let (code, shown, stderr) =
        show(&folder, &["--config", "hashbuy.toml", "--set", "purchase.window_seconds=700"], &variables);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for (setting, origin) in [
        ("app = \"shop\"", "hashbuy.toml"),
        ("port = 2", "HASHBUY_WEB_PORT"),
        ("instance = \"7\"", "HASHBUY_INSTANCE"),
        ("window_seconds = 700", "--set"),
        ("slack_seconds = 30", "default"),
        ("# secret_file", "not set"),
    ] {
        let line = shown
            .lines()
            .find(|line| line.starts_with(setting))
            .unwrap_or_else(|| panic!("{setting}\n{shown}"));
        assert!(line.ends_with(&format!("  # {origin}")), "{line}");
    }
    // It is a configuration of its own.
    folder.write("again.toml", &shown);
    let (code, again, _) = show(&folder, &["--config", "again.toml"], &[]);
    assert_eq!(code, Some(0));
    let settings = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap().trim_end().to_owned()).collect()
    };
    assert_eq!(settings(&shown), settings(&again));
}

fn hidden() {
    let folder = Folder::new();
    folder.write("hashbuy.toml", "[kafka.properties]\n\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanism\" = \"PLAIN\"\n\"sasl.username\" = \"anna\"\n");
    let variables = [("HASHBUY_KAFKA_PROPERTIES_SASL_PASSWORD", "hunter2")];
    let (code, shown, stderr) = show(&folder, &["--config", "hashbuy.toml"], &variables);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!shown.contains("hunter2") && !stderr.contains("hunter2"), "{shown}{stderr}");
    let line = shown.lines().find(|line| line.contains("sasl.password")).unwrap();
    assert!(line.starts_with("# \"sasl.password\" is set, and hidden"), "{line}");
    assert!(line.ends_with("  # HASHBUY_KAFKA_PROPERTIES_SASL_PASSWORD"), "{line}");
    assert!(shown.contains("\"sasl.username\" = \"anna\""), "{shown}");
}

fn refused() {
    let folder = Folder::new();
    for (arguments, message) in [
        (&["--set", "purchase.windw_seconds=1"][..], "did you mean purchase.window_seconds?"),
        (&["--set", "web.port=x"], "must be a whole number, 0 to 65535"),
        (&["--set", "kafka.properties.acks=1"], "acks cannot be set"),
        (&["--set", "kafka.properties.no.such=1"], "no.such"),
        (&["--config", "nowhere.toml"], "cannot be read"),
        (&["--default", "--config", "hashbuy.toml"], "cannot be used with"),
    ] {
        let (code, stdout, stderr) = show(&folder, arguments, &[]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
}

/// The settings in the docs are those that there are, each at its default.
fn docs_agree() {
    let docs = read("docs/configuration.md");
    let (_, rest) = docs.split_once("```toml\n").unwrap();
    let shown = rest.split("```").next().unwrap();
    let (code, example, _) = show(&Folder::new(), &["--default"], &[]);
    assert_eq!(code, Some(0));
    assert!(
        shown == example,
        "docs/configuration.md is stale: its settings are those of hashbuy config show --default"
    );
}
