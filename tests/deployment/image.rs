//! What the Dockerfile does to build the program, done in a clean folder, where no Docker is at hand.
//!
//! The folder has what the Dockerfile's own list of exceptions lets into the build, and nothing else. This machine stands
//! in for the base image: packages are not installed, but asked for; what a step writes below `/src` and `/out` goes into
//! the folder. Not looked at are the base images themselves.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::dockerfile::{PATH, argument, stages};
use super::program::Folder;
use super::tools::{file, is_there, read, succeeds};

/// The variable that lets it run.
pub const WANTED: &str = "HASHBUY_IMAGE";

pub fn is_wanted() -> bool {
    std::env::var(WANTED).is_ok_and(|value| value == "1")
}

pub fn built_in_a_clean_folder() {
    let folder = Folder::new();
    let (src, out) = (folder.path("src"), folder.path("out"));
    fs::create_dir_all(&src).unwrap();
    let mut steps = 0;
    for instruction in &stages()[0] {
        match (instruction.name.as_str(), instruction.rest.as_str()) {
            ("COPY", ". .") => copy_context(&src),
            ("COPY", other) => panic!("COPY {other}"),
            ("RUN", step) if step.contains("apt-get") => are_to_be_had(step),
            ("RUN", step) => {
                let words =
                    step.split(' ').skip_while(|word| word.starts_with("--mount=")).collect::<Vec<_>>();
                let step = words.join(" ").replace("/out", out.to_str().unwrap());
                run(&step, &src);
                steps += 1;
            }
            _ => {}
        }
    }
    assert!(steps >= 2, "{steps} steps");
    let program = out.join("usr/bin/hashbuy");
    let version = succeeds(Command::new(&program).arg("--version"));
    assert_eq!(version.trim(), format!("hashbuy {}", env!("CARGO_PKG_VERSION")));
    assert!(out.join("usr/share/man/man1/hashbuy-run.1").exists());
    assert_eq!(
        fs::read_to_string(out.join("hashbuy.example.toml")).unwrap(),
        read("deploy/hashbuy.example.toml")
    );
    let bytes = fs::metadata(&program).unwrap().len();
    println!("{PATH}: the program has {} MB", bytes / 1_000_000);
    // It needs no library that the second stage does not have: glibc, what dpkg needs, what comes with ca-certificates.
    let libraries = succeeds(Command::new("ldd").arg(&program));
    let known = [
        "linux-vdso",
        "libc.so",
        "libm.so",
        "libgcc_s.so",
        "ld-linux",
        "libz.so.1",
        "libssl.so.3",
        "libcrypto.so.3",
    ];
    for library in libraries.lines() {
        assert!(known.iter().any(|name| library.contains(name)), "{library} is not in the image");
    }
}

/// Everything that the file beside the Dockerfile does not shut out.
fn copy_context(src: &Path) {
    let ignored = read(&format!("{PATH}.dockerignore"));
    for path in ignored.lines().filter_map(|line| line.strip_prefix('!')) {
        let target = src.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        succeeds(Command::new("cp").arg("-r").arg(file(path)).arg(target));
    }
}

/// The packages of a step can be had, where this is a Debian.
fn are_to_be_had(step: &str) {
    let install = step.split("&&").find(|part| part.contains("apt-get install")).unwrap();
    let packages = install.split_whitespace().skip(2).filter(|word| !word.starts_with('-'));
    if is_there("apt-get") {
        succeeds(
            Command::new("apt-get").args(["install", "--simulate", "--no-install-recommends"]).args(packages),
        );
    }
}

/// A step, as the Dockerfile's shell runs it, with nothing of this environment but where Rust is.
fn run(step: &str, src: &Path) {
    let mut bash = Command::new("bash");
    bash.args(["-o", "pipefail", "-ec", step])
        .current_dir(src)
        .env_clear()
        .env("FEATURES", argument("FEATURES"));
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE", "http_proxy", "https_proxy"] {
        if let Some(value) = std::env::var_os(name) {
            bash.env(name, value);
        }
    }
    succeeds(&mut bash);
}
