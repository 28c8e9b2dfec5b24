//! `hashbuy run`: the service on Kafka.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::command::{Error, read_secret, tell};
use crate::config::Config;
use crate::log::kafka::{KafkaLog, Settings as KafkaSettings};
use crate::service::{Crew, MachineClock, Notice, Plan, Stage, Status, time_of_day};
use crate::worker::desk::PATIENCE;
use crate::{metrics, web};

/// One line about what goes on is said once in so long.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Both stages run in one process, unless --stage says which. SIGTERM or Ctrl-C: what is open is
finished, the group is left, and the process ends with code 0.

Exit codes: 0 ended by a signal, 1 failed while running, 2 wrong use or configuration.

Examples:
  hashbuy run --config hashbuy.toml
  hashbuy run --config hashbuy.toml --stage scan")]
pub struct Run {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which stages run in this process
    #[arg(long, value_enum, default_value_t = Stage::All)]
    pub stage: Stage,
}

/// Runs `hashbuy run`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Run) -> Result<(), Error> {
    let config = Config::load(args.config.as_deref(), std::env::vars_os()).map_err(Error::usage)?;
    let Some(secret_file) = &config.service.secret_file else {
        return Err(Error::Usage(
            "codes.secret_file is missing: the codes need a secret; write at least 32 random bytes into a file and \
             name it"
            .into(),
        ));
    };
    let secret = read_secret("codes.secret_file", Path::new(secret_file))?;
    let log = connect(&config)?;
    let handle = metrics::install().map_err(Error::failed)?;
    let (port, stage, clock) = (config.service.port, args.stage, Arc::new(MachineClock));
    let plan = Plan { config, secret, stage, log, clock, patience: PATIENCE };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::failed)?;
    runtime.block_on(serve(plan, handle, port))
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

async fn serve(
    plan: Plan,
    handle: metrics_exporter_prometheus::PrometheusHandle,
    port: u16,
) -> Result<(), Error> {
    let listener = web::listen(port).await.map_err(|error| {
        Error::Failed(format!("web.port {port}: {error}; choose another, or 0 for any free one"))
    })?;
    let address = listener.local_addr().map_err(Error::failed)?;
    let brokers = &plan.config.service.brokers;
    tell(format_args!(
        "{}  connected to {brokers} as {}; http://{address}/metrics",
        time_of_day(),
        plan.config.service.app
    ));
    let status = Status::default();
    let mut crew = Crew::start(plan, status.clone()).map_err(Error::failed)?;
    let page = tokio::spawn(web::serve(listener, handle, status.ready()));
    let (mut term, mut every) =
        (signal(SignalKind::terminate()).map_err(Error::failed)?, tokio::time::interval(STATUS_EVERY));
    every.tick().await;
    let mut look = tokio::time::interval(Duration::from_millis(200));
    let ended = loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break Ok(()),
            _ = term.recv() => break Ok(()),
            _ = every.tick() => tell(status.line()),
            _ = look.tick() => status.publish(),
            notice = crew.notice() => match notice {
                Some(stopped @ Notice::Stopped { .. }) => break Err(Error::failed(stopped)),
                Some(notice) => tell(format_args!("{}  {notice}", time_of_day())),
                None => break Ok(()),
            },
        }
    };
    page.abort();
    tell(format_args!("{}  ending: finishing what is open", time_of_day()));
    let left = crew.stop().await;
    tell(status.line());
    ended.and(left.map(|_| ()).map_err(Error::Failed))
}
