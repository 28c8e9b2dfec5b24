//! What very many linked ids and pendings take in memory, and how long the longest of their steps is.
//!
//! ```text
//! cargo bench --bench memory -- [--pendings 1000000] [--only WHAT]
//! ```
//!
//! | `--only` | what is measured |
//! | --- | --- |
//! | `linked` | 10 million linked ids: memory, the most of it while they are put in, and look-ups |
//! | `live` | pendings that a desk has made itself, 5 and 1 in an account: memory, with everything beside them |
//! | `alone` | the same without the accounts: the map of pendings and their timers |
//! | `due` | pendings that fall due in one millisecond, and in one second, and what is thrown away later: how long a transaction of it takes |
//!
//! Each round is a process of its own, so that what another has left behind does not count. Memory is what the
//! system says (`VmRSS`, `VmHWM`): it has what the allocator wastes in it. Machines differ, and others work on
//! this one: only what stands side by side can be compared.

#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

mod crowd;
mod due;
mod linked;
mod live;
mod process;

use std::process::Command;

/// All rounds, by what they measure: a name, and what it is of.
const ROUNDS: &[(&str, &str)] = &[
    ("linked", "std"),
    ("linked", "ours"),
    ("live", "5"),
    ("live", "1"),
    ("alone", "5"),
    ("alone", "1"),
    ("due", "millisecond"),
    ("due", "second"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map(String::as_str)
    };
    let pendings = after("--pendings").map_or(1_000_000, |number| number.parse().expect("a number"));
    if let (Some(what), Some(of)) = (after("--round"), after("--of")) {
        return round(what, of, pendings);
    }
    for (what, of) in ROUNDS.iter().filter(|(what, _)| after("--only").is_none_or(|only| only == *what)) {
        let program = std::env::current_exe().expect("this program");
        let pendings = pendings.to_string();
        let arguments = ["--round", what, "--of", of, "--pendings", &pendings];
        let ended = Command::new(program).args(arguments).status().expect("a process");
        assert!(ended.success(), "{what} {of}: {ended}");
    }
}

fn round(what: &str, of: &str, pendings: u64) {
    match what {
        "linked" => linked::measure(of == "std"),
        "live" => live::measure(pendings, of.parse().expect("a number")),
        "alone" => live::alone(pendings, of.parse().expect("a number")),
        "due" => due::measure(pendings, if of == "second" { 1_000 } else { 1 }),
        _ => panic!("--only {what}: no such thing"),
    }
}
