//! Passes over a filled topic: the scan of `hashbuy run`, and the loop that only counts, in turns.
//!
//! Each pass is by processes of their own, kept to the same core, with the same settings of the client. Whoever comes
//! second finds what the first has warmed, so they take turns at coming first.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::report::{Pass, Round, Sample};
use super::watched::{How, Watched, log_in};
use super::{Failed, interrupt};

/// A scan has read all within so long, or it is a failure.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two samples of a scan.
const SAMPLE: Duration = Duration::from_millis(200);

/// How the processes are started that are measured.
#[derive(Debug, Clone)]
pub struct Measured {
    /// This program.
    pub program: PathBuf,
    /// The arguments that say where the brokers, the topics and the secret are: `--config`, `--set` and the like.
    pub settings: Vec<String>,
    /// The only core that they may use; none: all.
    pub core: Option<usize>,
    /// Where their logs go.
    pub folder: PathBuf,
    /// The name of the application. It keeps what it has fed of the tables from pass to pass, and forgets what it has
    /// read of the firehose.
    pub app: String,
    /// Processes that read together.
    pub instances: u32,
}

impl Measured {
    /// A pair of passes over a topic with so many records. `forget` makes that the group of the scan has committed
    /// nothing.
    ///
    /// # Errors
    /// If a process does not start, does not end well, or does not read all.
    pub fn round(
        &self,
        number: usize,
        records: u64,
        forget: &mut dyn FnMut(&str) -> Result<(), Failed>,
    ) -> Result<Round, Failed> {
        forget(&self.group())?;
        let scan_first = number % 2 == 1;
        let group = format!("{}-baseline-{number}", self.app);
        let (baseline, scan) = if scan_first {
            let scan = self.scan(records)?;
            (self.baseline(&group)?, scan)
        } else {
            let baseline = self.baseline(&group)?;
            (baseline, self.scan(records)?)
        };
        Ok(Round { baseline, scan, scan_first })
    }

    /// The group of the scan.
    pub fn group(&self) -> String {
        format!("{}-scan", self.app)
    }

    fn baseline(&self, group: &str) -> Result<Pass, Failed> {
        let mut children = Vec::new();
        for instance in 0..self.instances {
            let how =
                self.how(&["load", "baseline", "--json", "--group", group], &format!("{group}-{instance}"));
            children.push((how.spawn(Stdio::piped())?, how.log));
        }
        let passes: Result<Vec<Pass>, Failed> = children
            .into_iter()
            .map(|(child, log)| {
                let ended = child.wait_with_output().map_err(|error| Failed::to("load baseline", error))?;
                let json =
                    ended.status.success().then(|| serde_json::from_slice(&ended.stdout).ok()).flatten();
                json.ok_or_else(|| Failed(format!("load baseline: {}; see {}", ended.status, log.display())))
            })
            .collect();
        Ok(Pass::together(passes?))
    }

    /// One pass of the scan.
    ///
    /// # Errors
    /// As [`Measured::round`].
    pub fn scan(&self, records: u64) -> Result<Pass, Failed> {
        let mut services = Vec::new();
        for instance in 0..self.instances {
            let how = self.service("scan", &instance.to_string());
            services.push(Watched::start(&how)?);
        }
        let begun = Instant::now();
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); services.len()];
        loop {
            interrupt::check()?;
            let mut read = 0;
            for (service, samples) in services.iter_mut().zip(&mut samples) {
                if let Some(reason) = service.ended() {
                    return Err(Failed(reason));
                }
                if let Some(sample) = service.sample(begun) {
                    read += sample.tweets;
                    // One that has the last record goes on without work, which is no part of the pass.
                    if sample.tweets > samples.last().map_or(0, |last| last.tweets) {
                        samples.push(sample);
                    }
                }
            }
            if read >= records {
                break;
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failed(format!(
                    "the scan has read {read} of {records} records in {} s; see the logs in {}",
                    PATIENCE.as_secs(),
                    self.folder.display()
                )));
            }
            std::thread::sleep(SAMPLE);
        }
        for service in services {
            service.stop()?;
        }
        Ok(Pass::together(samples.into_iter().map(Pass::of).collect()))
    }

    /// `hashbuy run` with these stages.
    pub fn service(&self, stage: &str, instance: &str) -> How {
        let (app_set, instance_set) = (format!("app={}", self.app), format!("instance={instance}"));
        let arguments =
            ["run", "--stage", stage, "--set", &app_set, "--set", &instance_set, "--set", "web.port=0"];
        self.how(&arguments, &format!("{}-{stage}-{instance}", self.app))
    }

    fn how(&self, arguments: &[&str], name: &str) -> How {
        // What comes last counts.
        let (command, more) =
            arguments.split_at(arguments.iter().take_while(|word| !word.starts_with('-')).count());
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        How {
            program: self.program.clone(),
            arguments: [owned(command), self.settings.clone(), owned(more)].concat(),
            core: self.core,
            log: log_in(Path::new(&self.folder), name),
        }
    }
}

impl Pass {
    /// What processes have done side by side: from when the first began to when the last had done.
    fn together(passes: Vec<Pass>) -> Pass {
        let samples = match passes.as_slice() {
            [one] => one.samples.clone(),
            _ => Vec::new(),
        };
        Pass {
            tweets: passes.iter().map(|pass| pass.tweets).sum(),
            bytes: passes.iter().map(|pass| pass.bytes).sum(),
            wall_seconds: passes.iter().map(|pass| pass.wall_seconds).fold(0.0, f64::max),
            cpu_seconds: passes.iter().map(|pass| pass.cpu_seconds).sum(),
            peak_memory_bytes: passes.iter().map(|pass| pass.peak_memory_bytes).max().unwrap_or(0),
            samples,
            shares: passes.iter().map(|pass| pass.tweets).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_processes_do_side_by_side_adds_up() {
        let pass = |tweets, wall_seconds, peak_memory_bytes| Pass {
            tweets,
            wall_seconds,
            cpu_seconds: 2.0,
            peak_memory_bytes,
            ..Pass::default()
        };
        let both = Pass::together(vec![pass(100, 3.0, 7), pass(300, 2.0, 9)]);
        assert_eq!((both.tweets, both.cpu_seconds, both.wall_seconds), (400, 4.0, 3.0));
        assert_eq!((both.peak_memory_bytes, both.shares), (9, vec![100, 300]));
    }

    #[test]
    fn what_is_set_for_a_process_comes_behind_what_is_set_for_all() {
        let measured = Measured {
            program: "hashbuy".into(),
            settings: vec!["--config".to_owned(), "a.toml".to_owned()],
            core: Some(1),
            folder: "/tmp".into(),
            app: "load-1".to_owned(),
            instances: 1,
        };
        let how = measured.service("scan", "0");
        let line = how.arguments.join(" ");
        assert_eq!(
            line,
            "run --config a.toml --stage scan --set app=load-1 --set instance=0 --set web.port=0"
        );
        assert_eq!(how.log, Path::new("/tmp/load-1-scan-0.log"));
    }
}
