//! `hashbuy run`: the service on Kafka.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};
use zeroize::Zeroizing;

use crate::command::settings::Settings;
use crate::command::{Error, layout, read_secret};
use crate::config::Config;
use crate::core::time::SECOND;
use crate::log::Log;
use crate::log::kafka::{KafkaLog, METADATA, Settings as KafkaSettings};
use crate::logging::{Format, Logging};
use crate::metrics;
use crate::service::{Crew, MachineClock, Notice, Plan, Stage, Status};
use crate::web::{self, Access, Site, Token};
use crate::worker::Topics;
use crate::worker::desk::{PATIENCE, Restoring, counted};
use crate::worker::needs::{self, By};

/// One line about what goes on is said once in so long.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// The brokers have so long to say how the topics are.
const CHECK: Duration = Duration::from_secs(20);

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Both stages run in one process, unless --stage says which. SIGTERM or Ctrl-C: what is open is \
finished, the group is left, and the process ends with code 0.

Exit codes: 0 ended by a signal, 1 failed while running, 2 wrong use or configuration.

Examples:
  hashbuy run --config hashbuy.toml
  hashbuy run --config hashbuy.toml --stage scan
  hashbuy run --config hashbuy.toml --set instance=1 --set web.port=9465")]
pub struct Run {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// Which stages run in this process
    #[arg(long, value_enum, default_value_t = Stage::All)]
    pub stage: Stage,
    /// How the log on stderr is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Auto)]
    pub log_format: Format,
}

/// Runs `hashbuy run`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Run) -> Result<(), Error> {
    no_core_dumps();
    let logging = Logging::start(args.log_format).map_err(Error::Usage)?;
    match start(args, &logging) {
        // Where everything else is JSON, so is the reason for the end.
        Err(Error::Failed(why)) if logging.is_json() => {
            error!("{why}");
            Err(Error::Reported)
        }
        ended => ended,
    }
}

fn start(args: &Run, logging: &Logging) -> Result<(), Error> {
    let config = args.settings.load()?;
    let Some(secret_file) = &config.service.secret_file else {
        return Err(Error::Usage(
            "codes.secret_file is missing: the codes need a secret; write at least 32 random bytes into a file and \
             name it"
            .into(),
        ));
    };
    let secret = read_secret("codes.secret_file", Path::new(secret_file))?;
    let access = access(&config)?;
    let log = connect(&config)?;
    check_topics(&*log, &config.service.topics, args.stage)?;
    layout::check(&*log, &config.service.app, &config.service.topics, args.stage)?;
    let handle = metrics::install().map_err(Error::failed)?;
    let (stage, clock) = (args.stage, Arc::new(MachineClock));
    let plan = Plan { config, secret, stage, log, clock, patience: PATIENCE };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::failed)?;
    runtime.block_on(serve(plan, handle, access, logging.bars()))
}

/// The memory of this process holds the secret, passwords and card tokens: unless somebody asks for it, by `prlimit
/// --core=unlimited --pid PID`, a crash leaves no copy of it on a disk.
fn no_core_dumps() {
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    // Only raising it needs a right.
    let _ = setrlimit(Resource::Core, limit);
}

/// What whoever wants more than the public list has to show, if the configuration asks for it.
fn access(config: &Config) -> Result<Access, Error> {
    let service = &config.service;
    let Some(file) = &service.token_file else {
        return Ok(if service.address.is_loopback() { Access::Open } else { Access::Closed });
    };
    let (setting, shown) = ("web.token_file", file.display());
    let token = std::fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|error| Error::Usage(format!("{setting} {shown}: cannot be read: {error}")))?;
    Token::new(token.trim_end_matches(['\n', '\r']))
        .map(Access::Token)
        .map_err(|error| Error::Usage(format!("{setting} {shown}: {error}")))
}

/// The log of the brokers that the configuration names.
///
/// # Errors
/// If the settings are wrong, or no broker answers.
pub fn connect(config: &Config) -> Result<Arc<KafkaLog>, Error> {
    let service = &config.service;
    let settings = KafkaSettings {
        client: service.app.clone(),
        properties: service.properties.clone(),
        ..KafkaSettings::new(&service.brokers)
    };
    settings.validate().map_err(Error::usage)?;
    Ok(Arc::new(KafkaLog::connect(settings).map_err(Error::failed)?))
}

