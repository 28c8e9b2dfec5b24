//! What the kernel says of this process, under the usual names. Linux only: elsewhere there is nothing.
//!
//! It is read when somebody asks, and written as text beside what the recorder has: the recorder counts
//! in whole numbers, and a second of a processor is a long time.

use std::fmt::Write as _;
use std::fs;

use rustix::time::{ClockId, clock_gettime};

use super::defined::*;

/// The kernel tells when a process began in hundredths of a second, whatever its own ticks are.
const TICKS: f64 = 100.0;

/// Processor time of this process up to now, on all its threads, those of librdkafka included; in seconds.
pub fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// Memory of this process that is in use at present, in bytes; none where the kernel does not say.
pub fn resident_bytes() -> Option<f64> {
    line("/proc/self/status", "VmRSS:").map(|kib| kib * 1_024.0)
}

/// Adds what there is to a page of metrics.
pub(super) fn show(page: &mut String) {
    let Some(process) = Process::read() else { return };
    for (metric, value) in [
        (&PROCESS_CPU, Some(process.cpu)),
        (&PROCESS_MEMORY, process.resident),
        (&PROCESS_VIRTUAL, Some(process.virtual_memory)),
        (&PROCESS_THREADS, Some(process.threads)),
        (&PROCESS_FDS, process.open_fds),
        (&PROCESS_START, process.started),
    ] {
        let (Some(value), Metric { name, kind, what, .. }) = (value, metric) else { continue };
        let _ = write!(page, "# HELP {name} {what}\n# TYPE {name} {}\n{name} {value}\n\n", kind.as_str());
    }
}

struct Process {
    cpu: f64,
    virtual_memory: f64,
    threads: f64,
    resident: Option<f64>,
    open_fds: Option<f64>,
    started: Option<f64>,
}

impl Process {
    fn read() -> Option<Process> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The second field is the program's name in brackets, with whatever is in it.
        let fields: Vec<f64> = stat
            .rsplit_once(')')?
            .1
            .split_ascii_whitespace()
            .skip(1)
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        // Numbered as in proc(5), from 4 on.
        let field = |number: usize| fields.get(number - 4).copied();
        let booted = line("/proc/stat", "btime ");
        Some(Process {
            cpu: cpu_seconds(),
            threads: field(20)?,
            started: booted.zip(field(22)).map(|(booted, ticks)| booted + ticks / TICKS),
            virtual_memory: field(23)?,
            resident: resident_bytes(),
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as f64),
        })
    }
}

/// The number behind a name at the beginning of a line.
fn line(file: &str, name: &str) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_likely() {
        let process = Process::read().unwrap();
        assert!((0.0..86_400.0).contains(&process.cpu), "{}", process.cpu);
        let before = cpu_seconds();
        while cpu_seconds() <= before {}
        assert!((1.0..10_000.0).contains(&process.threads), "{}", process.threads);
        let resident = process.resident.unwrap();
        assert!(resident > 1e6 && resident < process.virtual_memory, "{resident}");
        assert!(process.open_fds.unwrap() >= 3.0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let started = process.started.unwrap();
        assert!((now - 3_600.0..=now + 2.0).contains(&started), "{started}, now {now}");
    }
}
