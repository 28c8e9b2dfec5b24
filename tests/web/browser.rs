//! In a real browser, without a window: the script runs, nothing is against the policy, and pictures are left in
//! `target/tmp` for whoever wants to see what it looks like.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::built;
use crate::demo::{Case, Demo};

pub const CASES: &[Case] =
    &[("the_script_runs_and_nothing_is_forbidden", the_script_runs), ("it_can_be_seen", it_can_be_seen)];

const CHROMIUM: &str = "chromium";

pub fn is_there() -> bool {
    Command::new(CHROMIUM).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Chromium with a profile of its own, which looks at a page for some seconds.
fn look(demo: &Demo, path: &str, name: &str, args: &[&str]) -> Output {
    let profile = built::scratch().join(format!("chromium-{name}-{}", std::process::id()));
    let output = Command::new(CHROMIUM)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ])
        .args(["--enable-logging=stderr", "--timeout=4000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(args)
        .arg(format!("http://{}{path}", demo.address))
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(profile);
    output
}

/// What the page said on the browser's console.
fn console(output: &Output) -> Vec<String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect()
}

fn the_script_runs(demo: &Demo) {
    for path in ["/", "/offers"] {
        let output = look(demo, path, "dom", &["--dump-dom"]);
        let dom = String::from_utf8_lossy(&output.stdout);
        assert!(dom.contains("<button type=\"button\" class=\"quiet\">Pause</button>"), "{path}: {dom}");
        assert!(!dom.contains("data-lost"), "{path}: no events come: {dom}");
        assert_eq!(console(&output), [""; 0], "{path}");
    }
}

fn it_can_be_seen(demo: &Demo) {
    let (light, dark) =
        ("--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0");
    let mut pictures: Vec<Vec<u8>> = Vec::new();
    for (name, path, size, scheme) in [
        ("operator-light", "/", "1400,2000", light),
        ("operator-dark", "/", "1400,2000", dark),
        ("operator-narrow", "/", "390,2400", light),
        ("offers-light", "/offers", "1400,900", light),
        ("offers-narrow", "/offers", "390,900", dark),
    ] {
        let file: PathBuf = built::scratch().join(format!("page-{name}.png"));
        let (shot, size) = (format!("--screenshot={}", file.display()), format!("--window-size={size}"));
        let output = look(demo, path, name, &[&shot, &size, scheme]);
        let picture = read(&file, &output);
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000, "{name}: {} bytes", picture.len());
        pictures.push(picture);
    }
    assert_ne!(pictures[0], pictures[1], "light and dark");
}

fn read(file: &Path, output: &Output) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| {
        panic!("{}: {error}\n{}", file.display(), String::from_utf8_lossy(&output.stderr))
    })
}