/// Compares the topics with what the stages need. What cannot be found out now is asked for again.
fn check_topics(log: &dyn Log, names: &Topics, stage: Stage) -> Result<(), Error> {
    let by = match stage {
        Stage::Scan => By::Scan,
        Stage::Desk => By::Desk,
        Stage::All => By::Both,
    };
    let mut lookup = log.lookup().map_err(Error::failed)?;
    let until = Instant::now() + CHECK;
    loop {
        match needs::check(&mut *lookup, names, by) {
            Err(stop) if stop.passes() && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100))
            }
            checked => {
                for right in checked.map_err(Error::failed)? {
                    warn!(
                        topic = right.name,
                        "the settings of topic {} are taken for right: {}",
                        right.name,
                        right.lacking()
                    );
                }
                return Ok(());
            }
        }
    }
}

async fn serve(
    plan: Plan,
    handle: metrics_exporter_prometheus::PrometheusHandle,
    access: Access,
    bars: &MultiProgress,
) -> Result<(), Error> {
    let service = &plan.config.service;
    let (ip, port) = (service.address, service.port);
    let listener = web::listen(ip, port).await.map_err(|error| {
        Error::Failed(format!("web.port {port}: {ip}: {error}; choose another, or 0 for any free one"))
    })?;
    let address = listener.local_addr().map_err(Error::failed)?;
    let (brokers, app) = (&service.brokers, &service.app);
    info!(brokers, app, instance = service.instance, "connected to {brokers} as {app}; http://{address}/");
    let mut screen = Screen { bars, bar: None, ready: None };
    let name = format!("{} {}", service.app, service.instance);
    let show_ids = service.show_ids;
    if plan.config.settings.slack_ms < i64::try_from(METADATA.as_millis()).unwrap_or(i64::MAX) {
        warn!(
            "time.slack_seconds is {}: when the firehose gets more partitions, a code in a new one may come \
             too late; make it more than {}",
            plan.config.settings.slack_ms / SECOND,
            METADATA.as_secs()
        );
    }
    let mut term = signal(SignalKind::terminate()).map_err(Error::failed)?;
    let status = Status::default();
    let mut crew = Crew::start(plan, status.clone()).map_err(Error::failed)?;
    let upkeep = handle.clone();
    let mut site = Site::new(&name, status.clone(), handle);
    site.show_ids = show_ids;
    site.access = access;
    let page = tokio::spawn(web::serve(listener, site));
    let mut every = tokio::time::interval(STATUS_EVERY);
    every.tick().await;
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let ended = loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break Ok(()),
            _ = term.recv() => break Ok(()),
            _ = every.tick() => {
                info!("{}", status.line());
                // Nobody may ever ask for the page, and what the histograms were told has to go somewhere.
                upkeep.run_upkeep();
            }
            _ = look.tick() => {
                status.publish();
                screen.look(&status);
            }
            notice = crew.notice() => match notice {
                Some(stopped @ Notice::Stopped { .. }) => break Err(Error::failed(stopped)),
                // On a terminal there is the bar.
                Some(Notice::StillRestoring { .. }) if !bars.is_hidden() => {}
                Some(notice) => notice.log(),
                None => break Ok(()),
            },
        }
    };
    page.abort();
    info!("ending: finishing what is open");
    let left = crew.stop().await;
    info!("{}", status.line());
    ended.and(left.map(|said| said.iter().for_each(Notice::log)).map_err(Error::Failed))
}

/// What the log and a person at a terminal see of the state: when it is ready, and a bar while something is restored.
struct Screen<'l> {
    bars: &'l MultiProgress,
    bar: Option<ProgressBar>,
    /// Whether it was said that the process is ready; none before it was.
    ready: Option<bool>,
}

impl Screen<'_> {
    /// Shows what has changed.
    fn look(&mut self, status: &Status) {
        self.show_restores(status.restoring());
        let missing = status.ready().missing();
        let is_ready = missing.is_empty();
        match (self.ready, is_ready) {
            (None | Some(false), true) => info!("ready"),
            (Some(true), false) => missing.iter().for_each(|what| warn!("not ready: {what}")),
            _ => return,
        }
        self.ready = Some(is_ready);
    }

    fn show_restores(&mut self, restoring: Option<Restoring>) {
        match restoring {
            Some(restoring) => {
                let bar = self.bar.get_or_insert_with(|| {
                    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} records {eta}")
                        .map(|style| style.progress_chars("=> "));
                    self.bars
                        .add(ProgressBar::new(0))
                        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                });
                bar.set_message(format!("restoring {}", counted(restoring.partitions)));
                bar.set_length(restoring.of);
                bar.set_position(restoring.read);
            }
            None => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
