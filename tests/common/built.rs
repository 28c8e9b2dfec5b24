//! Where Cargo has put the program, and where files may be put meanwhile. Tests are told when they are built; an
//! example is not, and looks around itself.

use std::path::PathBuf;

/// The program `hashbuy`.
#[allow(dead_code, reason = "each test crate uses its own part")]
pub fn program() -> PathBuf {
    option_env!("CARGO_BIN_EXE_hashbuy").map_or_else(|| profile().join("hashbuy"), PathBuf::from)
}

/// A folder for files that nobody needs for long.
#[allow(dead_code, reason = "each test crate uses its own part")]
pub fn scratch() -> PathBuf {
    option_env!("CARGO_TARGET_TMPDIR").map_or_else(|| profile().with_file_name("tmp"), PathBuf::from)
}

/// `target/release` of `target/release/examples/soak`.
fn profile() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).unwrap().to_owned()
}
