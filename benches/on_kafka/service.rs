//! `hashbuy run` as a process of its own, on a core of its own where there are two.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hashbuy::worker::Topics;
use rustix::process::{Pid, Signal, kill_process};

use crate::broker::Broker;
use crate::cpu;

/// What is waited for comes within so long, or the bench ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// The key of the codes. It protects nobody.
pub const SECRET: &str = "a secret of the bench, which protects nobody";

/// How a process is started.
pub struct How<'h> {
    pub app: &'h str,
    pub topics: &'h Topics,
    pub instance: &'h str,
    /// `all`, `scan` or `desk`.
    pub stage: &'h str,
    /// The core that it has to make do with.
    pub core: Option<usize>,
    /// Further lines of the configuration.
    pub more: &'h str,
}

/// A running service. It is killed when this is dropped.
pub struct Service {
    child: Child,
    begun: Instant,
    log: PathBuf,
}

impl Service {
    pub fn start(broker: &Broker, how: &How<'_>) -> Service {
        let folder = broker.scratch();
        let name = format!("{}-{}", how.app, how.instance);
        let secret = folder.join("secret");
        fs::write(&secret, SECRET).expect("a file");
        let config = folder.join(format!("{name}.toml"));
        fs::write(&config, configuration(broker, how, &secret)).expect("a file");
        let log = folder.join(format!("{name}.log"));
        let program = env!("CARGO_BIN_EXE_hashbuy");
        let mut command = match how.core {
            Some(core) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["-c", &core.to_string(), program]);
                pinned
            }
            None => Command::new(program),
        };
        command.args(["run", "--stage", how.stage, "--config"]).arg(&config);
        let stderr = File::create(&log).expect("a file");
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let begun = Instant::now();
        Service { child: command.spawn().expect("hashbuy, and taskset"), begun, log }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it is ready. Returns how long that took from its start.
    pub fn await_ready(&mut self) -> Duration {
        self.wait(|service| service.get("/readyz").filter(|(status, _)| *status == 200).map(|_| ()));
        self.begun.elapsed()
    }

    /// Waits until `look` finds something.
    pub fn wait<T>(&mut self, look: impl FnMut(&mut Service) -> Option<T>) -> T {
        self.wait_for(PATIENCE, look)
    }

    /// The same with a patience of its own.
    pub fn wait_for<T>(&mut self, within: Duration, mut look: impl FnMut(&mut Service) -> Option<T>) -> T {
        let until = Instant::now() + within;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < until, "in vain, {ended:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A metric, of all its labels together, or of all that begin with these; 0 if it is not there.
    pub fn metric(&mut self, name: &str) -> f64 {
        let body = self.get("/metrics").map(|(_, body)| body).unwrap_or_default();
        let lines = body.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ', ',', '}']))
        });
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    /// Its memory in bytes: the most that it ever had, and what it has now.
    pub fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) << 10
        };
        (of("VmHWM"), of("VmRSS"))
    }

    /// The time that it has spent on all cores.
    pub fn cpu(&self) -> Duration {
        cpu::spent_by(&self.child.id().to_string())
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::TERM).expect("a process of ours");
    }

    /// Ends it in good order. Returns how long that took.
    pub fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        self.terminate();
        let status = self.child.wait().expect("a child");
        if !status.success() {
            println!("  it did not end well: {status}\n{}", self.log());
        }
        begun.elapsed()
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The answer of its page: status and body; none while there is no page.
    fn get(&self, path: &str) -> Option<(u16, String)> {
        let log = self.log();
        let (address, _) = log.split_once("http://")?.1.split_once('/')?;
        let mut stream = TcpStream::connect(address).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Everything as it is shipped, but for names and places.
fn configuration(broker: &Broker, how: &How<'_>, secret: &Path) -> String {
    let Topics { tweets, offers, accounts, card_transactions, inbox, .. } = how.topics;
    let Topics { changelog, purchases, orders, dead_letters, .. } = how.topics;
    let properties: String = broker
        .properties
        .iter()
        .map(|(name, value)| format!("kafka.properties.\"{name}\" = \"{value}\"\n"))
        .collect();
    format!(
        "app = \"{}\"\ninstance = \"{}\"\nkafka.brokers = \"{}\"\ncodes.secret_file = \"{}\"\nweb.port = 0\n{properties}{}\n\
         [topics]\ntweets = \"{tweets}\"\noffers = \"{offers}\"\naccounts = \"{accounts}\"\n\
         card_transactions = \"{card_transactions}\"\ninbox = \"{inbox}\"\n\
         changelog = \"{changelog}\"\npurchases = \"{purchases}\"\norders = \"{orders}\"\n\
         dead_letters = \"{dead_letters}\"\n",
        how.app,
        how.instance,
        broker.bootstrap,
        secret.display(),
        how.more,
    )
}
