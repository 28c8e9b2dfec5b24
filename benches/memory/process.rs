//! What this process has of memory.

use std::fs;

/// Bytes in memory now.
pub fn resident() -> u64 {
    field("VmRSS:")
}

/// The most bytes that were in memory at once.
pub fn most() -> u64 {
    field("VmHWM:")
}

/// Bytes as mebibytes.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

/// How often the processor was taken away from this thread for another one.
pub fn interrupted() -> u64 {
    value("nonvoluntary_ctxt_switches:").parse().expect("a number")
}

fn field(name: &str) -> u64 {
    let kib: u64 = value(name).trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

fn value(name: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").expect("a /proc");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
    line.trim().to_owned()
}
