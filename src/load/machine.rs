//! What a load ran on, as far as the machine says.

use std::collections::BTreeMap;
use std::fs;
use std::thread::available_parallelism;

/// Processor, cores, memory, kernel and versions, by name.
pub fn machine() -> BTreeMap<String, String> {
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    let facts = [
        (
            "processor",
            line("/proc/cpuinfo", "model name").or_else(|| Some(std::env::consts::ARCH.to_owned())),
        ),
        ("cores", Some(cores.to_string())),
        ("memory", line("/proc/meminfo", "MemTotal").and_then(|kib| gibibytes(&kib))),
        ("kernel", fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned())),
        ("hashbuy", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("librdkafka", Some(rdkafka::util::get_rdkafka_version().1)),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What stands behind the colon of the first line that begins with a name.
fn line(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn gibibytes(kib: &str) -> Option<String> {
    let kib: f64 = kib.strip_suffix(" kB")?.trim().parse().ok()?;
    Some(format!("{:.1} GiB", kib / f64::from(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_said_in_gibibytes() {
        assert_eq!(gibibytes("24650000 kB").as_deref(), Some("23.5 GiB"));
        assert_eq!(gibibytes("24650000"), None);
    }

    #[test]
    fn it_says_at_least_its_cores_and_versions() {
        let machine = machine();
        assert!(machine["cores"].parse::<usize>().unwrap() >= 1);
        assert!(machine["librdkafka"].starts_with("2."), "{machine:?}");
    }
}
