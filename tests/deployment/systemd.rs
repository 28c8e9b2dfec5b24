//! The systemd unit.

use std::path::PathBuf;
use std::process::Command;

use hashbuy::config::Config;

use super::program::Folder;
use super::tools::{read, succeeds};
use super::{Case, built};

pub const CASES: &[Case] = &[
    ("systemd_takes_the_unit", "systemd-analyze", verify),
    ("the_unit_is_exposed_to_little", "systemd-analyze", security),
    ("the_unit_fits_the_program", "", fits),
];

const UNIT: &str = "deploy/systemd/hashbuy@.service";
/// What `systemd-analyze security` may find, in tenths of its points from 0 to 10. Its own word for up to 20 is "OK".
const EXPOSURE: &str = "--threshold=15";

/// The unit as instance 0, with the program where Cargo has put it.
fn instance(folder: &Folder) -> PathBuf {
    let unit = read(UNIT);
    assert!(unit.contains("ExecStart=/usr/bin/hashbuy run "), "{unit}");
    folder.write("hashbuy@0.service", unit.replace("/usr/bin/hashbuy", built::program().to_str().unwrap()))
}

fn verify() {
    let folder = Folder::new();
    let said = succeeds(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(instance(&folder)));
    // It warns of lines that it does not know, and goes on.
    let own: Vec<&str> = said.lines().filter(|line| line.contains("hashbuy@0.service")).collect();
    assert!(own.is_empty(), "{said}");
}

fn security() {
    let folder = Folder::new();
    let arguments = ["security", "--offline=true", EXPOSURE];
    succeeds(Command::new("systemd-analyze").args(arguments).arg(instance(&folder)));
}

fn fits() {
    let unit = read(UNIT);
    let value = |name: &str| {
        let mut values = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next().unwrap_or_else(|| panic!("no {name}"))
    };
    // Its variables are settings.
    let variables = value("Environment").split(' ').map(|pair| pair.split_once('=').unwrap());
    let config =
        Config::load(None, variables.map(|(name, value)| (name.into(), value.replace('%', "").into())), &[]);
    assert!(config.unwrap().service.secret_file.is_some());
    // What it says of passwords and ports, too.
    for name in ["HASHBUY_KAFKA_PROPERTIES_SASL_PASSWORD", "HASHBUY_WEB_PORT"] {
        assert!(unit.contains(name), "{name}");
        Config::load(None, [(name.into(), "9465".into())], &[]).unwrap();
    }
    // The exit code for wrong settings is the one that is not tried again.
    let wrong = super::program::run(
        &super::program::arguments(["run", "--set", "web.port=x"]),
        &Folder::new().path(""),
        b"",
    );
    assert_eq!(wrong.code.map(|code| code.to_string()).as_deref(), Some(value("RestartPreventExitStatus")));
}
