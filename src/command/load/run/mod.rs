//! `hashbuy load run`: all of it in turn, and the report.

mod alone;
mod latency;
mod progress;
mod site;
mod throughput;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use self::progress::Progress;
use self::site::Site;
use self::throughput::Axis;
use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, duration, now, tell};
use crate::load::interrupt;
use crate::load::machine::machine;
use crate::load::report::{Books, Report, table};

/// Arguments of `load run`.
#[derive(Debug, Args)]
#[command(after_help = "\
It makes topics of its own, named load-<time>-..., and deletes them at the end. The scan runs beside a \
loop that only counts, in turns; then the whole service at each rate; then it is ended and started \
again under load; then the desk alone, and the parts as `hashbuy load parts` has them. The report \
goes into a folder as report.json and report.html, and as a table to stdout.

What is measured runs in processes of its own, on one core if --core says so. Give the brokers another \
one: taskset -c 0 deploy/kafka/kafka up

Exit codes: 0 measured, whether or not the goals were met; 1 something failed, or was billed twice; 2 \
wrong use.

Examples:
  hashbuy load run --config hashbuy.toml --core 1
  hashbuy load run --set kafka.brokers=127.0.0.1:9092 --axes none --rates 5000 --for 10s")]
pub struct Run {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// Records of each firehose that is filled
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    pub records: u64,
    /// Pairs of passes for each shape of the load; with fewer than 5 the middle one says little
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rounds: usize,
    /// What is varied beside the main shape; `none` for nothing
    #[arg(long, value_name = "AXES", value_delimiter = ',', value_parser = axis)]
    pub axes: Vec<Option<Axis>>,
    /// Records in a second of each drive
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1000,10000,50000",
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub rates: Vec<u32>,
    /// How long each drive lasts, without its warm-up
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub lasts: Duration,
    /// Partitions of the main firehose
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub partitions: u32,
    /// How much is measured of the parts and of the desk alone: 1 is what the goals are meant for, 0.01
    /// a trial, 0 nothing
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = scale)]
    pub scale: f64,
    /// The only core that what is measured may use (Linux)
    #[arg(long, value_name = "N")]
    pub core: Option<usize>,
    /// A file of tweets to send, with new ids and times, instead of made-up ones
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The same seed makes the same records, but for their times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The folder of report and logs
    #[arg(long, value_name = "DIR", default_value = "load-report")]
    pub out: PathBuf,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (0.0..=1.0).contains(&scale) => Ok(scale),
        _ => Err("must be between 0 and 1".to_owned()),
    }
}

/// An axis by its name; none for `none`.
fn axis(name: &str) -> Result<Option<Axis>, String> {
    use clap::ValueEnum as _;
    match name {
        "none" => Ok(None),
        name => Axis::from_str(name, false).map(Some).map_err(|_| {
            let names: Vec<_> = Axis::value_variants().iter().filter_map(Axis::to_possible_value).collect();
            let names: Vec<&str> = names.iter().map(|value| value.get_name()).collect();
            format!("there are none, {}", names.join(", "))
        }),
    }
}

impl Run {
    /// What is varied: everything, if nothing was asked for.
    fn axes(&self) -> Vec<Axis> {
        use clap::ValueEnum as _;
        match self.axes.as_slice() {
            [] => Axis::value_variants().to_vec(),
            axes => axes.iter().copied().flatten().collect(),
        }
    }
}

/// Runs `hashbuy load run`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Run) -> Result<(), Error> {
    let config = args.settings.load()?;
    let log = connect(&config)?;
    interrupt::arm().map_err(Error::failed)?;
    let (began_at, began) = (now(), Instant::now());
    let progress = Progress::new(throughput::steps(args) + latency::steps(args) + alone::steps(args));
    let mut site = Site::new(args, &config, log, args.out.clone(), progress)?;
    let mut report = Report {
        began_at: began_at.to_string(),
        machine: machine(),
        settings: settings(args, &config.service.brokers),
        ..Report::default()
    };
    let measured = measure(args, &mut site, &mut report);
    let cleared = site.clear();
    site.progress().end();
    // What was measured before something failed is worth having, too.
    report.seconds = began.elapsed().as_secs_f64();
    report.write(site.folder()).map_err(|error| {
        Error::Failed(format!("--out {}: the report cannot be written: {error}", site.folder().display()))
    })?;
    write!(io::stdout(), "{}", table::text(&report)).map_err(|error| Error::stdout(&error))?;
    tell(format_args!("the report is in {}", site.folder().join("report.html").display()));
    measured?;
    cleared?;
    match report.books {
        Some(Books { doubles, .. }) if doubles > 0 => Err(Error::Failed(format!(
            "{doubles} purchases were confirmed or billed twice, or coupons credited"
        ))),
        _ => Ok(()),
    }
}

fn measure(args: &Run, site: &mut Site<'_>, report: &mut Report) -> Result<(), Error> {
    if args.rounds > 0 {
        throughput::measure(args, site, &mut report.throughput)?;
    }
    if !args.rates.is_empty() {
        let books = report.books.insert(Books::default());
        latency::measure(args, site, books, &mut report.latency)?;
        report.restart = latency::restart(args, site, books)?;
    }
    if args.scale > 0.0 {
        alone::desk(args, site, &mut report.desk)?;
        report.parts = alone::parts(args, site)?;
    }
    Ok(())
}

/// How it was called, and what was set.
fn settings(args: &Run, brokers: &str) -> BTreeMap<String, String> {
    let command: Vec<String> = std::env::args().skip(1).collect();
    let core = args.core.map_or_else(|| "any".to_owned(), |core| core.to_string());
    [
        ("command", format!("hashbuy {}", command.join(" "))),
        ("brokers", brokers.to_owned()),
        ("core", core),
        ("seed", args.seed.to_string()),
        (
            "template",
            args.template.as_ref().map_or_else(|| "made up".to_owned(), |file| file.display().to_string()),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
