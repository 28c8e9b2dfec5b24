//! `hashbuy run` as a process of its own, watched from outside: its log, its page, its metrics.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::report::Sample;
use super::{Failed, interrupt};

/// An answer of its page comes within so long.
const ANSWER: Duration = Duration::from_secs(5);
/// It ends within so long, or is killed.
const END: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// How a process is started.
#[derive(Debug, Clone)]
pub struct How {
    /// This program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The only core that it may use; none: all. Linux only.
    pub core: Option<usize>,
    /// Where its log goes.
    pub log: PathBuf,
}

/// A running service. It is killed when this is dropped.
pub struct Watched {
    child: Child,
    begun: Instant,
    log: PathBuf,
    address: Option<String>,
}

impl How {
    /// Starts a process, with what it writes to stderr in its log.
    ///
    /// # Errors
    /// If the machine refuses.
    pub fn spawn(&self, stdout: Stdio) -> Result<Child, Failed> {
        let failed =
            |error: io::Error| Failed::to(&format!("{} cannot be started", self.program.display()), error);
        let log = File::create(&self.log)
            .map_err(|error| Failed::to(&format!("{} cannot be written", self.log.display()), error))?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(stdout).stderr(log);
        let before = self.core.map(keep_to).transpose().map_err(failed)?;
        let child = command.spawn();
        if let Some(before) = before {
            before.restore().map_err(failed)?;
        }
        child.map_err(failed)
    }
}

/// The cores that a thread might use before.
struct Before(#[cfg(target_os = "linux")] rustix::thread::CpuSet);

/// Keeps this thread, and what it starts, to one core.
#[cfg(target_os = "linux")]
fn keep_to(core: usize) -> io::Result<Before> {
    let before = rustix::thread::sched_getaffinity(None)?;
    let mut only = rustix::thread::CpuSet::new();
    if core >= rustix::thread::CpuSet::MAX_CPU {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no core {core}")));
    }
    only.set(core);
    rustix::thread::sched_setaffinity(None, &only)?;
    Ok(Before(before))
}

#[cfg(not(target_os = "linux"))]
fn keep_to(core: usize) -> io::Result<Before> {
    Err(io::Error::new(io::ErrorKind::Unsupported, format!("core {core}: only on Linux; leave it out")))
}

impl Before {
    #[cfg(target_os = "linux")]
    fn restore(self) -> io::Result<()> {
        Ok(rustix::thread::sched_setaffinity(None, &self.0)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn restore(self) -> io::Result<()> {
        Ok(())
    }
}

impl Watched {
    /// Starts it.
    ///
    /// # Errors
    /// If the machine refuses.
    pub fn start(how: &How) -> Result<Watched, Failed> {
        let begun = Instant::now();
        let child = how.spawn(Stdio::null())?;
        Ok(Watched { child, begun, log: how.log.clone(), address: None })
    }

    /// Since its start.
    pub fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// If it is not within that time, or has ended; with the end of its log.
    pub fn await_ready(&mut self, within: Duration) -> Result<(), Failed> {
        self.wait("ready", within, |service| {
            service.get("/readyz").is_some_and(|(status, _)| status == 200).then_some(())
        })
    }

    /// Waits until `look` finds something.
    ///
    /// # Errors
    /// If it does not within that time, or the process has ended; with the end of its log.
    pub fn wait<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&mut Watched) -> Option<T>,
    ) -> Result<T, Failed> {
        let until = Instant::now() + within;
        loop {
            interrupt::check()?;
            if let Some(found) = look(self) {
                return Ok(found);
            }
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() >= until {
                let why = ended.map_or_else(
                    || format!("not {what} within {} s", within.as_secs()),
                    |status| format!("ended before it was {what} ({status})"),
                );
                return Err(Failed(format!(
                    "hashbuy run: {why}; the end of {}:\n{}",
                    self.log.display(),
                    self.tail()
                )));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Why it has ended, with the end of its log; none while it runs.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(format!("hashbuy run ended ({status}); the end of {}:\n{}", self.log.display(), self.tail()))
    }

    /// All that its metrics say; none while there is no page.
    pub fn metrics(&mut self) -> Option<Metrics> {
        self.get("/metrics").map(|(_, page)| Metrics(page))
    }

    /// How it is now; none while there is no page.
    pub fn sample(&mut self, since: Instant) -> Option<Sample> {
        let metrics = self.metrics()?;
        Some(Sample {
            seconds: since.elapsed().as_secs_f64(),
            tweets: metrics.sum("hashbuy_scan_records_total") as u64,
            cpu_seconds: metrics.sum("process_cpu_seconds_total"),
            memory_bytes: metrics.sum("process_resident_memory_bytes") as u64,
        })
    }

    /// Ends it in good order. Returns how long that took.
    ///
    /// # Errors
    /// If it does not end, or not well.
    pub fn stop(mut self) -> Result<Duration, Failed> {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if begun.elapsed() < END => std::thread::sleep(LOOK),
                _ => return Err(Failed(format!("hashbuy run did not end within {} s", END.as_secs()))),
            }
        };
        match status.success() {
            true => Ok(begun.elapsed()),
            false => Err(Failed(format!(
                "hashbuy run did not end well ({status}); the end of {}:\n{}",
                self.log.display(),
                self.tail()
            ))),
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // One that has ended already needs none.
            let _ = kill_process(pid, signal);
        }
    }

    /// The last lines of its log.
    fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// The answer of its page: status and body; none while there is no page.
    fn get(&mut self, path: &str) -> Option<(u16, String)> {
        if self.address.is_none() {
            let log = fs::read_to_string(&self.log).ok()?;
            let (address, _) = log.split_once("http://")?.1.split_once('/')?;
            self.address = Some(address.to_owned());
        }
        let address = self.address.as_deref()?;
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(ANSWER)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page of metrics.
pub struct Metrics(String);

impl Metrics {
    /// A metric, of all its labels together; 0 if it is not there.
    pub fn sum(&self, name: &str) -> f64 {
        let series = self
            .0
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }
}

/// Where the log of a process goes.
pub fn log_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_the_sum_of_its_series() {
        let page = "# HELP a_total x\na_total{kind=\"x\"} 2\na_total{kind=\"y\"} 3.5\na_total_more 9\nb 7\n";
        let metrics = Metrics(page.to_owned());
        assert_eq!((metrics.sum("a_total"), metrics.sum("b"), metrics.sum("c")), (5.5, 7.0, 0.0));
    }
}
